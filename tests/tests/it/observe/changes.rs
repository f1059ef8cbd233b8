//! Rule 118: the changes that people are told of, in virtual time.

use std::time::{Duration, SystemTime};

use tests::rng::Rng;
use tests::{Ctx, Kind, Told, both_kinds, in_virtual_time, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{Context, Flow, NoticeKind, Schedule, Service, State};

both_kinds! {
    rule_118_a_service_broke_when_it_becomes_unhealthy_and_recovers_when_a_run_ends_well,
    rule_118_a_service_that_has_failed_recovers_once_a_run_ends_well,
    rule_118_a_continuous_service_recovers_once_it_has_run_for_a_minute,
    rule_118_a_reset_or_a_stop_is_no_recovery,
    rule_118_and_111_a_service_is_told_to_be_overdue_when_it_is,
    rule_118_and_111_who_is_paused_or_stopped_is_not_told_to_be_overdue,
    rule_118_a_service_that_flaps_is_told_of_twice_a_minute_at_most,
}

const HOUR: u64 = 3_600;

fn now(t: &TestRunner) -> SystemTime {
    t.now().into()
}

fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn broke(in_a_row: u32, cause: &str) -> NoticeKind {
    NoticeKind::Broke { in_a_row, cause: cause.into() }
}

fn recovered(crashes: u64, after: u64) -> NoticeKind {
    NoticeKind::Recovered { crashes, after: secs(after) }
}

fn crash_next(t: &mut TestRunner, times: u32) {
    (0..times).for_each(|_| t.crash_next("s"));
}

fn rule_118_a_service_broke_when_it_becomes_unhealthy_and_recovers_when_a_run_ends_well(
    kind: Kind,
) {
    for (after, limit) in [(None, 3), (Some(1), 1), (Some(5), 5)] {
        let service = kind.service("s", |_| {}).interval("1h").backoff("1s").max_backoff("1s");
        let mut builder = virtual_time_builder().service(service);
        if let Some(after) = after {
            builder = builder.unhealthy_after(after);
        }
        let mut t = builder.build().unwrap();
        let (mut told, start) = (Told::new(t.runner()), now(&t));
        t.start_all().unwrap();
        t.advance("1s");
        crash_next(&mut t, limit - 1);
        t.run_now("s").unwrap();
        t.advance("10m");
        assert_eq!(told.all(&mut t), [], "it was healthy all the time");
        let begin = now(&t).duration_since(start).unwrap().as_secs();
        crash_next(&mut t, limit + 2);
        t.run_now("s").unwrap();
        t.advance("10m");
        let cause = t.info("s").last_error.expect("it has crashed");
        let broke_at = begin + u64::from(limit) - 1;
        let expected =
            [(broke_at, broke(limit, &cause)), (broke_at + 3, recovered(u64::from(limit) + 2, 3))];
        assert_eq!(told.kinds(&mut t, start), expected);
    }
}

#[test]
fn rule_118_nobody_broke_if_no_number_of_crashes_is_unhealthy() {
    let service = Service::new("s", |_| Err::<(), _>("no")).interval("1m").backoff("1s");
    let mut t = virtual_time_builder().service(service).unhealthy_after(0).build().unwrap();
    let mut told = Told::new(t.runner());
    t.advance("1m");
    assert!(t.crashes("s") > 3);
    assert_eq!(told.all(&mut t), []);
}

fn rule_118_a_service_that_has_failed_recovers_once_a_run_ends_well(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("1h").backoff("1s").max_backoff("1s");
    let mut t = in_virtual_time([service.max_restarts(3)]);
    let (mut told, start) = (Told::new(t.runner()), now(&t));
    crash_next(&mut t, 4);
    t.advance("10m");
    let cause = t.info("s").last_error.expect("it has crashed");
    let failed = || NoticeKind::Failed { cause: cause.clone() };
    assert_eq!(told.kinds(&mut t, start), [(2, broke(3, &cause)), (3, failed())]);
    // It is started again, in vain, and once more with success.
    t.start("s").unwrap();
    crash_next(&mut t, 4);
    t.advance("10m");
    assert_eq!(told.kinds(&mut t, start), [(603, failed())]);
    t.start("s").unwrap();
    t.advance("10m");
    assert_eq!(told.kinds(&mut t, start), [(1_200, recovered(8, 1_198))]);
}

fn rule_118_a_continuous_service_recovers_once_it_has_run_for_a_minute(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        if ctx.tick().run <= 4 {
            return Err("no");
        }
        ctx.until_stopped().await;
        Ok(())
    };
    let service = kind.waiting("s", body).backoff("1s").max_backoff("1s");
    let mut t = in_virtual_time([service]);
    let (mut told, start) = (Told::new(t.runner()), now(&t));
    t.advance("63s");
    assert_eq!(told.kinds(&mut t, start), [(2, broke(3, "no"))]);
    t.advance("2s");
    assert_eq!(told.kinds(&mut t, start), [(64, recovered(4, 62))]);
    t.advance("1d");
    assert_eq!(told.all(&mut t), []);
}

