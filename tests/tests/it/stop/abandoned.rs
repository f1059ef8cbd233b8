//! Rule 43: runs that do not end within their stop timeout. What becomes of the thread of a plain run; that of
//! a task is in `tasks::stop`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use tests::{
    Ctx, EventWatcher, Kind, begin_slow_run, both_kinds, ignore_stop, in_virtual_time, info,
    millis, secs, sleep_until_stopped, virtual_time_builder,
};
use tina4_service::{Change, Context, ControlError, Flow, Ready, Runner, Service, State, Stopped};

both_kinds! {
    rule_43_a_run_has_ten_seconds_or_its_stop_timeout_to_end,
    rule_43_other_services_continue_while_a_stop_waits,
    rule_43_a_run_that_ends_just_in_time_is_stopped_and_may_start_again,
}

fn rule_43_a_run_has_ten_seconds_or_its_stop_timeout_to_end(kind: Kind) {
    for (service, limit) in
        [(kind.service("s", |_| {}), 10), (kind.service("s", |_| {}).stop_timeout("3s"), 3)]
    {
        let mut t = virtual_time_builder().service(service.interval("1m")).build().unwrap();
        t.slow_next("s", secs(limit - 1));
        t.advance("0s");
        assert_eq!(t.stop("s").unwrap(), Stopped::Ended { after: secs(limit - 1) });
        t.start("s").unwrap();
        t.slow_next("s", "1h");
        t.advance("7s");
        let before = t.now();
        match (kind, t.stop("s").unwrap()) {
            (Kind::Plain, Stopped::Abandoned { age, .. }) => {
                assert_eq!(age, secs(7 + limit), "the age of the run, not of the stop");
            }
            (Kind::Async, stopped) => assert_eq!(stopped, Stopped::Ended { after: secs(limit) }),
            (Kind::Plain, stopped) => panic!("{stopped:?}"),
        }
        assert_eq!(t.state("s"), kind.left_behind());
        assert_eq!(t.now(), before + secs(limit));
    }
}

#[test]
fn rule_43_the_late_result_of_an_abandoned_run_is_dropped() {
    type Body = fn() -> Result<Flow, &'static str>;
    let late: [Body; 5] = [
        || Ok(Flow::Wait),
        || Ok(Flow::Again),
        || Ok(Flow::Done),
        || Err("too late"),
        || panic!("too late"),
    ];
    for (case, body) in late.into_iter().enumerate() {
        let cleaned = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&cleaned);
        let clean_up = move |_: &Context| {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let service = Service::new("s", move |_| body()).interval("1h").on_stop(clean_up);
        let mut t = virtual_time_builder().service(service.max_restarts(0)).build().unwrap();
        t.slow_next("s", "1m");
        t.advance("0s");
        assert!(matches!(t.stop("s"), Ok(Stopped::Abandoned { .. })), "case {case}");
        t.advance("49s");
        assert_eq!(cleaned.load(Ordering::SeqCst), 0, "case {case}: the run is still alive");
        let before = t.events().len();
        t.advance("1d");
        // It ends and is cleaned up, and nothing else happens.
        let after: Vec<Change> =
            t.events().split_off(before).into_iter().map(|e| e.change).collect();
        assert_eq!(after, [Change::LateEnd], "case {case}");
        assert_eq!(cleaned.load(Ordering::SeqCst), 1, "case {case}");
        let info = t.info("s");
        assert_eq!((info.state, info.runs, info.crashes), (State::Abandoned, 1, 0), "case {case}");
        assert_eq!((info.last_end, info.last_error), (None, None), "case {case}");
        t.stop_all();
        assert_eq!(cleaned.load(Ordering::SeqCst), 1, "case {case}: once");
    }
}

