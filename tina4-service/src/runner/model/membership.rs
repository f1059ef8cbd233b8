//! Services that come and go while others make requests.

#[cfg(feature = "tokio")]
use super::tasks::{Outcome, counted_task, waits};
use super::*;

#[test]
fn rule_36_a_service_is_started_stopped_ready_and_unregistered_concurrently() {
    explore(|| {
        let mut scenario = Scenario::new();
        let counters = Arc::new(Counters::default());
        let order = Arc::clone(&scenario.cleaned_up);
        let own = Arc::clone(&counters);
        let base = move || {
            let body = |ctx: &Context| {
                yield_now();
                ctx.ready();
                until_stopped(ctx);
            };
            counted("base", &own, &order, body).ready(Ready::Notified)
        };
        scenario.counters.push(("base", counters));
        scenario.runner.register(base()).expect("the name is free");
        scenario.add("top", until_stopped, |service| service.requires("base"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        // It is gone for a moment, unless `top` needs it.
        scenario.spawn(move |runner, _| match runner.unregister("base") {
            Ok(Stopped::Ended { .. } | Stopped::NotActive { .. }) => {
                runner.register(base()).expect("nobody else registers it");
                tolerate(runner.start("base"));
            }
            Ok(stopped @ (Stopped::Abandoned { .. } | Stopped::Requested)) => {
                panic!("{stopped:?}")
            }
            Err(ControlError::InUse { by, .. }) => assert_eq!(by, ["top"]),
            Err(error) => panic!("{error}"),
        });
        scenario.spawn(|runner, _| {
            runner.stop("top").expect("it is known");
            tolerate(runner.start("top"));
        });
        scenario.spawn(|runner, _| {
            tolerate(runner.restart("base"));
            tolerate(runner.stop("base").map(drop));
        });
        scenario.spawn(|runner, _| tolerate(runner.wait_ready("base")));
        scenario.join();
        // It exists, and whoever depends on it is linked with it again.
        scenario.runner.start("base").expect("it is registered");
        scenario.runner.start("top").expect("it may start");
        scenario.runner.wait_ready("top").expect("it becomes ready");
        let refused = scenario.runner.unregister("base").unwrap_err();
        assert!(matches!(&refused, ControlError::InUse { by, .. } if *by == ["top"]), "{refused}");
        lock(&scenario.cleaned_up).clear();
        let order = Arc::clone(&scenario.cleaned_up);
        scenario.end();
        assert_eq!(*lock(&order), ["top", "top", "base", "base"]);
    });
}

#[test]
fn rule_36_two_threads_unregister_one_service_and_one_of_them_does() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add("s", until_stopped, |service| service);
        scenario.runner.start_all().expect("nothing is wrong with it");
        let removals = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let removals = Arc::clone(&removals);
            scenario.spawn(move |runner, _| match runner.unregister("s") {
                Ok(_) => {
                    removals.fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => assert!(matches!(error, ControlError::Unknown { .. }), "{error}"),
            });
        }
        // A start in between does not save it.
        scenario.spawn(|runner, _| tolerate(runner.start("s")));
        scenario.spawn(|runner, _| drop(runner.stop_all()));
        scenario.join();
        assert_eq!(removals.load(Ordering::SeqCst), 1);
        assert!(scenario.runner.status().is_empty());
        scenario.end();
    });
}

