//! Rules 20 to 24, 26: what a crash leads to. Panics are in `panics.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crossbeam_channel::bounded;
use tests::clock::offset;
use tests::{Watch, best_of, info, manual, millis, secs};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Clock, Context, Event, Restart, Runner, Service, State};

/// An error with a source, as errors are.
#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the order is unreadable")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The delay before the restart that a crash announced.
fn restart_in(event: &Event) -> Option<Duration> {
    let Change::Crashed { restart_in, .. } = &event.change else { panic!("{event:?}") };
    *restart_in
}

/// Moves the clock to the next due time of `s`.
fn to_next(runner: &Runner, clock: &Clock) {
    let due = info(runner, "s").next_due.expect("it is due some time");
    clock.advance(due.duration_since(clock.wall()).unwrap_or_default());
}

#[test]
fn rule_20_restarts_are_1_2_4_8_16_32_60_60_seconds_apart() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("s", |_| Err::<(), _>("no")));
    runner.start_all().unwrap();
    let mut starts = Vec::new();
    for _ in 0..9 {
        starts.push(offset(watch.began("s").at));
        watch.crashed("s");
        assert_eq!(runner.status()["s"], State::BackingOff);
        to_next(&runner, &clock);
    }
    let gaps: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    runner.stop_all();
}

/// Once in real time. The best of a few rounds: the bound is about the runner, not about what else
/// the machine does.
#[test]
fn rule_20_backoff_in_real_time() {
    let expected = [10, 20, 40, 80, 100, 100].map(millis);
    best_of(5, "largest excess of a backoff", millis(5), || {
        let runner = Runner::new();
        let mut watch = Watch::new(&runner);
        let service = Service::new("s", |_| Err::<(), _>("no"));
        runner.register(service.backoff("10ms").max_backoff("100ms").max_restarts(6));
        runner.start_all().unwrap();
        tests::wait(&runner);
        let starts: Vec<SystemTime> = (0..7).map(|_| watch.began("s").at).collect();
        let gaps = starts.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap());
        let excess = gaps.zip(expected).map(|(gap, wanted)| {
            // A hundredth of a millisecond for reading two clocks.
            assert!(gap + Duration::from_micros(10) >= wanted, "{gap:?} instead of {wanted:?}");
            gap.saturating_sub(wanted)
        });
        excess.max().unwrap()
    });
}

#[test]
fn rule_20_backing_off_replaces_the_schedule_and_the_error_is_kept_with_its_sources() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let body = |_: &Context| "many".parse::<u32>().map(drop).map_err(Outer);
    // The backoff is longer than the interval: nothing runs in between.
    runner.register(Service::new("s", body).interval("10s").backoff("45s"));
    runner.start_all().unwrap();
    watch.crashed("s");
    let known = info(&runner, "s");
    assert_eq!(known.next_due, Some(SystemTime::UNIX_EPOCH + secs(45)));
    let error = known.last_error.unwrap();
    assert_eq!(&*error, "the order is unreadable: invalid digit found in string");
    assert_eq!((known.crashes, known.crashes_in_a_row, known.restarts), (1, 1, 0));
    clock.advance(secs(45));
    watch.crashed("s");
    let known = info(&runner, "s");
    assert_eq!((known.runs, known.crashes_in_a_row, known.restarts), (2, 2, 1));
    runner.stop_all();
}

#[test]
fn rule_21_a_good_run_forgets_crashes_and_returns_to_the_grid() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let body = |ctx: &Context| match ctx.tick().run {
        1 | 2 | 4 => Err("no"),
        _ => Ok(()),
    };
    runner.register(Service::new("s", body).interval("10s"));
    runner.start_all().unwrap();
    assert_eq!(restart_in(&watch.crashed("s")), Some(secs(1)));
    to_next(&runner, &clock);
    assert_eq!(restart_in(&watch.crashed("s")), Some(secs(2)));
    to_next(&runner, &clock);
    // The third run, at 3 s, is good.
    watch.until("s", |change| matches!(change, Change::RunEnded { run: 3, .. }));
    let known = info(&runner, "s");
    assert_eq!(known.next_due, Some(SystemTime::UNIX_EPOCH + secs(10)), "back on the grid");
    assert_eq!(known.crashes_in_a_row, 0);
    to_next(&runner, &clock);
    assert_eq!(restart_in(&watch.crashed("s")), Some(secs(1)), "counted from the start");
    runner.stop_all();
}

#[test]
fn rule_21_a_continuous_service_recovers_by_running_for_a_minute() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let moved = clock.clone();
    let body = move |ctx: &Context| {
        let length = if ctx.tick().run == 3 { secs(60) } else { millis(59_999) };
        moved.advance(length);
        Err::<(), _>("no")
    };
    runner.register(Service::new("s", body));
    runner.start_all().unwrap();
    let mut delays = Vec::new();
    for _ in 0..4 {
        delays.push(restart_in(&watch.crashed("s")).unwrap());
        to_next(&runner, &clock);
    }
    assert_eq!(delays, [1, 2, 1, 2].map(secs));
    runner.stop_all();
}

