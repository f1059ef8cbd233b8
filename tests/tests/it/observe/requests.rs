//! Rules 110 and 113: requests that are made on somebody's behalf.

use std::time::Duration;

use tests::{Ctx, Kind, both_kinds, in_virtual_time, millis, virtual_time_builder, within};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Request, Requester, RunTrigger, Runner, Schedule, Service,
    State, Stopped,
};

both_kinds! {
    rule_113_each_request_is_reported_with_who_asks_before_what_follows_from_it,
    rule_113_a_refused_request_is_reported_with_the_reason,
    rule_110_and_113_a_run_knows_who_asked_for_it,
    rule_110_and_113_a_start_during_a_stop_is_that_of_the_one_who_asked_for_it,
}

fn alice() -> Requester {
    Requester::new("alice").because("the invoice run failed")
}

fn bob() -> Requester {
    Requester::new("bob")
}

/// The changes of a service since the last call, as text.
fn changes(t: &TestRunner, service: &str, seen: &mut usize) -> Vec<String> {
    let lines = t.timeline();
    let new: Vec<_> = lines.lines().skip(*seen).collect();
    *seen += new.len();
    let of_service = |line: &&str| line.split("  ").nth(1).is_some_and(|of| of.trim() == service);
    let change = |line: &str| line.rsplit("  ").next().unwrap_or_default().to_owned();
    new.into_iter().filter(of_service).map(change).collect()
}

fn rule_113_each_request_is_reported_with_who_asks_before_what_follows_from_it(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").initial_delay("1h")]);
    let runner = t.runner().on_behalf_of(alice());
    let mut seen = 0;
    let mut expect = |t: &mut TestRunner, expected: &[&str]| {
        t.advance("0s");
        let expected: Vec<_> =
            expected.iter().map(|line| line.replace("ALICE", &alice().to_string())).collect();
        assert_eq!(changes(t, "s", &mut seen), expected);
    };
    runner.start("s").unwrap();
    expect(&mut t, &["start requested by ALICE", "started"]);
    runner.run_now("s").unwrap();
    expect(&mut t, &["run_now requested by ALICE", "run 1 for ALICE"]);
    runner.pause("s").unwrap();
    expect(&mut t, &["pause requested by ALICE", "paused"]);
    runner.resume("s").unwrap();
    expect(&mut t, &["resume requested by ALICE", "resumed"]);
    // What changes nothing was asked for nevertheless.
    runner.resume("s").unwrap();
    runner.reset("s").unwrap();
    expect(&mut t, &["resume requested by ALICE", "reset requested by ALICE"]);
    runner.reschedule("s", Schedule::interval(Duration::from_secs(60))).unwrap();
    expect(&mut t, &["reschedule requested by ALICE", "rescheduled: every 1m"]);
    runner.restart("s").unwrap();
    expect(&mut t, &["restart requested by ALICE", "stopping", "stopped", "started"]);
    runner.stop("s").unwrap();
    expect(&mut t, &["stop requested by ALICE", "stopping", "stopped"]);
    let mut all = t.timeline().lines().count();
    runner.start_all().unwrap();
    assert!(!runner.stop_all().in_progress);
    let by_alice = |request| format!("{request} requested by {}", alice());
    assert_eq!(changes(&t, "", &mut all), ["start_all", "stop_all"].map(by_alice));
    let mut seen = t.timeline().lines().count();
    runner.unregister("s").unwrap();
    let unregistered = [by_alice("unregister"), "unregistered".to_owned()];
    assert_eq!(changes(&t, "s", &mut seen), unregistered);
}

