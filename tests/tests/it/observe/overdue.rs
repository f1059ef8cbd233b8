//! Rule 111: when a service is overdue, in virtual time.

use std::time::Duration;

use tests::{Ctx, Kind, both_kinds, in_virtual_time, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{Context, Flow, Ready, Schedule, Service, Settings, State};

both_kinds! {
    rule_111_an_interval_is_overdue_from_its_second_due_time,
    rule_111_a_delay_counts_the_longest_run,
    rule_111_a_service_that_never_succeeded_is_overdue_from_its_second_due_time,
    rule_111_a_run_that_takes_too_long_is_overdue,
    rule_111_time_that_is_paused_or_stopped_does_not_count,
    rule_111_a_restart_does_not_make_it_less_overdue,
    rule_111_and_185_another_schedule_counts_from_the_change,
    rule_111_who_waits_as_planned_is_not_overdue,
    rule_111_who_waits_for_its_dependencies_is_overdue,
    rule_111_a_service_that_may_start_at_last_is_overdue_until_it_has_run,
    rule_111_nobody_is_overdue_whom_nobody_expects_to_run,
}

const HOUR: u64 = 3_600;

fn overdue(t: &TestRunner) -> Option<Duration> {
    t.info("s").overdue
}

fn no(_: &Context) -> Result<(), &'static str> {
    Err("no")
}

/// Lets the next runs of the service crash.
fn break_it(t: &mut TestRunner) {
    for _ in 0..6_000 {
        t.crash_next("s");
    }
}

fn rule_111_an_interval_is_overdue_from_its_second_due_time(kind: Kind) {
    for initial_delay in ["0s", "7m"] {
        let service = kind.service("s", |_| {}).interval("1h").initial_delay(initial_delay);
        let mut t = in_virtual_time([service.backoff("10m").max_backoff("10m")]);
        t.advance(initial_delay);
        t.advance("5h 1m");
        assert_eq!(overdue(&t), None);
        break_it(&mut t);
        // The run at 5 h ended well, those at 6 h and 7 h do not.
        t.advance("1h 59m");
        assert_eq!(overdue(&t), None, "one failed run is no reason for an alarm");
        t.advance("1s");
        assert_eq!(overdue(&t), Some(secs(1)));
        t.advance("1d");
        assert_eq!(overdue(&t), Some(secs(24 * HOUR + 1)));
        assert!(
            t.info("s").to_string().contains(", overdue for 1day 1s, last error"),
            "{}",
            t.info("s")
        );
    }
}

fn rule_111_a_delay_counts_the_longest_run(kind: Kind) {
    let body = async |ctx: Ctx<'_>| match ctx.tick().run {
        1 => ctx.sleep(secs(600)).await,
        _ => true,
    };
    let body = async move |ctx: Ctx<'_>| {
        let _ = body(ctx).await;
    };
    let mut t =
        in_virtual_time([kind.waiting("s", body).delay("1h").backoff("1m").max_backoff("1m")]);
    // Runs begin at 0:00 (ten minutes), 1:10 and 2:10.
    t.advance("2h 11m");
    break_it(&mut t);
    // Two due times after 2:10, each an hour and ten minutes after the last.
    t.advance("2h 19m");
    assert_eq!(overdue(&t), None);
    t.advance("1s");
    assert_eq!(overdue(&t), Some(secs(1)), "{}", t.timeline());
}

fn rule_111_a_service_that_never_succeeded_is_overdue_from_its_second_due_time(kind: Kind) {
    let interval = kind.service("s", no).interval("1h").backoff("1m").max_backoff("1m");
    let delay = kind.service("s", no).delay("1h").backoff("1m").max_backoff("1m");
    for service in [interval, delay] {
        let mut t = in_virtual_time([service.initial_delay("5m")]);
        t.advance("1h 5m");
        assert_eq!(overdue(&t), None);
        t.advance("3h");
        assert_eq!(overdue(&t), Some(secs(3 * HOUR)));
        // Starting it again does not help.
        t.restart("s").unwrap();
        t.advance("1h");
        assert_eq!(overdue(&t), Some(secs(4 * HOUR)));
    }
    // For good.
    let mut t = in_virtual_time([kind.service("s", no).interval("1h").max_restarts(0)]);
    t.advance("2d");
    assert_eq!((t.state("s"), overdue(&t)), (State::Failed, Some(secs(47 * HOUR))));
    let mut t = in_virtual_time([kind.service("s", no).cron("0 8 * * *").max_restarts(0)]);
    // At 8 on the first of January, and on the second.
    t.advance("32h");
    assert_eq!((t.state("s"), overdue(&t)), (State::Failed, None));
    t.advance("1h");
    assert_eq!(overdue(&t), Some(secs(HOUR)));
}

