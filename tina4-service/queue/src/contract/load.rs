//! [`Load`]: producers and consumers that never give up, while a test disturbs the server.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::backlog::Backlog;
use crate::clock;
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::new_job::NewJob;
use crate::retry_policy::RetryPolicy;
use crate::want::Want;

const QUEUE: &str = "numbers";

/// The queue of engines with which those of a test are compared.
const BESIDE: &str = "beside";

/// How many engines push, and how many claim and finish.
const PRODUCERS: usize = 3;
const CONSUMERS: usize = 3;

/// How long a claim lasts, and so how long at most a job waits whose claim nobody knows of.
const LEASE: Duration = Duration::from_secs(1);

/// The pause after an error, and when nothing is ready.
const PAUSE: Duration = Duration::from_millis(5);

/// Producers and consumers of one queue, each with an engine of its own, as processes have.
///
/// ```
/// use tina4_service_queue::{Engine, MemoryEngine};
/// use tina4_service_queue::contract::Load;
///
/// let memory = MemoryEngine::new();
/// let open = || -> Box<dyn Engine> { Box::new(memory.sibling()) };
/// let errors = Load::run(&open, |load| {
///     let speed = load.speed();
///     // .. disturb the server here ..
///     load.assert_recovers(speed, &open);
/// });
/// assert!(errors.is_empty());
/// ```
#[derive(Debug)]
pub struct Load {
    queue: &'static str,
    /// Nothing more is to be pushed.
    is_over: AtomicBool,
    /// Nothing more will be pushed.
    is_pushed: AtomicBool,
    /// The test has failed.
    is_given_up: AtomicBool,
    /// How many jobs each producer has pushed, and each consumer has done.
    progress: [AtomicUsize; PRODUCERS + CONSUMERS],
    /// Payloads whose push returned `Ok`, and payloads of finished jobs.
    pushed: Mutex<HashSet<String>>,
    done: Mutex<HashSet<String>>,
    errors: Mutex<Vec<String>>,
}

impl Load {
    /// Runs the load on engines with the same store, while `disturb` does its work. Then checks that each job that
    /// was pushed is done, and that nothing is left. Returns the errors of calls, which are not faults: a connection
    /// may be lost, a job must not.
    ///
    /// # Panics
    ///
    /// If a job is lost or left, or in `disturb`.
    pub fn run(
        open: &(dyn Fn() -> Box<dyn Engine> + Sync),
        disturb: impl FnOnce(&Self),
    ) -> Vec<String> {
        Self::run_on(QUEUE, open, disturb)
    }

