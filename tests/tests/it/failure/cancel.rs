//! Rule 29: with `on_timeout = "cancel"`, a run that exceeds its `timeout` is asked to return, and
//! counts as a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{TryRecvError, bounded, unbounded};
use tests::{
    Ctx, EventWatcher, Hooks, Kind, begin_slow_run, both_kinds, ignore_stop, in_virtual_time, info,
    millis, secs, sleep_until_stopped,
};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, Flow, Local, OnTimeout, RunOutcome, RunTrigger, Runner, Service, State,
    Stopped, service,
};

both_kinds! {
    rule_29_a_run_that_exceeds_its_timeout_is_woken_and_counts_as_a_crash,
    rule_29_and_22_cancelled_runs_use_up_the_restarts,
    rule_29_and_42_the_activation_continues_and_no_hook_runs,
    rule_29_and_42_hooks_may_sleep_after_the_last_cancelled_run,
}

/// The crash of a run that was cancelled after five seconds, and then ended well.
const CAUSE: &str = "cancelled: took longer than its timeout of 5s";

/// Cancels the runs of a service after five seconds.
fn cancelling(service: Service) -> Service {
    service.timeout("5s").on_timeout(OnTimeout::Cancel)
}

fn changes(t: &TestRunner, service: &str) -> Vec<Change> {
    let events = t.events().into_iter().filter(|event| event.service == service);
    events.map(|event| event.change).collect()
}

/// The causes of the crashes so far.
fn causes(t: &TestRunner, service: &str) -> Vec<String> {
    let cause = |change| {
        let Change::Crashed { cause, .. } = change else { return None };
        Some(cause.to_string())
    };
    changes(t, service).into_iter().filter_map(cause).collect()
}

fn rule_29_a_run_that_exceeds_its_timeout_is_woken_and_counts_as_a_crash(kind: Kind) {
    let sleeper = || cancelling(kind.sleeper("s"));
    for service in [sleeper(), sleeper().interval("1h"), sleeper().delay("1h")] {
        let mut t = in_virtual_time([service]);
        t.advance("6s");
        let (took, lateness) = (secs(5), Duration::ZERO);
        let expected = [
            Change::Started,
            Change::RunBegan { run: 1, lateness, trigger: RunTrigger::Start, by: None },
            Change::Stuck { running_for: took },
            Change::RunEnded {
                run: 1,
                took,
                outcome: RunOutcome::Cancelled,
                trigger: RunTrigger::Start,
                by: None,
            },
            Change::Crashed { in_a_row: 1, cause: CAUSE.into(), restart_in: Some(secs(1)) },
            Change::Restarted,
            Change::RunBegan { run: 2, lateness, trigger: RunTrigger::Restart, by: None },
        ];
        assert_eq!(changes(&t, "s"), expected, "{}", t.timeline());
        let info = t.info("s");
        assert_eq!((info.state, info.crashes, info.stuck), (State::Running, 1, false));
        assert_eq!(info.last_error.as_deref(), Some(CAUSE));
    }
}

#[test]
fn rule_29_whatever_the_run_returns_it_has_crashed() {
    type Body = fn(&Context) -> Result<Flow, &'static str>;
    let cases: [(Body, &str); 6] = [
        (|_| Ok(Flow::Wait), ""),
        (|_| Ok(Flow::Again), ""),
        (|_| Ok(Flow::After(secs(1))), ""),
        (|_| Ok(Flow::Done), ""),
        (|_| Err("interrupted"), "; then failed: interrupted"),
        (|_| panic!("interrupted"), "; then panicked: interrupted at "),
    ];
    for (end, more) in cases {
        let body = move |ctx: &Context| {
            sleep_until_stopped(ctx);
            end(ctx)
        };
        for service in [Service::new("s", body), Service::new("s", body).interval("1h")] {
            let mut t = in_virtual_time([cancelling(service)]);
            t.advance("5s");
            assert_eq!((t.state("s"), t.crashes("s")), (State::BackingOff, 1), "{more}");
            let cause = causes(&t, "s").remove(0);
            let expected = format!("{CAUSE}{more}");
            assert!(cause.starts_with(&expected), "{cause}");
            assert_eq!(cause == expected, !more.ends_with(" at "), "{cause}");
        }
    }
}

