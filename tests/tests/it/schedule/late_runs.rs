//! What other schedulers are tested for: one-time tasks, triggers, slow runs, pauses, zones and
//! clocks. Where each case comes from is in `CASES.md`.

use std::sync::{Arc, Mutex};

use tests::{millis, secs, staged};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{Change, Context, Flow, Service, State};

/// When the runs of `name` began, in seconds since `origin`.
fn began(t: &TestRunner, name: &str, origin: TestTime) -> Vec<f64> {
    let begins = |change: &Change| matches!(change, Change::RunBegan { .. });
    let events = t.events().into_iter();
    let events = events.filter(|event| event.service == name && begins(&event.change));
    events.map(|event| event.at.duration_since(origin).unwrap().as_secs_f64()).collect()
}

#[test]
fn rule_3_a_one_time_task_runs_once_after_its_delay() {
    let mut t = staged([Service::new("once", |_| {}).initial_delay("2s")]);
    assert_eq!(t.info("once").next_due, None, "before it is started");
    t.start_all().unwrap();
    let due = t.now() + secs(2);
    assert_eq!(t.info("once").next_due, Some(due));
    assert_eq!(t.run_next(), ["once"]);
    assert_eq!((t.now(), t.state("once")), (due, State::Finished));
    assert_eq!((t.info("once").next_due, t.run_next()), (None, vec![]));
    t.advance("1d");
    assert_eq!(t.runs("once"), 1);
    // By name it may run once more.
    t.start("once").unwrap();
    t.advance("1d");
    assert_eq!((t.runs("once"), t.state("once")), (2, State::Finished));
}

#[test]
fn rule_60_what_was_stopped_has_no_next_time_and_what_is_paused_either() {
    let mut t = staged([
        Service::new("continuous", |_| {}).initial_delay("10s"),
        Service::new("cron", |_| {}).cron("@hourly"),
        Service::new("delay", |_| {}).delay("10s").initial_delay("10s"),
        Service::new("interval", |_| {}).interval("10s").initial_delay("10s"),
    ]);
    t.advance("1s");
    for name in ["continuous", "cron", "delay", "interval"] {
        assert!(t.info(name).next_due > Some(t.now()), "{name}");
        t.pause(name).unwrap();
        assert_eq!(t.info(name).next_due, None, "{name}");
        t.resume(name).unwrap();
        assert!(t.info(name).next_due > Some(t.now()), "{name}");
        t.stop(name).unwrap();
        assert_eq!(t.info(name).next_due, None, "{name}");
    }
    t.advance("1d");
    assert_eq!(t.events().iter().filter(|event| event.change == Change::Stopped).count(), 4);
    assert_eq!(t.runner().services().iter().map(|info| info.runs).sum::<u64>(), 0);
}

/// A function for more than one service.
fn shared(ctx: &Context) -> Flow {
    if ctx.tick().run == 3 { Flow::Done } else { Flow::Wait }
}

#[test]
fn rule_1_two_services_of_one_function_have_a_grid_and_a_life_of_their_own() {
    let mut t = staged([
        Service::new("even", shared).interval("4s"),
        Service::new("odd", shared).interval("4s").initial_delay("2s"),
    ]);
    let origin = t.now();
    t.advance("9s");
    assert_eq!([t.state("even"), t.state("odd")], [State::Finished, State::Waiting]);
    t.advance("1m");
    assert_eq!(began(&t, "even", origin), [0.0, 4.0, 8.0]);
    assert_eq!(began(&t, "odd", origin), [2.0, 6.0, 10.0]);
}

#[test]
fn rule_9_a_body_may_be_its_own_trigger() {
    // It says when it wants to run next, and at last that it does not.
    let pauses = [100, 1, 5_000];
    let body = move |ctx: &Context| match pauses.get(usize::try_from(ctx.tick().run).unwrap() - 1) {
        Some(pause) => Flow::After(millis(*pause)),
        None => Flow::Done,
    };
    for (service, first) in [
        (Service::new("s", body), 0.0),
        (Service::new("s", body).delay("1h"), 0.0),
        (Service::new("s", body).cron("@hourly"), 3_600.0),
    ] {
        let mut t = staged([service]);
        let origin = t.now();
        t.advance("1d");
        let expected = [0.0, 0.1, 0.101, 5.101].map(|at| first + at);
        assert_eq!((began(&t, "s", origin), t.state("s")), (expected.into(), State::Finished));
    }
}

#[test]
fn rule_5_a_run_longer_than_its_period_is_followed_by_one_late_run_never_by_a_burst() {
    let nap = |length| move |ctx: &Context| assert!(ctx.sleep(millis(length)));
    let mut t = staged([
        Service::new("cron", nap(2_500)).cron("* * * * * *"),
        Service::new("interval", nap(1_500)).interval("1s"),
        Service::new("delay", nap(2_500)).delay("1s"),
    ]);
    let origin = t.now();
    t.advance("8750ms");
    // What the calendar missed a moment ago runs late; a grid goes on at its next instant; a pause
    // begins when the run ends.
    assert_eq!(began(&t, "cron", origin), [1.0, 3.5, 6.0, 8.5]);
    assert_eq!(began(&t, "interval", origin), [0.0, 2.0, 4.0, 6.0, 8.0]);
    assert_eq!(began(&t, "delay", origin), [0.0, 3.5, 7.0]);
    let late = t.info("cron").lateness;
    assert_eq!((late.last, late.max), (millis(500), millis(500)));
    // 2; 4 and 5; 7 of the calendar, and 1, 3, 5, 7 of the grid.
    assert_eq!(["cron", "interval", "delay"].map(|name| t.info(name).skipped), [4, 4, 0]);
    assert_eq!(["cron", "interval", "delay"].map(|name| t.crashes(name)), [0; 3]);
}

