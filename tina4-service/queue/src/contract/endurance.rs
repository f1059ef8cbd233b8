//! [`Endurance`]: how long claims take at a steady rate, beside many jobs, and while something disturbs the store.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::claim::Claim;
use crate::clock;
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::new_job::NewJob;
use crate::retry_policy::RetryPolicy;
use crate::want::Want;

const QUEUE: &str = "numbers";
const LEASE: Duration = Duration::from_secs(60);

/// How many threads push, on one engine: each push waits for its commit.
const PRODUCERS: u32 = 4;

/// A pause of a busy machine, which a short run allows for.
const PAUSE: Duration = Duration::from_millis(10);

/// How many jobs are pushed, and how many die, in one call.
const CHUNK: usize = 1_000;

/// A steady load, of which the claims are measured.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_queue::MemoryEngine;
/// use tina4_service_queue::contract::Endurance;
///
/// let memory = MemoryEngine::new();
/// let endurance = Endurance { rate: 500, beside: 100, time: Duration::from_millis(200) };
/// let (start, end) = endurance.run(&|| Box::new(memory.sibling()), || "held meanwhile");
/// println!("before: {start}; at the end: {end}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Endurance {
    /// How many jobs are pushed, claimed and done in a second.
    pub rate: u32,
    /// How many delayed and how many dead jobs are there beside.
    pub beside: usize,
    /// For how long claims are disturbed. A fifth of it is measured: before, and at the end.
    pub time: Duration,
}

/// How long claims took.
#[derive(Clone, Copy, Debug)]
pub struct ClaimTimes {
    /// Half of them were not longer.
    pub p50: Duration,
    /// 99 of 100 were not longer.
    pub p99: Duration,
    /// How many jobs were claimed.
    pub jobs: usize,
}

impl fmt::Display for ClaimTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, jobs } = self;
        write!(f, "{jobs} jobs, claim p50 {p50:.1?}, p99 {p99:.1?}")
    }
}

impl Endurance {
    /// 500 jobs a second: for this number of seconds beside 100,000 delayed and as many dead jobs, or short for the tests
    /// of every day.
    ///
    /// # Panics
    ///
    /// If the text is not a number.
    #[must_use]
    pub fn planned(seconds: Option<&str>) -> Self {
        let (seconds, beside) = match seconds {
            Some(seconds) => (seconds.parse().expect("a number of seconds"), 100_000),
            None => (5, 5_000),
        };
        Self { rate: 500, beside, time: Duration::from_secs(seconds) }
    }

    /// Prints the times of claims, and checks that they have not grown to more than three times of what they were: those
    /// of 99 of 100, and in a short run, where a pause of the machine is more than one of them, those of half.
    ///
    /// `run` calls [`Endurance::run`] on a new store. Of short runs, during which the machine may become busy, one of
    /// five has to be good: claims that become slow because of what is stored do so in each of them.
    ///
    /// # Panics
    ///
    /// If they have.
    pub fn assert_steady(&self, engine: &str, mut run: impl FnMut() -> (ClaimTimes, ClaimTimes)) {
        let is_long = self.time >= Duration::from_secs(60);
        let is_steady = (0..if is_long { 1 } else { 5 }).any(|_| {
            let (start, end) = run();
            println!("{engine}: before: {start}; at the end: {end}");
            if is_long { end.p99 <= 3 * start.p99 } else { end.p50 <= 3 * start.p50 + PAUSE }
        });
        assert!(is_steady, "{engine}: claims have become slow; the output has their times");
    }