#[test]
fn rule_29_every_kind_of_wait_ends_and_other_services_continue() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let selects = |ctx: &Context| {
        let (_sender, nothing) = bounded::<()>(0);
        crossbeam_channel::select! {
            recv(nothing) -> _ => unreachable!("nothing is sent"),
            recv(ctx.stopping()) -> _ => {}
        }
    };
    let polls = |ctx: &Context| {
        while !ctx.is_stopping() {
            tests::pause(millis(1));
        }
    };
    for service in [
        Service::new("sleeps", sleep_until_stopped),
        Service::new("selects", selects),
        Service::new("polls", polls),
    ] {
        let service = service.timeout("10ms").on_timeout(OnTimeout::Cancel);
        runner.register(service.backoff("1ms").max_backoff("1ms")).unwrap();
    }
    runner.register(Service::new("bystander", sleep_until_stopped)).unwrap();
    let reported = Service::new("reported", sleep_until_stopped).timeout("10ms");
    runner.register(reported.on_timeout(OnTimeout::Report)).unwrap();
    runner.start_all().unwrap();
    for name in ["sleeps", "selects", "polls"] {
        for _ in 0..3 {
            let Change::Crashed { cause, .. } = watcher.wait_for_crash(name).change else {
                unreachable!("it was asked for")
            };
            assert_eq!(&*cause, "cancelled: took longer than its timeout of 10ms", "{name}");
        }
    }
    watcher.wait_for("reported", |change| matches!(change, Change::Stuck { .. }));
    for name in ["bystander", "reported"] {
        let info = info(&runner, name);
        assert_eq!((info.state, info.runs, info.crashes), (State::Running, 1, 0), "{name}");
    }
    assert!(runner.stop_all().is_clean());
}

#[test]
fn rule_29_the_next_run_begins_as_if_nothing_had_been_asked() {
    let sleeps = |ctx: &Context| {
        assert!(!ctx.is_stopping() && ctx.sleep(secs(1)), "this run was not asked to return");
        sleep_until_stopped(ctx);
        assert!(ctx.is_stopping() && !ctx.sleep(secs(1)), "it still is");
    };
    let selects = |ctx: &Context| {
        assert_eq!(ctx.stopping().try_recv(), Err(TryRecvError::Empty));
        assert!(ctx.stopping().recv().is_err());
    };
    let mut t = in_virtual_time(
        [Service::new("sleeps", sleeps), Service::new("selects", selects)].map(cancelling),
    );
    // They run at 0 s, 6 s and 13 s.
    t.advance("18s");
    for name in ["sleeps", "selects"] {
        assert_eq!(causes(&t, name), [CAUSE; 3], "{}", t.timeline());
    }
}

#[service(name = "cancel.local", timeout = "5s", on_timeout = "cancel")]
fn counts_its_runs(ctx: &Context, mut runs: Local<u32>) {
    *runs += 1;
    assert_eq!(*runs, 1);
    sleep_until_stopped(ctx);
}

#[test]
fn rule_29_and_152_local_values_are_created_anew() {
    let mut t = TestRunner::builder().only(["cancel.local"]).build().unwrap();
    t.advance("11s");
    assert_eq!(causes(&t, "cancel.local"), [CAUSE; 2]);
}

fn rule_29_and_22_cancelled_runs_use_up_the_restarts(kind: Kind) {
    let sleeper = || cancelling(kind.sleeper("s")).max_restarts(2);
    for service in [sleeper(), sleeper().interval("1h")] {
        let mut t = in_virtual_time([service]);
        t.advance("1h");
        assert_eq!((t.state("s"), t.runs("s"), t.crashes("s")), (State::Failed, 3, 3));
        assert_eq!(t.info("s").last_error.as_deref(), Some(CAUSE));
    }
}

