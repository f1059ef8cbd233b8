//! Rule 8: an idle runner uses no processor time. This is the only test in its process, so that no
//! other disturbs the measurement.
#![cfg(target_os = "linux")]

use tests::{EventWatcher, millis, pause, process, secs, sleep_until_stopped, until};
use tina4_service::{Context, Ready, Runner, Service};

#[test]
fn rule_8_nothing_polls() {
    // The names of its threads distinguish them from all others.
    let runner = Runner::builder().only::<&str>([]).thread_name("calm").build();
    let mut watcher = EventWatcher::new(&runner);
    // Every kind of wait: for an interval, a delay, an initial delay, a flow, a restart, a resume,
    // a service that is not up, and inside a body.
    runner.register(Service::new("interval", |_| {}).interval("1h")).unwrap();
    runner.register(Service::new("delay", |_| {}).delay("1h")).unwrap();
    runner
        .register(Service::new("initial", |_| {}).initial_delay("1h").ready(Ready::Started))
        .unwrap();
    runner.register(Service::new("held", |_| {}).after("initial")).unwrap();
    runner.register(Service::new("flow", |_| tina4_service::Flow::After(secs(3_600)))).unwrap();
    let crash = Service::new("crash", |_| Err::<(), _>("no"));
    runner.register(crash.backoff("60s")).unwrap();
    runner.register(Service::new("paused", |_| {}).interval("1ms")).unwrap();
    runner.register(Service::new("sleeps", sleep_until_stopped)).unwrap();
    let select = |ctx: &Context| crossbeam_channel::select! { recv(ctx.stopping()) -> _ => {} };
    runner.register(Service::new("selects", select).timeout("1h")).unwrap();
    runner.start_all().unwrap();
    for name in ["interval", "delay", "flow", "crash", "paused"] {
        watcher.wait_for_run_end(name);
    }
    for name in ["sleeps", "selects"] {
        watcher.wait_for_run_begin(name);
    }
    runner.pause("paused").unwrap();
    // Two threads wait for the end of all services: they do not poll either.
    for wait in [Runner::wait as fn(&Runner), Runner::wait] {
        let runner = runner.clone();
        tests::spawn(move || wait(&runner));
    }
    // Idle workers exit after a few seconds.
    until("idle workers have exited", || {
        let before = process::threads("calm");
        pause(millis(300));
        let (after, switches) = (process::threads("calm"), process::voluntary_switches(&before));
        pause(millis(300));
        before == after && process::voluntary_switches(&after) == switches && after.len() <= 5
    });
    // What was late on a busy machine may still disturb the first of these measurements.
    let mut measured = Vec::new();
    while measured.last().is_none_or(|(before, after)| before != after) {
        assert!(
            measured.len() < 3,
            "threads, how often they have waited, and their time: {measured:#?}"
        );
        let state = || {
            let threads = process::threads("calm");
            let switches = process::voluntary_switches(&threads);
            let cpu = process::cpu(&threads);
            (threads, switches, cpu)
        };
        let before = state();
        pause(secs(2));
        measured.push((before, state()));
    }
    assert!(runner.is_running("held"));
    assert!(runner.stop_all().is_clean());
}
