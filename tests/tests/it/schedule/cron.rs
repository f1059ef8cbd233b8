//! Calendar time through the whole runner: rules 5, 6, 7, 32 and 82, with a clock that the test
//! moves and sets.

use std::time::{Duration, SystemTime};

#[cfg(unix)]
use tests::Child;
use tests::{Watch, info, manual, secs};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Clock, Flow, Runner, Schedule, Service, StartError, State, Tick, service,
};

const DAY: u64 = 86_400;

/// So many seconds after 1970.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(seconds)
}

/// `2026-03-29 01:00`, in UTC.
fn utc(text: &str) -> SystemTime {
    humantime::parse_rfc3339_weak(text).expect("a time")
}

/// A runner without services whose clock shows this time.
fn runner_at(time: &str) -> (Runner, Clock) {
    let clock = Clock::manual(utc(time));
    (Runner::builder().only::<&str>([]).clock(clock.clone()).build(), clock)
}

fn ended(change: &Change) -> bool {
    matches!(change, Change::RunEnded { .. })
}

#[service(name = "cron.declared", cron = "30 2 * * *", timezone = "Europe/Berlin")]
fn declared(tick: Tick) -> Flow {
    assert_eq!(tick.due, utc("2026-03-29 01:00:00"), "the first instant after the gap");
    Flow::Done
}

#[test]
fn rule_7_a_declared_service_runs_once_when_the_clocks_go_forward() {
    let clock = Clock::manual(utc("2026-03-28 12:00:00"));
    let runner = Runner::builder().only(["cron.declared"]).clock(clock.clone()).build();
    let mut watch = Watch::new(&runner);
    runner.start_all().unwrap();
    assert_eq!(info(&runner, "cron.declared").next_due, Some(utc("2026-03-29 01:00:00")));
    clock.advance(secs(13 * 3_600));
    watch.change("cron.declared", &Change::Finished);
    assert_eq!(info(&runner, "cron.declared").crashes, 0);
}

#[test]
fn rule_3_and_32_it_is_up_while_it_waits_for_its_first_time() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("daily", |_| {}).cron("@daily").timezone("UTC"));
    runner.register(Service::new("next", |_| {}).interval("1h").after("daily"));
    runner.start_all().unwrap();
    // It does not wait for midnight.
    watch.until("next", ended);
    assert_eq!(info(&runner, "daily").runs, 0);
    assert_eq!(runner.status()["daily"], State::Waiting);
    clock.advance(secs(DAY));
    watch.until("daily", ended);
    let daily = info(&runner, "daily");
    assert_eq!((daily.last_start, daily.lateness.last), (Some(at(DAY)), Duration::ZERO));
}

#[test]
fn rule_6_a_suspend_is_noticed_within_30_s() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let body = |ctx: &tina4_service::Context| assert_eq!(ctx.tick().due, at(3_600));
    runner.register(Service::new("hourly", body).cron("@hourly").timezone("UTC"));
    runner.start_all().unwrap();
    // The machine sleeps until 5 s before the hour, while its monotonic clock stands still.
    clock.set_wall(at(3_595));
    clock.advance(secs(29));
    assert_eq!(info(&runner, "hourly").runs, 0);
    clock.advance(secs(1));
    watch.until("hourly", ended);
    let hourly = info(&runner, "hourly");
    assert_eq!((hourly.lateness.last, hourly.crashes), (secs(25), 0));
    assert_eq!(hourly.next_due, Some(at(7_200)));
}

#[test]
fn rule_5_what_is_older_than_a_minute_is_skipped_and_told() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("hourly", |_| {}).cron("@hourly").timezone("UTC"));
    runner.start_all().unwrap();
    clock.set_wall(at(3 * 3_600 + 120));
    clock.advance(secs(30));
    watch.change("hourly", &Change::Skipped { count: 3 });
    let hourly = info(&runner, "hourly");
    assert_eq!((hourly.runs, hourly.skipped), (0, 3));
    assert_eq!(hourly.next_due, Some(at(4 * 3_600)));
}

#[test]
fn rule_5_after_a_long_run_the_last_time_runs_if_it_passed_within_a_minute() {
    for (cron, length, skipped, late) in [
        ("* * * * *", "59s", 0, 0),
        ("* * * * *", "60s", 0, 0),
        ("* * * * *", "150s", 1, 30),
        ("@hourly", "61m", 0, 60),
        ("@hourly", "61m 1s", 1, 0),
        ("@hourly", "181m", 2, 60),
        ("@hourly", "181m 1s", 3, 0),
    ] {
        let test = TestRunner::builder().only::<&str>([]);
        let mut t = test.service(Service::new("s", |_| {}).cron(cron)).build().unwrap();
        t.slow_next("s", length);
        while t.runs("s") < 2 {
            t.run_next();
        }
        let known = t.info("s");
        let (skips, lateness) = (known.skipped, known.lateness.last);
        assert_eq!((skips, lateness), (skipped, secs(late)), "{length}:\n{}", t.timeline());
        t.advance("1d");
        assert_eq!(t.info("s").skipped, skipped, "and goes on with the calendar");
    }
}

