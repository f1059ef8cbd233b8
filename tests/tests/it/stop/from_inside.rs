//! Rule 46: services that stop themselves, each other, or everything.

use std::sync::Arc;

use crossbeam_channel::bounded;
use tests::{EventWatcher, Stopwatch, secs, sleep_until_stopped, within};
use tina4_service::{Change, Context, Flow, Runner, Service, State, StopReport, Stopped};

#[test]
fn rule_46_stop_all_inside_a_service_makes_the_request_and_returns() {
    let runner = Runner::new();
    let (answer, answered) = bounded::<(StopReport, bool)>(1);
    let inner = runner.clone();
    runner.register(Service::new("other", sleep_until_stopped)).unwrap();
    runner
        .register(Service::new("s", move |ctx| {
            let report = inner.stop_all();
            answer.send((report, ctx.is_stopping())).unwrap();
            // It wakes immediately, because it was asked to stop.
            sleep_until_stopped(ctx);
        }))
        .unwrap();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("the end of all services", move || waiter.wait());
    let (report, stopping) = answered.recv().unwrap();
    assert!(report.in_progress && stopping);
    let report = runner.stop_all();
    assert!(report.is_clean(), "{report}");
    assert!(!report.to_string().contains("ctx."), "a clean report needs no advice: {report}");
    assert!(runner.status().values().all(|state| *state == State::Stopped));
}

#[test]
fn rule_46_a_service_may_stop_and_restart_itself() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let inner = runner.clone();
    let body = move |ctx: &Context| match ctx.tick().run {
        1 => inner.restart("s").map(drop),
        _ => inner.stop("s").map(|stopped| assert_eq!(stopped, Stopped::Requested)),
    };
    runner.register(Service::new("s", body).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_change("s", &Change::Stopped);
    watcher.wait_for("s", |change| matches!(change, Change::RunBegan { run: 2, .. }));
    watcher.wait_for_change("s", &Change::Stopped);
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], State::Stopped);
}

/// Runs two services that stop each other in their bodies or hooks. `make` receives the name of the
/// other service.
fn mutual(make: impl Fn(Runner, &'static str) -> Service) {
    let runner = Runner::new();
    runner.register(make(runner.clone(), "right")).unwrap();
    runner.register(make(runner.clone(), "left")).unwrap();
    let time = Stopwatch::start();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("the end of both services", move || waiter.wait());
    // Both end without running into the stop timeout of 10 s.
    let states: Vec<_> = runner.status().into_values().collect();
    assert!(!states.contains(&State::Abandoned), "{states:?}");
    assert!(time.elapsed() < secs(5), "{:?}", time.elapsed());
}

/// The name of the service whose counterpart is `other`.
fn name_for(other: &str) -> &'static str {
    if other == "left" { "right" } else { "left" }
}

#[test]
fn rule_46_two_services_that_stop_each_other_both_end() {
    let meet = Arc::new(std::sync::Barrier::new(2));
    mutual(move |runner, other| {
        let meet = Arc::clone(&meet);
        Service::new(name_for(other), move |_| {
            meet.wait();
            runner.stop(other).unwrap();
        })
    });
}

#[test]
fn rule_46_two_services_that_finish_and_stop_each_other_in_their_hooks_both_end() {
    let meet = Arc::new(std::sync::Barrier::new(2));
    mutual(move |runner, other| {
        let meet = Arc::clone(&meet);
        Service::new(name_for(other), |_| Flow::Done).on_stop(move |_| {
            meet.wait();
            runner.stop(other).map(drop)
        })
    });
}
