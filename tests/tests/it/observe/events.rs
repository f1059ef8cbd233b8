//! Rules 63 and 177: every change is a typed event, and subscribers delay no service.

use std::time::{Duration, SystemTime};

use tests::{Ctx, EventWatcher, Hooks, Kind, both_kinds, gate, info, manual_clock, secs};
use tina4_service::{Change, Context, Flow, RunOutcome, RunTrigger, Runner, State};

both_kinds! {
    rule_177_every_change_is_an_event_in_order_with_its_time,
    rule_177_every_kind_of_end_is_an_event_in_order,
    rule_177_a_slow_subscriber_delays_nobody_and_learns_what_it_missed,
    rule_63_a_stuck_run_is_reported_once_and_a_heartbeat_restarts_the_timeout,
}

/// The events of a run under a clock that stands still.
fn run(run: u64, trigger: RunTrigger, outcome: RunOutcome) -> [Change; 2] {
    let (lateness, took) = (Duration::ZERO, Duration::ZERO);
    [
        Change::RunBegan { run, lateness, trigger, by: None },
        Change::RunEnded { run, took, outcome, trigger, by: None },
    ]
}

fn rule_177_every_change_is_an_event_in_order_with_its_time(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| match ctx.tick().run {
        1 => Err("one"),
        2 => Ok(Flow::Wait),
        _ => Ok(Flow::Done),
    };
    runner
        .register(kind.service("s", body).interval("10s").backoff("2s").hook(kind, |_| Err("hook")))
        .unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_crash("s");
    clock.advance(secs(2));
    watcher.wait_for("s", |change| matches!(change, Change::RunEnded { run: 2, .. }));
    runner.pause("s").unwrap();
    runner.resume("s").unwrap();
    clock.advance(secs(8));
    let end = watcher.wait_for_change("s", &Change::Finished);
    assert_eq!(end.at, SystemTime::UNIX_EPOCH + secs(10));
    let crashed = Change::Crashed { in_a_row: 1, cause: "one".into(), restart_in: Some(secs(2)) };
    let failed = Change::HookFailed { cause: "hook".into() };
    let expected = [
        &[Change::Registered, Change::Started][..],
        &run(1, RunTrigger::Start, RunOutcome::Error),
        &[crashed, Change::Restarted],
        &run(2, RunTrigger::Restart, RunOutcome::Ok),
        &[Change::Paused, Change::Resumed],
        &run(3, RunTrigger::Schedule, RunOutcome::Ok),
        &[failed, Change::Finished],
    ];
    assert_eq!(watcher.changes("s"), expected.concat());
}

fn rule_177_every_kind_of_end_is_an_event_in_order(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.sleeper("stops")).unwrap();
    runner.register(kind.service("fails", |_| Err::<(), _>("no")).max_restarts(0)).unwrap();
    let returns = kind.service("returns", |_| {}).restart(tina4_service::Restart::Always);
    runner.register(returns.max_restarts(1).backoff("1ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("stops");
    runner.stop("stops").unwrap();
    tests::wait(&runner);
    let mut kinds = |name: &str| -> Vec<String> {
        let word = |change: &Change| {
            format!("{change:?}").split([' ', '(', '{']).next().unwrap().to_owned()
        };
        watcher.changes(name).iter().map(word).collect()
    };
    assert_eq!(
        kinds("stops"),
        ["Registered", "Started", "RunBegan", "Stopping", "RunEnded", "Stopped"]
    );
    assert_eq!(
        kinds("fails"),
        ["Registered", "Started", "RunBegan", "RunEnded", "Crashed", "Failed"]
    );
    let twice = [
        "Registered",
        "Started",
        "RunBegan",
        "RunEnded",
        "Returned",
        "Restarted",
        "RunBegan",
        "RunEnded",
        "Returned",
        "Failed",
    ];
    assert_eq!(kinds("returns"), twice);
}

fn rule_177_a_slow_subscriber_delays_nobody_and_learns_what_it_missed(kind: Kind) {
    let runner = Runner::new();
    let slow = runner.subscribe();
    let gone = runner.subscribe();
    drop(gone);
    runner
        .register(kind.service(
            "s",
            |ctx| {
                if ctx.tick().run < 5_000 { Flow::Again } else { Flow::Done }
            },
        ))
        .unwrap();
    runner.start_all().unwrap();
    // It ends although nobody reads the events.
    tests::wait(&runner);
    let kept: Vec<_> = slow.try_iter().collect();
    assert!(kept.iter().all(|event| !matches!(event.change, Change::Missed { .. })));
    runner.start("s").unwrap();
    let first = slow.recv_timeout(tests::TIMEOUT).unwrap();
    // `Registered`, `Started`, two events for each of 5,000 runs, and `Finished`.
    assert_eq!(first.change, Change::Missed { count: 10_003 - kept.len() as u64 });
    assert_eq!(slow.recv_timeout(tests::TIMEOUT).unwrap().change, Change::Started);
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], State::Finished);
}

fn rule_63_a_stuck_run_is_reported_once_and_a_heartbeat_restarts_the_timeout(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let (command, commands) = gate::<bool>();
    let (done, answer) = crossbeam_channel::bounded::<()>(1);
    let body = async move |ctx: Ctx<'_>| {
        while commands.wait(&ctx).await == Some(true) {
            ctx.heartbeat();
            done.send(()).unwrap();
        }
    };
    runner.register(kind.waiting("s", body).interval("1h").timeout("10s")).unwrap();
    // Its runs show that the runner has checked the timeout of the other service.
    runner.register(kind.service("witness", |_| {}).interval("1s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    watcher.wait_for_run_end("witness");
    let pass = |seconds: u64, watcher: &mut EventWatcher| {
        for _ in 0..seconds {
            clock.advance(secs(1));
            watcher.wait_for_run_end("witness");
        }
        let service = info(&runner, "s");
        (service.stuck, service.is_healthy(), service.heartbeat_age)
    };
    assert_eq!(pass(9, &mut watcher), (false, true, None));
    command.send(true).unwrap();
    answer.recv().unwrap();
    assert_eq!(pass(9, &mut watcher), (false, true, Some(secs(9))), "the timeout has started over");
    assert_eq!(pass(1, &mut watcher), (true, false, Some(secs(10))));
    assert!(pass(30, &mut watcher).0);
    assert_eq!(runner.status()["s"], State::Running, "no run is killed");
    let stuck = |watcher: &mut EventWatcher| {
        let all = watcher.changes("s").into_iter();
        all.filter(|change| matches!(change, Change::Stuck { .. })).collect::<Vec<_>>()
    };
    assert_eq!(stuck(&mut watcher), [Change::Stuck { running_for: secs(19) }], "one report");
    command.send(true).unwrap();
    answer.recv().unwrap();
    assert!(!info(&runner, "s").stuck, "a heartbeat ends the stuck state");
    command.send(false).unwrap();
    watcher.wait_for_run_end("s");
    let service = info(&runner, "s");
    assert_eq!((service.stuck, service.is_healthy(), service.heartbeat_age), (false, true, None));
    runner.stop_all();
}