fn rule_113_a_refused_request_is_reported_with_the_reason(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").autostart(false)]);
    t.start_all().unwrap();
    let runner = t.runner().on_behalf_of(bob());
    let refused = |service: &str, request, error: ControlError| {
        let error = error.to_string();
        let events: Vec<_> = t.events().into_iter().rev().take(2).collect();
        let [refusal, requested] = &events[..] else { panic!("{events:?}") };
        assert_eq!((&*refusal.service, &*requested.service), (service, service));
        assert_eq!(requested.change, Change::Requested { request, by: bob() });
        let Change::Refused { request: of, by, error: reason } = &refusal.change else {
            panic!("{refusal:?}")
        };
        assert_eq!((*of, by, &**reason), (request, &bob(), &*error));
    };
    refused("s", Request::RunNow, runner.run_now("s").unwrap_err());
    refused("s", Request::Pause, runner.pause("s").unwrap_err());
    // It concerns no service, and its name is unknown text.
    refused("", Request::Stop, runner.stop("x").unwrap_err());
    let never = Schedule::interval(Duration::ZERO);
    refused("s", Request::Reschedule, runner.reschedule("s", never).unwrap_err());
    assert_eq!(t.state("s"), State::Registered);
    // The program itself is refused as before, and nobody is told.
    let events = t.events().len();
    t.runner().run_now("s").unwrap_err();
    assert_eq!(t.events().len(), events);
}

fn rule_110_and_113_a_run_knows_who_asked_for_it(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").backoff("1m")]);
    let runner = t.runner().clone();
    let expect = |t: &TestRunner, run: u64, trigger: RunTrigger, by: Option<Requester>| {
        let info = t.info("s");
        assert_eq!(
            (info.runs, info.last_trigger, &info.last_requested_by),
            (run, Some(trigger), &by)
        );
        let of_run = |change: &Change| {
            let (Change::RunBegan { run: of, trigger, by, .. }
            | Change::RunEnded { run: of, trigger, by, .. }) = change
            else {
                return None;
            };
            (*of == run).then(|| (*trigger, by.clone()))
        };
        let ends: Vec<_> = t.events().iter().filter_map(|event| of_run(&event.change)).collect();
        assert_eq!(ends, vec![(trigger, by.clone()); 2]);
        let past = t.history("s").runs.pop().unwrap();
        assert_eq!((past.run, past.trigger, past.by), (run, trigger, by));
    };
    runner.on_behalf_of(alice()).start("s").unwrap();
    t.advance("0s");
    expect(&t, 1, RunTrigger::Start, Some(alice()));
    t.advance("1h");
    expect(&t, 2, RunTrigger::Schedule, None);
    t.crash_next("s");
    runner.on_behalf_of(alice()).run_now("s").unwrap();
    t.advance("0s");
    expect(&t, 3, RunTrigger::Manual, Some(alice()));
    // The program itself asks for nothing here, and neither does alice.
    t.advance("1m");
    expect(&t, 4, RunTrigger::Restart, None);
    runner.run_now("s").unwrap();
    t.advance("0s");
    expect(&t, 5, RunTrigger::Manual, None);
    // The first one who is known has asked for a run that several ask for.
    runner.run_now("s").unwrap();
    runner.on_behalf_of(bob()).run_now("s").unwrap();
    runner.on_behalf_of(alice()).run_now("s").unwrap();
    runner.run_now("s").unwrap();
    t.advance("0s");
    expect(&t, 6, RunTrigger::Manual, Some(bob()));
    // A request for a run that never begins does not count for the next one.
    runner.on_behalf_of(alice()).run_now("s").unwrap();
    runner.restart("s").unwrap();
    t.advance("0s");
    expect(&t, 7, RunTrigger::Start, None);
    runner.on_behalf_of(alice()).restart("s").unwrap();
    t.advance("0s");
    expect(&t, 8, RunTrigger::Start, Some(alice()));
}

fn rule_110_and_113_a_start_during_a_stop_is_that_of_the_one_who_asked_for_it(kind: Kind) {
    let slow = kind.waiting("s", async |ctx: Ctx<'_>| {
        ctx.until_stopped().await;
    });
    let mut t = in_virtual_time([slow]);
    t.advance("1s");
    t.runner().on_behalf_of(bob()).restart("s").unwrap();
    t.advance("1s");
    assert_eq!((t.runs("s"), t.info("s").last_requested_by), (2, Some(bob())));
    // Restarts by the program itself, after that, are not his.
    t.restart("s").unwrap();
    t.advance("1s");
    assert_eq!((t.runs("s"), t.info("s").last_requested_by), (3, None));
    assert_eq!(t.info("s").last_trigger, Some(RunTrigger::Start));
}