fn rule_118_a_reset_or_a_stop_is_no_recovery(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("1h").backoff("1s").max_backoff("1s");
    let mut t = in_virtual_time([service]);
    let mut told = Told::new(t.runner());
    crash_next(&mut t, 5);
    t.advance("2s");
    assert_eq!(told.all(&mut t).len(), 1);
    t.reset("s").unwrap();
    t.restart("s").unwrap();
    t.advance("0s");
    t.stop("s").unwrap();
    t.advance("1d");
    assert_eq!(told.all(&mut t), []);
    t.start("s").unwrap();
    t.advance("5m");
    let all = told.all(&mut t);
    assert!(matches!(all[..], [ref one] if matches!(one.kind, NoticeKind::Recovered { .. })));
    // What is unregistered is forgotten, and so its name may be used again.
    crash_next(&mut t, 9);
    t.run_now("s").unwrap();
    t.advance("5s");
    assert_eq!(told.all(&mut t).len(), 1);
    t.unregister("s").unwrap();
    t.runner().register(kind.service("s", |_| {}).interval("1h")).unwrap();
    t.start("s").unwrap();
    t.advance("5m");
    assert_eq!(told.all(&mut t), []);
}

fn rule_118_and_111_a_service_is_told_to_be_overdue_when_it_is(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("1h").backoff("1h").max_backoff("1h");
    let mut t = virtual_time_builder().service(service).unhealthy_after(0).build().unwrap();
    let (mut told, start) = (Told::new(t.runner()), now(&t));
    t.start_all().unwrap();
    t.advance("1d");
    assert_eq!(told.all(&mut t), []);
    // The run at 24 h is the last success.
    crash_next(&mut t, 7);
    t.advance("2h");
    assert_eq!(t.info("s").overdue, None);
    t.advance("1s");
    let overdue = NoticeKind::Overdue { overdue: nanos(1) };
    assert_eq!(told.kinds(&mut t, start), [(26 * HOUR, overdue)]);
    t.advance("1d");
    assert!(t.info("s").overdue.is_none() && t.info("s").last_success.is_some());
    let [(at, NoticeKind::NoLongerOverdue { after })] = told.kinds(&mut t, start)[..] else {
        panic!("one notice")
    };
    assert_eq!((at, after), (32 * HOUR, secs(6 * HOUR)));
}

#[test]
fn rule_118_and_111_a_calendar_service_is_told_to_be_overdue_when_it_is() {
    let t = virtual_time_builder().at("2026-11-27T09:00:00Z");
    let service = Service::new("s", |_| {}).cron("0 8 * * MON-FRI").timezone("UTC");
    let mut t = t.service(service.backoff("1h").max_backoff("1h")).build().unwrap();
    let mut told = Told::new(t.runner());
    t.start_all().unwrap();
    t.advance_to("2026-11-30T08:00:01Z");
    assert_eq!((t.runs("s"), told.all(&mut t).len()), (1, 0), "a weekend is no reason");
    for _ in 0..200 {
        t.crash_next("s");
    }
    t.advance_to("2026-12-02T07:59:59Z");
    let broke = told.all(&mut t);
    assert!(matches!(broke[..], [ref one] if matches!(one.kind, NoticeKind::Broke { .. })));
    t.advance_to("2026-12-02T08:00:01Z");
    let overdue = told.all(&mut t);
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].kind, NoticeKind::Overdue { overdue: nanos(1) });
    assert_eq!(overdue[0].to_string(), "`s` is overdue");
}

/// A run that hangs is no crash: only that the service is overdue tells of it.
#[test]
fn rule_118_and_111_a_service_whose_run_hangs_is_told_to_be_overdue() {
    let mut t = in_virtual_time([Service::new("s", |_| {}).interval("1s")]);
    let (mut told, start) = (Told::new(t.runner()), now(&t));
    t.advance("1m");
    t.slow_next("s", "1h");
    t.advance("1m");
    let [(at, NoticeKind::Overdue { .. })] = told.kinds(&mut t, start)[..] else {
        panic!("one notice")
    };
    // The run at 60 s hangs, so that at 59 s is the last success.
    assert!((61..=71).contains(&at), "at most ten seconds late: {at}");
    t.advance("1h");
    let kinds = told.kinds(&mut t, start);
    assert!(matches!(kinds[..], [(3_661, NoticeKind::NoLongerOverdue { .. })]), "{kinds:?}");
}

fn rule_118_and_111_who_is_paused_or_stopped_is_not_told_to_be_overdue(kind: Kind) {
    let body =
        |ctx: &Context| if ctx.tick().run == 1 { Flow::After(secs(99 * HOUR)) } else { Flow::Wait };
    let plans = kind.service("plans", body).interval("1h");
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h"), plans]);
    let mut told = Told::new(t.runner());
    t.advance("2h");
    t.pause("s").unwrap();
    t.advance("1d");
    t.resume("s").unwrap();
    t.advance("90m");
    t.stop("s").unwrap();
    t.advance("1d");
    t.start("s").unwrap();
    t.reschedule("s", Schedule::interval(secs(24 * HOUR))).unwrap();
    t.advance("47h");
    assert_eq!(told.all(&mut t), [], "nobody expects it, or it runs");
    assert_eq!(t.state("plans"), State::Waiting);
    t.stop_all();
}

