//! Rule 183: which handles keep the services running.

use crossbeam_channel::{Receiver, bounded};
use tests::{Ctx, Kind, both_kinds, until, within};
use tina4_service::{Runner, WeakRunner};

both_kinds! {
    rule_183_dropping_the_last_handle_stops_a_service_that_runs,
    rule_183_a_weak_handle_gives_the_runner_back_until_the_last_handle_is_dropped,
    rule_183_a_weak_handle_among_the_values_keeps_nothing_alive,
    rule_183_a_weak_handle_from_a_context_does_not_keep_the_services_running_either,
}

/// A runner with a service `s` that runs until it is stopped; the receiver gets its end.
fn running(kind: Kind) -> (Runner, Receiver<()>) {
    let runner = Runner::new();
    let (began, beginning) = bounded(1);
    let (ended, end) = bounded(1);
    runner
        .register(kind.waiting("s", async move |ctx: Ctx<'_>| {
            began.send(()).unwrap();
            ctx.until_stopped().await;
            ended.send(()).unwrap();
        }))
        .unwrap();
    runner.start_all().unwrap();
    beginning.recv().unwrap();
    (runner, end)
}

#[track_caller]
fn wait_for_end(end: Receiver<()>) {
    within("the end of the run", move || end.recv().unwrap());
}

fn rule_183_dropping_the_last_handle_stops_a_service_that_runs(kind: Kind) {
    let (runner, end) = running(kind);
    let second = runner.clone();
    drop(runner);
    assert!(second.is_running("s") && end.is_empty());
    assert_eq!(second.status()["s"].to_string(), "running");
    drop(second);
    wait_for_end(end);
}

fn rule_183_a_weak_handle_gives_the_runner_back_until_the_last_handle_is_dropped(kind: Kind) {
    let (runner, end) = running(kind);
    let weak = runner.downgrade();
    let upgraded = weak.upgrade().expect("there is a handle");
    drop(runner);
    // The new handle has become the last one, and keeps the services running.
    assert_eq!(upgraded.status()["s"].to_string(), "running");
    assert!(weak.clone().upgrade().is_some_and(|runner| runner.is_running("s")));
    drop(upgraded);
    assert!(weak.upgrade().is_none());
    wait_for_end(end);
    assert!(weak.upgrade().is_none());
}

fn rule_183_a_weak_handle_among_the_values_keeps_nothing_alive(kind: Kind) {
    let (runner, end) = running(kind);
    runner.provide(runner.downgrade());
    drop(runner);
    wait_for_end(end);
}

fn rule_183_a_weak_handle_from_a_context_does_not_keep_the_services_running_either(kind: Kind) {
    let runner = Runner::new();
    let (send, receive) = bounded::<WeakRunner>(1);
    let (ended, end) = bounded(1);
    runner
        .register(kind.waiting("s", async move |ctx: Ctx<'_>| {
            send.send(ctx.runner().expect("it has one").downgrade()).unwrap();
            ctx.until_stopped().await;
            ended.send(()).unwrap();
        }))
        .unwrap();
    runner.start_all().unwrap();
    let weak = receive.recv().unwrap();
    let upgraded = weak.upgrade().expect("the runner exists");
    drop(runner);
    wait_for_end(end);
    drop(upgraded);
    // The threads of the runner end after its last service, and with them the runner.
    until("the runner is gone", || weak.upgrade().is_none());
}
