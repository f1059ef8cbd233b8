//! Rules 60 and 61: what the runner reports about every service.

use std::time::SystemTime;

use tests::{
    Ctx, EventWatcher, Kind, both_kinds, gate, in_virtual_time, info, manual_clock, millis, secs,
};
use tina4_service::{Change, Context, Runner, Service, ServiceInfo, State, service};

both_kinds! {
    rule_60_every_field_reports_what_happened,
    rule_61_every_state_has_its_word,
    rule_60_a_stopped_or_paused_service_has_no_next_due_time,
}

#[service(name = "status.declared", interval = "1h 30m")]
fn declared() {}

#[test]
fn rule_60_what_is_known_before_the_first_run() {
    let runner = Runner::builder().only(["status.declared"]).build();
    let line = line!() + 1;
    runner.register(Service::new("status.built", |_| {}).delay("5s")).unwrap();
    let all = runner.services();
    let names: Vec<_> = all.iter().map(|info| &*info.name).collect();
    assert_eq!(names, ["status.built", "status.declared"], "sorted by name");
    let [built, declared] = &all[..] else { panic!("two: {all:?}") };
    assert_eq!((built.place.file, built.place.line), (file!(), line));
    let place =
        include_str!("status.rs").lines().position(|line| line.starts_with("#[service(")).unwrap();
    assert_eq!(declared.place.to_string(), format!("{}:{}", file!(), place + 1));
    assert_eq!(declared.function, "it::observe::status::declared");
    assert_eq!(declared.schedule.to_string(), "every 1h 30m");
    assert_eq!(built.schedule.to_string(), "5s after each run");
    for ServiceInfo { state, next_due, runs, last_start, last_error, stuck, .. } in &all {
        assert_eq!((*state, *next_due, *runs, *last_start), (State::Registered, None, 0, None));
        assert!(last_error.is_none() && !stuck);
    }
}

#[test]
fn rule_60_one_service_is_asked_for_by_its_name() {
    let runner = Runner::new();
    for name in ["status.a", "status.b"] {
        runner.register(Service::new(name, |_| {}).interval("1h").tags([name])).unwrap();
    }
    let one = runner.service_info("status.b").unwrap();
    assert_eq!((&*one.name, one.place), ("status.b", runner.services()[1].place));
    assert_eq!(one.to_string(), runner.services()[1].to_string());
    let unknown = runner.service_info("status.bb").unwrap_err();
    assert!(unknown.to_string().ends_with("did you mean `status.b`?"), "{unknown}");
    assert_eq!(runner.without_backlogs().services().len(), 2);
}