#[test]
fn rule_6_intervals_do_not_care_about_the_wall_clock() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("every", |_| {}).interval("1m"));
    runner.start_all().unwrap();
    watch.until("every", ended);
    clock.set_wall(at(1_000_000));
    clock.advance(secs(59));
    assert_eq!(info(&runner, "every").runs, 1);
    clock.advance(secs(1));
    watch.until("every", ended);
}

#[test]
fn the_plan_prints_times_in_their_zone_and_marks_changes_of_the_clocks() {
    let (runner, _clock) = runner_at("2026-03-28 12:00:00");
    let half_past_two = Service::new("spring", |_| {}).cron("30 2 * * *");
    runner.register(half_past_two.timezone("Europe/Berlin"));
    runner.register(Service::new("utc", |_| {}).cron("0 8 * * MON").timezone("UTC"));
    let plan = runner.check().unwrap().to_string();
    for part in [
        "spring  30 2 * * * (Europe/Berlin); due 2026-03-29 03:00:00 +02:00 (clocks go forward), 2026-03-30 02:30:00 +02:00, 2026-03-31 02:30:00 +02:00  (",
        "utc     0 8 * * MON (UTC); due 2026-03-30 08:00:00 +00:00, 2026-04-06 08:00:00 +00:00, ",
    ] {
        assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
    }
    let (runner, _clock) = runner_at("2026-10-25 00:00:00");
    runner.register(Service::new("autumn", |_| {}).cron("30 * * * *").timezone("Europe/Berlin"));
    let plan = runner.check().unwrap().to_string();
    let part =
        "due 2026-10-25 02:30:00 +02:00, 2026-10-25 02:30:00 +01:00 (again, clocks went back), ";
    assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
}

#[test]
fn rule_82_what_cannot_be_read_or_found_is_a_fault_with_its_place() {
    let (runner, _clock) = manual();
    let new = |name: &'static str| Service::new(name, |_| {});
    runner.register(new("expression").cron("0 8 * * MOM"));
    runner.register(new("shape").cron("@daily").timezone("UTC+2"));
    runner.register(new("unknown").cron("@daily").timezone("Europe/Berlinn"));
    runner.register(new("alone").interval("1h").timezone("UTC"));
    let error = runner.check().unwrap_err();
    let StartError::Faults(faults) = &error else { panic!("{error}") };
    assert_eq!(faults.len(), 4, "{error}");
    let text = error.to_string();
    for part in [
        concat!("`expression` at ", file!(), ":"),
        "`cron`: `MOM` is not a day of the week; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT\n    0 8 * * MOM\n            ^^^",
        "`timezone`: `UTC+2` is an offset, not a time zone; write the zone it belongs to, such as `Europe/Berlin`",
        "`timezone`: this machine knows no time zone `Europe/Berlinn`; did you mean `Europe/Berlin`?",
        "`timezone` has no effect without `cron`; add `cron` or remove `timezone`",
    ] {
        assert!(text.contains(part), "{part}\nis missing in\n{text}");
    }
}

// Windows has no `TZ`.
#[cfg(unix)]
#[test]
fn local_is_the_zone_of_the_environment_or_a_fault() {
    let plan = |zone: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_local_time"));
        let ended = Child::run(command.env("TZ", zone)).ended();
        assert_eq!(ended.code(), 0, "{ended:?}");
        ended.out.join("\n")
    };
    for (zone, part) in [
        ("Asia/Kolkata", "0 8 * * * (local); due 1970-01-01 08:00:00 +05:30, "),
        ("EST5EDT,M3.2.0,M11.1.0", "0 8 * * * (local); due 1970-01-01 08:00:00 -05:00, "),
        ("UTC", "0 8 * * * (local); due 1970-01-01 08:00:00 +00:00, "),
        ("", "0 8 * * * (local); due 1970-01-01 08:00:00 +00:00, "),
        (
            "Nowhere/City",
            "`timezone`: the environment says `TZ=Nowhere/City`, which is no time zone that this machine knows; correct it, or set `timezone`",
        ),
    ] {
        let plan = plan(zone);
        assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
    }
}

#[test]
fn a_schedule_alone_says_what_is_wrong() {
    let error = |expression, zone| Schedule::cron(expression, zone).unwrap_err();
    assert_eq!(
        format!("{:#}", error("60 * * * *", "UTC")),
        "`60` is not a minute; write 0 to 59\n    60 * * * *\n    ^^"
    );
    let nowhere = error("@daily", "Europe/Nowhere").to_string();
    assert!(nowhere.starts_with("this machine knows no time zone `Europe/Nowhere`; "), "{nowhere}");
    assert!(Schedule::cron("@daily", "local").is_ok());
}

#[test]
fn a_schedule_alone_works_far_from_now() {
    let yearly = Schedule::cron("0 0 1 1 *", "UTC").unwrap();
    for (after, next) in [
        ("2262-12-31 23:59:59", "2263-01-01 00:00:00"),
        ("9998-06-01 00:00:00", "9999-01-01 00:00:00"),
    ] {
        assert_eq!(yearly.next_after(utc(after)), Some(utc(next)), "{after}");
    }
    // Half a second before 1969 begins.
    let before = SystemTime::UNIX_EPOCH - secs(365 * DAY) - Duration::from_millis(500);
    assert_eq!(yearly.next_after(before), Some(SystemTime::UNIX_EPOCH - secs(365 * DAY)));
}
