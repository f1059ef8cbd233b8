//! Rules 8 and 52: what the runner costs when there is nothing to do, and when there is little.
//! One test at a time: they measure.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tests::{Watch, info, millis, pause, process, secs, until};
use tina4_service::{Change, Context, Runner, Service};

/// Only one test of this file runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An empty runner whose threads can be told from all others.
fn runner(threads: &str) -> Runner {
    Runner::builder().only::<&str>([]).thread_name(threads).build()
}

/// Waits for stop.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

#[test]
fn rule_8_nothing_polls() {
    let _alone = alone();
    let runner = runner("calm");
    let mut watch = Watch::new(&runner);
    // Everything that waits: for an interval, a delay, an initial delay, a flow, a restart, a
    // resume, a service that is not up, and in a body.
    runner.register(Service::new("interval", |_| {}).interval("1h"));
    runner.register(Service::new("delay", |_| {}).delay("1h"));
    runner.register(Service::new("initial", |_| {}).initial_delay("1h"));
    runner.register(Service::new("held", |_| {}).after("initial"));
    runner.register(Service::new("flow", |_| tina4_service::Flow::After(secs(3_600))));
    let crash = Service::new("crash", |_| Err::<(), _>("no"));
    runner.register(crash.backoff("60s"));
    runner.register(Service::new("paused", |_| {}).interval("1ms"));
    runner.register(Service::new("sleeps", obedient));
    let select = |ctx: &Context| crossbeam_channel::select! { recv(ctx.stopping()) -> _ => {} };
    runner.register(Service::new("selects", select).timeout("1h"));
    runner.start_all().unwrap();
    for name in ["interval", "delay", "flow", "crash", "paused"] {
        watch.ended(name);
    }
    for name in ["sleeps", "selects"] {
        watch.began(name);
    }
    runner.pause("paused").unwrap();
    // Somebody waits for the end of it all, and somebody for a stop: they do not poll either.
    for wait in [Runner::wait as fn(&Runner), Runner::wait] {
        let runner = runner.clone();
        tests::spawn(move || wait(&runner));
    }
    // Idle workers leave after some seconds; from then on there is nothing to do.
    until("those that have nothing to do have left", || {
        let before = process::threads("calm");
        pause(millis(300));
        let (after, sleeping) = (process::threads("calm"), process::switches(&before));
        pause(millis(300));
        before == after && process::switches(&after) == sleeping && after.len() <= 5
    });
    let threads = process::threads("calm");
    let (switches, cpu) = (process::switches(&threads), process::cpu(&threads));
    pause(secs(2));
    assert_eq!(process::threads("calm"), threads, "nobody came or went");
    assert_eq!(process::switches(&threads), switches, "nobody woke");
    assert_eq!(process::cpu(&threads), cpu, "no processor was used");
    assert!(runner.is_running("held"));
    assert!(runner.stop_all().is_clean());
}

/// Rule 52: the worker that waits for a due time runs the service itself. Where two threads take
/// part in every run, there are at least two switches for each, in every window.
#[test]
fn rule_52_a_short_body_costs_one_wake_up_per_run() {
    let _alone = alone();
    let runner = runner("short");
    let mut watch = Watch::new(&runner);
    let runs = Arc::new(AtomicUsize::new(0));
    // Two of them, so that something else is due soon whenever one of them runs.
    for (name, delay) in [("s", 1), ("t", 2)] {
        let counter = Arc::clone(&runs);
        let body = move |_: &Context| {
            counter.fetch_add(1, Ordering::SeqCst);
        };
        let service = Service::new(name, body).interval("2ms");
        runner.register(service.initial_delay(millis(delay)));
    }
    runner.start_all().unwrap();
    let mut measured = Vec::new();
    // Short windows, and the best of many: a body during which the machine did something else was
    // not short, and it takes some runs until it counts as short again.
    for window in 1..=100 {
        let threads = process::threads("short");
        let (before, first) = (process::switches(&threads), runs.load(Ordering::SeqCst));
        watch.until(
            "s",
            |change| matches!(change, Change::RunEnded { run, .. } if *run >= 40 * window),
        );
        let count = runs.load(Ordering::SeqCst) - first;
        let switches = process::switches(&threads) - before;
        if process::threads("short") != threads {
            // Who came or went was not counted: this window says nothing.
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let each = switches as f64 / count as f64;
        measured.push(each);
        if each < 1.5 {
            println!("switches per run: {measured:?}");
            assert_eq!(info(&runner, "s").crashes, 0);
            runner.stop_all();
            return;
        }
    }
    panic!("switches per run: {measured:?}");
}
