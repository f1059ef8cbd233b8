//! A stress test: three hundred services panic, block, return errors, stop themselves and each
//! other, while ten threads start, stop, restart and pause them at random. Afterwards all counts
//! add up, and no threads or memory have leaked.
//!
//! It takes a few seconds in the suite. `SOAK=60s` sets the length, `SOAK_SEED=7` repeats the
//! random numbers (not the scheduling of threads), and `-- --nocapture` shows the figures.
#![cfg(target_os = "linux")]

use std::env;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tests::rng::Rng;
use tests::{Stopwatch, TIMEOUT, info, process, secs, until};
use tina4_service::Runner;

use self::counters::Counters;
use self::events::{Counter, Events};
use self::log::Lines;
use self::memory::Memory;
use self::services::RunnerSlot;

mod counters;
mod events;
mod log;
mod memory;
mod requests;
mod services;

const SERVICES: u64 = 300;
const THREADS: u64 = 10;
/// The rounds of requests to one runner.
const ROUNDS: usize = 4;
/// The name of the runner's threads, which is not the name of this program's main thread.
const THREAD_NAME: &str = "chaos";

/// How many bytes the heap may grow from round to round of one runner, because queues keep their
/// capacity.
const ROUND_SLACK: i64 = 16 << 10;
/// How many bytes the heap may grow from one runner to the next, for the same reason.
const HEAP_SLACK: i64 = 64 << 10;
/// How many MiB the resident memory may grow, because the allocator keeps pages of threads that
/// have ended. `SOAK_RESIDENT` changes it for sanitizers, which need memory, too.
const RESIDENT_SLACK: i64 = 32;

/// The runtime of the async services. It outlives the runners, so that it does not count as theirs.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .thread_name("tasks")
        .enable_time()
        .build()
        .expect("threads for the runtime")
});

fn setting<T>(name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(read(&text).unwrap_or_else(|| panic!("`{name}` cannot be `{text}`")))
}

#[test]
fn after_random_requests_all_counts_add_up_and_nothing_has_leaked() {
    let length = setting("SOAK", |text| humantime::parse_duration(text).ok()).unwrap_or(secs(4));
    let seed = setting("SOAK_SEED", |text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(THREAD_NAME));
    let resident = setting("SOAK_RESIDENT", |text| text.parse().ok()).unwrap_or(RESIDENT_SLACK);
    println!("SOAK_SEED={seed}");
    quiet_panics();
    log::listen();

    // The memory that a short-lived runner leaves behind is a fixed cost of the process. A
    // long-lived one must add nothing.
    let Lifetime { after: before, .. } = lifetime(length / 10, seed);
    let Lifetime { after, grown, lines, events } = lifetime(length - length / 10, !seed);
    // Nor may a round leave more behind than the rounds before it, once those were long enough to
    // reach every service.
    assert!(grown < ROUND_SLACK, "the heap has grown within one runner, by {grown} bytes");
    println!("before: {before}\n after: {after}");
    assert!(after.heap - before.heap < HEAP_SLACK, "the heap has grown");
    assert!(after.resident - before.resident < resident << 20, "resident memory has grown");
    // Every kind of end occurred.
    let Lines { stopped, finished, failed, abandoned, .. } = lines;
    let Events { crashed_by_error, crashed_by_panic, cancelled, .. } = events;
    let crashed = [crashed_by_error, crashed_by_panic, cancelled, lines.dropped];
    for count in [stopped, finished, failed, abandoned].into_iter().chain(crashed) {
        assert!(count > 0, "{lines:?} {events:?}");
    }
}

/// The result of one runner.
struct Lifetime {
    /// The memory after its end.
    after: Memory,
    /// The smaller heap after the last two rounds minus the larger one after the first two, without
    /// texts that are kept on purpose.
    grown: i64,
    /// Its log lines.
    lines: Lines,
    /// Its events.
    events: Events,
}

/// Runs one runner, from the first service to the last thread.
fn lifetime(length: Duration, seed: u64) -> Lifetime {
    let runner = Runner::builder().only::<&str>([]).thread_name(THREAD_NAME);
    let runner = runner.runtime(RUNTIME.handle().clone()).build();
    let slot = RunnerSlot::default();
    slot.set(Some(runner.clone()));
    let counters = services::register(&runner, &slot, seed);
    let counter = Counter::new(&runner);
    let mut rng = Rng::new(seed);
    let mut next_round = || round(&runner, &counters, length / ROUNDS as u32, rng.split());
    let after: [Memory; ROUNDS] = std::array::from_fn(|_| next_round());
    after.iter().for_each(|memory| println!("after a round: {memory}"));
    let [first, second, third, last] = after.map(|memory| memory.heap);
    let grown = third.min(last) - first.max(second);
    let (lines, events) = (log::take(), counter.end(&runner));
    check(&runner, &counters, &lines, &events);
    slot.set(None);
    drop((slot, runner, counters));
    Lifetime { after: Memory::now(), grown, lines, events }
}

