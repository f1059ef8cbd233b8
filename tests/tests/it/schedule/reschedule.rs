//! Rule 185: the schedule of a service can be changed while the program runs.

use tests::{
    Ctx, Kind, both_kinds, in_virtual_time, secs, sleep_until_stopped, starts, virtual_time_builder,
};
use tina4_service::{Change, ControlError, Flow, Schedule, Service, State, service};

both_kinds! {
    rule_185_a_service_follows_its_new_schedule_without_a_restart_or_an_extra_run,
    rule_185_a_run_in_progress_continues,
    rule_185_a_planned_run_is_replaced_although_jitter_or_the_function_has_put_it_off,
    rule_185_the_schedule_that_a_service_has_already_changes_nothing,
    rule_185_local_means_the_time_zone_of_the_runner,
}

#[service(name = "reschedule.declared", interval = "1h", initial_delay = "1h", jitter = "1m")]
fn declared() {}

fn minutes(count: u64) -> Schedule {
    Schedule::interval(secs(60 * count))
}

fn rule_185_a_service_follows_its_new_schedule_without_a_restart_or_an_extra_run(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h")]);
    let origin = t.now();
    t.advance("59m");
    t.reschedule("s", minutes(5)).unwrap();
    t.advance("11m");
    t.reschedule("s", Schedule::delay(secs(600))).unwrap();
    t.advance("25m");
    t.reschedule("s", Schedule::cron("0 * * * *", "UTC").unwrap()).unwrap();
    t.advance("2h");
    let expected = [0, 64, 69, 80, 90, 120, 180].map(|minute: u32| f64::from(minute * 60));
    assert_eq!(starts(&t, "s", origin), expected, "{}", t.timeline());
    let changes: Vec<_> = t.events().into_iter().map(|event| event.change).collect();
    let count = |wanted: &Change| changes.iter().filter(|change| *change == wanted).count();
    assert_eq!((count(&Change::Started), count(&Change::Stopping)), (1, 0));
    for schedule in ["every 5m", "10m after each run", "0 * * * * (UTC)"] {
        assert_eq!(count(&Change::Rescheduled { schedule: schedule.into() }), 1, "{schedule}");
    }
    // It is known everywhere, and still applies after a restart.
    assert_eq!(t.info("s").schedule.to_string(), "0 * * * * (UTC)");
    assert!(t.runner().check().unwrap().to_string().contains("s  0 * * * * (UTC)"));
    t.restart("s").unwrap();
    t.advance("1h");
    assert_eq!(t.runs("s"), 8);
}

fn rule_185_a_run_in_progress_continues(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(secs(120)).await;
    };
    let mut t = in_virtual_time([kind.waiting("s", body).interval("1h")]);
    let origin = t.now();
    t.advance("1m");
    t.reschedule("s", minutes(7)).unwrap();
    assert_eq!(t.state("s"), State::Running);
    t.advance("20m");
    assert_eq!(starts(&t, "s", origin), [0.0, 480.0, 900.0], "{}", t.timeline());
    assert_eq!(t.info("s").skipped, 0);
}

fn rule_185_a_planned_run_is_replaced_although_jitter_or_the_function_has_put_it_off(kind: Kind) {
    let after = |_: &tina4_service::Context| Flow::After(secs(3_600));
    let mut t = in_virtual_time([
        kind.service("function", after).interval("1m"),
        kind.service("jitter", |_| {}).interval("1h").jitter("15m").initial_delay("1s"),
    ]);
    let origin = t.now();
    t.advance("2s");
    for name in ["function", "jitter"] {
        let before = t.runs(name);
        t.reschedule(name, Schedule::cron("*/20 * * * *", "UTC").unwrap()).unwrap();
        assert_eq!(t.runs(name), before);
    }
    t.advance("19m");
    assert_eq!(starts(&t, "function", origin), [0.0]);
    t.advance("2m");
    assert_eq!(starts(&t, "function", origin), [0.0, 1_200.0]);
}