#[test]
fn rule_29_a_heartbeat_in_time_prevents_it_and_a_late_one_does_not_undo_it() {
    let beats = |ctx: &Context| {
        for _ in 0..5 {
            assert!(ctx.sleep(secs(4)));
            ctx.heartbeat();
        }
        Flow::Done
    };
    let late = |ctx: &Context| {
        sleep_until_stopped(ctx);
        ctx.heartbeat();
        assert!(ctx.is_stopping() && !ctx.sleep(secs(1)));
    };
    let mut t =
        in_virtual_time([Service::new("beats", beats), Service::new("late", late)].map(cancelling));
    t.advance("5s");
    assert_eq!(causes(&t, "late"), [CAUSE]);
    t.advance("15s");
    assert_eq!((t.state("beats"), causes(&t, "beats").len()), (State::Finished, 0));
}

#[test]
fn rule_29_and_63_a_run_that_does_not_return_keeps_running_and_is_stuck() {
    let mut t = in_virtual_time([cancelling(Service::new("s", |_| {})).interval("1h")]);
    t.slow_next("s", "60s");
    t.advance("59s");
    assert_eq!((t.state("s"), t.info("s").stuck), (State::Running, true));
    t.advance("1s");
    assert_eq!((t.state("s"), t.info("s").stuck), (State::BackingOff, false));
    assert_eq!(causes(&t, "s"), [CAUSE]);
    let is_stuck = |change: &&Change| matches!(change, Change::Stuck { .. });
    assert_eq!(changes(&t, "s").iter().filter(is_stuck).count(), 1);
}

fn rule_29_and_42_the_activation_continues_and_no_hook_runs(kind: Kind) {
    let hooks = Arc::new(AtomicUsize::new(0));
    let [registered, declared] = [(); 2].map(|()| Arc::clone(&hooks));
    let body = async move |ctx: Ctx<'_>| {
        let registered = Arc::clone(&registered);
        ctx.on_stop(move || {
            registered.fetch_add(1, Ordering::SeqCst);
        });
        ctx.until_stopped().await;
    };
    let count = move |_: &Context| {
        declared.fetch_add(1, Ordering::SeqCst);
    };
    let mut t = in_virtual_time([cancelling(kind.waiting("s", body)).hook(kind, count)]);
    t.advance("1m");
    assert!(t.crashes("s") >= 4, "{}", t.timeline());
    assert_eq!(hooks.load(Ordering::SeqCst), 0);
    let started = |change: &&Change| **change == Change::Started;
    assert_eq!(changes(&t, "s").iter().filter(started).count(), 1);
    t.stop("s").unwrap();
    assert_eq!(hooks.load(Ordering::SeqCst), 2);
}

/// The hooks of a service that has failed are not asked to return.
fn rule_29_and_42_hooks_may_sleep_after_the_last_cancelled_run(kind: Kind) {
    let (slept, results) = unbounded();
    let hook = async move |ctx: Ctx<'_>| {
        let asked = ctx.is_stopping();
        slept.send((asked, ctx.sleep(secs(1)).await)).unwrap();
    };
    let service = cancelling(kind.sleeper("s")).max_restarts(0);
    let mut t = in_virtual_time([service.waiting_hook(kind, hook)]);
    t.advance("6s");
    assert_eq!((t.state("s"), results.try_recv()), (State::Failed, Ok((false, true))));
}

