//! Rules 4, 5, 27 and 173: runs that take longer than their period, and missed runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crossbeam_channel::bounded;
use tests::{
    Ctx, EventWatcher, Kind, at, both_kinds, gate, in_virtual_time, info, manual_clock, millis,
    secs, starts,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, ControlError, RunTrigger};

both_kinds! {
    rule_4_a_service_never_overlaps_itself,
    rule_4_and_27_a_late_service_delays_no_other,
    rule_5_missed_runs_are_skipped_counted_and_reported_once,
    rule_5_a_long_gap_is_followed_by_a_single_late_run,
    rule_5_a_run_longer_than_its_period_is_not_followed_by_a_burst,
    rule_5_a_run_that_ends_at_its_next_due_time_makes_nothing_late,
    rule_5_an_occurrence_older_than_a_minute_is_skipped_and_reported,
    rule_5_after_a_long_run_the_last_occurrence_runs_if_it_is_at_most_a_minute_old,
    rule_173_runs_missed_during_a_pause_are_not_made_up,
}

fn rule_4_a_service_never_overlaps_itself(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let inside = Arc::new(AtomicUsize::new(0));
    let (go, gate) = gate::<()>();
    let (entered, entering) = bounded(10);
    let counter = Arc::clone(&inside);
    let body = async move |ctx: Ctx<'_>| {
        assert_eq!(counter.fetch_add(1, Ordering::SeqCst), 0, "two runs at the same time");
        let _ = entered.send(());
        let _ = gate.wait(&ctx).await;
        counter.fetch_sub(1, Ordering::SeqCst);
    };
    runner.register(kind.waiting("s", body).interval("10s").max_restarts(0)).unwrap();
    // A second service with the same due times shows that the runner has processed them.
    runner.register(kind.service("witness", |_| {}).interval("10s")).unwrap();
    runner.start_all().unwrap();
    // The event of a run comes before its body begins.
    entering.recv_timeout(tests::TIMEOUT).expect("the first run begins");
    for _ in 0..5 {
        watcher.wait_for_run_end("witness");
        clock.advance(secs(10));
    }
    assert!(matches!(runner.run_now("s"), Err(ControlError::Busy { .. })));
    runner.start("s").unwrap();
    runner.start_all().unwrap();
    assert_eq!((inside.load(Ordering::SeqCst), info(&runner, "s").runs), (1, 1));
    // Ends this run and every later one.
    drop(go);
    watcher.wait_for_run_end("s");
    assert_eq!(info(&runner, "s").crashes, 0);
    runner.stop_all();
}

fn rule_4_and_27_a_late_service_delays_no_other(kind: Kind) {
    let begun = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&begun);
    let punctual = move |ctx: &Context| record.lock().unwrap().push(ctx.tick().lateness);
    let mut t = in_virtual_time([
        kind.waiting("a", async |ctx: Ctx<'_>| assert!(ctx.sleep(secs(100)).await)).interval("1s"),
        kind.service("b", |_| Err::<(), _>("no")).interval("1s").backoff("1ms"),
        kind.service("c", punctual).interval("1s"),
    ]);
    t.advance("1h");
    assert_eq!(t.runs("a"), 36 + 1, "it never overlaps itself");
    let begun = begun.lock().unwrap();
    assert_eq!(begun.len(), 3_601);
    assert!(begun.iter().all(|late| late.is_zero()));
}