#[test]
fn rule_43_abandoned_services_are_named_and_the_others_stop_in_order() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("database", sleep_until_stopped).ready(Ready::Started)).unwrap();
    let line = line!() + 1;
    let stuck = Service::new("stuck", ignore_stop(gate)).stop_timeout("100ms");
    runner.register(stuck.ready(Ready::Started).after("database")).unwrap();
    runner.register(Service::new("web", sleep_until_stopped).after("stuck")).unwrap();
    runner.start_all().unwrap();
    for name in ["database", "stuck", "web"] {
        watcher.wait_for_run_begin(name);
    }
    let report = runner.stop_all();
    let named: Vec<_> = report.abandoned().map(|service| service.name.clone()).collect();
    assert_eq!(named, ["stuck"]);
    let stuck = report.abandoned().next().unwrap();
    assert!(stuck.age >= Some(millis(100)), "{stuck:?}");
    assert_eq!((stuck.place.file, stuck.place.line), (file!(), line));
    let text = report.to_string();
    let words = format!("stuck ({}:{line}): abandoned, still running after", file!());
    assert!(text.contains(&words), "{text}");
    let advice = "\n  to let an abandoned service stop in time, check `ctx.is_stopping()` in its loop, sleep with `ctx.sleep(..)`, which returns early on a stop request, or give it a longer `stop_timeout`";
    assert!(text.ends_with(advice), "{text}");
    let states = ["database", "stuck", "web"].map(|name| runner.status()[name]);
    assert_eq!(states, [State::Stopped, State::Abandoned, State::Stopped]);
    assert!(!report.is_clean());
    let order: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(order, ["web", "stuck", "database"]);
    drop(go);
    watcher.wait_for_change("stuck", &Change::LateEnd);
}

#[test]
fn rule_43_an_abandoned_service_is_never_reported_as_stopped_or_started_twice() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("s", ignore_stop(gate)).stop_timeout("20ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    let Stopped::Abandoned { age, place } = runner.stop("s").unwrap() else {
        panic!("it cannot stop")
    };
    assert!(age >= millis(20));
    assert_eq!(place.file, file!());
    assert_eq!(runner.status()["s"], State::Abandoned);
    assert!(!info(&runner, "s").is_healthy());
    for refused in [Runner::start, Runner::restart] {
        let error = refused(&runner, "s").expect_err("the abandoned run is still alive");
        assert!(matches!(error, ControlError::StillAlive { .. }), "{error}");
        for words in ["is still alive after", "; start it again once that run has returned"] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    assert!(
        matches!(runner.stop("s").unwrap(), Stopped::Abandoned { .. }),
        "it is still abandoned"
    );
    // `start_all` does not start it, and reports so.
    runner.start_all().unwrap();
    watcher.wait_for_change("s", &Change::StillAlive);
    assert_eq!(info(&runner, "s").runs, 1);
    drop(go);
    watcher.wait_for_change("s", &Change::LateEnd);
    let info = info(&runner, "s");
    // The late result is dropped: it changes neither state nor counters.
    assert_eq!((info.state, info.last_end), (State::Abandoned, None));
    runner.start("s").unwrap();
    watcher.wait_for_run_begin("s");
    runner.stop_all();
}

fn rule_43_other_services_continue_while_a_stop_waits(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("hung", |_| {}).interval("1d").stop_timeout("9500ms"),
        kind.sleeper("third").autostart(false),
    ]);
    let inner = t.runner().clone();
    let requests = async move |ctx: Ctx<'_>| {
        inner.start("third")?;
        assert!(inner.is_running("third") && inner.is_running("hung"));
        assert!(matches!(ctx.stop(&inner, "third").await?, Stopped::Ended { .. }));
        Ok::<_, ControlError>(())
    };
    t.runner().register(kind.waiting("requests", requests).interval("1s").max_restarts(0)).unwrap();
    t.advance("0s");
    begin_slow_run(&mut t, "hung", "1h");
    let before = (t.runs("requests"), t.now());
    t.stop("hung").unwrap();
    assert_eq!(t.state("hung"), kind.left_behind());
    let after = (t.runs("requests"), t.now());
    assert_eq!(after.1, before.1 + millis(9_500));
    assert_eq!(after.0 - before.0, 9, "{}", t.timeline());
    assert_eq!(t.crashes("requests"), 0);
}

fn rule_43_a_run_that_ends_just_in_time_is_stopped_and_may_start_again(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1d").stop_timeout("10s")]);
    t.advance("0s");
    for (length, ends) in [("9999ms", true), ("10001ms", false)] {
        begin_slow_run(&mut t, "s", length);
        let stopped = t.stop("s").unwrap();
        let state = if ends { State::Stopped } else { kind.left_behind() };
        assert_eq!(t.state("s"), state, "{length}: {stopped:?}");
        let is_ended = ends || kind == Kind::Async;
        assert_eq!(matches!(stopped, Stopped::Ended { .. }), is_ended, "{length}: {stopped:?}");
        // A millisecond later the late run has ended, too.
        t.advance("1ms");
        assert_eq!(t.stop("s").unwrap(), Stopped::NotActive { state: t.state("s") });
        let runs = t.runs("s");
        t.start("s").unwrap();
        t.advance("0s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Waiting, runs + 1), "{length}");
    }
}