/// Ten threads make random requests for this long; then all services stop and all threads end.
fn round(runner: &Runner, counters: &[Arc<Counters>], length: Duration, mut rng: Rng) -> Memory {
    let stopwatch = Stopwatch::start();
    let (done, end) = crossbeam_channel::unbounded();
    for _ in 0..THREADS {
        let (runner, done, rng) = (runner.clone(), done.clone(), rng.split());
        tests::spawn(move || {
            let asked = requests::request_until(&runner, rng, || stopwatch.elapsed() >= length);
            let _ = done.send(asked);
        });
    }
    drop(done);
    let mut asked = 0;
    for _ in 0..THREADS {
        // This also fails if a thread has panicked because of an invalid answer.
        asked += end.recv_timeout(length + TIMEOUT).expect("every request returns");
    }
    let most = process::threads(THREAD_NAME).len();
    let stopper = runner.clone();
    let report = tests::within("the stop of all services", move || stopper.stop_all());
    assert!(!report.in_progress);
    for service in report.abandoned() {
        assert!(services::ignores_stop(&service.name), "{report}");
    }
    let runs: u64 = counters.iter().map(|counters| counters.begun()).sum();
    println!("{asked} requests, {runs} runs so far, {most} threads at the end");
    until("abandoned runs have ended, and no thread is left", || {
        process::threads(THREAD_NAME).is_empty()
    });
    let texts = texts(runner);
    let Memory { heap, resident } = Memory::now();
    Memory { heap: heap - texts, resident }
}

/// The bytes that the runner keeps on purpose: the last error of each service. With backtraces, the
/// text of a panic takes several kilobytes, and the number of services that end with a panic is
/// random.
fn texts(runner: &Runner) -> i64 {
    let services = runner.services();
    let texts = services.iter().filter_map(|service| service.last_error.as_deref());
    texts.map(|text| i64::try_from(text.len()).expect("short")).sum()
}

/// Checks that all counts add up.
fn check(runner: &Runner, all: &[Arc<Counters>], lines: &Lines, events: &Events) {
    println!("{lines:?}\n{events:?}");
    assert_eq!(lines.missing, 0, "log lines are missing");
    let mut total = Total::default();
    for counters in all {
        let (name, info) = (counters.name(), info(runner, counters.name()));
        assert!(!info.state.is_active(), "{name} is {}", info.state);
        counters.check();
        // A task that is dropped before its first poll does not enter its function.
        let unentered = info.runs - counters.begun();
        assert!(unentered == 0 || services::may_be_dropped(name), "runs of {name}");
        let cancelled = counters.good() + counters.dropped() + unentered;
        let cancelled = if services::is_cancelled(name) { cancelled } else { 0 };
        assert!(info.crashes <= counters.crashed() + cancelled, "crashes of {name}");
        total.runs += counters.begun();
        total.good += counters.good();
        total.errors += counters.errors();
        total.panics += counters.panics();
        total.dropped += counters.dropped();
        total.cleaned_up += counters.cleaned_up();
        total.crashes += info.crashes;
        total.restarts += info.restarts;
    }
    println!("{total:?}");
    assert_eq!(total.runs, total.good + total.errors + total.panics + total.dropped);
    // Every activation began once, ended once, and was cleaned up once.
    let Lines { started, stopped, dropped, finished, failed, abandoned, late, .. } = *lines;
    assert_eq!(started, stopped + dropped + finished + failed + abandoned);
    assert_eq!(started, total.cleaned_up);
    assert_eq!(abandoned, late, "abandoned runs that have ended");
    // Every crash was reported once: as a crash, or as a panic after a stop request. An error after
    // a stop request is no crash and is not reported. Cancelled runs return well here.
    assert!(events.agree(total.crashes, events.crashed()));
    assert!(events.agree(total.panics, events.crashed_by_panic + lines.panicked_while_stopping));
    assert!(total.errors >= events.crashed_by_error);
    let unreported = total.errors - events.crashed_by_error;
    assert!(unreported <= stopped + dropped + abandoned + events.missed);
    assert!(total.dropped > 0, "futures of runs were dropped");
    assert!(total.restarts <= total.crashes + events.returned + events.missed);
    // The log has a line for the first ones, and then counts them.
    assert!(0 < lines.crashed && lines.crashed <= total.crashes);
    assert!(lines.returned <= events.returned + events.missed);
}

#[derive(Debug, Default)]
struct Total {
    runs: u64,
    good: u64,
    errors: u64,
    panics: u64,
    dropped: u64,
    cleaned_up: u64,
    crashes: u64,
    restarts: u64,
}

/// Hides the thousands of intended panics, but not those of the test itself.
#[expect(clippy::disallowed_methods, reason = "thousands of intended panics would hide a real one")]
fn quiet_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_ours = |name: &str| name.starts_with(THREAD_NAME) || name == "tasks";
        let ours = std::thread::current().name().is_some_and(is_ours);
        if !ours {
            previous(panic);
        }
    }));
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heap, resident } = self;
        write!(f, "{heap} bytes allocated, {} KiB resident", resident >> 10)
    }
}
