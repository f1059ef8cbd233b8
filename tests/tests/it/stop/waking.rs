//! Rule 40: a stop request wakes every wait and lets the current run end.

use std::time::Duration;

use crossbeam_channel::bounded;
use tests::{Ctx, EventWatcher, Hooks, Kind, Stopwatch, best_of, both_kinds, gate, millis, secs};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Flow, Runner, Service, State, Stopped};

both_kinds! {
    rule_40_a_stop_request_wakes_every_kind_of_wait_immediately,
    rule_40_stop_takes_no_virtual_time,
    rule_40_the_current_run_sees_the_stop_request_and_ends_first,
}

/// The limit for "immediately". The best of several rounds counts, because the machine may be busy.
const IMMEDIATELY: Duration = millis(5);

/// Starts `service`, named `s`, waits for `state`, and measures how long its stop takes.
fn stop_in(state: State, service: impl Fn() -> Service) {
    best_of(5, &format!("stop while {state}"), IMMEDIATELY, || {
        let runner = Runner::new();
        runner.register(service()).unwrap();
        runner.start_all().unwrap();
        tests::until("it has that state", || runner.status()["s"] == state);
        let stopwatch = Stopwatch::start();
        let stopped = runner.stop("s").unwrap();
        let took = stopwatch.elapsed();
        assert!(matches!(stopped, Stopped::Ended { after } if after <= took), "{stopped:?}");
        assert_eq!(runner.status()["s"], State::Stopped);
        took
    });
}

fn rule_40_a_stop_request_wakes_every_kind_of_wait_immediately(kind: Kind) {
    let crash = || kind.service("s", |_| Err::<(), _>("no")).backoff("60s");
    stop_in(State::BackingOff, crash);
    stop_in(State::Waiting, || kind.service("s", |_| {}).interval("1h"));
    stop_in(State::Waiting, || kind.service("s", |_| {}).delay("1h"));
    stop_in(State::Waiting, || kind.service("s", |_| {}).initial_delay("1h"));
    stop_in(State::Waiting, || kind.service("s", |_| Flow::After(secs(3_600))));
    stop_in(State::Running, || {
        kind.waiting("s", async |ctx: Ctx<'_>| {
            ctx.sleep(secs(3_600)).await.then_some(()).ok_or("woken")
        })
    });
    stop_in(State::Running, || kind.waiting("s", async |ctx: Ctx<'_>| ctx.stopped().await));
    // Only plain functions select.
    stop_in(State::Running, || {
        Service::new("s", |ctx| {
            let (_sender, nothing) = bounded::<()>(0);
            crossbeam_channel::select! {
                recv(nothing) -> _ => unreachable!("nothing is sent"),
                recv(ctx.stopping()) -> _ => {}
            }
        })
    });
}

/// A stop does not rely on a timeout, however short: no virtual time passes.
fn rule_40_stop_takes_no_virtual_time(kind: Kind) {
    for (state, service) in [
        (State::Running, kind.sleeper("s")),
        (State::Waiting, kind.service("s", |_| {}).interval("1h")),
        (State::Waiting, kind.service("s", |_| {}).delay("1h")),
        (State::Waiting, kind.service("s", |_| {}).cron("@daily")),
        (State::Waiting, kind.service("s", |_| {}).initial_delay("1h")),
        (State::Waiting, kind.service("s", |_| Flow::After(secs(3_600)))),
        (State::BackingOff, kind.service("s", |_| Err::<(), _>("no")).backoff("60s")),
    ] {
        let test = TestRunner::builder().only::<&str>([]);
        let mut t = test
            .service(service.waiting_hook(kind, async |ctx: Ctx<'_>| ctx.until_stopped().await))
            .build()
            .unwrap();
        t.advance("59s");
        assert_eq!(t.state("s"), state);
        let before = t.now();
        let stopped = t.stop("s").unwrap();
        assert_eq!(stopped, Stopped::Ended { after: Duration::ZERO }, "{}", t.timeline());
        assert_eq!((t.state("s"), t.now()), (State::Stopped, before));
    }
}

fn rule_40_the_current_run_sees_the_stop_request_and_ends_first(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let (report, reports) = bounded(2);
    let body = async move |ctx: Ctx<'_>| {
        report.send(ctx.is_stopping()).unwrap();
        let _ = gate.wait(&ctx).await;
        assert!(!ctx.sleep(secs(3_600)).await, "the sleep ends immediately");
        report.send(ctx.is_stopping()).unwrap();
    };
    runner.register(kind.waiting("s", body)).unwrap();
    runner.start_all().unwrap();
    assert!(!reports.recv().unwrap());
    let stopper = runner.clone();
    let (answer, answered) = bounded(1);
    tests::spawn(move || answer.send(stopper.stop("s").unwrap()).unwrap());
    watcher.wait_for_change("s", &Change::Stopping);
    assert_eq!(runner.status()["s"], State::Stopping);
    assert!(answered.try_recv().is_err(), "stop waits for the run");
    drop(go);
    assert!(reports.recv().unwrap());
    assert!(matches!(answered.recv_timeout(tests::TIMEOUT), Ok(Stopped::Ended { .. })));
}
