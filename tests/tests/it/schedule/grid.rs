//! Rules 1, 2, 3 and 9: when runs are due.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tests::clock::seconds_since_epoch;
use tests::{
    Ctx, EventWatcher, Kind, both_kinds, in_virtual_time, info, manual_clock, millis, secs, starts,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Clock, Context, Flow, RunTrigger, Runner, Service, State};

both_kinds! {
    rule_1_an_interval_is_a_fixed_rate_without_drift,
    rule_1_each_activation_has_its_own_grid_and_restarts_keep_it,
    rule_1_two_services_of_one_function_are_independent,
    rule_2_a_delay_counts_from_the_end_of_the_run,
    rule_3_the_first_run_begins_immediately_or_after_the_initial_delay,
    rule_3_a_one_time_task_runs_once_after_its_initial_delay,
    rule_9_jitter_delays_runs_and_never_moves_the_grid,
    rule_9_a_clock_advanced_to_a_jittered_due_time_reaches_it,
    rule_9_again_and_after_do_not_move_the_grid,
    rule_9_a_body_may_choose_each_of_its_next_runs,
}

/// The due times that runs record, in seconds since the start of the clock.
type DueTimes = Arc<Mutex<Vec<f64>>>;

/// Advances the clock from one due time of `name` to the next until `count` runs have ended.
fn drive(runner: &Runner, clock: &Clock, name: &str, count: u64) {
    let mut watcher = EventWatcher::new(runner);
    runner.start(name).expect("it starts");
    for number in 1..=count {
        let info = info(runner, name);
        // A run that was due immediately may have begun or ended without an advance of the clock.
        if info.runs < number {
            let due = info.next_due.expect("a run is planned");
            clock.advance(due.duration_since(clock.wall()).unwrap_or_default());
        }
        watcher.wait_for(
            name,
            |change| matches!(change, Change::RunEnded { run, .. } if *run == number),
        );
    }
    runner.stop_all();
}

/// Runs a service `count` times and returns the due time of each run. `make` configures the
/// service; each run takes `length` on the clock.
fn due_times(
    kind: Kind,
    count: u64,
    length: Duration,
    make: impl FnOnce(Service) -> Service,
) -> Vec<f64> {
    let (runner, clock) = manual_clock();
    let due_times = DueTimes::default();
    let (recorded, run_clock) = (Arc::clone(&due_times), clock.clone());
    let body = move |ctx: &tina4_service::Context| {
        recorded.lock().unwrap().push(seconds_since_epoch(ctx.tick().due));
        run_clock.advance(length);
    };
    runner.register(make(kind.service("s", body))).unwrap();
    drive(&runner, &clock, "s", count);
    let due_times = due_times.lock().unwrap();
    due_times.clone()
}

/// One service in virtual time, which begins at the Unix epoch.
fn from_epoch(service: Service) -> TestRunner {
    let test = TestRunner::builder().only::<&str>([]).at("1970-01-01T00:00:00Z");
    test.service(service).build().unwrap()
}

fn rule_1_an_interval_is_a_fixed_rate_without_drift(kind: Kind) {
    let found =
        due_times(kind, 2_000, secs(4), |service| service.interval("10s").initial_delay("3s"));
    let expected: Vec<f64> = (0..2_000).map(|k| 3.0 + 10.0 * f64::from(k)).collect();
    assert_eq!(found, expected);
}

fn rule_1_each_activation_has_its_own_grid_and_restarts_keep_it(kind: Kind) {
    let due_times = DueTimes::default();
    let recorded = Arc::clone(&due_times);
    let body = move |ctx: &tina4_service::Context| {
        recorded.lock().unwrap().push(seconds_since_epoch(ctx.tick().due));
    };
    let mut t = from_epoch(kind.service("s", body).interval("10s").initial_delay("3s"));
    t.advance("14s");
    // It crashes at 23, before the body is called, and the restart is at 24.
    t.crash_next("s");
    t.advance("20s");
    t.stop("s").unwrap();
    t.advance("2s");
    t.start("s").unwrap();
    t.advance("24s");
    assert_eq!(*due_times.lock().unwrap(), [3.0, 13.0, 24.0, 33.0, 39.0, 49.0, 59.0]);
}

/// The function of two services.
fn shared(ctx: &Context) -> Flow {
    if ctx.tick().run == 3 { Flow::Done } else { Flow::Wait }
}

fn rule_1_two_services_of_one_function_are_independent(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("even", shared).interval("4s"),
        kind.service("odd", shared).interval("4s").initial_delay("2s"),
    ]);
    let origin = t.now();
    t.advance("9s");
    assert_eq!([t.state("even"), t.state("odd")], [State::Finished, State::Waiting]);
    t.advance("1m");
    assert_eq!(starts(&t, "even", origin), [0.0, 4.0, 8.0]);
    assert_eq!(starts(&t, "odd", origin), [2.0, 6.0, 10.0]);
}

fn rule_2_a_delay_counts_from_the_end_of_the_run(kind: Kind) {
    let found = due_times(kind, 5, secs(7), |service| service.delay("5s"));
    assert_eq!(found, [0.0, 12.0, 24.0, 36.0, 48.0]);
}

