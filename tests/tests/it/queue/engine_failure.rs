//! A queue service whose engine fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::queue::{
    Capabilities, DeadSelection, Ended, Engine, Held, NewJob, Timestamp, Turn, Want,
};
use tina4_service::testing::{Builder, TestRunner};
use tina4_service::{
    Backlog, Change, Context, DeadJob, EngineError, Job, JobId, MemoryEngine, Pushed, Queue,
    Service, State, Stopped, WeakRunner,
};

pub(super) const WORDS: Queue<String> = Queue::new("words");

/// An engine that fails while the switch is on, and counts the turns.
pub(super) struct Flaky {
    engine: MemoryEngine,
    pub(super) is_broken: Arc<AtomicBool>,
    /// While this is on, another transaction has locked all jobs that are to end.
    pub(super) is_locked: Arc<AtomicBool>,
    /// After how many failed calls it works again; 0: not by itself.
    pub(super) recovers_after: Arc<AtomicU64>,
    panics: bool,
    turns: Arc<AtomicU64>,
    /// The runner whose service is stopped during the next turn that claims something.
    stops: Arc<OnceLock<WeakRunner>>,
}

impl Flaky {
    fn try_it(&self) -> Result<(), EngineError> {
        if !self.is_broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        let was = self.recovers_after.load(Ordering::Relaxed);
        self.recovers_after.store(was.saturating_sub(1), Ordering::Relaxed);
        if was == 1 {
            self.is_broken.store(false, Ordering::Relaxed);
        }
        assert!(!self.panics, "the engine panicked");
        Err(EngineError::Failed { engine: "flaky", source: "the server is gone".into() })
    }
}

impl Engine for Flaky {
    fn name(&self) -> &'static str {
        "flaky"
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn owner(&self) -> &str {
        self.engine.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.engine.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.try_it()?;
        let is_locked = self.is_locked.load(Ordering::Relaxed);
        let mut turn = self.engine.turn(if is_locked { &[] } else { ended }, wants, now)?;
        if is_locked {
            turn.locked = ended.iter().map(|ended| ended.held).collect();
        }
        if let Some(runner) = self.stops.get().and_then(WeakRunner::upgrade)
            && !turn.claims.is_empty()
        {
            let stopped = runner.stop("words").expect("it is known");
            assert_eq!(stopped, Stopped::Requested, "the service waits for this turn");
        }
        Ok(turn)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.try_it()?;
        self.engine.renew(held, lease, now)
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.engine.backlog(queue, now)
    }

    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        self.engine.dead(queue, after, limit)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.engine.purge(queue, which, now)
    }
}

impl Flaky {
    pub(super) fn new(panics: bool) -> Self {
        Self {
            engine: MemoryEngine::new(),
            is_broken: Arc::default(),
            is_locked: Arc::default(),
            recovers_after: Arc::default(),
            panics,
            turns: Arc::default(),
            stops: Arc::default(),
        }
    }
}

/// A builder with an engine, its switch, and the number of its turns.
pub(super) fn flaky(panics: bool) -> (Builder, Arc<AtomicBool>, Arc<AtomicU64>) {
    let engine = Flaky::new(panics);
    let (is_broken, turns) = (Arc::clone(&engine.is_broken), Arc::clone(&engine.turns));
    (virtual_time_builder().queues(engine), is_broken, turns)
}

fn sleep(ctx: &Context, job: Job<String>) {
    if job.as_str() == "sleep" {
        let _ = ctx.sleep(Duration::from_secs(20));
    }
}

async fn sleep_async(ctx: &Context, job: Job<String>) {
    if job.as_str() == "sleep" {
        let _ = ctx.sleep_async(Duration::from_secs(20)).await;
    }
}

fn service() -> Service {
    Service::of("words", sleep).queue(WORDS)
}

fn async_service() -> Service {
    Service::of("words", sleep_async).queue(WORDS)
}

pub(super) fn push(t: &mut TestRunner, word: &str) {
    t.push(WORDS, &word.to_owned());
}

/// After how many seconds the service crashed.
pub(super) fn crashes(t: &TestRunner) -> Vec<u64> {
    let origin = t.time("2026-01-01T00:00:00Z");
    let events = t.events().into_iter();
    let crashes = events.filter(|event| matches!(event.change, Change::Crashed { .. }));
    crashes.map(|event| (event.at - origin).as_secs()).collect()
}

#[test]
fn rule_137_a_failing_engine_is_a_crash_with_the_usual_backoff() {
    for panics in [false, true] {
        for service in [service, async_service] {
            let (builder, is_broken, _) = flaky(panics);
            let mut t = builder
                .service(service())
                .service(Service::new("other", |_| {}).interval("1s"))
                .build()
                .unwrap();
            is_broken.store(true, Ordering::Relaxed);
            t.advance("100s");
            // 1, 2, 4 .. 60 s.
            assert_eq!(crashes(&t), [0, 1, 3, 7, 15, 31, 63]);
            assert_eq!(t.state("words"), State::BackingOff);
            let error = t.info("words").last_error.unwrap();
            let expected = if panics { "the engine panicked" } else { "the server is gone" };
            assert!(error.contains(expected), "{error}");
            assert_eq!(t.runs("other"), 101, "it delays nobody else");
            is_broken.store(false, Ordering::Relaxed);
            push(&mut t, "good");
            t.advance("60s");
            assert_eq!(t.jobs(WORDS).counters.done, 1);
            assert_eq!(t.state("words"), State::Running);
        }
    }
}

