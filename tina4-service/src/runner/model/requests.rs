//! Requests from several threads at once.

use super::*;

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn whatever_is_asked_at_once_there_is_one_copy_of_each_and_an_end() {
    check(|| {
        let mut play = Driven::new();
        play.add("steady", |_| yield_now(), |service| service.interval("1ms"));
        play.add("eager", eager, |service| service.interval("1ms"));
        play.add("unsteady", unsteady, |service| service.backoff("1ms").max_restarts(2));
        play.add("obedient", obedient, |service| service);
        play.runner.start_all().expect("nothing is wrong with them");
        for _ in 0..3 {
            play.meanwhile(|runner, _| {
                for _ in 0..3 {
                    ask_anything(runner, any(&["steady", "eager", "unsteady", "obedient"]));
                }
            });
        }
        play.meanwhile(|_, clock| {
            for _ in 0..3 {
                clock.advance(MILLI);
                yield_now();
            }
        });
        play.end();
    });
}

#[test]
fn rule_47_start_stop_and_restart_of_one_service_at_once() {
    check(|| {
        let mut play = Driven::new();
        let seen = play.add("s", obedient, |service| service);
        play.meanwhile(|runner, _| {
            runner.start("s").expect("it may start");
            runner.restart("s").expect("it may start");
        });
        play.meanwhile(|runner, _| {
            runner.stop("s").expect("it is known");
            runner.start("s").expect("it may start");
        });
        play.join();
        // Whoever was last wanted it to run, or its stop came between stop and start of a restart.
        if play.runner.is_running("s") {
            until(|| seen.inside.load(Ordering::SeqCst) == 1);
        }
        play.end();
    });
}

#[test]
fn rule_40_a_backoff_that_ends_while_it_is_stopped() {
    check(|| {
        let mut play = Driven::new();
        let body = |_: &Context| Err::<(), _>(ON_PURPOSE);
        play.add("s", body, |service| service.backoff("1ms"));
        play.runner.start_all().expect("nothing is wrong with it");
        play.meanwhile(|runner, _| {
            runner.stop("s").expect("it is known");
            assert!(!runner.is_running("s"), "nobody starts it again");
        });
        play.meanwhile(|_, clock| {
            clock.advance(MILLI);
            clock.advance(2 * MILLI);
        });
        play.meanwhile(|runner, _| ask_anything_but_start(runner, "s"));
        play.end();
    });
}

fn ask_anything_but_start(runner: &Runner, name: &str) {
    // Whether it is active at that moment is a matter of luck.
    let _ = match thread_rng().gen_range(0..3) {
        0 => runner.run_now(name),
        1 => runner.pause(name),
        _ => runner.stop(name).map(drop),
    };
}

#[test]
fn what_is_to_run_now_runs_whatever_is_paused_and_resumed_meanwhile() {
    check(|| {
        let mut play = Driven::new();
        let seen = play.add("s", |_| yield_now(), |service| service.interval("1h"));
        play.add("other", |_| yield_now(), |service| service.interval("1h"));
        play.runner.start_all().expect("nothing is wrong with them");
        until(|| seen.runs.load(Ordering::SeqCst) == 1);
        play.meanwhile(|runner, _| {
            let busy = |error: ControlError| assert!(matches!(error, ControlError::Busy { .. }));
            // The first run may not have ended yet.
            while runner.run_now("s").map_err(busy).is_err() {
                yield_now();
            }
        });
        play.meanwhile(|runner, _| {
            runner.pause("s").expect("it is active");
            let _ = runner.run_now("other");
            runner.resume("s").expect("it is active");
        });
        // Not through the runner, which would cover what is due on this occasion.
        until(|| seen.runs.load(Ordering::SeqCst) == 2);
        play.end();
    });
}

#[test]
fn rule_41_what_comes_after_is_stopped_before() {
    check(|| {
        let mut play = Driven::new();
        play.add("base", obedient, |service| service);
        play.add("middle", |_| yield_now(), |service| service.delay("1h").after("base"));
        play.add("top", obedient, |service| service.after("middle"));
        play.runner.start_all().expect("nothing is wrong with them");
        let order = Arc::clone(&play.cleaned_up);
        for _ in 0..2 {
            play.meanwhile(|runner, _| {
                assert!(!runner.stop_all().in_progress);
            });
        }
        play.meanwhile(|runner, _| match runner.start_all() {
            Ok(_) | Err(StartError::ShuttingDown) => {}
            Err(error) => panic!("{error}"),
        });
        play.end();
        for ends in lock(&order).chunks(6) {
            assert_eq!(ends, ["top", "top", "middle", "middle", "base", "base"]);
        }
    });
}

#[test]
fn the_last_handle_is_dropped_while_everything_is_going_on() {
    check(|| {
        let mut play = Driven::new();
        play.add("steady", |_| yield_now(), |service| service.delay("1ms"));
        play.add("obedient", obedient, |service| service);
        play.runner.start_all().expect("nothing is wrong with them");
        play.meanwhile(|_, clock| clock.advance(MILLI));
        play.meanwhile(|runner, _| {
            let _ = runner.restart("obedient");
        });
        let pool = Arc::clone(&play.runner.shared.pool);
        let Driven { runner, seen, threads, .. } = play;
        drop(runner);
        threads.into_iter().for_each(|thread| thread.join().expect("a request returns"));
        // Nobody waits for them, but they are told to stop, and do.
        until(|| pool.threads() == 0);
        for (name, seen) in seen {
            let (inside, hooks) = (&seen.inside, &seen.hooks);
            assert_eq!(inside.load(Ordering::SeqCst), 0, "{name}");
            assert!(hooks.load(Ordering::SeqCst) >= 1, "{name} is cleaned up");
        }
    });
}