fn rule_60_every_field_reports_what_happened(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let time = clock.clone();
    let at = |seconds| SystemTime::UNIX_EPOCH + secs(seconds);
    // The n-th run takes n seconds, and the third crashes.
    let body = move |ctx: &Context| {
        time.advance(secs(ctx.tick().run));
        if ctx.tick().run == 3 { Err("the third") } else { Ok(()) }
    };
    runner.register(kind.service("s", body).interval("10s").backoff("2s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    // The second run is 4 s late.
    clock.advance(secs(13));
    watcher.wait_for_run_end("s");
    let service = info(&runner, "s");
    assert_eq!(
        (service.state, service.since, service.next_due),
        (State::Waiting, at(16), Some(at(20)))
    );
    assert_eq!((service.runs, service.crashes, service.restarts, service.skipped), (2, 0, 0, 0));
    assert_eq!((service.last_start, service.last_end), (Some(at(14)), Some(at(16))));
    assert_eq!(service.last_duration, Some(secs(2)));
    let late = service.lateness;
    assert_eq!((late.last, late.mean, late.max, late.p99), (secs(4), secs(2), secs(4), secs(4)));
    let took = service.duration;
    assert_eq!(
        (took.last, took.mean, took.max, took.p99),
        (secs(2), millis(1_500), secs(2), secs(2))
    );
    clock.advance(secs(4));
    watcher.wait_for_crash("s");
    let service = info(&runner, "s");
    assert_eq!(
        (service.state, service.since, service.next_due),
        (State::BackingOff, at(23), Some(at(25)))
    );
    assert_eq!(
        (service.runs, service.crashes, service.restarts, service.crashes_in_a_row),
        (3, 1, 0, 1)
    );
    assert_eq!(service.last_error.as_deref(), Some("the third"));
    assert!(service.is_healthy(), "a service that backs off may recover");
    // The restart, due at 25, is late, too.
    clock.advance(secs(9));
    watcher
        .wait_for("s", |change| matches!(change, tina4_service::Change::RunEnded { run: 4, .. }));
    let service = info(&runner, "s");
    assert_eq!(
        (service.restarts, service.crashes_in_a_row, service.lateness.last),
        (1, 0, secs(7))
    );
    assert_eq!(service.last_error.as_deref(), Some("the third"), "it is kept");
    let line = service.to_string();
    assert_eq!(line, "s: waiting, every 10s, runs: 4, crashes: 1, last error: the third");
    runner.stop_all();
}

fn rule_61_every_state_has_its_word(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let blocked = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    // Abandoned or cancelled.
    let left_behind = kind.left_behind().to_string();
    let no = |_: &Context| Err::<(), _>("no");
    runner.register(kind.service("registered", |_| {}).autostart(false)).unwrap();
    runner.register(kind.service("waiting", |_| {}).interval("1h")).unwrap();
    runner.register(kind.sleeper("running")).unwrap();
    runner.register(kind.service("backing-off", no).backoff("60s")).unwrap();
    runner.register(kind.service("paused", |_| {}).interval("1h")).unwrap();
    runner.register(kind.waiting("stopping", blocked.clone())).unwrap();
    runner.register(kind.sleeper("stopped")).unwrap();
    runner.register(kind.service("finished", |_| {})).unwrap();
    runner.register(kind.service("failed", no).max_restarts(0)).unwrap();
    runner.register(kind.waiting(left_behind.clone(), blocked).stop_timeout("1ms")).unwrap();
    runner.start_all().unwrap();
    for name in ["waiting", "paused", "finished", "failed", "backing-off"] {
        watcher.wait_for_run_end(name);
    }
    for name in ["running", "stopping", "stopped", &left_behind] {
        watcher.wait_for_run_begin(name);
    }
    runner.pause("paused").unwrap();
    runner.stop("stopped").unwrap();
    runner.stop(&left_behind).unwrap();
    let stopper = runner.clone();
    tests::spawn(move || drop(stopper.stop("stopping")));
    watcher.wait_for_change("stopping", &tina4_service::Change::Stopping);
    for (name, state) in runner.status() {
        assert_eq!(state.to_string(), name.replace('-', " "));
        assert_eq!(info(&runner, &name).is_healthy(), !["failed", "abandoned"].contains(&&*name));
    }
    assert_eq!(runner.status().len(), 10, "every state occurs");
    // The word respects the width of a format, for tables.
    assert_eq!(format!("[{:<9}]", State::Failed), "[failed   ]");
    drop(go);
    runner.stop_all();
}

fn rule_60_a_stopped_or_paused_service_has_no_next_due_time(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("continuous", |_| {}).initial_delay("10s"),
        kind.service("cron", |_| {}).cron("@hourly"),
        kind.service("delay", |_| {}).delay("10s").initial_delay("10s"),
        kind.service("interval", |_| {}).interval("10s").initial_delay("10s"),
    ]);
    t.advance("1s");
    for name in ["continuous", "cron", "delay", "interval"] {
        assert!(t.info(name).next_due > Some(t.now()), "{name}");
        t.pause(name).unwrap();
        assert_eq!(t.info(name).next_due, None, "{name}");
        t.resume(name).unwrap();
        assert!(t.info(name).next_due > Some(t.now()), "{name}");
        t.stop(name).unwrap();
        assert_eq!(t.info(name).next_due, None, "{name}");
    }
    t.advance("1d");
    assert_eq!(t.events().iter().filter(|event| event.change == Change::Stopped).count(), 4);
    assert_eq!(t.runner().services().iter().map(|info| info.runs).sum::<u64>(), 0);
}