#[test]
fn rule_137_a_failed_job_is_no_crash() {
    fn fail(_job: Job<String>) -> Result<(), &'static str> {
        Err("it failed")
    }
    let (builder, _, _) = flaky(false);
    let mut t =
        builder.service(Service::of("words", fail).queue(WORDS).attempts(2)).build().unwrap();
    push(&mut t, "bad");
    t.advance("10s");
    assert_eq!((t.crashes("words"), t.dead(WORDS).len()), (0, 1));
    assert_eq!(t.state("words"), State::Running);
}

#[test]
fn rule_135_what_ended_while_the_engine_failed_is_settled_later() {
    for service in [service, async_service] {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service().concurrency(2)).build().unwrap();
        push(&mut t, "sleep");
        t.advance("15s");
        is_broken.store(true, Ordering::Relaxed);
        t.advance("10s");
        // The job has ended, and a turn has tried to settle it. Its lease lasts until 40 s.
        assert_eq!(t.jobs(WORDS).counters.done, 0);
        is_broken.store(false, Ordering::Relaxed);
        t.advance("10s");
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.done, counters.lost, counters.stale), (1, 0, 0), "{counters:?}");
    }
}

#[test]
fn rule_134_a_service_that_backs_off_waits_for_its_jobs_when_it_stops() {
    for service in [service, async_service] {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service().concurrency(2)).build().unwrap();
        push(&mut t, "sleep");
        t.advance("5s");
        is_broken.store(true, Ordering::Relaxed);
        push(&mut t, "good");
        t.advance("0s");
        assert_eq!(t.state("words"), State::BackingOff);
        assert_eq!(t.info("words").queue.unwrap().running, 1);
        is_broken.store(false, Ordering::Relaxed);
        t.stop("words").unwrap();
        let stats = t.jobs(WORDS);
        // The job in progress saw the stop and ended well.
        assert_eq!((stats.counters.done, stats.backlog.ready, stats.backlog.claimed), (1, 1, 0));
        assert_eq!(t.state("words"), State::Stopped);
    }
}

#[test]
fn rule_134_a_service_stops_although_its_engine_fails() {
    for service in [service, async_service] {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service().lease("30s")).build().unwrap();
        push(&mut t, "sleep");
        t.advance("5s");
        is_broken.store(true, Ordering::Relaxed);
        t.stop("words").unwrap();
        assert_eq!(t.state("words"), State::Stopped);
        is_broken.store(false, Ordering::Relaxed);
        // Its claim ends with its lease.
        assert_eq!(t.jobs(WORDS).backlog.claimed, 1);
        t.advance("30s");
        t.start("words").unwrap();
        t.advance("30s");
        assert_eq!(t.jobs(WORDS).counters.done, 1);
    }
}

#[test]
fn rule_24_a_critical_service_fails_after_five_minutes_without_its_engine() {
    for panics in [false, true] {
        let (builder, is_broken, _) = flaky(panics);
        let mut t = builder
            .service(service().critical(true))
            .service(Service::new("other", |_| {}).interval("1s"))
            .build()
            .unwrap();
        t.advance("10s");
        is_broken.store(true, Ordering::Relaxed);
        t.advance("4m");
        assert_eq!(t.state("words"), State::BackingOff);
        t.advance("3m");
        assert_eq!((t.state("words"), t.state("other")), (State::Failed, State::Stopped));
    }
}

#[test]
fn rule_8_an_idle_queue_costs_one_turn_per_poll() {
    let (builder, _, turns) = flaky(false);
    let mut t = builder.service(service().poll("10s").concurrency(4)).build().unwrap();
    t.advance("100s");
    assert_eq!(turns.load(Ordering::Relaxed), 11);
    // A job costs two: one claims it, one settles it and finds no other.
    push(&mut t, "good");
    t.advance("1s");
    assert_eq!(turns.load(Ordering::Relaxed), 13);
}

#[test]
fn rule_134_what_was_claimed_while_the_stop_came_does_not_begin() {
    for service in [service, async_service] {
        let engine = Flaky::new(false);
        let stops = Arc::clone(&engine.stops);
        let mut t = virtual_time_builder().queues(engine).service(service()).build().unwrap();
        t.advance("1s");
        assert!(stops.set(t.runner().downgrade()).is_ok());
        push(&mut t, "good");
        t.advance("0s");
        assert_eq!((t.state("words"), t.runs("words")), (State::Stopped, 0));
        let stats = t.jobs(WORDS);
        assert_eq!((stats.backlog.ready, stats.backlog.claimed), (1, 0));
    }
}