#[test]
fn rule_29_and_26_a_stop_request_after_the_cancellation_takes_precedence() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = bounded::<()>(0);
    let (hook, hooks) = unbounded();
    let body = move |ctx: &Context| {
        sleep_until_stopped(ctx);
        let _ = gate.recv();
        Err::<(), _>("interrupted")
    };
    let service = Service::new("s", body).timeout("5ms").on_timeout(OnTimeout::Cancel);
    runner.register(service.on_stop(move |_| hook.send(()).unwrap())).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::Stuck { .. }));
    assert_eq!((runner.status()["s"], info(&runner, "s").stuck), (State::Running, true));
    let stopper = runner.clone();
    let (answer, answered) = bounded(1);
    tests::spawn(move || answer.send(stopper.stop("s").unwrap()).unwrap());
    watcher.wait_for_change("s", &Change::Stopping);
    assert!(hooks.is_empty(), "the run ends first");
    drop(go);
    assert!(matches!(answered.recv_timeout(tests::TIMEOUT), Ok(Stopped::Ended { .. })));
    let info = info(&runner, "s");
    assert_eq!((info.state, info.crashes, info.last_error), (State::Stopped, 0, None));
    assert_eq!(hooks.len(), 1);
}

#[test]
fn rule_29_and_43_a_stop_abandons_a_cancelled_run_that_does_not_return() {
    let (report, reports) = unbounded();
    let body = move |ctx: &Context| report.send(ctx.is_stopping()).unwrap();
    let mut t = in_virtual_time([cancelling(Service::new("s", body)).stop_timeout("10s")]);
    // The body is called after this hour.
    t.slow_next("s", "1h");
    t.advance("6s");
    assert_eq!((t.state("s"), t.info("s").stuck), (State::Running, true));
    assert!(matches!(t.stop("s"), Ok(Stopped::Abandoned { .. })));
    t.advance("1h");
    assert_eq!(changes(&t, "s").last(), Some(&Change::LateEnd));
    t.start("s").unwrap();
    t.advance("0s");
    assert_eq!((t.state("s"), t.crashes("s")), (State::Finished, 0));
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), [true, false]);
}

#[test]
fn rule_29_and_46_a_cancelled_run_no_longer_waits_for_the_stop_of_another_service() {
    let slow = Service::new("slow", |_| {}).interval("1d").stop_timeout("1h");
    let mut t = in_virtual_time([slow]);
    let (answer, answers) = unbounded();
    let inner = t.runner().clone();
    let body = move |_: &Context| answer.send(inner.stop("slow").unwrap()).unwrap();
    let stops_it = cancelling(Service::new("stops-it", body)).autostart(false).max_restarts(0);
    t.runner().register(stops_it).unwrap();
    t.advance("0s");
    begin_slow_run(&mut t, "slow", "30m");
    t.start("stops-it").unwrap();
    t.advance("4s");
    assert_eq!((t.state("stops-it"), answers.len()), (State::Running, 0));
    t.advance("1s");
    assert_eq!((t.state("stops-it"), answers.try_recv()), (State::Failed, Ok(Stopped::Requested)));
    assert_eq!(causes(&t, "stops-it"), [CAUSE]);
    assert_eq!(t.state("slow"), State::Stopping);
    t.advance("30m");
    assert_eq!(t.state("slow"), State::Stopped);
}

/// In real time, nothing but the cancellation ends that wait.
#[test]
fn rule_29_and_46_a_cancellation_wakes_a_thread_that_waits_for_a_stop() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = bounded::<()>(0);
    let (answer, answers) = unbounded();
    let inner = runner.clone();
    let body = move |_: &Context| {
        let _ = answer.send(inner.stop("slow"));
    };
    runner.register(Service::new("slow", ignore_stop(gate)).stop_timeout("1h")).unwrap();
    let stops_it = Service::new("stops-it", body).timeout("5ms").on_timeout(OnTimeout::Cancel);
    runner.register(stops_it.max_restarts(0).autostart(false)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("slow");
    runner.start("stops-it").unwrap();
    let answer = answers.recv_timeout(tests::TIMEOUT).expect("it no longer waits");
    assert_eq!(answer.unwrap(), Stopped::Requested);
    drop(go);
    watcher.wait_for_change("slow", &Change::Stopped);
}
