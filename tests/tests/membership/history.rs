//! Rule 110: the memory of past runs does not grow with the number of runs or of services.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tests::{secs, until, wait};
use tina4_service::{
    Clock, Flow, HistoryLimits, Requester, RunOutcome, RunTrigger, Runner, Service,
};

use super::memory::Memory;
use super::{alone, until_runners_are_gone};

/// How much the heap may grow in between, because queues keep their capacity.
const HEAP_SLACK: i64 = 64 << 10;

#[test]
fn rule_110_a_million_runs_back_to_back_keep_history_and_memory_flat() {
    const RUNS: u64 = 1_000_000;
    let _alone = alone();
    let runner = Runner::new();
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let body = |_: &_| match BEGUN.fetch_add(1, Ordering::Relaxed) + 1 {
        1_000 => Err("no"),
        RUNS => Ok(Flow::Done),
        _ => Ok(Flow::Again),
    };
    runner.register(Service::new("s", body).backoff("1ms")).unwrap();
    runner.start_all().unwrap();
    until("the first runs are over", || BEGUN.load(Ordering::Relaxed) > RUNS / 10);
    let before = Memory::now();
    wait(&runner);
    let grown = Memory::now().heap - before.heap;
    let history = runner.history("s").unwrap();
    println!("{grown} bytes in {} runs; {} records", RUNS / 10 * 9, history.runs.len());
    assert!(grown <= HEAP_SLACK, "the heap grew by {grown} bytes");
    assert!(history.runs.len() <= 20, "{history:#?}");
    let last = history.runs.last().unwrap();
    assert_eq!((last.run + last.count - 1, last.outcome), (RUNS, RunOutcome::Ok));
    assert!(last.count > 1_000, "{last:#?}");
    let failures: Vec<_> = history.failures.iter().map(|failure| failure.run).collect();
    assert_eq!(failures, [1_000]);
}

/// A hundred thousand services, each of which runs and fails a few times.
#[test]
fn rule_110_the_limits_of_the_runner_hold_with_a_hundred_thousand_services() {
    const SERVICES: u64 = 100_000;
    /// What the documentation of `HistoryLimits` says.
    const MOST: i64 = 5 << 20;
    let _alone = alone();
    static ENDED: AtomicU64 = AtomicU64::new(0);
    let hours = |with_history: bool| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut builder = Runner::builder().only::<&str>([]).max_threads(2).clock(clock.clone());
        if !with_history {
            builder = builder.history(HistoryLimits::off());
        }
        let runner = builder.build();
        for number in 0..SERVICES {
            let body = move |ctx: &tina4_service::Context| {
                ENDED.fetch_add(1, Ordering::Relaxed);
                // Different texts, each too long to be kept as it is.
                match ctx.tick().run {
                    2 if number % 4 == 0 => Err(format!("{number:>2000}")),
                    _ => Ok(()),
                }
            };
            let service = Service::new(format!("service-{number}"), body).interval("1h");
            runner.register(service.backoff("1h").max_backoff("1h")).unwrap();
        }
        ENDED.store(0, Ordering::Relaxed);
        runner.start_all().unwrap();
        for hour in 1..=3 {
            until("all have run", || ENDED.load(Ordering::Relaxed) == hour * SERVICES);
            until("the last one has ended", || {
                runner.services().iter().all(|service| service.last_outcome.is_some())
            });
            clock.advance(secs(3_600));
        }
        until("all have run", || ENDED.load(Ordering::Relaxed) == 4 * SERVICES);
        runner
    };
    let before = Memory::now().heap;
    let without = hours(false);
    let plain = Memory::now().heap - before;
    assert!(without.history("service-0").unwrap().runs.is_empty());
    without.stop_all();
    drop(without);
    until_runners_are_gone();
    let before = Memory::now().heap;
    let with = hours(true);
    let used = Memory::now().heap - before - plain;
    println!("{used} bytes more than without a history, of {plain}");
    assert!(used <= MOST, "{used} bytes");
    let (mut runs, mut failures) = (0, 0);
    for number in 0..SERVICES {
        let history = with.history(&format!("service-{number}")).unwrap();
        assert!(history.runs.iter().all(|run| run.trigger != RunTrigger::Manual));
        runs += history.runs.len();
        failures += history.failures.len();
    }
    assert_eq!((runs, failures), (10_000, 2_500));
    with.stop_all();
}

/// Ten thousand runs, each requested by somebody else, with texts as long as they can be.
#[test]
fn rule_110_and_113_requesters_in_the_history_have_a_bound() {
    const SERVICES: u64 = 500;
    const RUNS: u64 = 20;
    /// What the documentation of `HistoryLimits` says of this many runs without failures.
    const MOST: i64 = (SERVICES * RUNS) as i64 * (160 + 300);
    let _alone = alone();
    static ENDED: AtomicU64 = AtomicU64::new(0);
    let requested = |limits: HistoryLimits| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let builder = Runner::builder().only::<&str>([]).max_threads(2).clock(clock);
        let runner = builder.history(limits).build();
        for number in 0..SERVICES {
            let body = |_: &_| {
                ENDED.fetch_add(1, Ordering::Relaxed);
            };
            let service = Service::new(format!("service-{number}"), body);
            runner.register(service.interval("1h").initial_delay("1h")).unwrap();
        }
        ENDED.store(0, Ordering::Relaxed);
        runner.start_all().unwrap();
        for run in 1..=RUNS {
            for number in 0..SERVICES {
                let text = "\u{1b}".repeat(200);
                let requester = Requester::new(format!("{number}{text}"));
                let requester = requester.because(format!("{run}{text}"));
                runner.on_behalf_of(requester).run_now(&format!("service-{number}")).unwrap();
            }
            until("all have run", || ENDED.load(Ordering::Relaxed) == run * SERVICES);
            until("the last one has ended", || {
                runner.services().iter().all(|service| service.succeeded == run)
            });
        }
        runner
    };
    // All runners are kept until the end, so that nothing is freed meanwhile. The first one pays for what is
    // allocated once in a process.
    let first = requested(HistoryLimits::off());
    let before = Memory::now().heap;
    let without = requested(HistoryLimits::off());
    let plain = Memory::now().heap - before;
    let before = Memory::now().heap;
    let with = requested(HistoryLimits::new());
    let used = Memory::now().heap - before - plain;
    println!("{used} bytes more than without a history, of {plain}");
    let runs = with.history("service-0").unwrap().runs;
    assert!(runs.len() as u64 == RUNS && runs.iter().all(|run| run.by.is_some()), "{runs:#?}");
    assert!(used <= MOST, "{used} bytes");
    for runner in [first, without, with] {
        runner.stop_all();
    }
}