    fn run_on(
        queue: &'static str,
        open: &(dyn Fn() -> Box<dyn Engine> + Sync),
        disturb: impl FnOnce(&Self),
    ) -> Vec<String> {
        let load = Self {
            queue,
            is_over: AtomicBool::new(false),
            is_pushed: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
            progress: Default::default(),
            pushed: Mutex::default(),
            done: Mutex::default(),
            errors: Mutex::default(),
        };
        let engines: Vec<_> = (0..PRODUCERS + CONSUMERS).map(|_| open()).collect();
        thread::scope(|scope| {
            let load = &load;
            let numbered = engines.iter().enumerate();
            let (producing, consuming): (Vec<_>, Vec<_>) =
                numbered.partition(|(number, _)| *number < PRODUCERS);
            let producers: Vec<_> = producing
                .into_iter()
                .map(|(number, engine)| scope.spawn(move || load.produce(number, &**engine)))
                .collect();
            for (number, engine) in consuming {
                scope.spawn(move || load.consume(number, &**engine));
            }
            let giving_up = GivingUp(load);
            disturb(load);
            drop(giving_up);
            load.is_over.store(true, Ordering::SeqCst);
            for producer in producers {
                producer.join().expect("no panic");
            }
            load.is_pushed.store(true, Ordering::SeqCst);
        });
        let (pushed, done) = (load.pushed.into_inner(), load.done.into_inner());
        let pushed = pushed.unwrap_or_else(PoisonError::into_inner);
        let done = done.unwrap_or_else(PoisonError::into_inner);
        let lost: Vec<_> = pushed.difference(&done).collect();
        assert_eq!(lost, [] as [&String; 0], "lost, of {}", pushed.len());
        let left = engines[0].backlog(queue, clock::system()).expect("they can be counted");
        assert_eq!(left, Backlog::default());
        load.errors.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn produce(&self, number: usize, engine: &dyn Engine) {
        for count in 0.. {
            if self.is_over.load(Ordering::SeqCst) || self.is_given_up.load(Ordering::SeqCst) {
                return;
            }
            let payload = format!("[{number},{count}]");
            match engine.push(&[NewJob::new(self.queue, &payload)], clock::system()) {
                Ok(_) => {
                    lock(&self.pushed).insert(payload);
                    self.progress[number].fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => self.failed(&error),
            }
        }
    }

    /// Claims and finishes jobs until there are none and no more will come.
    fn consume(&self, number: usize, engine: &dyn Engine) {
        let policy = RetryPolicy {
            attempts: 1000,
            backoff: Duration::from_millis(20),
            max_backoff: Duration::from_millis(20),
        };
        let want = Want { queue: self.queue, count: 4, lease: LEASE, policy: &policy };
        while !self.is_given_up.load(Ordering::SeqCst) {
            let is_pushed = self.is_pushed.load(Ordering::SeqCst);
            let turn = match engine.turn(&[], &[want], clock::system()) {
                Ok(turn) => turn,
                Err(error) => {
                    self.failed(&error);
                    continue;
                }
            };
            if turn.claims.is_empty() {
                // A claim that nobody knows of, because its answer was lost, comes back.
                if is_pushed && turn.next.is_none() {
                    return;
                }
                thread::park_timeout(PAUSE);
            }
            for claim in turn.claims {
                // The effect comes first: a finish that is lost repeats the job.
                lock(&self.done).insert(claim.payload);
                let ended = [Ended { held: claim.held, end: End::Done }];
                match engine.turn(&ended, &[], clock::system()) {
                    Ok(_) => drop(self.progress[number].fetch_add(1, Ordering::SeqCst)),
                    Err(error) => self.failed(&error),
                }
            }
        }
    }

    fn failed(&self, error: &dyn Display) {
        lock(&self.errors).push(error.to_string());
        thread::park_timeout(PAUSE);
    }

    fn counts(&self) -> [usize; PRODUCERS + CONSUMERS] {
        self.progress.each_ref().map(|count| count.load(Ordering::SeqCst))
    }

    /// How many jobs are pushed and done in half a second now, in sum.
    #[must_use]
    pub fn speed(&self) -> usize {
        let before = self.sum();
        let end = clock::monotonic() + Duration::from_millis(500);
        while clock::monotonic() < end {
            thread::park_timeout(Duration::from_millis(10));
        }
        self.sum() - before
    }

    fn sum(&self) -> usize {
        self.counts().iter().sum()
    }

    /// How many jobs are pushed and done in half a second now, and how many by new engines meanwhile.
    fn speed_beside_new(&self, open: &(dyn Fn() -> Box<dyn Engine> + Sync)) -> (usize, usize) {
        let mut speeds = (0, 0);
        Self::run_on(BESIDE, open, |new| {
            new.wait_for(10);
            let before = self.sum();
            let of_new = new.speed();
            speeds = (self.sum() - before, of_new);
        });
        speeds
    }

    /// Waits until each producer and each consumer works again, and all together at half this speed or more.
    ///
    /// Half, because other programs use the machine, too; that each one works is exact. They may use so much of it that
    /// this speed is not reached any more. So half the speed of new engines, on the same store at the same time, is
    /// enough: whoever has not recovered is slower than they are.
    ///
    /// # Panics
    ///
    /// If new engines reach half of this speed three times in a row after five seconds, and the others are not half as
    /// fast; or if all that takes longer than a minute.
    pub fn assert_recovers(&self, speed: usize, open: &(dyn Fn() -> Box<dyn Engine> + Sync)) {
        let start = clock::monotonic();
        let before = self.counts();
        let mut measured = Vec::new();
        let mut times_behind = 0;
        while times_behind < 3 && clock::monotonic() < start + Duration::from_secs(60) {
            // New ones compete with the others, so at first without them.
            let is_busy = clock::monotonic() > start + Duration::from_secs(5);
            let (own, enough) =
                if is_busy { self.speed_beside_new(open) } else { (self.speed(), speed) };
            measured.push((own, enough));
            let is_behind = is_busy && enough >= speed / 2 && own < enough / 2;
            times_behind = if is_behind { times_behind + 1 } else { 0 };
            let works = self.counts().iter().zip(before).all(|(now, before)| *now > before);
            if works && own >= enough / 2 {
                return;
            }
        }
        let last = lock(&self.errors).last().cloned();
        panic!(
            "not recovered: {before:?}, then {:?}; speeds, and what they are compared with, at first {speed}: {measured:?}; last error: {last:?}",
            self.counts()
        );
    }

    /// Waits until this many more jobs have been pushed and done.
    ///
    /// # Panics
    ///
    /// If that takes longer than a minute.
    pub fn wait_for(&self, count: usize) {
        let halves = |counts: [usize; PRODUCERS + CONSUMERS]| {
            let (pushed, done) = counts.split_at(PRODUCERS);
            (pushed.iter().sum::<usize>(), done.iter().sum::<usize>())
        };
        let before = halves(self.counts());
        let end = clock::monotonic() + Duration::from_secs(60);
        while clock::monotonic() < end {
            let now = halves(self.counts());
            if now.0 >= before.0 + count && now.1 >= before.1 + count {
                return;
            }
            thread::park_timeout(PAUSE);
        }
        panic!("no progress in a minute; last error: {:?}", lock(&self.errors).last());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the load if the test fails, which would wait for its threads otherwise.
struct GivingUp<'a>(&'a Load);

impl Drop for GivingUp<'_> {
    fn drop(&mut self) {
        self.0.is_given_up.store(thread::panicking(), Ordering::SeqCst);
    }
}