#[test]
fn rule_22_after_n_restarts_in_a_row_the_next_crash_is_the_last() {
    for (service, runs) in [
        (Service::new("s", |_| Err::<(), _>("no")).max_restarts(3), 4),
        (Service::new("s", |_| Err::<(), _>("no")).max_restarts(0), 1),
        (Service::new("s", |_| Err::<(), _>("no")).restart(Restart::Never), 1),
        (Service::new("s", |_| {}).restart(Restart::Always).max_restarts(2), 3),
    ] {
        let (runner, clock) = manual();
        let mut watch = Watch::new(&runner);
        runner.register(service);
        runner.start_all().unwrap();
        for run in 1..=runs {
            watch.ended("s");
            if run < runs {
                assert_eq!(runner.status()["s"], State::BackingOff, "run {run} of {runs}");
                to_next(&runner, &clock);
            }
        }
        watch.until("s", |change| matches!(change, Change::Failed { .. }));
        assert_eq!(info(&runner, "s").runs, runs);
    }
}

#[test]
fn rule_21_and_22_a_minute_of_running_starts_the_count_of_a_continuous_service_over() {
    for (length, state, crashes) in
        [(secs(60), State::Running, 59), (millis(59_999), State::Failed, 2)]
    {
        let body = move |ctx: &Context| if ctx.sleep(length) { Err("no") } else { Ok(()) };
        let service = Service::new("s", body).max_restarts(1);
        let test = TestRunner::builder().only::<&str>([]).service(service);
        let mut t = test.build().unwrap();
        // A run and its backoff take 61 s.
        t.advance("1h");
        assert_eq!((t.state("s"), t.crashes("s")), (state, crashes), "{length:?}");
    }
}

/// Crashes at these seconds, and runs well a moment later each time; the state at the end.
fn windowed(crashes: &'static [u64]) -> State {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let time = clock.clone();
    let body = move |_: &Context| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds"
        )]
        let now = offset(time.wall()) as u64;
        if crashes.contains(&now) { Err("no") } else { Ok(()) }
    };
    let service = Service::new("s", body).interval("1s");
    runner.register(service.max_restarts(2).restart_window("20s"));
    runner.start_all().unwrap();
    for _ in 0..60 {
        watch.ended("s");
        if runner.status()["s"] == State::Failed {
            break;
        }
        to_next(&runner, &clock);
    }
    let state = runner.status()["s"];
    runner.stop_all();
    state
}

#[test]
fn rule_23_more_than_n_restarts_in_the_window_fail_recoveries_notwithstanding() {
    // Good runs lie between these crashes, and the third restart comes within 20 s of the first.
    assert_eq!(windowed(&[3, 9, 15]), State::Failed);
    // Here the first has left the window.
    assert_ne!(windowed(&[3, 9, 30, 36]), State::Failed);
}

#[test]
fn rule_24_failed_is_final_until_started_by_name() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let broken = Arc::new(AtomicBool::new(true));
    let asks = Arc::clone(&broken);
    let body = move |ctx: &Context| {
        if asks.load(Ordering::SeqCst) {
            return Err("the disk is full");
        }
        while ctx.sleep(secs(3_600)) {}
        Ok(())
    };
    runner.register(Service::new("s", body).max_restarts(0));
    runner.start_all().unwrap();
    let failed = watch.until("s", |change| matches!(change, Change::Failed { .. }));
    assert_eq!(failed.change, Change::Failed { cause: "the disk is full".into() });
    broken.store(false, Ordering::SeqCst);
    runner.start_all().unwrap();
    let known = info(&runner, "s");
    assert_eq!((known.state, known.runs), (State::Failed, 1), "`start_all` leaves it");
    assert_eq!(known.last_error.as_deref(), Some("the disk is full"));
    assert!(!known.is_healthy(), "health is red");
    assert!(!runner.is_running("s"));
    for again in [Runner::start, Runner::restart] {
        again(&runner, "s").unwrap();
        watch.began("s");
        assert!(info(&runner, "s").is_healthy());
    }
    runner.stop_all();
}

#[test]
fn rule_24_a_critical_service_that_fails_shuts_the_runner_down() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    runner.register(Service::new("other", |ctx| while ctx.sleep(secs(3_600)) {}));
    runner.register(
        Service::new("vital", move |_| gate.recv().map(drop)).critical(true).max_restarts(0),
    );
    runner.start_all().unwrap();
    watch.began("other");
    drop(go);
    tests::wait(&runner);
    assert_eq!(runner.status()["other"], State::Stopped);
    let report = runner.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"));
    assert!(report.to_string().contains("`vital` is critical and failed"), "{report}");
}

#[test]
fn rule_26_what_a_run_returns_after_it_was_asked_to_stop_is_no_crash() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let leave = |ctx: &Context| {
        while ctx.sleep(secs(3_600)) {}
        Err::<(), _>("interrupted")
    };
    let shout = |ctx: &Context| {
        while ctx.sleep(secs(3_600)) {}
        panic!("torn away");
    };
    runner.register(Service::new("leaves", leave));
    runner.register(Service::new::<(), _>("shouts", shout));
    runner.start_all().unwrap();
    for name in ["leaves", "shouts"] {
        watch.began(name);
        runner.stop(name).unwrap();
        let known = info(&runner, name);
        assert_eq!((known.state, known.crashes, known.runs), (State::Stopped, 0, 1), "{name}");
    }
    let told = |change: &Change| matches!(change, Change::PanickedWhileStopping { .. });
    assert!(watch.all("shouts").iter().any(told), "a panic is told");
    assert!(!watch.all("leaves").iter().any(told));
}