/// The same with tasks, and with calls that wait without blocking.
#[test]
#[cfg(feature = "tokio")]
fn rule_36_and_92_an_async_service_is_started_stopped_ready_and_unregistered_concurrently() {
    explore(|| {
        let mut scenario = Scenario::new();
        let counters = Arc::new(Counters { is_task: true, ..Counters::default() });
        let own = Arc::clone(&counters);
        let base = move || {
            let body = |ctx: &Context| {
                ctx.ready();
                waits(ctx)
            };
            counted_task("base", &own, body).ready(Ready::Notified)
        };
        scenario.counters.push(("base", counters));
        scenario.runner.register(base()).expect("the name is free");
        scenario.add_async("top", waits, |service| service.requires("base"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn_async(move |runner| async move {
            match runner.unregister_async("base").await {
                Ok(Stopped::Ended { .. } | Stopped::NotActive { .. }) => {
                    runner.register(base()).expect("nobody else registers it");
                    tolerate(runner.start("base"));
                }
                Ok(stopped @ (Stopped::Abandoned { .. } | Stopped::Requested)) => {
                    panic!("{stopped:?}")
                }
                Err(ControlError::InUse { by, .. }) => assert_eq!(by, ["top"]),
                Err(error) => panic!("{error}"),
            }
        });
        scenario.spawn_async(|runner| async move {
            runner.stop_async("top").await.expect("it is known");
            tolerate(runner.start("top"));
        });
        scenario.spawn(|runner, _| {
            tolerate(runner.restart("base"));
            tolerate(runner.stop("base").map(drop));
        });
        scenario
            .spawn_async(|runner| async move { tolerate(runner.wait_ready_async("base").await) });
        scenario.join();
        scenario.runner.start("base").expect("it is registered");
        scenario.runner.start("top").expect("it may start");
        scenario.runner.wait_ready("top").expect("it becomes ready");
        let refused = scenario.runner.unregister("base").unwrap_err();
        assert!(matches!(&refused, ControlError::InUse { by, .. } if *by == ["top"]), "{refused}");
        scenario.end();
    });
}

#[test]
#[cfg(feature = "tokio")]
fn rule_36_and_92_two_threads_unregister_one_async_service_and_one_of_them_does() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add_async("s", waits, |service| service);
        scenario.runner.start_all().expect("nothing is wrong with it");
        let removals = Arc::new(AtomicUsize::new(0));
        let count = |removals: &AtomicUsize, removed: Result<Stopped, ControlError>| match removed {
            Ok(_) => {
                removals.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => assert!(matches!(error, ControlError::Unknown { .. }), "{error}"),
        };
        let [one, two] = [(); 2].map(|()| Arc::clone(&removals));
        scenario.spawn(move |runner, _| count(&one, runner.unregister("s")));
        scenario.spawn_async(move |runner| async move {
            count(&two, runner.unregister_async("s").await);
        });
        // A start in between does not save it, nor a stop of everything.
        scenario.spawn(|runner, _| tolerate(runner.start("s")));
        scenario.spawn_async(|runner| async move { drop(runner.stop_all_async().await) });
        scenario.join();
        assert_eq!(removals.load(Ordering::SeqCst), 1);
        assert!(scenario.runner.status().is_empty());
        scenario.end();
    });
}

/// Its slot goes to another service while its last task still reports its end.
#[test]
#[cfg(feature = "tokio")]
fn rule_36_and_92_the_end_of_a_task_hits_no_service_that_has_got_its_slot() {
    explore(|| {
        let mut scenario = Scenario::new();
        let ends = |_: &Context| async {
            shuttle::future::yield_now().await;
            Outcome::Ok(Flow::Done)
        };
        scenario.add_async("old", ends, |service| service);
        scenario.runner.start("old").expect("it may start");
        let counters = Arc::new(Counters { is_task: true, ..Counters::default() });
        scenario.counters.push(("new", Arc::clone(&counters)));
        scenario.spawn(move |runner, _| {
            runner.unregister("old").expect("nothing needs it");
            runner.register(counted_task("new", &counters, waits)).expect("the name is free");
            runner.start("new").expect("it may start");
        });
        scenario.spawn(|runner, _| tolerate(runner.stop("old").map(drop)));
        scenario.join();
        assert!(scenario.runner.is_running("new"));
        scenario.end();
    });
}

/// A request may be refused because the service is gone at that moment, or stopped.
fn tolerate(result: Result<(), ControlError>) {
    match result {
        Ok(())
        | Err(
            ControlError::Unknown { .. }
            | ControlError::NotActive { .. }
            | ControlError::NotReady { .. }
            | ControlError::Start(StartError::Faults(_) | StartError::ShuttingDown),
        ) => {}
        Err(error) => panic!("{error}"),
    }
}