/// The first run of a calendar service waits for its time, whoever starts it.
#[test]
fn rule_110_and_113_a_run_at_a_calendar_time_is_nobodys_request() {
    let t = virtual_time_builder().service(Service::new("s", |_| {}).cron("0 8 * * *"));
    let mut t = t.build().unwrap();
    t.runner().on_behalf_of(alice()).start("s").unwrap();
    t.advance("1d");
    let info = t.info("s");
    assert_eq!((info.runs, info.last_trigger), (1, Some(RunTrigger::Schedule)));
    assert_eq!(info.last_requested_by, None);
}

#[test]
fn rule_113_a_request_that_fails_after_it_was_accepted_is_reported_as_refused() {
    let runner = Runner::new();
    let events = runner.subscribe();
    let (gate, blocked) = crossbeam_channel::bounded(0);
    let stubborn = Service::new("s", tests::ignore_stop(blocked)).stop_timeout(millis(1));
    runner.register(stubborn).unwrap();
    runner.start_all().unwrap();
    while tests::info(&runner, "s").runs == 0 {
        std::thread::yield_now();
    }
    let error = runner.on_behalf_of(alice()).restart("s").unwrap_err();
    assert!(matches!(error, ControlError::StillAlive { .. }), "{error}");
    let requests: Vec<_> = events
        .try_iter()
        .map(|event| event.change)
        .filter(|change| matches!(change, Change::Requested { .. } | Change::Refused { .. }))
        .collect();
    let [Change::Requested { request: Request::Restart, .. }, refused] = &requests[..] else {
        panic!("{requests:?}")
    };
    let Change::Refused { request: Request::Restart, error: reason, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(**reason, *error.to_string());
    drop(gate);
    runner.stop_all();
}

async fn until_stopped(ctx: &Context) {
    ctx.stopped().await;
}

#[test]
fn rule_91_and_113_async_twins_have_the_requester_too() {
    within("the end of the requests", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let runner = Runner::new();
            let events = runner.subscribe();
            runner.register(Service::of("s", until_stopped)).unwrap();
            let operator = runner.on_behalf_of(alice());
            operator.restart_async("s").await.unwrap();
            assert!(matches!(operator.stop_async("s").await, Ok(Stopped::Ended { .. })));
            operator.unregister_async("s").await.unwrap();
            operator.unregister_async("s").await.unwrap_err();
            operator.stop_all_async().await;
            let requests = |change| {
                if let Change::Refused { request, .. } = change {
                    return Some(format!("no {request}"));
                }
                let Change::Requested { request, by } = change else { return None };
                (by == alice()).then(|| request.to_string())
            };
            let requests: Vec<_> =
                events.try_iter().filter_map(|event| requests(event.change)).collect();
            let expected =
                ["restart", "stop", "unregister", "unregister", "no unregister", "stop_all"];
            assert_eq!(requests, expected);
        });
    });
}

/// A handle for a weak runner, or from inside a service, acts for nobody.
#[test]
fn rule_113_and_183_other_handles_of_the_runner_have_no_requester() {
    let mut t = in_virtual_time([Service::new("s", |_| {}).interval("1h")]);
    t.advance("0s");
    let operator = t.runner().on_behalf_of(alice());
    let events = t.events().len();
    t.runner().pause("s").unwrap();
    operator.downgrade().upgrade().expect("it exists").resume("s").unwrap();
    let changes: Vec<_> = t.events().into_iter().skip(events).map(|event| event.change).collect();
    assert_eq!(changes, [Change::Paused, Change::Resumed]);
    // A clone is a handle of the same kind, and another requester replaces the first.
    operator.clone().pause("s").unwrap();
    operator.on_behalf_of(bob()).resume("s").unwrap();
    let by = |change: &Change| {
        let Change::Requested { by, .. } = change else { return None };
        Some(by.clone())
    };
    let by: Vec<_> = t.events().iter().filter_map(|event| by(&event.change)).collect();
    assert_eq!(by, [alice(), bob()]);
}
