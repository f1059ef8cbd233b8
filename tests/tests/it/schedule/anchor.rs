//! Rule 10: services with `anchor`, and what `check` reports about them.

use std::sync::{Arc, Mutex};

use tests::{EventWatcher, Kind, at, both_kinds, in_virtual_time, info, manual_clock, secs, utc};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{
    Change, Clock, Flow, RegisterError, Runner, Service, StartError, State, Tick, service,
};

both_kinds! {
    rule_7_and_10_clock_changes_move_or_repeat_runs_as_with_cron,
    rule_10_and_32_an_anchored_service_is_up_while_it_waits_for_its_first_run,
    rule_10_crashes_extra_runs_and_new_activations_leave_the_grid_where_it_is,
    rule_5_and_10_occurrences_missed_during_a_long_run_are_skipped_and_counted,
    rule_6_and_10_an_anchored_interval_follows_the_wall_clock,
    rule_9_and_10_jitter_delays_runs_and_does_not_move_the_grid,
    rule_10_an_anchored_service_that_is_started_exactly_on_its_grid_waits_for_the_next_time,
}

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

#[service(
    name = "anchor.declared",
    interval = "90m",
    anchor = "00:00",
    timezone = "Europe/Berlin",
    restart = "never"
)]
fn declared(tick: Tick) {
    assert_eq!(tick.lateness, secs(0));
}

#[service(
    name = "anchor.payday",
    interval = "14d",
    anchor = "2026-01-02 09:00",
    timezone = "America/New_York"
)]
fn payday() {}

#[service(
    name = "anchor.in-a-gap",
    interval = "1d",
    anchor = "2026-03-29 02:30",
    timezone = "Europe/Berlin"
)]
fn in_a_gap() {}

fn ended(change: &Change) -> bool {
    matches!(change, Change::RunEnded { .. })
}

/// A test at this time that runs only these declared services.
fn declared_at(name: &str, time: &str) -> TestRunner {
    TestRunner::builder().only([name]).at(time).build().unwrap()
}

/// A test at this time with one service.
fn built_at(time: &str, service: Service) -> TestRunner {
    TestRunner::builder().only::<&str>([]).at(time).service(service).build().unwrap()
}

/// The times of the next runs.
fn next_runs(t: &mut TestRunner, count: usize) -> Vec<TestTime> {
    let run = |_| {
        assert_eq!(t.run_next().len(), 1);
        t.now()
    };
    (0..count).map(run).collect()
}

/// Wall times with their offsets, without the name of the time zone.
fn texts(times: &[TestTime]) -> Vec<String> {
    let text = |time: &TestTime| time.to_string().split('[').next().map(str::to_owned);
    times.iter().filter_map(text).collect()
}

#[test]
fn rule_3_and_10_a_declared_service_does_not_run_at_start_but_at_the_times_on_the_wall_clock() {
    let mut t = declared_at("anchor.declared", "2026-03-28T22:10:00[Europe/Berlin]");
    t.advance("19m 59s");
    assert_eq!((t.runs("anchor.declared"), t.state("anchor.declared")), (0, State::Waiting));
    t.advance_to("2026-03-29T06:15");
    // The clocks go forward from 02:00 to 03:00.
    assert_eq!(
        t.timeline(),
        "\
2026-03-28 22:10:00 +01:00  anchor.declared  started
2026-03-28 22:30:00 +01:00  anchor.declared  run 1
2026-03-29 00:00:00 +01:00  anchor.declared  run 2
2026-03-29 01:30:00 +01:00  anchor.declared  run 3
2026-03-29 03:00:00 +02:00  anchor.declared  run 4
2026-03-29 04:30:00 +02:00  anchor.declared  run 5
2026-03-29 06:00:00 +02:00  anchor.declared  run 6
"
    );
    let info = t.info("anchor.declared");
    assert_eq!(info.schedule.to_string(), "every 1h 30m anchored at 00:00 (Europe/Berlin)");
    assert_eq!(info.next_due, Some(t.time("2026-03-29T07:30")));
    assert_eq!((info.state, info.skipped), (State::Waiting, 0));
}

