//! Requests from inside services, and the end of the process.

use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[test]
fn rule_46_services_stop_themselves_and_each_other() {
    explore(|| {
        let mut scenario = Scenario::new();
        for (name, other) in [("a", "b"), ("b", "c"), ("c", "a")] {
            let runner = scenario.handle();
            let body = move |_: &Context| {
                let Some(runner) = runner() else { return };
                let stopped = runner.stop(other).expect("it is known");
                assert!(!matches!(stopped, Stopped::Abandoned { .. }), "{stopped:?}");
                let stopped = runner.stop(name).expect("it is known");
                assert_eq!(stopped, Stopped::Requested, "it cannot wait for itself");
            };
            scenario.add(name, body, |service| service.interval("1ms"));
        }
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|runner, _| random_request(runner, choose(&["a", "b", "c"])));
        scenario.end();
    });
}

#[test]
fn rule_46_services_make_random_requests_of_each_other() {
    explore(|| {
        let mut scenario = Scenario::new();
        for name in NAMES {
            let runner = scenario.handle();
            let body = move |_: &Context| {
                if let Some(runner) = runner() {
                    random_request(&runner, choose(&NAMES));
                }
            };
            scenario.add(name, body, |service| service.interval("1ms"));
        }
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|runner, clock| {
            for _ in 0..2 {
                clock.advance(Duration::from_millis(1));
                random_request(runner, choose(&NAMES));
            }
        });
        scenario.end();
    });
}

/// Does what the exit hook does, on the thread that ends the process.
#[cfg(feature = "exit-hook")]
fn end_the_process(runner: &Runner, clock: &Clock) {
    let engines = [Arc::clone(&runner.shared.engine)];
    // No limit is needed, because everything does stop.
    crate::process::exit_hook::stop(&engines, current::current(), clock, u64::MAX);
}

#[test]
#[cfg(feature = "exit-hook")]
fn rule_45_the_process_ends_during_any_request() {
    explore(|| {
        let mut scenario = Scenario::new();
        let steady = |ctx: &Context| {
            ctx.heartbeat();
            yield_now();
        };
        scenario.add("steady", steady, |service| service.interval("1ms").timeout("1ms"));
        scenario.add("obedient", until_stopped, |service| service.ready(Ready::Started));
        scenario.add("after", until_stopped, |service| service.after("obedient"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|runner, clock| {
            clock.advance(Duration::from_millis(1));
            random_request(runner, choose(&["steady", "obedient", "after"]));
        });
        scenario.spawn(|runner, _| random_request(runner, "obedient"));
        end_the_process(&scenario.runner, &scenario.clock);
        assert!(scenario.runner.shared.engine.with(|supervisor, _| supervisor.is_idle()));
        assert!(scenario.runner.start("steady").is_err(), "nothing starts any more");
        scenario.join();
        scenario.check();
    });
}

/// Simulates a body that calls `process::exit`: another thread runs its clean-up, because the body
/// never returns. Other threads make requests at the same time.
#[test]
#[cfg(feature = "exit-hook")]
fn rule_45_a_body_ends_the_process() {
    explore(|| {
        let mut scenario = Scenario::new();
        let (began, over, end) = gates();
        let (runner, clock) = (scenario.handle(), scenario.clock.clone());
        let hooks = Arc::new(AtomicUsize::new(0));
        let (count, counted) = (Arc::clone(&hooks), Arc::clone(&hooks));
        let (began_in_body, over_in_body, end_in_body) =
            (Arc::clone(&began), Arc::clone(&over), Arc::clone(&end));
        let body = move |_: &Context| {
            began_in_body.open();
            let runner = runner().expect("the test has one");
            end_the_process(&runner, &clock);
            assert_eq!(counted.load(Ordering::SeqCst), 1, "its own clean-up");
            over_in_body.open();
            // A real process would have ended here; the schedule still needs to end.
            end_in_body.pass();
        };
        let hook = move |_: &Context| {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let exits = Service::new("exits", body).ready(Ready::Started);
        scenario.runner.register(exits.on_stop(hook)).unwrap();
        scenario.add("steady", |_| yield_now(), |service| service.interval("1ms"));
        scenario.add("obedient", until_stopped, |service| service.after("exits"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(move |runner, _| {
            began.pass();
            random_request(runner, choose(&["exits", "steady", "obedient"]));
        });
        over.pass();
        scenario.join();
        end.open();
        assert_eq!(hooks.load(Ordering::SeqCst), 1, "once");
        scenario.check();
    });
}

fn gates() -> (Arc<Gate>, Arc<Gate>, Arc<Gate>) {
    Default::default()
}

/// A service that waits for the stop of another one stops waiting when it is asked to stop itself,
/// because the other one may depend on it.
#[test]
fn rule_46_a_wait_inside_a_service_ends_when_that_service_is_stopped() {
    explore(|| {
        let mut scenario = Scenario::new();
        let (began, gate, other) = gates();
        let (began_in_body, gate_in_body) = (Arc::clone(&began), Arc::clone(&gate));
        let (other_in_body, runner) = (Arc::clone(&other), scenario.handle());
        let waits = move |_: &Context| {
            other_in_body.pass();
            began_in_body.open();
            let stopped = runner().expect("the test has one").stop("stays");
            assert_eq!(stopped.expect("it is known"), Stopped::Requested);
            gate_in_body.open();
        };
        let stays = move |_: &Context| {
            other.open();
            gate.pass();
        };
        scenario.add("waits", waits, |service| service);
        scenario.add("stays", stays, |service| service);
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(move |runner, _| {
            began.pass();
            runner.stop("waits").expect("it is known");
        });
        scenario.end();
    });
}