fn rule_111_a_run_that_takes_too_long_is_overdue(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h")]);
    t.advance("1h 1m");
    t.slow_next("s", "5h");
    t.advance("1h 59m");
    assert_eq!((t.state("s"), overdue(&t)), (State::Running, None));
    t.advance("3h");
    assert_eq!(overdue(&t), Some(secs(3 * HOUR)));
    // It began at 2:00, and ends well at 7:00: the due times since its start have passed.
    t.advance("1h 1m");
    assert_eq!((t.state("s"), overdue(&t)), (State::Waiting, None));
}

fn rule_111_time_that_is_paused_or_stopped_does_not_count(kind: Kind) {
    let make = || kind.service("s", |_| {}).interval("1h").backoff("1m").max_backoff("1m");
    let mut t = in_virtual_time([make()]);
    t.advance("2h 30m");
    break_it(&mut t);
    // The run at 2:00 ended well. Paused from 2:30 to 3 days later.
    t.pause("s").unwrap();
    t.advance("3d");
    assert_eq!((t.state("s"), overdue(&t)), (State::Paused, None));
    t.resume("s").unwrap();
    assert_eq!(overdue(&t), None);
    t.advance("1h 30m");
    assert_eq!(overdue(&t), None);
    t.advance("31m");
    assert!(overdue(&t).is_some(), "two periods in which it was not paused");
    // The same for a stop.
    let mut t = in_virtual_time([make()]);
    t.advance("2h 30m");
    t.stop("s").unwrap();
    t.advance("3d");
    assert_eq!((t.state("s"), overdue(&t)), (State::Stopped, None));
    break_it(&mut t);
    t.start("s").unwrap();
    t.advance("1h 30m");
    assert_eq!(overdue(&t), None);
    t.advance("1s");
    assert_eq!(overdue(&t), Some(secs(1)));
    // The same before the first success.
    let mut t = in_virtual_time([kind.service("s", |_| {}).cron("0 8 * * *").backoff("1m")]);
    t.advance("1h");
    t.pause("s").unwrap();
    t.advance("10d");
    t.resume("s").unwrap();
    assert_eq!((t.state("s"), overdue(&t)), (State::Waiting, None));
    // A run that is requested during a pause does not end the pause.
    let mut t = in_virtual_time([make()]);
    t.advance("2h 30m");
    t.pause("s").unwrap();
    t.advance("1d");
    t.slow_next("s", "1h");
    t.run_now("s").unwrap();
    t.advance("1m");
    assert_eq!((t.state("s"), overdue(&t)), (State::Running, None));
}

fn rule_111_a_restart_does_not_make_it_less_overdue(kind: Kind) {
    for (service, expected) in [
        (kind.service("s", |_| {}).interval("1h"), 2 * HOUR + 600),
        (kind.service("s", |_| {}).delay("1h"), 2 * HOUR + 600),
        (kind.service("s", |_| {}).cron("0 * * * *"), 2 * HOUR + 600),
    ] {
        let mut t = in_virtual_time([service.backoff("1m").max_backoff("1m")]);
        t.advance("2h 10m");
        break_it(&mut t);
        t.advance("4h");
        assert_eq!(overdue(&t), Some(secs(expected)));
        t.restart("s").unwrap();
        assert_eq!(overdue(&t), Some(secs(expected)));
        t.advance("10m");
        assert_eq!(overdue(&t), Some(secs(expected + 600)));
    }
}

fn rule_111_and_185_another_schedule_counts_from_the_change(kind: Kind) {
    let make = || kind.service("s", |_| {}).interval("7d").backoff("10s").max_backoff("10s");
    for (schedule, until) in [
        (Schedule::interval(secs(60)), secs(120)),
        (Schedule::delay(secs(60)), secs(120)),
        (Schedule::cron("* * * * *", "UTC").unwrap(), secs(120)),
    ] {
        let mut t = in_virtual_time([make()]);
        t.advance("5d");
        t.reschedule("s", schedule).unwrap();
        assert_eq!(overdue(&t), None);
        break_it(&mut t);
        t.advance(until);
        assert_eq!(overdue(&t), None, "{}", t.info("s"));
        t.advance("1s");
        assert_eq!(overdue(&t), Some(secs(1)), "{}", t.info("s"));
    }
}