#[test]
fn rule_10_an_interval_of_days_counts_civil_days_before_and_after_its_anchor() {
    // Seven weeks before the anchor.
    let mut t = declared_at("anchor.payday", "2025-11-14T12:00:00[America/New_York]");
    let mut runs = next_runs(&mut t, 12);
    assert_eq!(
        texts(&runs[..2]),
        ["2025-11-21 09:00:00 -05:00", "2025-12-05 09:00:00 -05:00"],
        "before it"
    );
    let text = texts(&runs.split_off(3));
    assert_eq!(text[0], "2026-01-02 09:00:00 -05:00", "at it");
    assert_eq!(text[4], "2026-02-27 09:00:00 -05:00");
    // The day on which DST began had 23 hours.
    assert_eq!(text[5], "2026-03-13 09:00:00 -04:00");
    assert_eq!(text[8], "2026-04-24 09:00:00 -04:00");
    // The same times, no matter when the service is started.
    let mut later = declared_at("anchor.payday", "2026-03-13T08:59:59[America/New_York]");
    assert_eq!(texts(&next_runs(&mut later, 4)), text[5..]);
}

fn rule_7_and_10_clock_changes_move_or_repeat_runs_as_with_cron(kind: Kind) {
    let (gap, overlap) =
        ("2026-03-29T00:30:00[Europe/Berlin]", "2026-10-25T01:45:00[Europe/Berlin]");
    for (start, interval, anchor, expected) in [
        (gap, "1d", "02:30", ["2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"]),
        (gap, "1h", "00:15", ["2026-03-29 01:15:00 +01:00", "2026-03-29 03:00:00 +02:00"]),
        (gap, "2h", "00:20", ["2026-03-29 03:00:00 +02:00", "2026-03-29 04:20:00 +02:00"]),
        (overlap, "1d", "02:30", ["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"]),
        (overlap, "1h", "00:30", ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00"]),
        (overlap, "12h", "02:30", ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00"]),
    ] {
        let mut t = built_at(start, kind.service("s", |_| {}).interval(interval).anchor(anchor));
        let runs = next_runs(&mut t, 2);
        assert_eq!(texts(&runs), expected, "{interval} from {anchor}");
    }
}

fn rule_10_and_32_an_anchored_service_is_up_while_it_waits_for_its_first_run(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let daily = kind.service("daily", |_| {}).interval("1d").anchor("00:00").timezone("UTC");
    runner.register(daily).unwrap();
    runner.register(kind.service("next", |_| {}).interval("1h").after("daily")).unwrap();
    runner.start_all().unwrap();
    // Its dependent does not wait for midnight.
    watcher.wait_for("next", ended);
    let daily = info(&runner, "daily");
    // Midnight, at which it starts, is not a run at start.
    assert_eq!((daily.runs, daily.state), (0, State::Waiting));
    assert_eq!(daily.next_due, Some(at(DAY)));
    clock.advance(secs(DAY));
    watcher.wait_for("daily", ended);
    assert_eq!(info(&runner, "daily").last_start, Some(at(DAY)));
}

fn rule_10_crashes_extra_runs_and_new_activations_leave_the_grid_where_it_is(kind: Kind) {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&starts);
    let body = move |ctx: &tina4_service::Context| noted.lock().unwrap().push(ctx.tick().due);
    let service = kind.service("s", body).interval("6h").anchor("05:00");
    let service = service.backoff("7m").max_backoff("7m");
    let mut t = built_at("2026-06-01T00:00:00Z", service);
    t.crash_next("s");
    t.advance_to("2026-06-01T12:00");
    t.run_now("s").unwrap();
    t.advance_to("2026-06-01T18:00");
    t.restart("s").unwrap();
    t.advance("0s");
    t.pause("s").unwrap();
    t.advance_to("2026-06-02T06:00");
    t.resume("s").unwrap();
    t.advance_to("2026-06-02T12:00");
    // 23:00 and 05:00 passed during the pause.
    let expected = ["06-01 05:07", "06-01 11:00", "06-01 12:00", "06-01 17:00", "06-02 11:00"];
    let expected = expected.map(|time| utc(&format!("2026-{time}:00")));
    assert_eq!(*starts.lock().unwrap(), expected, "{}", t.timeline());
    assert_eq!(t.info("s").skipped, 0);
}

fn rule_5_and_10_occurrences_missed_during_a_long_run_are_skipped_and_counted(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("10m").anchor("00:05");
    let mut t = built_at("2026-06-01T00:00:00Z", service);
    t.slow_next("s", "34m");
    t.advance_to("2026-06-01T00:45");
    let info = t.info("s");
    // 00:15, 00:25 and 00:35 passed before it ended at 00:39; only a run less than a minute ago is made up.
    assert_eq!((info.runs, info.skipped), (2, 3));
    assert_eq!(info.last_start, Some(t.time("2026-06-01T00:45")));
}

fn rule_6_and_10_an_anchored_interval_follows_the_wall_clock(kind: Kind) {
    let hourly = || kind.service("s", |_| {}).interval("1h").anchor("00:30");
    // A suspend of 50 minutes: the run is due 10 minutes later, not an hour.
    let mut t = built_at("2026-06-01T00:30:00Z", hourly());
    t.suspend("50m");
    assert_eq!(texts(&next_runs(&mut t, 1)), ["2026-06-01 01:30:00 +00:00"]);
    // Set forward past two occurrences.
    t.set_clock("2026-06-01T03:45");
    assert_eq!(texts(&next_runs(&mut t, 1)), ["2026-06-01 04:30:00 +00:00"]);
    assert_eq!(t.info("s").skipped, 2);
    // Set back by two hours: a short interval runs again, an interval of days does not.
    t.set_clock("2026-06-01T02:45");
    assert_eq!(texts(&next_runs(&mut t, 1)), ["2026-06-01 03:30:00 +00:00"]);
    let daily = kind.service("s", |_| {}).interval("1d").anchor("00:30");
    let mut t = built_at("2026-06-01T00:00:00Z", daily);
    assert_eq!(texts(&next_runs(&mut t, 1)), ["2026-06-01 00:30:00 +00:00"]);
    t.set_clock("2026-05-31T23:00");
    assert_eq!(texts(&next_runs(&mut t, 1)), ["2026-06-02 00:30:00 +00:00"]);
}

fn rule_9_and_10_jitter_delays_runs_and_does_not_move_the_grid(kind: Kind) {
    let service = kind.service("s", |_| Flow::Wait).interval("10m").anchor("00:05").jitter("9m");
    let mut t = built_at("2026-06-01T00:00:00Z", service);
    let mut exact = 0;
    for (hour, minute) in (0..6).flat_map(|hour| [5, 15, 25, 35, 45, 55].map(|m| (hour, m))) {
        assert_eq!(t.run_next(), ["s"]);
        let due = t.time(&format!("2026-06-01T{hour:02}:{minute:02}"));
        let late = t.now().duration_since(due).expect("not early");
        assert!(late < secs(540), "{late:?} after {due}");
        exact += usize::from(late.is_zero());
    }
    assert!(exact < 6, "{exact} of 36 runs had no delay");
}

#[test]
fn rule_10_and_175_the_plan_shows_the_due_times_of_anchored_intervals() {
    let clock = Clock::manual(utc("2026-03-28 12:00:00"));
    let runner = Runner::builder().only(["anchor.payday"]).clock(clock).build();
    let nightly = Service::new("nightly", |_| {}).interval("24h").anchor("2:30");
    runner.register(nightly.timezone("Europe/Berlin")).unwrap();
    let plan = runner.check().unwrap().to_string();
    for part in [
        "anchor.payday  every 14days anchored at 2026-01-02 09:00 (America/New_York); due 2026-04-10 09:00:00 -04:00, 2026-04-24 09:00:00 -04:00, 2026-05-08 09:00:00 -04:00  (",
        "nightly        every 1day anchored at 02:30 (Europe/Berlin); due 2026-03-29 03:00:00 +02:00 (clocks go forward), 2026-03-30 02:30:00 +02:00, ",
    ] {
        assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
    }
}

#[test]
fn rule_10_and_82_an_anchor_in_a_gap_of_its_time_zone_is_a_fault_with_its_place() {
    let line = 1 + include_str!("anchor.rs")
        .lines()
        .position(|line| line.contains("name = \"anchor.in-a-gap\""))
        .expect("the declaration");
    let runner = Runner::builder().only(["anchor.in-a-gap"]).build();
    let built = |name: &'static str, anchor| {
        Service::new(name, |_| {}).interval("2d").anchor(anchor).timezone("Australia/Lord_Howe")
    };
    let gap = runner.register(built("gap", "2026-10-04 02:29:59")).unwrap_err().to_string();
    let part = "`anchor`: `2026-10-04 02:29:59` does not exist in the time zone `Australia/Lord_Howe`, where the clocks go forward from `2026-10-04 02:00` to `2026-10-04 02:30`; ";
    assert!(gap.contains(part), "{part}\nis missing in\n{gap}");
    runner.register(built("end", "2026-10-04 02:30")).unwrap();
    runner.register(built("before", "2026-10-04 01:59")).unwrap();
    // This night has 01:30 to 02:00 twice.
    runner.register(built("twice", "2026-04-05 01:45")).unwrap();
    // Only a date can be in a gap.
    runner.register(Service::new("any-day", |_| {}).interval("1d").anchor("02:15")).unwrap();
    let error = runner.start_all().unwrap_err();
    let StartError::Faults(faults) = &error else { panic!("{error}") };
    assert_eq!(faults.len(), 1, "{error}");
    let text = error.to_string();
    let part = format!(
        "`anchor.in-a-gap` at {}:{}: `anchor`: `2026-03-29 02:30` does not exist in the time zone `Europe/Berlin`, where the clocks go forward from `2026-03-29 02:00` to `2026-03-29 03:00`; write a time outside this gap",
        file!(),
        // The attribute begins on the line before.
        line - 1
    );
    assert!(text.contains(&part), "{part}\nis missing in\n{text}");
    assert!(runner.status().values().all(|state| *state == State::Registered));
}

