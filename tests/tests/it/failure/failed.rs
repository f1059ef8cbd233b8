//! Rules 24 and 26: failed and critical services, and ends that are not crashes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tests::{Ctx, EventWatcher, Kind, both_kinds, gate, in_virtual_time, info, secs};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, Ready, Runner, Service, State, Stopped};

use super::restarts::crashing;

both_kinds! {
    rule_24_failed_is_final_until_started_by_name,
    rule_24_a_critical_service_that_fails_shuts_the_runner_down,
    rule_24_a_critical_failure_during_start_up_starts_nothing_more,
    rule_24_only_the_failure_of_a_critical_service_shuts_the_runner_down,
    rule_26_an_error_or_panic_after_a_stop_request_is_not_a_crash,
    rule_26_an_interruption_without_a_stop_request_is_a_crash,
}

fn rule_24_failed_is_final_until_started_by_name(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let body = async move |ctx: Ctx<'_>| {
        if is_broken.load(Ordering::SeqCst) {
            return Err("the disk is full");
        }
        ctx.until_stopped().await;
        Ok(())
    };
    runner.register(kind.waiting("s", body).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    let failed = watcher.wait_for("s", |change| matches!(change, Change::Failed { .. }));
    assert_eq!(failed.change, Change::Failed { cause: "the disk is full".into() });
    broken.store(false, Ordering::SeqCst);
    runner.start_all().unwrap();
    let service = info(&runner, "s");
    assert_eq!((service.state, service.runs), (State::Failed, 1), "`start_all` does not start it");
    assert_eq!(service.last_error.as_deref(), Some("the disk is full"));
    assert!(!service.is_healthy(), "a failed service is unhealthy");
    assert!(!runner.is_running("s"));
    for again in [Runner::start, Runner::restart] {
        again(&runner, "s").unwrap();
        watcher.wait_for_run_begin("s");
        assert!(info(&runner, "s").is_healthy());
    }
    runner.stop_all();
}

fn rule_24_a_critical_service_that_fails_shuts_the_runner_down(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    runner.register(kind.sleeper("other")).unwrap();
    let fails = async move |ctx: Ctx<'_>| gate.wait(&ctx).await.ok_or("no");
    runner.register(kind.waiting("vital", fails).critical(true).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("other");
    drop(go);
    tests::wait(&runner);
    assert_eq!(runner.status()["other"], State::Stopped);
    let report = runner.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"));
    assert!(report.to_string().contains("`vital` is critical and failed"), "{report}");
}

fn rule_24_a_critical_failure_during_start_up_starts_nothing_more(kind: Kind) {
    let vital = kind.service("vital", |_| Err::<(), _>("no")).initial_delay("10s");
    let mut t = in_virtual_time([
        kind.sleeper("slow").ready(Ready::Started).initial_delay("11s"),
        kind.sleeper("held").after("slow"),
        kind.sleeper("on"),
        vital.max_restarts(0).critical(true),
    ]);
    t.advance("1h");
    let states = ["held", "on", "slow", "vital"].map(|name| (t.state(name), t.runs(name)));
    let stopped = State::Stopped;
    assert_eq!(states, [(stopped, 0), (stopped, 1), (stopped, 0), (State::Failed, 1)]);
    let report = t.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"));
    assert_eq!(report.took, secs(0), "no service had to be waited for");
}

/// Starts `service`, named `s`, and another service, calls `then`, and checks that the other one
/// still runs an hour later.
#[track_caller]
fn other_keeps_running(
    kind: Kind,
    service: Service,
    then: impl FnOnce(&mut TestRunner),
    state: State,
) {
    let mut t = in_virtual_time([service, kind.sleeper("other")]);
    t.advance("1m");
    then(&mut t);
    t.advance("1h");
    assert_eq!((t.state("s"), t.state("other")), (state, State::Running), "{}", t.timeline());
    assert_eq!(t.stop_all().critical, None);
}

fn rule_24_only_the_failure_of_a_critical_service_shuts_the_runner_down(kind: Kind) {
    let nothing = |_: &mut TestRunner| {};
    let failing = || kind.service("s", |_| Err::<(), _>("no")).max_restarts(0);
    other_keeps_running(kind, failing(), nothing, State::Failed);
    // No other end of a critical service shuts the runner down.
    other_keeps_running(kind, kind.service("s", |_| {}).critical(true), nothing, State::Finished);
    let stop = |t: &mut TestRunner| assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    other_keeps_running(kind, kind.sleeper("s").critical(true), stop, State::Stopped);
    let recovered = crashing(kind, "s", &[0, 0]).max_restarts(2).critical(true);
    other_keeps_running(kind, recovered, nothing, State::Running);
    let abandoned = kind.service("s", |_| {}).interval("1h").critical(true).stop_timeout("1s");
    let ignores_stop = |t: &mut TestRunner| {
        t.slow_next("s", "1d");
        t.run_now("s").unwrap();
        t.advance("0s");
        t.stop("s").unwrap();
    };
    other_keeps_running(kind, abandoned, ignores_stop, kind.left_behind());
}

fn rule_26_an_error_or_panic_after_a_stop_request_is_not_a_crash(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let errs = async |ctx: Ctx<'_>| {
        ctx.until_stopped().await;
        Err::<(), _>("interrupted")
    };
    let panics = async |ctx: Ctx<'_>| {
        ctx.until_stopped().await;
        panic!("interrupted");
    };
    runner.register(kind.waiting("errs", errs)).unwrap();
    runner.register(kind.waiting::<(), _>("panics", panics)).unwrap();
    runner.start_all().unwrap();
    for name in ["errs", "panics"] {
        watcher.wait_for_run_begin(name);
        runner.stop(name).unwrap();
        let info = info(&runner, name);
        assert_eq!((info.state, info.crashes, info.runs), (State::Stopped, 0, 1), "{name}");
    }
    let reported = |change: &Change| matches!(change, Change::PanickedWhileStopping { .. });
    assert!(watcher.changes("panics").iter().any(reported), "a panic is reported");
    assert!(!watcher.changes("errs").iter().any(reported));
}

fn rule_26_an_interruption_without_a_stop_request_is_a_crash(kind: Kind) {
    let body = |_: &Context| Err::<(), _>(io::Error::from(io::ErrorKind::Interrupted));
    let mut t = in_virtual_time([kind.service("s", body)]);
    t.advance("0s");
    assert_eq!((t.state("s"), t.crashes("s")), (State::BackingOff, 1));
    t.advance("1s");
    assert_eq!(t.runs("s"), 2);
}