fn rule_111_who_waits_as_planned_is_not_overdue(kind: Kind) {
    let later = |_: &Context| Flow::After(secs(24 * HOUR));
    for service in [kind.service("s", later).interval("10s"), kind.service("s", later).delay("10s")]
    {
        let mut t = in_virtual_time([service]);
        t.advance("23h");
        assert_eq!((t.runs("s"), overdue(&t)), (1, None));
    }
}

fn rule_111_who_waits_for_its_dependencies_is_overdue(kind: Kind) {
    let first = kind.sleeper("first").ready(Ready::Finished);
    let mut t =
        in_virtual_time([first, kind.service("s", |_| {}).interval("1h").requires("first")]);
    t.advance("1h");
    assert_eq!((t.state("s"), overdue(&t)), (State::Waiting, None));
    t.advance("1m");
    assert_eq!(overdue(&t), Some(secs(60)));
    // What it waits for may change: it has not run since it was started.
    t.stop("first").unwrap();
    t.advance("1m");
    assert_eq!((t.state("s"), overdue(&t)), (State::Blocked, Some(secs(120))));
    t.start("first").unwrap();
    t.advance("1m");
    assert_eq!((t.state("s"), overdue(&t)), (State::Waiting, Some(secs(180))));
    // A calendar has due times before the service may start, too.
    let first = kind.sleeper("first").ready(Ready::Finished);
    let waiting = kind.service("s", |_| {}).cron("0 8 * * *").requires("first");
    let mut t = in_virtual_time([first, waiting]);
    t.advance("33h");
    assert_eq!((t.state("s"), overdue(&t)), (State::Waiting, Some(secs(HOUR))));
    t.stop("first").unwrap();
    t.advance("1h");
    assert_eq!((t.state("s"), overdue(&t)), (State::Blocked, Some(secs(2 * HOUR))));
}

fn rule_111_a_service_that_may_start_at_last_is_overdue_until_it_has_run(kind: Kind) {
    let gate = kind.waiting("first", async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(secs(33 * HOUR)).await;
    });
    let service = kind.service("s", |_| {}).cron("0 8 * * *").requires("first");
    let mut t = in_virtual_time([gate.ready(Ready::Finished), service]);
    t.advance("34h");
    assert_eq!((t.state("s"), t.state("first")), (State::Waiting, State::Finished));
    assert_eq!(overdue(&t), Some(secs(2 * HOUR)), "the reports of two mornings are missing");
    t.advance("22h 1m");
    assert_eq!((t.runs("s"), overdue(&t)), (1, None));
}

fn rule_111_nobody_is_overdue_whom_nobody_expects_to_run(kind: Kind) {
    let services = || {
        [
            kind.service("idle", |_| {}).interval("1h").autostart(false),
            kind.service("disabled", |_| {}).interval("1h"),
            kind.sleeper("continuous"),
            kind.service("crashing", no),
            kind.service("finished", |_| Flow::Done).interval("1h"),
        ]
    };
    let builder =
        services().into_iter().fold(virtual_time_builder(), |b, service| b.service(service));
    let mut t = builder.settings(Settings::new().disable("disabled")).build().unwrap();
    t.advance("3d");
    for name in ["idle", "disabled", "continuous", "crashing", "finished"] {
        assert_eq!(t.info(name).overdue, None, "{}", t.info(name));
    }
}

/// A service with `cron` in Berlin.
fn in_berlin(cron: &str, at: &str) -> TestRunner {
    let service = Service::new("s", |_| {}).cron(cron).timezone("Europe/Berlin");
    let service = service.backoff("1m").max_backoff("1m");
    let builder = virtual_time_builder().at(format!("{at}[Europe/Berlin]"));
    builder.service(service).build().unwrap()
}

