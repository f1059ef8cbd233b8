//! Rules 82, 166 and 175: what `check` reports about cron expressions and time zones.

#[cfg(unix)]
use tests::Child;
use tests::{manual_clock, utc};
use tina4_service::{Clock, RegisterError, Runner, Service};

/// An empty runner whose manual clock shows this time.
fn runner_at(time: &str) -> (Runner, Clock) {
    let clock = Clock::manual(utc(time));
    (Runner::builder().only::<&str>([]).clock(clock.clone()).build(), clock)
}

#[test]
fn rule_175_the_plan_prints_due_times_in_their_zone_and_marks_dst_changes() {
    let (runner, _clock) = runner_at("2026-03-28 12:00:00");
    let half_past_two = Service::new("spring", |_| {}).cron("30 2 * * *");
    runner.register(half_past_two.timezone("Europe/Berlin")).unwrap();
    runner.register(Service::new("utc", |_| {}).cron("0 8 * * MON").timezone("UTC")).unwrap();
    let plan = runner.check().unwrap().to_string();
    for part in [
        "spring  30 2 * * * (Europe/Berlin); due 2026-03-29 03:00:00 +02:00 (clocks go forward), 2026-03-30 02:30:00 +02:00, 2026-03-31 02:30:00 +02:00  (",
        "utc     0 8 * * MON (UTC); due 2026-03-30 08:00:00 +00:00, 2026-04-06 08:00:00 +00:00, ",
    ] {
        assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
    }
    let (runner, _clock) = runner_at("2026-10-25 00:00:00");
    runner
        .register(Service::new("autumn", |_| {}).cron("30 * * * *").timezone("Europe/Berlin"))
        .unwrap();
    let plan = runner.check().unwrap().to_string();
    let part =
        "due 2026-10-25 02:30:00 +02:00, 2026-10-25 02:30:00 +01:00 (again, clocks went back), ";
    assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
}

#[test]
fn rule_82_unreadable_expressions_and_unknown_zones_are_faults_with_their_place() {
    let (runner, _clock) = manual_clock();
    let new = || Service::new("s", |_| {});
    for (service, part) in [
        (
            new().cron("0 8 * * MOM"),
            "`cron`: `MOM` is not a day of the week; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT\n    0 8 * * MOM\n            ^^^",
        ),
        (
            new().cron("@daily").timezone("UTC+2"),
            "`timezone`: `UTC+2` is an offset, not a time zone; name a time zone instead, such as `Europe/Berlin`",
        ),
        (
            new().cron("@daily").timezone("Europe/Berlinn"),
            "`timezone`: the time zone `Europe/Berlinn` is unknown to this machine; did you mean `Europe/Berlin`?",
        ),
        (
            new().interval("1h").timezone("UTC"),
            "`timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`",
        ),
    ] {
        let error = runner.register(service).unwrap_err();
        let RegisterError::Faults(faults) = &error else { panic!("{error}") };
        assert_eq!(faults.len(), 1, "{error}");
        let text = error.to_string();
        let place = concat!("`s` at ", file!(), ":");
        assert!(text.contains(place) && text.contains(part), "{part}\nis missing in\n{text}");
    }
}

// Windows has no `TZ`.
#[cfg(unix)]
#[test]
fn rule_166_local_is_the_zone_of_the_environment_or_a_fault() {
    let plan = |zone: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_local_time"));
        let ended = Child::run(command.env("TZ", zone)).wait();
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
            "`timezone`: the environment variable `TZ` is `Nowhere/City`, which this machine does not know as a time zone; correct it, or set `timezone`",
        ),
    ] {
        let plan = plan(zone);
        assert!(plan.contains(part), "{part}\nis missing in\n{plan}");
    }
}