    /// Runs the load on engines with the same store. `disturb` is called once the claims have been measured without
    /// it, and its result is kept until the end, such as an open transaction. Returns both measurements.
    ///
    /// # Panics
    ///
    /// If a call fails.
    pub fn run<T>(
        &self,
        open: &(dyn Fn() -> Box<dyn Engine> + Sync),
        disturb: impl FnOnce() -> T,
    ) -> (ClaimTimes, ClaimTimes) {
        let (engine, producing) = (open(), open());
        self.fill(&*engine);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let over = Over(&is_over);
            for number in 0..PRODUCERS {
                let (producing, is_over) = (&*producing, &is_over);
                scope.spawn(move || self.produce(number, producing, is_over));
            }
            let mut consumer = Consumer { engine: &*engine, ended: Vec::new() };
            let window = self.time / 5;
            // Until connections are there and plans are made.
            let _ = consumer.consume(window, self.rate);
            let start = consumer.consume(window, self.rate);
            let held = disturb();
            let _ = consumer.consume(self.time - window, self.rate);
            let end = consumer.consume(window, self.rate);
            drop(held);
            drop(over);
            (start, end)
        })
    }

    /// Adds the jobs beside.
    fn fill(&self, engine: &dyn Engine) {
        let hour = Duration::from_secs(3600);
        let policy = RetryPolicy::DEFAULT;
        let mut left = self.beside;
        while left > 0 {
            let count = left.min(CHUNK);
            left -= count;
            let delayed = NewJob { delay: hour, ..NewJob::new(QUEUE, "0") };
            engine.push(&vec![delayed; count], clock::system()).expect("jobs can be pushed");
            let dead = NewJob::new(QUEUE, "0");
            engine.push(&vec![dead; count], clock::system()).expect("jobs can be pushed");
            let want = Want { queue: QUEUE, count, lease: hour, policy: &policy };
            let turn = engine.turn(&[], &[want], clock::system()).expect("jobs can be claimed");
            let dead = |held| Ended { held, end: End::Dead { error: "planned".to_owned() } };
            let ended: Vec<_> = turn.claims.iter().map(|claim| dead(claim.held)).collect();
            assert_eq!(ended.len(), count);
            engine.turn(&ended, &[], clock::system()).expect("jobs can end");
        }
    }

    fn produce(&self, number: u32, engine: &dyn Engine, is_over: &AtomicBool) {
        let period = Duration::from_secs(1) * PRODUCERS / self.rate;
        let mut due = clock::monotonic() + period * number / PRODUCERS;
        while !is_over.load(Ordering::SeqCst) {
            wait_until(due);
            due = clock::monotonic().max(due + period);
            engine.push(&[NewJob::new(QUEUE, "1")], clock::system()).expect("jobs can be pushed");
        }
    }
}

/// Ends the producers, also if a claim fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Consumer<'a> {
    engine: &'a dyn Engine,
    /// What the next turn ends.
    ended: Vec<Ended>,
}

impl Consumer<'_> {
    /// Takes turns for a while, and measures those that claim.
    fn consume(&mut self, time: Duration, rate: u32) -> ClaimTimes {
        let policy = RetryPolicy::DEFAULT;
        let want = Want { queue: QUEUE, count: 100, lease: LEASE, policy: &policy };
        let mut jobs = 0;
        let mut times = Vec::new();
        let end = clock::monotonic() + time;
        let mut due = clock::monotonic();
        while due < end {
            wait_until(due);
            let start = clock::monotonic();
            due = start + Duration::from_secs(1) / rate;
            let turn = self.engine.turn(&self.ended, &[want], clock::system());
            let turn = turn.expect("jobs can be claimed");
            if !turn.claims.is_empty() {
                times.push(clock::monotonic() - start);
            }
            assert_eq!(turn.stale, [], "the lease is long");
            let done = |claim: &Claim| Ended { held: claim.held, end: End::Done };
            self.ended = turn.claims.iter().map(done).collect();
            jobs += self.ended.len();
        }
        times.sort_unstable();
        assert!(!times.is_empty(), "jobs were claimed");
        let part = |hundredths: usize| times[(times.len() - 1) * hundredths / 100];
        ClaimTimes { p50: part(50), p99: part(99), jobs }
    }
}

fn wait_until(instant: Instant) {
    loop {
        let left = instant.saturating_duration_since(clock::monotonic());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}
