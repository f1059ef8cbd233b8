//! When a consumer deletes old dead jobs, and old copies of done jobs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tina4_service_queue::consumer::{Attempt, Consumer, ConsumerSettings, Item};
use tina4_service_queue::{
    Capabilities, DeadSelection, Ended, Engine, EngineError, Held, MemoryEngine, NewJob, Pushed,
    Queues, RetryPolicy, Timestamp, Turn, Want,
};

/// An engine that notes its calls.
struct Noting {
    engine: MemoryEngine,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Noting {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Engine for Noting {
    fn name(&self) -> &'static str {
        self.engine.name()
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
        self.note("turn".to_owned());
        self.engine.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.engine.renew(held, lease, now)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.note(format!("purge {queue} {which:?}"));
        self.engine.purge(queue, which, now)
    }

    fn purge_done(&self, queue: &str, age: Duration, now: Timestamp) -> Result<u64, EngineError> {
        self.note(format!("purge done {queue} {age:?}"));
        self.engine.purge_done(queue, age, now)
    }
}

/// By their age, which the clock of the engine decides, and before anything is claimed, so that a claimed job
/// does not wait.
#[test]
fn rule_131_what_is_old_is_deleted_before_jobs_are_claimed() {
    let dead = ("purge numbers OlderThan(7200s)", Some(Duration::from_secs(7200)));
    let done = ("purge done numbers 60s", Some(Duration::from_secs(60)));
    check_purges(dead.1, None, &[dead.0]);
    check_purges(None, done.1, &[done.0]);
    check_purges(dead.1, done.1, &[dead.0, done.0]);
    check_purges(None, None, &[]);
}

fn check_purges(keep_dead: Option<Duration>, keep_done: Option<Duration>, purges: &[&str]) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let engine = Noting { engine: MemoryEngine::new(), calls: Arc::clone(&calls) };
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    let settings = ConsumerSettings {
        queue: "numbers",
        concurrency: 1,
        lease: Duration::from_secs(7 * 86_400),
        policy: RetryPolicy::DEFAULT,
        poll: Duration::from_secs(1),
        keep_dead,
        keep_done,
        reports_dead: false,
    };
    let consumer = Consumer::new(Queues::with_clock(engine, Timestamp::default), settings);
    let hour = Duration::from_secs(3600);
    for (now, claimed) in [(Duration::ZERO, 1), (hour / 2, 1), (hour, 1)] {
        assert_eq!(consumer.turn(now, true).unwrap().ready, claimed);
    }
    assert_eq!(calls.lock().unwrap().len(), purges.len() + 1, "not while a job is claimed");
    let Some(Item::Job(job)) = consumer.take() else { panic!("it was claimed") };
    consumer.finish(*job, Attempt::Done);
    for _ in 0..2 {
        consumer.turn(hour, true).unwrap();
    }
    let expected = [purges, &["turn", "turn"], purges, &["turn"]].concat();
    assert_eq!(*calls.lock().unwrap(), expected);
}
