//! Rules 1 to 5 and 9: when runs are due, under a clock that the test moves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crossbeam_channel::bounded;
use tests::clock::offset;
use tests::{Watch, info, manual, secs};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Clock, ControlError, Flow, Runner, Schedule, Service, State};

/// Where runs write down when they were due, in seconds since the start of the clock.
type Dues = Arc<Mutex<Vec<f64>>>;

/// Moves the clock from one due time of `name` to the next, until `count` runs have ended.
fn drive(runner: &Runner, clock: &Clock, name: &str, count: u64) {
    let mut watch = Watch::new(runner);
    runner.start(name).expect("it starts");
    for number in 1..=count {
        let known = info(runner, name);
        // A run that was due at once may have begun, or ended, by itself.
        if known.runs < number {
            let due = known.next_due.expect("it is due some time");
            clock.advance(due.duration_since(clock.wall()).unwrap_or_default());
        }
        watch
            .until(name, |change| matches!(change, Change::RunEnded { run, .. } if *run == number));
    }
    runner.stop_all();
}

/// Runs a service `count` times and says when each run was due. `make` gets the body, which takes
/// `length` by the clock.
fn dues(count: u64, length: Duration, make: impl FnOnce(Service) -> Service) -> Vec<f64> {
    let (runner, clock) = manual();
    let dues = Dues::default();
    let (kept, moved) = (Arc::clone(&dues), clock.clone());
    let body = move |ctx: &tina4_service::Context| {
        kept.lock().unwrap().push(offset(ctx.tick().due));
        moved.advance(length);
    };
    runner.register(make(Service::new("s", body)));
    drive(&runner, &clock, "s", count);
    let dues = dues.lock().unwrap();
    dues.clone()
}

/// One service in test time, which begins at 1970.
fn in_test_time(service: Service) -> TestRunner {
    let test = TestRunner::builder().only::<&str>([]).at("1970-01-01T00:00:00Z");
    test.service(service).build().unwrap()
}

#[test]
fn rule_1_an_interval_is_a_grid_and_never_drifts() {
    let found = dues(2_000, secs(4), |service| service.interval("10s").initial_delay("3s"));
    let expected: Vec<f64> = (0..2_000).map(|k| 3.0 + 10.0 * f64::from(k)).collect();
    assert_eq!(found, expected);
}

#[test]
fn rule_1_an_activation_has_a_grid_of_its_own_and_a_restart_has_not() {
    let dues = Dues::default();
    let kept = Arc::clone(&dues);
    let body = move |ctx: &tina4_service::Context| {
        kept.lock().unwrap().push(offset(ctx.tick().due));
    };
    let mut t = in_test_time(Service::new("s", body).interval("10s").initial_delay("3s"));
    t.advance("14s");
    // It crashes at 23, before the body is called, and runs at 24 instead.
    t.crash_next("s");
    t.advance("20s");
    t.stop("s").unwrap();
    t.advance("2s");
    t.start("s").unwrap();
    t.advance("24s");
    assert_eq!(*dues.lock().unwrap(), [3.0, 13.0, 24.0, 33.0, 39.0, 49.0, 59.0]);
}

#[test]
fn rule_2_a_delay_begins_at_the_end_of_the_run() {
    let found = dues(5, secs(7), |service| service.delay("5s"));
    assert_eq!(found, [0.0, 12.0, 24.0, 36.0, 48.0]);
}

#[test]
fn rule_3_the_first_run_comes_at_once_or_after_the_initial_delay() {
    for (delay, make) in [
        (0, (|service| service) as fn(Service) -> Service),
        (0, |service| service.interval("10s")),
        (0, |service| service.delay("10s")),
        (7, |service| service.initial_delay("7s")),
        (7, |service| service.interval("10s").initial_delay("7s")),
        (7, |service| service.delay("10s").initial_delay("7s")),
    ] {
        let (runner, clock) = manual();
        let mut watch = Watch::new(&runner);
        runner.register(make(Service::new("s", |_| {})));
        runner.start_all().unwrap();
        if delay > 0 {
            let due = SystemTime::UNIX_EPOCH + secs(delay);
            assert_eq!(info(&runner, "s").next_due, Some(due));
            clock.advance(secs(delay) - Duration::from_nanos(1));
            assert_eq!(runner.status()["s"], State::Waiting, "not before its time");
            clock.advance(Duration::from_nanos(1));
        }
        let event = watch.began("s");
        assert_eq!(event.change, Change::RunBegan { run: 1, lateness: Duration::ZERO });
        assert_eq!(event.at, SystemTime::UNIX_EPOCH + secs(delay));
        runner.stop_all();
    }
}

#[test]
fn rule_4_a_service_never_overlaps_itself() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let inside = Arc::new(AtomicUsize::new(0));
    let (go, gate) = bounded::<()>(0);
    let (entered, entering) = bounded(10);
    let counter = Arc::clone(&inside);
    let body = move |_: &tina4_service::Context| {
        assert_eq!(counter.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
        let _ = entered.send(());
        let _ = gate.recv();
        counter.fetch_sub(1, Ordering::SeqCst);
    };
    runner.register(Service::new("s", body).interval("10s").max_restarts(0));
    // A second service with the same due times shows that somebody looked at them.
    runner.register(Service::new("witness", |_| {}).interval("10s"));
    runner.start_all().unwrap();
    // That a run begins is told before its body does.
    entering.recv_timeout(tests::PATIENCE).expect("the first run begins");
    for _ in 0..5 {
        watch.ended("witness");
        clock.advance(secs(10));
    }
    assert!(matches!(runner.run_now("s"), Err(ControlError::Busy { .. })));
    runner.start("s").unwrap();
    runner.start_all().unwrap();
    assert_eq!((inside.load(Ordering::SeqCst), info(&runner, "s").runs), (1, 1));
    // Ends this run, and every other.
    drop(go);
    watch.ended("s");
    assert_eq!(info(&runner, "s").crashes, 0);
    runner.stop_all();
}

