//! Rules 20 and 21: the backoff after a crash, and the recovery that resets it.

use std::time::{Duration, SystemTime};

use tests::clock::seconds_since_epoch;
use tests::{
    EventWatcher, Kind, advance_to_next_run, best_of, both_kinds, in_virtual_time, info,
    manual_clock, millis, secs, within,
};
use tina4_service::{Change, Context, Event, Runner, State, Stopped};

both_kinds! {
    rule_20_restarts_are_1_2_4_8_16_32_60_60_seconds_apart,
    rule_20_backoff_in_real_time,
    rule_20_the_backoff_replaces_the_schedule_and_the_error_keeps_its_sources,
    rule_20_an_endless_crash_loop_obeys_every_request,
    rule_21_a_good_run_resets_the_backoff_and_returns_to_the_grid,
    rule_21_a_continuous_service_recovers_by_running_for_a_minute,
}

/// An error with a source.
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

/// The backoff that the event of a crash announces.
fn restart_in(event: &Event) -> Option<Duration> {
    let Change::Crashed { restart_in, .. } = &event.change else { panic!("{event:?}") };
    *restart_in
}

fn rule_20_restarts_are_1_2_4_8_16_32_60_60_seconds_apart(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("s", |_| Err::<(), _>("no"))).unwrap();
    runner.start_all().unwrap();
    let mut starts = Vec::new();
    for _ in 0..9 {
        starts.push(seconds_since_epoch(watcher.wait_for_run_begin("s").at));
        watcher.wait_for_crash("s");
        assert_eq!(runner.status()["s"], State::BackingOff);
        advance_to_next_run(&runner, &clock, "s");
    }
    let gaps: Vec<f64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    runner.stop_all();
}

/// Once in real time. The best of several rounds counts: the bound is about the runner, not about
/// the load of the machine.
fn rule_20_backoff_in_real_time(kind: Kind) {
    let expected = [10, 20, 40, 80, 100, 100].map(millis);
    best_of(5, "largest excess of a backoff", millis(5), || {
        let runner = Runner::new();
        let mut watcher = EventWatcher::new(&runner);
        let service = kind.service("s", |_| Err::<(), _>("no"));
        runner.register(service.backoff("10ms").max_backoff("100ms").max_restarts(6)).unwrap();
        runner.start_all().unwrap();
        tests::wait(&runner);
        let starts: Vec<SystemTime> = (0..7).map(|_| watcher.wait_for_run_begin("s").at).collect();
        let gaps = starts.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap());
        let excess = gaps.zip(expected).map(|(gap, wanted)| {
            // Ten microseconds for reading two clocks.
            assert!(gap + Duration::from_micros(10) >= wanted, "{gap:?} instead of {wanted:?}");
            gap.saturating_sub(wanted)
        });
        excess.max().unwrap()
    });
}

fn rule_20_the_backoff_replaces_the_schedule_and_the_error_keeps_its_sources(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let body = |_: &Context| "many".parse::<u32>().map(drop).map_err(Outer);
    // The backoff is longer than the interval, which is ignored until the restart.
    runner.register(kind.service("s", body).interval("10s").backoff("45s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_crash("s");
    let service = info(&runner, "s");
    assert_eq!(service.next_due, Some(SystemTime::UNIX_EPOCH + secs(45)));
    let error = service.last_error.unwrap();
    assert_eq!(&*error, "the order is unreadable: invalid digit found in string");
    assert_eq!((service.crashes, service.crashes_in_a_row, service.restarts), (1, 1, 0));
    clock.advance(secs(45));
    watcher.wait_for_crash("s");
    let service = info(&runner, "s");
    assert_eq!((service.runs, service.crashes_in_a_row, service.restarts), (2, 2, 1));
    runner.stop_all();
}

fn rule_20_an_endless_crash_loop_obeys_every_request(kind: Kind) {
    within("a crash loop without end", move || {
        let service = kind.service("s", |_| Err::<(), _>("no")).backoff("1m").max_backoff("1m");
        let mut t = in_virtual_time([service]);
        t.advance("0s");
        let due = t.info("s").next_due;
        // `start` neither begins a second copy nor shortens the backoff.
        t.start("s").unwrap();
        t.runner().start_all().unwrap();
        t.advance("59s");
        assert_eq!((t.state("s"), t.runs("s"), t.info("s").next_due), (State::BackingOff, 1, due));
        t.run_now("s").unwrap();
        t.advance("0s");
        assert_eq!((t.runs("s"), t.info("s").crashes_in_a_row), (2, 2));
        t.pause("s").unwrap();
        t.advance("1h");
        assert_eq!((t.state("s"), t.runs("s")), (State::Paused, 2));
        t.resume("s").unwrap();
        t.advance("0s");
        assert_eq!((t.state("s"), t.runs("s")), (State::BackingOff, 3));
        // `restart` does not wait for the end of the backoff, and resets the count of crashes.
        t.restart("s").unwrap();
        t.advance("0s");
        assert_eq!((t.runs("s"), t.info("s").crashes_in_a_row), (4, 1));
        // `stop` takes no time and ends the loop.
        let before = t.now();
        assert_eq!(t.stop("s").unwrap(), Stopped::Ended { after: secs(0) });
        assert_eq!(t.now(), before);
        t.advance("1d");
        assert_eq!((t.state("s"), t.runs("s")), (State::Stopped, 4));
    });
}

fn rule_21_a_good_run_resets_the_backoff_and_returns_to_the_grid(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| match ctx.tick().run {
        1 | 2 | 4 => Err("no"),
        _ => Ok(()),
    };
    runner.register(kind.service("s", body).interval("10s")).unwrap();
    runner.start_all().unwrap();
    assert_eq!(restart_in(&watcher.wait_for_crash("s")), Some(secs(1)));
    advance_to_next_run(&runner, &clock, "s");
    assert_eq!(restart_in(&watcher.wait_for_crash("s")), Some(secs(2)));
    advance_to_next_run(&runner, &clock, "s");
    // The third run, at 3 s, ends well.
    watcher.wait_for("s", |change| matches!(change, Change::RunEnded { run: 3, .. }));
    let info = info(&runner, "s");
    assert_eq!(info.next_due, Some(SystemTime::UNIX_EPOCH + secs(10)), "back on the grid");
    assert_eq!(info.crashes_in_a_row, 0);
    advance_to_next_run(&runner, &clock, "s");
    assert_eq!(restart_in(&watcher.wait_for_crash("s")), Some(secs(1)), "the backoff starts over");
    runner.stop_all();
}

fn rule_21_a_continuous_service_recovers_by_running_for_a_minute(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let run_clock = clock.clone();
    let body = move |ctx: &Context| {
        let length = if ctx.tick().run == 3 { secs(60) } else { millis(59_999) };
        run_clock.advance(length);
        Err::<(), _>("no")
    };
    runner.register(kind.service("s", body)).unwrap();
    runner.start_all().unwrap();
    let mut delays = Vec::new();
    for _ in 0..4 {
        delays.push(restart_in(&watcher.wait_for_crash("s")).unwrap());
        advance_to_next_run(&runner, &clock, "s");
    }
    assert_eq!(delays, [1, 2, 1, 2].map(secs));
    runner.stop_all();
}