fn rule_3_the_first_run_begins_immediately_or_after_the_initial_delay(kind: Kind) {
    for (delay, make) in [
        (0, (|service| service) as fn(Service) -> Service),
        (0, |service| service.interval("10s")),
        (0, |service| service.delay("10s")),
        (7, |service| service.initial_delay("7s")),
        (7, |service| service.interval("10s").initial_delay("7s")),
        (7, |service| service.delay("10s").initial_delay("7s")),
    ] {
        let (runner, clock) = manual_clock();
        let mut watcher = EventWatcher::new(&runner);
        runner.register(make(kind.service("s", |_| {}))).unwrap();
        runner.start_all().unwrap();
        if delay > 0 {
            let due = SystemTime::UNIX_EPOCH + secs(delay);
            assert_eq!(info(&runner, "s").next_due, Some(due));
            clock.advance(secs(delay) - Duration::from_nanos(1));
            assert_eq!(runner.status()["s"], State::Waiting, "not before its due time");
            clock.advance(Duration::from_nanos(1));
        }
        let event = watcher.wait_for_run_begin("s");
        let (lateness, trigger) = (Duration::ZERO, RunTrigger::Start);
        assert_eq!(event.change, Change::RunBegan { run: 1, lateness, trigger, by: None });
        assert_eq!(event.at, SystemTime::UNIX_EPOCH + secs(delay));
        runner.stop_all();
    }
}

fn rule_3_a_one_time_task_runs_once_after_its_initial_delay(kind: Kind) {
    let mut t = in_virtual_time([kind.service("once", |_| {}).initial_delay("2s")]);
    assert_eq!(t.info("once").next_due, None, "before it is started");
    t.start_all().unwrap();
    let due = t.now() + secs(2);
    assert_eq!(t.info("once").next_due, Some(due));
    assert_eq!(t.run_next(), ["once"]);
    assert_eq!((t.now(), t.state("once")), (due, State::Finished));
    assert_eq!((t.info("once").next_due, t.run_next()), (None, vec![]));
    t.advance("1d");
    assert_eq!(t.runs("once"), 1);
    // Started by name, it runs once more.
    t.start("once").unwrap();
    t.advance("1d");
    assert_eq!((t.runs("once"), t.state("once")), (2, State::Finished));
}

fn rule_9_jitter_delays_runs_and_never_moves_the_grid(kind: Kind) {
    let found =
        due_times(kind, 500, Duration::ZERO, |service| service.interval("10s").jitter("5s"));
    let late: Vec<f64> = found.iter().zip(0..).map(|(due, k)| due - 10.0 * f64::from(k)).collect();
    assert!(late.iter().all(|late| (0.0..5.0).contains(late)), "{late:?}");
    // Both halves of the range occur.
    let low = late.iter().filter(|late| **late < 2.5).count();
    assert!((100..400).contains(&low), "{low} of 500 in the lower half");
}

fn rule_9_a_clock_advanced_to_a_jittered_due_time_reaches_it(kind: Kind) {
    // The jitter has nanoseconds, which the wall clock of Windows cannot show.
    let found = due_times(kind, 200, Duration::ZERO, |service| {
        service.cron("* * * * *").timezone("UTC").jitter("30s")
    });
    let minutes: Vec<f64> = (1..=200).map(|k| 60.0 * f64::from(k)).collect();
    assert_eq!(found, minutes);
}

fn rule_9_again_and_after_do_not_move_the_grid(kind: Kind) {
    let due_times = DueTimes::default();
    let recorded = Arc::clone(&due_times);
    // Every run takes a second.
    let body = async move |ctx: Ctx<'_>| {
        recorded.lock().unwrap().push(seconds_since_epoch(ctx.tick().due));
        assert!(ctx.sleep(secs(1)).await);
        match ctx.tick().run {
            1 => Flow::Again,
            2 => Flow::After(secs(3)),
            5 => Flow::After(secs(17)),
            _ => Flow::Wait,
        }
    };
    let mut t = from_epoch(kind.waiting("s", body).interval("10s"));
    t.advance("51s");
    // The fifth run, at 20, requests the sixth 17 s after its end; the seventh is on the grid
    // again.
    assert_eq!(*due_times.lock().unwrap(), [0.0, 1.0, 5.0, 10.0, 20.0, 38.0, 40.0, 50.0]);
    assert_eq!(t.info("s").skipped, 0, "the service chose this pause itself");
}

fn rule_9_a_body_may_choose_each_of_its_next_runs(kind: Kind) {
    // Each run chooses the pause before the next one; the last run finishes the service.
    let pauses = [100, 1, 5_000];
    let body = move |ctx: &Context| match pauses.get(usize::try_from(ctx.tick().run).unwrap() - 1) {
        Some(pause) => Flow::After(millis(*pause)),
        None => Flow::Done,
    };
    for (service, first) in [
        (kind.service("s", body), 0.0),
        (kind.service("s", body).delay("1h"), 0.0),
        (kind.service("s", body).cron("@hourly"), 3_600.0),
    ] {
        let mut t = in_virtual_time([service]);
        let origin = t.now();
        t.advance("1d");
        let expected = [0.0, 0.1, 0.101, 5.101].map(|at| first + at);
        assert_eq!((starts(&t, "s", origin), t.state("s")), (expected.into(), State::Finished));
    }
}

#[test]
fn a_manual_clock_advanced_in_small_steps_loses_nothing() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    for _ in 0..1_000 {
        clock.advance(Duration::from_nanos(33));
    }
    assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_micros(33));
}