#[test]
fn rule_111_nights_and_weekends_are_no_due_times() {
    // A Friday; 9 and 17 o'clock on working days.
    let mut t = in_berlin("0 9,17 * * MON-FRI", "2026-01-09T16:00:00");
    t.advance("2h");
    break_it(&mut t);
    // The run on Friday at 17:00 ended well; on Monday at 9:00 it fails, and at 17:00 it is overdue.
    t.advance_to("2026-01-12T17:00:00[Europe/Berlin]");
    assert_eq!(overdue(&t), None);
    t.advance("1m");
    assert_eq!(overdue(&t), Some(secs(60)));
    // It remains so overnight.
    t.advance_to("2026-01-13T08:00:00[Europe/Berlin]");
    assert_eq!(overdue(&t), Some(secs(15 * HOUR)));
}

#[test]
fn rule_111_and_7_days_of_clock_changes_are_as_long_as_they_are() {
    // The clocks go forward on 2026-03-29, and back on 2026-10-25.
    for (start, overdue_from) in
        [("2026-03-27", "2026-03-30"), ("2026-10-24", "2026-10-27"), ("2026-06-01", "2026-06-04")]
    {
        let mut t = in_berlin("30 2 * * *", &format!("{start}T12:00:00"));
        t.advance("15h");
        let begun = t.info("s").last_success;
        assert!(begun.is_some());
        break_it(&mut t);
        let second = format!("{overdue_from}T02:30:00[Europe/Berlin]");
        t.advance_to(&second);
        assert_eq!((overdue(&t), t.info("s").last_success), (None, begun), "{start}");
        t.advance("1s");
        assert_eq!(overdue(&t), Some(secs(1)), "{start}");
    }
}

#[test]
fn rule_111_and_6_a_wall_clock_that_is_set_neither_adds_nor_removes_a_due_time() {
    let mut t = in_berlin("0 8 * * *", "2026-01-05T07:00:00");
    t.advance("2h");
    assert_eq!(t.runs("s"), 1);
    // Ten seconds back: the occurrence at 8:00, which ran at 7:59:50 of the new time, is not a due time again.
    t.set_clock("2026-01-05T08:59:50[Europe/Berlin]");
    t.advance_to("2026-01-06T07:59:59[Europe/Berlin]");
    t.slow_next("s", "3h");
    t.advance("2h");
    assert_eq!((t.state("s"), overdue(&t)), (State::Running, None));
    // Nor is it after a failure.
    let mut t = in_berlin("0 8 * * *", "2026-01-05T07:00:00");
    t.advance("2h");
    t.set_clock("2026-01-05T08:59:50[Europe/Berlin]");
    break_it(&mut t);
    t.advance_to("2026-01-07T08:00:00[Europe/Berlin]");
    assert_eq!(overdue(&t), None);
    t.advance("1m");
    assert_eq!(overdue(&t), Some(secs(60)));
    // A machine that is suspended for four days misses four reports.
    let mut t = in_berlin("0 8 * * *", "2026-01-05T07:00:00");
    t.advance("2h");
    t.suspend("4d");
    t.advance("1m");
    assert_eq!(t.runs("s"), 1);
    assert_eq!(overdue(&t), Some(secs(2 * 24 * HOUR + HOUR + 60)));
    // Three hours back: a due time in the future is not overdue.
    let mut t = in_berlin("0 8 * * *", "2026-01-05T07:00:00");
    t.advance("2h");
    t.set_clock("2026-01-05T05:30:00[Europe/Berlin]");
    t.advance("1d");
    assert_eq!(overdue(&t), None);
}

#[test]
fn rule_111_and_10_an_anchor_has_the_due_times_of_its_grid() {
    // Every second Friday at nine.
    let service = Service::new("s", |_| {}).interval("14d").anchor("2026-01-02 09:00");
    let service = service.timezone("UTC").backoff("1h").max_backoff("1h");
    let mut t = in_virtual_time([service]);
    t.advance_to("2026-01-02T10:00:00Z");
    assert_eq!((t.runs("s"), overdue(&t)), (1, None));
    break_it(&mut t);
    t.advance_to("2026-01-16T08:59:00Z");
    assert_eq!(overdue(&t), None);
    // The due times after that are the 16th and the 30th.
    t.advance_to("2026-01-30T09:00:00Z");
    assert_eq!(overdue(&t), None);
    t.advance("1s");
    assert_eq!(overdue(&t), Some(secs(1)));
}