fn rule_185_the_schedule_that_a_service_has_already_changes_nothing(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("s", |_| {}).interval("10m"),
        kind.service("cron", |_| {}).cron("0 * * * *").timezone("UTC"),
    ]);
    t.advance("0s");
    // A program that sets its schedules from a file every five minutes.
    for _ in 0..5 {
        t.advance("5m");
        t.reschedule("s", minutes(10)).unwrap();
        t.reschedule("cron", Schedule::cron("0 * * * *", "UTC").unwrap()).unwrap();
    }
    assert_eq!(t.runs("s"), 3, "{}", t.timeline());
    assert!(!t.events().iter().any(|event| matches!(event.change, Change::Rescheduled { .. })));
}

fn rule_185_local_means_the_time_zone_of_the_runner(kind: Kind) {
    let t = virtual_time_builder().at("2026-01-01T00:00[Asia/Kolkata]");
    let mut t = t.service(kind.service("s", |_| {}).interval("1h")).build().unwrap();
    let origin = t.now();
    t.advance("0s");
    t.reschedule("s", Schedule::cron("30 9 * * *", "local").unwrap()).unwrap();
    t.advance("1d");
    assert_eq!(starts(&t, "s", origin), [0.0, 9.5 * 3_600.0], "{}", t.timeline());
}

#[test]
fn rule_185_what_does_not_fit_is_refused_and_changes_nothing() {
    let declared = virtual_time_builder().only(["reschedule.declared"]);
    let mut t = declared
        .service(Service::new("continuous", sleep_until_stopped))
        .service(Service::new("known", |_| Flow::Wait).interval("1h"))
        .build()
        .unwrap();
    t.advance("0s");
    let line = include_str!("reschedule.rs").lines().position(|line| line.starts_with("#[service"));
    for (name, schedule, part) in [
        (
            "reschedule.declared",
            Schedule::interval(secs(60)),
            "its `jitter` of `1m` is not shorter than the new period of `1m`; use a longer period",
        ),
        ("reschedule.declared", Schedule::interval(secs(0)), "`interval` cannot be zero"),
        ("reschedule.declared", Schedule::continuous(), "it cannot become continuous"),
        ("continuous", minutes(1), "it is continuous, so it has no due times to change"),
        ("knwon", minutes(1), "there is no service `knwon`; did you mean `known`?"),
    ] {
        let refused = t.reschedule(name, schedule).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(part), "{part}\nis missing in\n{text}");
        if let ControlError::Schedule { name, place, .. } = refused
            && name == "reschedule.declared"
        {
            assert_eq!(place.line as usize, line.unwrap() + 1);
        }
    }
    assert_eq!(t.info("reschedule.declared").schedule.to_string(), "every 1h");
    assert!(!t.events().iter().any(|event| matches!(event.change, Change::Rescheduled { .. })));
}

#[service(name = "reschedule.nowhere", cron = "0 8 * * *", timezone = "Europe/Atlantis")]
fn nowhere() {}

#[test]
fn rule_185_and_30_a_new_schedule_mends_a_time_zone_that_the_machine_does_not_know() {
    let runner = tina4_service::Runner::builder().only(["reschedule.nowhere"]).build();
    let fault = runner.check().unwrap_err().to_string();
    assert!(fault.contains("`Europe/Atlantis` is unknown to this machine"), "{fault}");
    // Its own schedule, without a time zone, is no schedule for anybody.
    let unusable = runner.services().remove(0).schedule;
    let refused = runner.reschedule("reschedule.nowhere", unusable).unwrap_err().to_string();
    assert!(refused.contains("`Europe/Atlantis` is unknown to this machine"), "{refused}");
    runner.reschedule("reschedule.nowhere", minutes(1)).unwrap();
    assert!(runner.check().unwrap().to_string().contains("reschedule.nowhere  every 1m"));
    runner.start("reschedule.nowhere").unwrap();
    assert!(runner.stop_all().is_clean());
}
