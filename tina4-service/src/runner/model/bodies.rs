//! Requests from inside of services, and a process that ends meanwhile.

use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[test]
fn rule_46_services_that_stop_themselves_and_each_other() {
    check(|| {
        let mut play = Driven::new();
        for (name, other) in [("a", "b"), ("b", "c"), ("c", "a")] {
            let runner = play.handle();
            let body = move |_: &Context| {
                let Some(runner) = runner() else { return };
                let stopped = runner.stop(other).expect("it is known");
                assert!(!matches!(stopped, Stopped::Abandoned { .. }), "{stopped:?}");
                let stopped = runner.stop(name).expect("it is known");
                assert_eq!(stopped, Stopped::Requested, "it cannot wait for itself");
            };
            play.add(name, body, |service| service.interval("1ms"));
        }
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(|runner, _| ask_anything(runner, any(&["a", "b", "c"])));
        play.end();
    });
}

#[test]
fn rule_46_services_that_ask_anything_of_each_other() {
    check(|| {
        let mut play = Driven::new();
        for name in NAMES {
            let runner = play.handle();
            let body = move |_: &Context| {
                if let Some(runner) = runner() {
                    ask_anything(&runner, any(&NAMES));
                }
            };
            play.add(name, body, |service| service.interval("1ms"));
        }
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(|runner, clock| {
            for _ in 0..2 {
                clock.advance(Duration::from_millis(1));
                ask_anything(runner, any(&NAMES));
            }
        });
        play.end();
    });
}

/// What the end of the process does, on the thread that ends it.
#[cfg(feature = "exit-hook")]
fn end_the_process(runner: &Runner, clock: &Clock) {
    let pools = [Arc::clone(&runner.shared.pool)];
    // Without a limit: it is never needed, because everything does stop.
    crate::process::exit_hook::stop(&pools, invoke::current(), clock, u64::MAX);
}

#[test]
#[cfg(feature = "exit-hook")]
fn rule_45_the_process_ends_whatever_is_asked_meanwhile() {
    check(|| {
        let mut play = Driven::new();
        let steady = |ctx: &Context| {
            ctx.heartbeat();
            yield_now();
        };
        play.add("steady", steady, |service| service.interval("1ms").timeout("1ms"));
        play.add("obedient", obedient, |service| service);
        play.add("after", obedient, |service| service.after("obedient"));
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(|runner, clock| {
            clock.advance(Duration::from_millis(1));
            ask_anything(runner, any(&["steady", "obedient", "after"]));
        });
        play.meanwhile(|runner, _| ask_anything(runner, "obedient"));
        end_the_process(&play.runner, &play.clock);
        assert!(play.runner.shared.pool.with(|services, _| services.is_quiet()));
        assert!(play.runner.start("steady").is_err(), "nothing starts any more");
        play.join();
        play.check();
    });
}

/// As when a body calls `process::exit`: its own clean-up is done by another thread, because it
/// never returns. Meanwhile it is asked for other things.
#[test]
#[cfg(feature = "exit-hook")]
fn rule_45_a_body_ends_the_process() {
    check(|| {
        let mut play = Driven::new();
        let (began, over, end) = gates();
        let (runner, clock) = (play.handle(), play.clock.clone());
        let hooks = Arc::new(AtomicUsize::new(0));
        let (count, counted) = (Arc::clone(&hooks), Arc::clone(&hooks));
        let (begins, ended, left) = (Arc::clone(&began), Arc::clone(&over), Arc::clone(&end));
        let body = move |_: &Context| {
            begins.open();
            let runner = runner().expect("the test has one");
            end_the_process(&runner, &clock);
            assert_eq!(counted.load(Ordering::SeqCst), 1, "its own clean-up");
            ended.open();
            // Here the process is gone; the schedule needs its end.
            left.pass();
        };
        let hook = move |_: &Context| {
            count.fetch_add(1, Ordering::SeqCst);
        };
        play.runner.register(Service::new("exits", body).on_stop(hook));
        play.add("steady", |_| yield_now(), |service| service.interval("1ms"));
        play.add("obedient", obedient, |service| service.after("exits"));
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(move |runner, _| {
            began.pass();
            ask_anything(runner, any(&["exits", "steady", "obedient"]));
        });
        over.pass();
        play.join();
        end.open();
        assert_eq!(hooks.load(Ordering::SeqCst), 1, "once");
        play.check();
    });
}

fn gates() -> (Arc<Gate>, Arc<Gate>, Arc<Gate>) {
    Default::default()
}

/// A stop that waits inside of a service ends when that service is asked to stop itself: what it
/// waits for may need it.
#[test]
fn rule_46_who_waits_inside_of_a_service_goes_on_when_asked_to_stop() {
    check(|| {
        let mut play = Driven::new();
        let (began, gate, other) = gates();
        let (begins, opens, runner) = (Arc::clone(&began), Arc::clone(&gate), play.handle());
        let ready = Arc::clone(&other);
        let waits = move |_: &Context| {
            ready.pass();
            begins.open();
            let stopped = runner().expect("the test has one").stop("stays");
            assert_eq!(stopped.expect("it is known"), Stopped::Requested);
            opens.open();
        };
        let stays = move |_: &Context| {
            other.open();
            gate.pass();
        };
        play.add("waits", waits, |service| service);
        play.add("stays", stays, |service| service);
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(move |runner, _| {
            began.pass();
            runner.stop("waits").expect("it is known");
        });
        play.end();
    });
}