#[test]
fn a_pause_is_not_made_up_for_whatever_the_schedule() {
    let mut t = staged([
        Service::new("cron", |_| {}).cron("* * * * * *"),
        Service::new("interval", |_| {}).interval("1s"),
        Service::new("delay", |_| {}).delay("1s"),
    ]);
    let origin = t.now();
    t.advance("2500ms");
    for name in ["cron", "delay", "interval"] {
        t.pause(name).unwrap();
    }
    t.advance("20s");
    for name in ["cron", "delay", "interval"] {
        t.resume(name).unwrap();
    }
    t.advance("2s");
    assert_eq!(began(&t, "cron", origin), [1.0, 2.0, 23.0, 24.0]);
    assert_eq!(began(&t, "interval", origin), [0.0, 1.0, 2.0, 23.0, 24.0]);
    // The pause after its last run has been long enough.
    assert_eq!(began(&t, "delay", origin), [0.0, 1.0, 2.0, 22.5, 23.5, 24.5]);
}

#[test]
fn rule_7_a_hole_in_the_hours_is_one_of_the_zone() {
    // Ten hours behind the zone of the test.
    let cron = Service::new("s", |_| {}).cron("0 0 0-4,6-23 * * ?").timezone("Pacific/Tahiti");
    let mut t = TestRunner::builder()
        .only::<&str>([])
        .at("2013-04-15T13:30:00Z")
        .service(cron)
        .build()
        .unwrap();
    for hour in [14, 16, 17] {
        assert_eq!(t.run_next(), ["s"]);
        t.advance_to(&format!("2013-04-15T{hour}:00:00Z"));
        assert_eq!(t.info("s").last_start, Some(t.now()));
    }
    assert_eq!(t.runs("s"), 3);
}

#[test]
fn rule_6_a_clock_that_shows_a_moment_before_the_run_does_not_run_it_again() {
    for cron in ["11 * * * * *", "11 0 0 * * *"] {
        let nap = |ctx: &Context| assert!(ctx.sleep(millis(50)));
        let mut t = staged([Service::new("s", nap).cron(cron)]);
        t.advance("11s");
        assert_eq!(t.state("s"), State::Running, "{cron}");
        // The run ends before its own time, as it were.
        t.set_clock("2026-01-01T00:00:10.9");
        t.advance("59s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Waiting, 1), "{cron}");
        let again = t.run_next();
        assert_eq!((again, t.runs("s")), (vec!["s".to_owned()], 2));
    }
}

#[test]
fn rule_7_what_other_schedulers_drop_in_a_gap_runs_once_after_it() {
    for (cron, start, first, next) in [
        // No midnight in Cairo.
        (
            "0 0-23/2 * * *",
            "2025-04-24T23:00:00[Africa/Cairo]",
            "2025-04-25T01:00:00[Africa/Cairo]",
            "2025-04-25T02:00:00[Africa/Cairo]",
        ),
        // No two o'clock in New York.
        (
            "0 0,2 * * *",
            "2026-03-08T01:00:00[America/New_York]",
            "2026-03-08T03:00:00[America/New_York]",
            "2026-03-09T00:00:00[America/New_York]",
        ),
        // Nor ten past two in Paris.
        (
            "0 10 2 * * *",
            "2013-03-31T01:09:54[Europe/Paris]",
            "2013-03-31T03:00:00[Europe/Paris]",
            "2013-04-01T02:10:00[Europe/Paris]",
        ),
    ] {
        let service = Service::new("s", |_| {}).cron(cron);
        let builder = TestRunner::builder().only::<&str>([]).at(start).service(service);
        let mut t = builder.build().unwrap();
        let mut starts = Vec::new();
        for _ in 0..2 {
            assert_eq!(t.run_next(), ["s"]);
            starts.push(t.now());
        }
        let expected = [first, next].map(|time| {
            let there = TestRunner::builder().only::<&str>([]).at(time).build().unwrap();
            there.now()
        });
        assert_eq!(starts, expected, "{cron}");
    }
}

#[test]
fn rule_5_what_ended_in_time_for_its_next_run_is_not_late() {
    // The run ends at the very instant at which the next one is due.
    let nap = |ctx: &Context| assert!(ctx.sleep(secs(1)));
    let mut t = staged([
        Service::new("cron", nap).cron("* * * * * *"),
        Service::new("interval", nap).interval("1s"),
    ]);
    t.advance("1m");
    for (name, runs) in [("cron", 60), ("interval", 61)] {
        let known = t.info(name);
        assert_eq!((known.runs, known.skipped, known.lateness.max), (runs, 0, secs(0)), "{name}");
    }
}

#[test]
fn rule_4_and_27_a_service_that_is_late_makes_no_other_late() {
    let begun = Arc::new(Mutex::new(Vec::new()));
    let book = Arc::clone(&begun);
    let punctual = move |ctx: &Context| book.lock().unwrap().push(ctx.tick().lateness);
    let mut t = staged([
        Service::new("a", |ctx: &Context| assert!(ctx.sleep(secs(100)))).interval("1s"),
        Service::new("b", |_| Err::<(), _>("no")).interval("1s").backoff("1ms"),
        Service::new("c", punctual).interval("1s"),
    ]);
    t.advance("1h");
    assert_eq!(t.runs("a"), 36 + 1, "it never overlaps itself");
    let begun = begun.lock().unwrap();
    assert_eq!(begun.len(), 3_601);
    assert!(begun.iter().all(|late| late.is_zero()));
}
