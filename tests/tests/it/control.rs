//! Rules 171 to 174: requests to one service, and their refusal.

use std::time::SystemTime;

use tests::{Ctx, EventWatcher, Kind, both_kinds, gate, info, manual_clock, secs};
use tina4_service::{Change, Context, ControlError, Runner, State};

both_kinds! {
    rule_172_run_now_runs_immediately_and_keeps_the_grid,
    rule_172_run_now_ends_a_backoff_early,
    rule_172_run_now_is_refused_during_a_run,
    rule_173_a_paused_service_does_not_run_and_resumes_on_the_grid,
    rule_173_pause_lets_the_current_run_end_and_a_paused_service_can_run_once_or_stop,
    rule_171_restart_begins_a_new_activation_of_active_and_inactive_services,
    rule_171_is_running_means_active,
    rule_82_a_misspelled_name_gets_a_suggestion,
    rule_174_unknown_and_inactive_services_are_refused_with_the_reason,
}

fn rule_172_run_now_runs_immediately_and_keeps_the_grid(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("s", |_| {}).interval("10s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    clock.advance(secs(3));
    runner.run_now("s").unwrap();
    let event = watcher.wait_for_run_begin("s");
    assert_eq!(event.at, SystemTime::UNIX_EPOCH + secs(3));
    watcher.wait_for_run_end("s");
    let info = info(&runner, "s");
    assert_eq!(info.next_due, Some(SystemTime::UNIX_EPOCH + secs(10)));
    assert_eq!((info.runs, info.skipped), (2, 0));
    runner.stop_all();
}

fn rule_172_run_now_ends_a_backoff_early(kind: Kind) {
    let (runner, _clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| if ctx.tick().run == 1 { Err("no") } else { Ok(()) };
    runner.register(kind.service("s", body).interval("1h").backoff("60s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_crash("s");
    runner.run_now("s").unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::RunEnded { run: 2, .. }));
    assert_eq!(info(&runner, "s").crashes_in_a_row, 0);
    runner.stop_all();
}

fn rule_172_run_now_is_refused_during_a_run(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let body = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(kind.waiting("s", body).interval("1h")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    let refused = runner.run_now("s").expect_err("it is running");
    assert!(matches!(refused, ControlError::Busy { .. }), "{refused}");
    drop(go);
    watcher.wait_for_run_end("s");
    runner.stop_all();
    assert_eq!(info(&runner, "s").runs, 1);
}

fn rule_173_a_paused_service_does_not_run_and_resumes_on_the_grid(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("s", |_| {}).interval("10s")).unwrap();
    // A second service with the same due times shows that the runner has processed them.
    runner.register(kind.service("witness", |_| {}).interval("10s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    watcher.wait_for_run_end("witness");
    runner.pause("s").unwrap();
    assert_eq!(runner.status()["s"], State::Paused);
    assert!(runner.is_running("s"), "paused is active");
    for _ in 0..3 {
        clock.advance(secs(10));
        watcher.wait_for_run_end("witness");
    }
    clock.advance(secs(5));
    runner.resume("s").unwrap();
    let info = info(&runner, "s");
    assert_eq!((info.runs, info.next_due), (1, Some(SystemTime::UNIX_EPOCH + secs(40))));
    clock.advance(secs(5));
    watcher.wait_for_run_end("s");
    runner.stop_all();
    let all = watcher.changes("s");
    let runs = all.iter().filter(|change| matches!(change, Change::RunBegan { .. })).count();
    assert_eq!(runs, 2, "{all:#?}");
}

fn rule_173_pause_lets_the_current_run_end_and_a_paused_service_can_run_once_or_stop(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let body = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(kind.waiting("s", body).delay("1ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    runner.pause("s").unwrap();
    go.send(()).unwrap();
    watcher.wait_for_run_end("s");
    assert_eq!(runner.status()["s"], State::Paused);
    go.send(()).unwrap();
    runner.run_now("s").unwrap();
    watcher.wait_for_run_end("s");
    let info = info(&runner, "s");
    assert_eq!((info.state, info.runs), (State::Paused, 2), "once, and paused again");
    drop(go);
    runner.resume("s").unwrap();
    watcher.wait_for_run_end("s");
    runner.pause("s").unwrap();
    runner.stop("s").unwrap();
    assert_eq!(runner.status()["s"], State::Stopped);
}

fn rule_171_restart_begins_a_new_activation_of_active_and_inactive_services(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.sleeper("s").autostart(false)).unwrap();
    runner.restart("s").unwrap();
    watcher.wait_for_run_begin("s");
    runner.restart("s").unwrap();
    watcher.wait_for_run_begin("s");
    runner.stop_all();
    let all = watcher.changes("s");
    let starts = all.iter().filter(|change| **change == Change::Started).count();
    assert_eq!((starts, info(&runner, "s").runs), (2, 2), "{all:#?}");
}

fn rule_171_is_running_means_active(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("waiting", |_| {}).interval("1h")).unwrap();
    runner.register(kind.sleeper("running")).unwrap();
    runner.register(kind.service("backing-off", |_| Err::<(), _>("no")).backoff("60s")).unwrap();
    runner.register(kind.service("finished", |_| {})).unwrap();
    runner.register(kind.service("failed", |_| Err::<(), _>("no")).max_restarts(0)).unwrap();
    runner.register(kind.service("registered", |_| {}).autostart(false)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("waiting");
    watcher.wait_for_run_begin("running");
    watcher.wait_for_crash("backing-off");
    watcher.wait_for_run_end("finished");
    watcher.wait_for_crash("failed");
    let words: Vec<_> = runner
        .status()
        .into_iter()
        .map(|(name, state)| (name.clone(), state.to_string(), runner.is_running(&name)))
        .collect();
    let expected = [
        ("backing-off", "backing off", true),
        ("failed", "failed", false),
        ("finished", "finished", false),
        ("registered", "registered", false),
        ("running", "running", true),
        ("waiting", "waiting", true),
    ];
    assert_eq!(
        words,
        expected.map(|(name, word, active)| (name.to_owned(), word.to_owned(), active))
    );
    assert!(!runner.is_running("nobody"));
    runner.stop_all();
}

type Call = fn(&Runner, &str) -> Result<(), ControlError>;

/// Every request to one service.
const CALLS: [Call; 6] = [
    Runner::start,
    Runner::restart,
    Runner::run_now,
    Runner::pause,
    Runner::resume,
    |runner, name| runner.stop(name).map(drop),
];

fn rule_82_a_misspelled_name_gets_a_suggestion(kind: Kind) {
    let runner = Runner::new();
    for name in ["cleaner", "heartbeat", "mailer"] {
        runner.register(kind.service(name, |_| {}).autostart(false)).unwrap();
    }
    for call in CALLS {
        let refused = call(&runner, "hartbeat").expect_err("the name is misspelled");
        let text = refused.to_string();
        assert_eq!(text, "there is no service `hartbeat`; did you mean `heartbeat`?");
        let ControlError::Unknown { name, nearest: Some(nearest) } = refused else {
            panic!("{text}")
        };
        assert_eq!((name.as_str(), nearest.as_str()), ("hartbeat", "heartbeat"));
    }
}

fn rule_174_unknown_and_inactive_services_are_refused_with_the_reason(kind: Kind) {
    let runner = Runner::new();
    runner.register(kind.service("s", |_| {}).autostart(false)).unwrap();
    for call in CALLS {
        let refused = call(&runner, "nobody").expect_err("there is no such service");
        assert!(matches!(refused, ControlError::Unknown { .. }));
        assert_eq!(refused.to_string(), "there is no service `nobody`; `status()` lists the names");
    }
    for call in &CALLS[2..5] {
        let refused = call(&runner, "s").expect_err("it is not active");
        assert_eq!(refused.to_string(), "`s` is registered; `start` it first");
    }
}