#[test]
fn rule_5_missed_runs_are_skipped_counted_and_told_once_never_a_burst() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(1);
    let body = move |_: &tina4_service::Context| {
        let _ = gate.recv();
    };
    runner.register(Service::new("s", body).interval("10s"));
    runner.start_all().unwrap();
    watch.began("s");
    clock.advance(secs(35));
    go.send(()).unwrap();
    watch.change("s", &Change::Skipped { count: 3 });
    let known = info(&runner, "s");
    assert_eq!((known.skipped, known.runs), (3, 1));
    assert_eq!(known.next_due, Some(SystemTime::UNIX_EPOCH + secs(40)), "the grid stays");
    clock.advance(secs(5));
    go.send(()).unwrap();
    watch.ended("s");
    runner.stop_all();
    let all = watch.all("s");
    let skips = all.iter().filter(|change| matches!(change, Change::Skipped { .. })).count();
    let runs = all.iter().filter(|change| matches!(change, Change::RunBegan { .. })).count();
    assert_eq!((skips, runs), (1, 2), "{all:#?}");
}

#[test]
fn rule_5_after_a_long_sleep_of_the_machine_one_late_run_is_enough() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("s", |_| {}).interval("10s"));
    runner.start_all().unwrap();
    watch.ended("s");
    clock.advance(secs(3_605));
    let late = watch.began("s");
    assert_eq!(late.change, Change::RunBegan { run: 2, lateness: secs(3_595) });
    watch.ended("s");
    // 20, 30 .. 3600.
    watch.change("s", &Change::Skipped { count: 359 });
    assert_eq!(info(&runner, "s").next_due, Some(SystemTime::UNIX_EPOCH + secs(3_610)));
    runner.stop_all();
    assert_eq!(info(&runner, "s").runs, 2);
}

#[test]
fn rule_9_jitter_delays_the_start_and_never_the_grid() {
    let found = dues(500, Duration::ZERO, |service| service.interval("10s").jitter("5s"));
    let late: Vec<f64> = found.iter().zip(0..).map(|(due, k)| due - 10.0 * f64::from(k)).collect();
    assert!(late.iter().all(|late| (0.0..5.0).contains(late)), "{late:?}");
    // It is really spread: both halves are met, and no two rounds need be alike.
    let low = late.iter().filter(|late| **late < 2.5).count();
    assert!((100..400).contains(&low), "{low} of 500 in the lower half");
}

#[test]
fn rule_9_a_clock_moved_to_a_due_time_with_jitter_reaches_it() {
    // By chance in nanoseconds, which the wall clock of Windows cannot show.
    let found = dues(200, Duration::ZERO, |service| {
        service.cron("* * * * *").timezone("UTC").jitter("30s")
    });
    let minutes: Vec<f64> = (1..=200).map(|k| 60.0 * f64::from(k)).collect();
    assert_eq!(found, minutes);
}

#[test]
fn rule_9_again_and_after_leave_the_grid_where_it_is() {
    let dues = Dues::default();
    let kept = Arc::clone(&dues);
    // Every run takes a second.
    let body = move |ctx: &tina4_service::Context| {
        kept.lock().unwrap().push(offset(ctx.tick().due));
        assert!(ctx.sleep(secs(1)));
        match ctx.tick().run {
            1 => Flow::Again,
            2 => Flow::After(secs(3)),
            5 => Flow::After(secs(17)),
            _ => Flow::Wait,
        }
    };
    let mut t = in_test_time(Service::new("s", body).interval("10s"));
    t.advance("51s");
    // The fifth run, at 20, asks for the sixth 17 s after its end; the seventh is on the grid again.
    assert_eq!(*dues.lock().unwrap(), [0.0, 1.0, 5.0, 10.0, 20.0, 38.0, 40.0, 50.0]);
    assert_eq!(t.info("s").skipped, 0, "it asked for it");
}

#[test]
fn a_schedule_can_be_used_alone() {
    let noon = SystemTime::UNIX_EPOCH + secs(43_200);
    let every = Schedule::interval(secs(30));
    assert_eq!(every.next_after(noon), Some(noon + secs(30)));
    assert_eq!(every.upcoming(noon, 2), [noon + secs(30), noon + secs(60)]);
    assert_eq!(Schedule::delay(secs(5)).next_after(noon), Some(noon + secs(5)));
    assert_eq!(Schedule::continuous().next_after(noon), None);
    assert_eq!(every.to_string(), "every 30s");
}

#[test]
fn a_clock_that_is_moved_in_small_steps_loses_nothing() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    for _ in 0..1_000 {
        clock.advance(Duration::from_nanos(33));
    }
    assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_micros(33));
}
