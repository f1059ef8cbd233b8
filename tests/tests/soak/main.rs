//! Chaos: three hundred services that panic, block, return errors, stop themselves and each other,
//! and ten threads that start, stop, restart and pause them by chance. Afterwards everything adds
//! up, and nothing is left.
//!
//! A few seconds in the suite. `SOAK=60s` says how long, `SOAK_SEED=7` repeats the dice of a round
//! (not the order in which threads get their turn), and `-- --nocapture` shows the figures.
#![cfg(target_os = "linux")]

use std::env;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tests::{PATIENCE, Stopwatch, info, process, secs, until};
use tina4_service::Runner;

use self::dice::Dice;
use self::log::Lines;
use self::memory::Memory;
use self::seen::Seen;
use self::services::Slot;

mod dice;
mod log;
mod memory;
mod requests;
mod seen;
mod services;

const SERVICES: u64 = 300;
const THREADS: u64 = 10;
/// In each life.
const STORMS: usize = 4;
/// What the runner's threads are called: not as this program, whose first thread has its name.
const NAME: &str = "storm";

/// So much more may be left behind: capacities that grew with the longest queue. Between the storms
/// of one life, when they have grown, and between one life and the next.
const STORM_SLACK: i64 = 16 << 10;
const HEAP_SLACK: i64 = 64 << 10;
/// The allocator keeps pages of threads that are gone. In MiB; `SOAK_RESIDENT` says otherwise, for a
/// sanitizer needs memory of its own.
const RESIDENT_SLACK: i64 = 32;

fn setting<T>(name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(read(&text).unwrap_or_else(|| panic!("`{name}` cannot be `{text}`")))
}

#[test]
fn after_random_requests_all_counts_add_up_and_nothing_is_left() {
    let length = setting("SOAK", |text| humantime::parse_duration(text).ok()).unwrap_or(secs(4));
    let seed = setting("SOAK_SEED", |text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(NAME));
    let resident = setting("SOAK_RESIDENT", |text| text.parse().ok()).unwrap_or(RESIDENT_SLACK);
    println!("SOAK_SEED={seed}");
    quiet_panics();
    log::listen();

    // What a short life leaves behind belongs to the process. A long one must add nothing.
    let Life { after: before, .. } = life(length / 10, seed);
    let Life { after, grown, lines } = life(length - length / 10, !seed);
    // Nor does a storm leave behind more in the runner than those before it, once they were long
    // enough to reach every service.
    assert!(grown < STORM_SLACK, "the heap has grown within one life, by {grown} bytes");
    println!("before: {before}\n after: {after}");
    assert!(after.heap - before.heap < HEAP_SLACK, "the heap has grown");
    assert!(after.resident - before.resident < resident << 20, "resident memory has grown");
    // The storm was one.
    let Lines { stopped, finished, failed, abandoned, crashed_by_error, crashed_by_panic, .. } =
        lines;
    for count in [stopped, finished, failed, abandoned, crashed_by_error, crashed_by_panic] {
        assert!(count > 0, "{lines:?}");
    }
}

/// What is left of a life.
struct Life {
    /// What is in memory after it.
    after: Memory,
    /// By how much its heap after each of the last two storms exceeds the most after the first two,
    /// the texts that are kept on purpose left out.
    grown: i64,
    /// What its log said.
    lines: Lines,
}

/// The life of a runner, from the first service to the last thread.
fn life(length: Duration, seed: u64) -> Life {
    let runner = Runner::builder().only::<&str>([]).thread_name(NAME).build();
    let slot = Slot::default();
    slot.set(Some(runner.clone()));
    let seen = services::register(&runner, &slot, seed);
    let mut dice = Dice::new(seed);
    let mut storm = || storm(&runner, &seen, length / STORMS as u32, dice.split());
    let after: [Memory; STORMS] = std::array::from_fn(|_| storm());
    after.iter().for_each(|memory| println!("after a storm: {memory}"));
    let [first, second, third, last] = after.map(|memory| memory.heap);
    let grown = third.min(last) - first.max(second);
    let lines = log::take();
    check(&runner, &seen, &lines);
    slot.set(None);
    drop((slot, runner, seen));
    Life { after: Memory::now(), grown, lines }
}

