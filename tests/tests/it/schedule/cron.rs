//! Rules 3, 6, 7 and 32: services with `cron`, while clocks change.

use std::time::Duration;

use tests::{
    Ctx, EventWatcher, Kind, at, both_kinds, in_virtual_time, info, manual_clock, millis, secs, utc,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Clock, Flow, Runner, State, Tick, service};

both_kinds! {
    rule_7_hours_are_those_of_the_time_zone,
    rule_7_times_that_other_schedulers_drop_in_a_dst_gap_run_once_after_it,
    rule_3_and_32_a_cron_service_is_up_while_it_waits_for_its_first_run,
    rule_6_a_suspend_is_noticed_within_30_s,
    rule_6_intervals_ignore_the_wall_clock,
    rule_6_a_clock_set_back_by_a_moment_repeats_no_run,
}

const DAY: u64 = 86_400;

fn ended(change: &Change) -> bool {
    matches!(change, Change::RunEnded { .. })
}

#[service(name = "cron.declared", cron = "30 2 * * *", timezone = "Europe/Berlin")]
fn declared(tick: Tick) -> Flow {
    assert_eq!(tick.due, utc("2026-03-29 01:00:00"), "the first instant after the gap");
    Flow::Done
}

#[test]
fn rule_7_a_declared_service_runs_once_after_a_dst_gap() {
    let clock = Clock::manual(utc("2026-03-28 12:00:00"));
    let runner = Runner::builder().only(["cron.declared"]).clock(clock.clone()).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    assert_eq!(info(&runner, "cron.declared").next_due, Some(utc("2026-03-29 01:00:00")));
    clock.advance(secs(13 * 3_600));
    watcher.wait_for_change("cron.declared", &Change::Finished);
    assert_eq!(info(&runner, "cron.declared").crashes, 0);
}

fn rule_7_hours_are_those_of_the_time_zone(kind: Kind) {
    // Ten hours behind the time zone of the test.
    let cron = kind.service("s", |_| {}).cron("0 0 0-4,6-23 * * ?").timezone("Pacific/Tahiti");
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

fn rule_7_times_that_other_schedulers_drop_in_a_dst_gap_run_once_after_it(kind: Kind) {
    for (cron, start, first, next) in [
        // In Cairo the DST gap contains midnight.
        (
            "0 0-23/2 * * *",
            "2025-04-24T23:00:00[Africa/Cairo]",
            "2025-04-25T01:00:00[Africa/Cairo]",
            "2025-04-25T02:00:00[Africa/Cairo]",
        ),
        // In New York it contains two o'clock.
        (
            "0 0,2 * * *",
            "2026-03-08T01:00:00[America/New_York]",
            "2026-03-08T03:00:00[America/New_York]",
            "2026-03-09T00:00:00[America/New_York]",
        ),
        // In Paris it contains ten past two.
        (
            "0 10 2 * * *",
            "2013-03-31T01:09:54[Europe/Paris]",
            "2013-03-31T03:00:00[Europe/Paris]",
            "2013-04-01T02:10:00[Europe/Paris]",
        ),
    ] {
        let service = kind.service("s", |_| {}).cron(cron);
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

fn rule_3_and_32_a_cron_service_is_up_while_it_waits_for_its_first_run(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("daily", |_| {}).cron("@daily").timezone("UTC")).unwrap();
    runner.register(kind.service("next", |_| {}).interval("1h").after("daily")).unwrap();
    runner.start_all().unwrap();
    // Its dependent does not wait for midnight.
    watcher.wait_for("next", ended);
    assert_eq!(info(&runner, "daily").runs, 0);
    assert_eq!(runner.status()["daily"], State::Waiting);
    clock.advance(secs(DAY));
    watcher.wait_for("daily", ended);
    let daily = info(&runner, "daily");
    assert_eq!((daily.last_start, daily.lateness.last), (Some(at(DAY)), Duration::ZERO));
}

fn rule_6_a_suspend_is_noticed_within_30_s(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &tina4_service::Context| assert_eq!(ctx.tick().due, at(3_600));
    runner.register(kind.service("hourly", body).cron("@hourly").timezone("UTC")).unwrap();
    runner.start_all().unwrap();
    // The machine is suspended until 5 s before the hour; its monotonic clock stands still.
    clock.set_wall(at(3_595));
    clock.advance(secs(29));
    assert_eq!(info(&runner, "hourly").runs, 0);
    clock.advance(secs(1));
    watcher.wait_for("hourly", ended);
    let hourly = info(&runner, "hourly");
    assert_eq!((hourly.lateness.last, hourly.crashes), (secs(25), 0));
    assert_eq!(hourly.next_due, Some(at(7_200)));
}

fn rule_6_intervals_ignore_the_wall_clock(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("every", |_| {}).interval("1m")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("every", ended);
    clock.set_wall(at(1_000_000));
    clock.advance(secs(59));
    assert_eq!(info(&runner, "every").runs, 1);
    clock.advance(secs(1));
    watcher.wait_for("every", ended);
}

fn rule_6_a_clock_set_back_by_a_moment_repeats_no_run(kind: Kind) {
    for cron in ["11 * * * * *", "11 0 0 * * *"] {
        let sleep = async |ctx: Ctx<'_>| assert!(ctx.sleep(millis(50)).await);
        let mut t = in_virtual_time([kind.waiting("s", sleep).cron(cron)]);
        t.advance("11s");
        assert_eq!(t.state("s"), State::Running, "{cron}");
        // By the wall clock, the run ends before its own due time.
        t.set_clock("2026-01-01T00:00:10.9");
        t.advance("59s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Waiting, 1), "{cron}");
        let again = t.run_next();
        assert_eq!((again, t.runs("s")), (vec!["s".to_owned()], 2));
    }
}