fn rule_118_a_service_that_flaps_is_told_of_twice_a_minute_at_most(kind: Kind) {
    // It breaks every 13 seconds, for one second. It is never overdue.
    let body = |ctx: &Context| if ctx.tick().run.is_multiple_of(4) { Ok(()) } else { Err("no") };
    let service = kind.service("s", body).delay("10s").backoff("1s").max_backoff("1s");
    let mut t = in_virtual_time([service]);
    let (mut told, start) = (Told::new(t.runner()), now(&t));
    t.advance("20m");
    let kinds = |kinds: &[(u64, NoticeKind)], wanted: fn(&NoticeKind) -> bool| -> Vec<u64> {
        kinds.iter().filter(|(_, kind)| wanted(kind)).map(|(at, _)| *at).collect()
    };
    t.stop("s").unwrap();
    let notices = told.all(&mut t);
    let left_out: u64 = notices.iter().map(|notice| notice.left_out).sum();
    let at = |at: SystemTime| at.duration_since(start).unwrap().as_secs();
    let all: Vec<_> = notices.iter().map(|notice| (at(notice.at), notice.kind.clone())).collect();
    for times in [
        kinds(&all, |kind| matches!(kind, NoticeKind::Broke { .. })),
        kinds(&all, |kind| matches!(kind, NoticeKind::Recovered { .. })),
    ] {
        assert!((14..=20).contains(&times.len()), "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{times:?}");
    }
    // 92 times it broke, and recovered; most of it was left out, and the next notice says so.
    assert!((170..=185).contains(&(left_out + notices.len() as u64)), "{left_out}");
    assert_alternates(&all);
}

/// Each recovery follows a notice that the service broke or failed, and the other way round.
#[track_caller]
fn assert_alternates(notices: &[(u64, NoticeKind)]) {
    let (mut is_broken, mut is_overdue) = (false, false);
    for (_, kind) in notices {
        match kind {
            NoticeKind::Broke { .. } => assert!(!std::mem::replace(&mut is_broken, true)),
            NoticeKind::Failed { .. } => is_broken = true,
            NoticeKind::Recovered { .. } => assert!(std::mem::take(&mut is_broken)),
            NoticeKind::Overdue { .. } => assert!(!std::mem::replace(&mut is_overdue, true)),
            NoticeKind::NoLongerOverdue { .. } => assert!(std::mem::take(&mut is_overdue)),
            other => panic!("{other:?} is new"),
        }
    }
}

/// Random crashes, requests and waits. In the end it runs well, and that was told.
#[test]
fn rule_118_each_recovery_follows_a_break_and_the_last_notice_is_true() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let service = Service::new("s", |_| {}).interval("10s").backoff("1s").max_backoff("4s");
        let service = if seed % 3 == 0 { service.max_restarts(4) } else { service };
        let mut t = in_virtual_time([service]);
        let (mut told, start) = (Told::new(t.runner()), now(&t));
        let mut all = Vec::new();
        t.start_all().unwrap();
        for _ in 0..60 {
            let runner = t.runner().clone();
            // Requests may be refused.
            match rng.below(9) {
                0 => drop(runner.pause("s")),
                1 => drop(runner.resume("s")),
                2 => drop(runner.run_now("s")),
                3 => drop(runner.reset("s")),
                4 => drop(runner.restart("s")),
                5 => drop(runner.stop("s")),
                6 => drop(runner.start("s")),
                _ => crash_next(&mut t, u32::try_from(rng.below(6)).unwrap()),
            }
            let limit = if rng.below(4) == 0 { 120 } else { 8 };
            t.advance(secs(rng.below(limit)));
            all.extend(told.kinds(&mut t, start));
        }
        // All crashes that were planned happen, and then it runs.
        for _ in 0..60 {
            let _ = (t.start("s"), t.resume("s"));
            t.advance("1m");
        }
        t.advance("5m");
        all.extend(told.kinds(&mut t, start));
        assert_alternates(&all);
        let is_last = |wanted: fn(&NoticeKind) -> bool| {
            all.iter().rev().find(|(_, kind)| wanted(kind)).map(|(_, kind)| kind)
        };
        let last = is_last(|kind| {
            !matches!(kind, NoticeKind::Overdue { .. } | NoticeKind::NoLongerOverdue { .. })
        });
        assert!(t.info("s").is_healthy(), "seed {seed}");
        assert!(
            last.is_none_or(|last| matches!(last, NoticeKind::Recovered { .. })),
            "{seed}: {all:?}"
        );
        let last = is_last(|kind| {
            matches!(kind, NoticeKind::Overdue { .. } | NoticeKind::NoLongerOverdue { .. })
        });
        let is_true = |last: &NoticeKind| matches!(last, NoticeKind::NoLongerOverdue { .. });
        assert!(last.is_none_or(is_true), "{seed}: {all:?}");
    }
}