/// Ten threads ask for anything, for so long; then everything stops, and every thread leaves.
fn storm(runner: &Runner, seen: &[Arc<Seen>], length: Duration, mut dice: Dice) -> Memory {
    let watch = Stopwatch::start();
    let (done, end) = crossbeam_channel::unbounded();
    for _ in 0..THREADS {
        let (runner, done, dice) = (runner.clone(), done.clone(), dice.split());
        tests::spawn(move || {
            let asked = requests::ask_until(&runner, dice, || watch.elapsed() >= length);
            let _ = done.send(asked);
        });
    }
    drop(done);
    let mut asked = 0;
    for _ in 0..THREADS {
        // Fails as well if a thread has died of what it was answered.
        asked += end.recv_timeout(length + PATIENCE).expect("every request returns");
    }
    let most = process::threads(NAME).len();
    let stopper = runner.clone();
    let report = tests::within("stop of everything", move || stopper.stop_all());
    assert!(!report.in_progress);
    for service in report.abandoned() {
        assert!(services::is_stubborn(&service.name), "{report}");
    }
    let runs: u64 = seen.iter().map(|seen| seen.begun()).sum();
    println!("{asked} requests, {runs} runs so far, {most} threads at the end");
    until("abandoned runs have ended, and no thread is left", || process::threads(NAME).is_empty());
    let texts = texts(runner);
    let Memory { heap, resident } = Memory::now();
    Memory { heap: heap - texts, resident }
}

/// What the runner keeps on purpose, in bytes: of each service the text of its last error. Where
/// backtraces are asked for, that of a panic has kilobytes, and it is by chance who ends with one.
fn texts(runner: &Runner) -> i64 {
    let services = runner.services();
    let texts = services.iter().filter_map(|service| service.last_error.as_deref());
    texts.map(|text| i64::try_from(text.len()).expect("short")).sum()
}

/// Everything adds up.
fn check(runner: &Runner, all: &[Arc<Seen>], lines: &Lines) {
    println!("{lines:?}");
    assert_eq!(lines.missing, 0, "log lines are missing");
    let mut total = Total::default();
    for seen in all {
        let (name, known) = (seen.name(), info(runner, seen.name()));
        assert!(!known.state.is_active(), "{name} is {}", known.state);
        seen.check();
        assert_eq!(known.runs, seen.begun(), "runs of {name}");
        assert!(known.crashes <= seen.crashed(), "crashes of {name}");
        total.runs += seen.begun();
        total.good += seen.good();
        total.errors += seen.errors();
        total.panics += seen.panics();
        total.cleaned_up += seen.cleaned_up();
        total.crashes += known.crashes;
        total.restarts += known.restarts;
    }
    println!("{total:?}");
    assert_eq!(total.runs, total.good + total.errors + total.panics);
    // Every activation began once, ended once, and was cleaned up once.
    let Lines { started, stopped, finished, failed, abandoned, late, .. } = *lines;
    assert_eq!(started, stopped + finished + failed + abandoned);
    assert_eq!(started, total.cleaned_up);
    assert_eq!(abandoned, late, "abandoned runs that have ended");
    // Every crash was told once: as a crash, or as a panic on the way out. An error that a run
    // returns on its way out is none, and nobody tells it.
    assert_eq!(total.crashes, lines.crashed_by_error + lines.crashed_by_panic);
    assert_eq!(total.panics, lines.crashed_by_panic + lines.panicked_while_stopping);
    assert!(total.errors >= lines.crashed_by_error);
    assert!(total.errors - lines.crashed_by_error <= stopped + abandoned);
    assert!(total.restarts <= total.crashes + lines.returned);
}

#[derive(Debug, Default)]
struct Total {
    runs: u64,
    good: u64,
    errors: u64,
    panics: u64,
    cleaned_up: u64,
    crashes: u64,
    restarts: u64,
}

/// The panics are wanted, and thousands; those of the test itself are not.
#[expect(clippy::disallowed_methods, reason = "thousands of panics would bury the one that counts")]
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let ours = std::thread::current().name().is_some_and(|name| name.starts_with(NAME));
        if !ours {
            usual(panic);
        }
    }));
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heap, resident } = self;
        write!(f, "{heap} bytes allocated, {} KiB resident", resident >> 10)
    }
}