fn rule_5_missed_runs_are_skipped_counted_and_reported_once(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let body = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(kind.waiting("s", body).interval("10s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    clock.advance(secs(35));
    go.send(()).unwrap();
    watcher.wait_for_change("s", &Change::Skipped { count: 3 });
    let info = info(&runner, "s");
    assert_eq!((info.skipped, info.runs), (3, 1));
    assert_eq!(info.next_due, Some(SystemTime::UNIX_EPOCH + secs(40)), "the grid has not moved");
    clock.advance(secs(5));
    go.send(()).unwrap();
    watcher.wait_for_run_end("s");
    runner.stop_all();
    let all = watcher.changes("s");
    let skips = all.iter().filter(|change| matches!(change, Change::Skipped { .. })).count();
    let runs = all.iter().filter(|change| matches!(change, Change::RunBegan { .. })).count();
    assert_eq!((skips, runs), (1, 2), "{all:#?}");
}

fn rule_5_a_long_gap_is_followed_by_a_single_late_run(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("s", |_| {}).interval("10s")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    clock.advance(secs(3_605));
    let late = watcher.wait_for_run_begin("s");
    let trigger = RunTrigger::Schedule;
    assert_eq!(late.change, Change::RunBegan { run: 2, lateness: secs(3_595), trigger, by: None });
    watcher.wait_for_run_end("s");
    // 20, 30 .. 3600.
    watcher.wait_for_change("s", &Change::Skipped { count: 359 });
    assert_eq!(info(&runner, "s").next_due, Some(SystemTime::UNIX_EPOCH + secs(3_610)));
    runner.stop_all();
    assert_eq!(info(&runner, "s").runs, 2);
}

fn rule_5_a_run_longer_than_its_period_is_not_followed_by_a_burst(kind: Kind) {
    let sleep = |name: &'static str, length| {
        kind.waiting(name, async move |ctx: Ctx<'_>| assert!(ctx.sleep(millis(length)).await))
    };
    let mut t = in_virtual_time([
        sleep("cron", 2_500).cron("* * * * * *"),
        sleep("interval", 1_500).interval("1s"),
        sleep("delay", 2_500).delay("1s"),
    ]);
    let origin = t.now();
    t.advance("8750ms");
    // A recently missed occurrence runs late; an interval continues at its next due time; a delay
    // counts from the end of the run.
    assert_eq!(starts(&t, "cron", origin), [1.0, 3.5, 6.0, 8.5]);
    assert_eq!(starts(&t, "interval", origin), [0.0, 2.0, 4.0, 6.0, 8.0]);
    assert_eq!(starts(&t, "delay", origin), [0.0, 3.5, 7.0]);
    let late = t.info("cron").lateness;
    assert_eq!((late.last, late.max), (millis(500), millis(500)));
    // The occurrences at 2, 4, 5 and 7 s, and the due times of the grid at 1, 3, 5 and 7 s.
    assert_eq!(["cron", "interval", "delay"].map(|name| t.info(name).skipped), [4, 4, 0]);
    assert_eq!(["cron", "interval", "delay"].map(|name| t.crashes(name)), [0; 3]);
}

fn rule_5_a_run_that_ends_at_its_next_due_time_makes_nothing_late(kind: Kind) {
    // The run ends at the instant at which the next one is due.
    let sleep = async |ctx: Ctx<'_>| assert!(ctx.sleep(secs(1)).await);
    let mut t = in_virtual_time([
        kind.waiting("cron", sleep).cron("* * * * * *"),
        kind.waiting("interval", sleep).interval("1s"),
    ]);
    t.advance("1m");
    for (name, runs) in [("cron", 60), ("interval", 61)] {
        let info = t.info(name);
        assert_eq!((info.runs, info.skipped, info.lateness.max), (runs, 0, secs(0)), "{name}");
    }
}

fn rule_5_an_occurrence_older_than_a_minute_is_skipped_and_reported(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("hourly", |_| {}).cron("@hourly").timezone("UTC")).unwrap();
    runner.start_all().unwrap();
    clock.set_wall(at(3 * 3_600 + 120));
    clock.advance(secs(30));
    watcher.wait_for_change("hourly", &Change::Skipped { count: 3 });
    let hourly = info(&runner, "hourly");
    assert_eq!((hourly.runs, hourly.skipped), (0, 3));
    assert_eq!(hourly.next_due, Some(at(4 * 3_600)));
}

fn rule_5_after_a_long_run_the_last_occurrence_runs_if_it_is_at_most_a_minute_old(kind: Kind) {
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
        let mut t = test.service(kind.service("s", |_| {}).cron(cron)).build().unwrap();
        t.slow_next("s", length);
        while t.runs("s") < 2 {
            t.run_next();
        }
        let info = t.info("s");
        let (skips, lateness) = (info.skipped, info.lateness.last);
        assert_eq!((skips, lateness), (skipped, secs(late)), "{length}:\n{}", t.timeline());
        t.advance("1d");
        assert_eq!(t.info("s").skipped, skipped, "it continues with the next occurrence");
    }
}

fn rule_173_runs_missed_during_a_pause_are_not_made_up(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("cron", |_| {}).cron("* * * * * *"),
        kind.service("interval", |_| {}).interval("1s"),
        kind.service("delay", |_| {}).delay("1s"),
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
    assert_eq!(starts(&t, "cron", origin), [1.0, 2.0, 23.0, 24.0]);
    assert_eq!(starts(&t, "interval", origin), [0.0, 1.0, 2.0, 23.0, 24.0]);
    // The delay after its last run has passed.
    assert_eq!(starts(&t, "delay", origin), [0.0, 1.0, 2.0, 22.5, 23.5, 24.5]);
}