#[test]
fn rule_10_and_82_every_wrong_anchor_is_a_fault_with_a_remedy() {
    let (runner, _clock) = manual_clock();
    let new = || Service::new("s", |_| {});
    for (service, part) in [
        (new().interval("1d").anchor("nine"), "`anchor`: `nine` is neither a date with a time"),
        (new().interval("14d").anchor("09:00"), "add the date of one, such as `2026-01-02 09:00`"),
        (new().interval("7h").anchor("00:00"), "use `6h` or `8h`, or use `cron` instead"),
        (new().anchor("00:00"), "add `interval` or remove `anchor`"),
        (new().delay("1h").anchor("00:00"), "replace `delay` with `interval`, or remove `anchor`"),
        (
            new().interval("1h").anchor("00:00").initial_delay("5s"),
            "`initial_delay` has no effect with `anchor`",
        ),
        (
            new().interval("1h").anchor("00:00").timezone("Europe/Berlinn"),
            "did you mean `Europe/Berlin`?",
        ),
    ] {
        let error = runner.register(service).unwrap_err();
        let RegisterError::Faults(faults) = &error else { panic!("{error}") };
        assert_eq!(faults.len(), 1, "{error}");
        assert!(error.to_string().contains(part), "{part}\nis missing in\n{error}");
    }
}

fn rule_10_an_anchored_service_that_is_started_exactly_on_its_grid_waits_for_the_next_time(
    kind: Kind,
) {
    let service = kind.service("s", |_| {}).interval("1h").anchor("00:00");
    let mut t = in_virtual_time([service]);
    let start = t.now();
    assert_eq!(next_runs(&mut t, 2), [start + secs(HOUR), start + secs(2 * HOUR)]);
}
