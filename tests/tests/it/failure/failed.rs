//! Rules 24 and 26: failed and critical services, and ends that are not crashes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::bounded;
use tests::{EventWatcher, in_virtual_time, info, secs, sleep_until_stopped};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, Ready, Runner, Service, State, Stopped};

use super::restarts::crashing;

#[test]
fn rule_24_failed_is_final_until_started_by_name() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let body = move |ctx: &Context| {
        if is_broken.load(Ordering::SeqCst) {
            return Err("the disk is full");
        }
        while ctx.sleep(secs(3_600)) {}
        Ok(())
    };
    runner.register(Service::new("s", body).max_restarts(0)).unwrap();
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

#[test]
fn rule_24_a_critical_service_that_fails_shuts_the_runner_down() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("other", sleep_until_stopped)).unwrap();
    runner
        .register(
            Service::new("vital", move |_| gate.recv().map(drop)).critical(true).max_restarts(0),
        )
        .unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("other");
    drop(go);
    tests::wait(&runner);
    assert_eq!(runner.status()["other"], State::Stopped);
    let report = runner.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"));
    assert!(report.to_string().contains("`vital` is critical and failed"), "{report}");
}

#[test]
fn rule_24_a_critical_failure_during_start_up_starts_nothing_more() {
    let vital = Service::new("vital", |_| Err::<(), _>("no")).initial_delay("10s");
    let mut t = in_virtual_time([
        Service::new("slow", sleep_until_stopped).ready(Ready::Started).initial_delay("11s"),
        Service::new("held", sleep_until_stopped).after("slow"),
        Service::new("on", sleep_until_stopped),
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
fn other_keeps_running(service: Service, then: impl FnOnce(&mut TestRunner), state: State) {
    let mut t = in_virtual_time([service, Service::new("other", sleep_until_stopped)]);
    t.advance("1m");
    then(&mut t);
    t.advance("1h");
    assert_eq!((t.state("s"), t.state("other")), (state, State::Running), "{}", t.timeline());
    assert_eq!(t.stop_all().critical, None);
}

#[test]
fn rule_24_only_the_failure_of_a_critical_service_shuts_the_runner_down() {
    let nothing = |_: &mut TestRunner| {};
    let failing = || Service::new("s", |_| Err::<(), _>("no")).max_restarts(0);
    other_keeps_running(failing(), nothing, State::Failed);
    // No other end of a critical service shuts the runner down.
    other_keeps_running(Service::new("s", |_| {}).critical(true), nothing, State::Finished);
    let stop = |t: &mut TestRunner| assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    other_keeps_running(
        Service::new("s", sleep_until_stopped).critical(true),
        stop,
        State::Stopped,
    );
    let recovered = crashing("s", &[0, 0]).max_restarts(2).critical(true);
    other_keeps_running(recovered, nothing, State::Running);
    let abandoned = Service::new("s", |_| {}).interval("1h").critical(true).stop_timeout("1s");
    let ignores_stop = |t: &mut TestRunner| {
        t.slow_next("s", "1d");
        t.run_now("s").unwrap();
        t.advance("0s");
        assert!(matches!(t.stop("s"), Ok(Stopped::Abandoned { .. })));
    };
    other_keeps_running(abandoned, ignores_stop, State::Abandoned);
}

#[test]
fn rule_26_an_error_or_panic_after_a_stop_request_is_not_a_crash() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let errs = |ctx: &Context| {
        while ctx.sleep(secs(3_600)) {}
        Err::<(), _>("interrupted")
    };
    let panics = |ctx: &Context| {
        while ctx.sleep(secs(3_600)) {}
        panic!("interrupted");
    };
    runner.register(Service::new("errs", errs)).unwrap();
    runner.register(Service::new::<(), _>("panics", panics)).unwrap();
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

#[test]
fn rule_26_an_interruption_without_a_stop_request_is_a_crash() {
    let body = |_: &Context| Err::<(), _>(io::Error::from(io::ErrorKind::Interrupted));
    let mut t = in_virtual_time([Service::new("s", body)]);
    t.advance("0s");
    assert_eq!((t.state("s"), t.crashes("s")), (State::BackingOff, 1));
    t.advance("1s");
    assert_eq!(t.runs("s"), 2);
}
