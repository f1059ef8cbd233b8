//! Concurrent requests from several threads.

use super::*;

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn concurrent_requests_leave_one_copy_of_each_service_and_all_of_them_end() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add("steady", |_| yield_now(), |service| service.interval("1ms"));
        scenario.add("eager", eager, |service| service.interval("1ms"));
        scenario
            .add("unsteady", crashes_at_random, |service| service.backoff("1ms").max_restarts(2));
        scenario.add("obedient", until_stopped, |service| service);
        scenario.runner.start_all().expect("nothing is wrong with them");
        for _ in 0..3 {
            scenario.spawn(|runner, _| {
                for _ in 0..3 {
                    random_request(runner, choose(&["steady", "eager", "unsteady", "obedient"]));
                }
            });
        }
        scenario.spawn(|_, clock| {
            for _ in 0..3 {
                clock.advance(MILLI);
                yield_now();
            }
        });
        scenario.end();
    });
}

#[test]
fn rule_47_one_service_is_started_stopped_and_restarted_concurrently() {
    explore(|| {
        let mut scenario = Scenario::new();
        let counters = scenario.add("s", until_stopped, |service| service);
        scenario.spawn(|runner, _| {
            runner.start("s").expect("it may start");
            runner.restart("s").expect("it may start");
        });
        scenario.spawn(|runner, _| {
            runner.stop("s").expect("it is known");
            runner.start("s").expect("it may start");
        });
        scenario.join();
        // If it runs (each of the two threads ends with a start), exactly one copy does.
        if scenario.runner.is_running("s") {
            wait_until(|| counters.active.load(Ordering::SeqCst) == 1);
        }
        scenario.end();
    });
}

#[test]
fn rule_40_a_backoff_ends_during_a_stop() {
    explore(|| {
        let mut scenario = Scenario::new();
        let body = |_: &Context| Err::<(), _>(ON_PURPOSE);
        scenario.add("s", body, |service| service.backoff("1ms"));
        scenario.runner.start_all().expect("nothing is wrong with it");
        scenario.spawn(|runner, _| {
            runner.stop("s").expect("it is known");
            assert!(!runner.is_running("s"), "nobody starts it again");
        });
        scenario.spawn(|_, clock| {
            clock.advance(MILLI);
            clock.advance(2 * MILLI);
        });
        scenario.spawn(|runner, _| random_stop_pause_or_run_now(runner, "s"));
        scenario.end();
    });
}

fn random_stop_pause_or_run_now(runner: &Runner, name: &str) {
    // It may or may not be active at that moment.
    let _ = match thread_rng().gen_range(0..3) {
        0 => runner.run_now(name),
        1 => runner.pause(name),
        _ => runner.stop(name).map(drop),
    };
}

#[test]
fn a_requested_run_takes_place_although_the_service_is_paused_and_resumed() {
    explore(|| {
        let mut scenario = Scenario::new();
        let counters = scenario.add("s", |_| yield_now(), |service| service.interval("1h"));
        scenario.add("other", |_| yield_now(), |service| service.interval("1h"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        wait_until(|| counters.runs.load(Ordering::SeqCst) == 1);
        scenario.spawn(|runner, _| {
            let busy = |error: ControlError| assert!(matches!(error, ControlError::Busy { .. }));
            // The first run may not have ended yet.
            while runner.run_now("s").map_err(busy).is_err() {
                yield_now();
            }
        });
        scenario.spawn(|runner, _| {
            runner.pause("s").expect("it is active");
            let _ = runner.run_now("other");
            runner.resume("s").expect("it is active");
        });
        // Not through the runner: any request to it would also start due work.
        wait_until(|| counters.runs.load(Ordering::SeqCst) == 2);
        scenario.end();
    });
}

#[test]
fn rule_41_dependents_stop_first() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add("base", until_stopped, |service| service.ready(Ready::Started));
        scenario.add("middle", |_| yield_now(), |service| service.delay("1h").after("base"));
        scenario.add("top", until_stopped, |service| service.after("middle"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        let order = Arc::clone(&scenario.cleaned_up);
        for _ in 0..2 {
            scenario.spawn(|runner, _| {
                assert!(!runner.stop_all().in_progress);
            });
        }
        scenario.spawn(|runner, _| match runner.start_all() {
            Ok(_) | Err(StartError::ShuttingDown) => {}
            Err(error) => panic!("{error}"),
        });
        scenario.end();
        for ends in lock(&order).chunks(6) {
            assert_eq!(ends, ["top", "top", "middle", "middle", "base", "base"]);
        }
    });
}

#[test]
fn rule_34_a_required_service_is_ready_stopped_and_started_concurrently() {
    explore(|| {
        let mut scenario = Scenario::new();
        let notifies = |ctx: &Context| {
            yield_now();
            ctx.ready();
            until_stopped(ctx);
        };
        scenario.add("base", notifies, |service| service.ready(Ready::Notified));
        let top = scenario
            .add("top", until_stopped, |service| service.requires("base").ready(Ready::Started));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|runner, _| {
            runner.stop("base").expect("it is known");
            runner.start("base").expect("it may start");
        });
        scenario.spawn(|runner, _| {
            runner.restart("top").expect("it may start");
            runner.stop("top").expect("it is known");
            runner.start("top").expect("it may start");
        });
        // It returns, whatever the others do: with success, or because `top` is stopped or blocked.
        scenario.spawn(|runner, _| drop(runner.wait_ready("top")));
        scenario.join();
        // Both have been started last, so `top` is not blocked for good.
        scenario.runner.wait_ready("top").expect("it becomes ready");
        wait_until(|| top.active.load(Ordering::SeqCst) == 1);
        scenario.end();
    });
}

#[test]
fn the_last_handle_is_dropped_while_services_run() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add("steady", |_| yield_now(), |service| service.delay("1ms"));
        scenario.add("obedient", until_stopped, |service| service);
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|_, clock| clock.advance(MILLI));
        scenario.spawn(|runner, _| {
            let _ = runner.restart("obedient");
        });
        let engine = Arc::clone(&scenario.runner.shared.engine);
        let Scenario { runner, counters, threads, .. } = scenario;
        drop(runner);
        threads.into_iter().for_each(|thread| thread.join().expect("a request returns"));
        // Dropping the handle does not wait, but asks the services to stop, and they do.
        wait_until(|| engine.thread_count() == 0);
        for (name, counters) in counters {
            let (active, hooks) = (&counters.active, &counters.hooks);
            assert_eq!(active.load(Ordering::SeqCst), 0, "{name}");
            assert!(hooks.load(Ordering::SeqCst) >= 1, "{name} is cleaned up");
        }
    });
}
