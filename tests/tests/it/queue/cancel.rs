//! `on_timeout = "cancel"`: a job that takes too long is asked to return, or dropped if it is async, and has failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, Job, MemoryEngine, OnTimeout, Queue, Reject, Res, Service, State, Stopped,
};

const WORDS: Queue<String> = Queue::new("words");

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What the jobs saw, in their order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Says when it is dropped before its end.
struct Dropped(Seen, String);

impl Drop for Dropped {
    fn drop(&mut self) {
        if !self.1.is_empty() {
            self.0.add(format!("{} dropped", self.1));
        }
    }
}

/// Sleeps for the number of seconds in the word. `beat`: with a heartbeat every ten seconds.
fn sleep(ctx: &Context, job: Job<String>, seen: Res<Seen>) -> Outcome {
    let mut words = job.split(' ');
    let seconds = words.next().unwrap_or_default().parse()?;
    let mut slept = true;
    match words.next() {
        Some("beat") => {
            for _ in 0..seconds / 10 {
                ctx.heartbeat();
                slept &= ctx.sleep(Duration::from_secs(10));
            }
        }
        Some(_) | None => slept = ctx.sleep(Duration::from_secs(seconds)),
    }
    seen.add(format!("{} {} {slept}", job.as_str(), job.attempt()));
    assert_eq!(slept, !ctx.is_stopping());
    if slept {
        return Ok(());
    }
    match job.split(' ').nth(1) {
        Some("reject") => Err(Reject::new("too long").into()),
        Some("fail") => Err("interrupted".into()),
        Some("complete") => Ok(job.complete()?),
        Some("panic") => panic!("interrupted"),
        Some(_) | None => Ok(()),
    }
}

async fn sleep_async(ctx: &Context, job: Job<String>, seen: Res<Seen>) -> Outcome {
    let mut words = job.split(' ');
    let seconds = words.next().unwrap_or_default().parse()?;
    let mut dropped = Dropped(Seen::clone(&seen), job.clone());
    match words.next() {
        Some("beat") => {
            for _ in 0..seconds / 10 {
                ctx.heartbeat();
                let _ = ctx.sleep_async(Duration::from_secs(10)).await;
            }
        }
        Some("deaf") => tokio::time::sleep(Duration::from_secs(seconds)).await,
        Some(_) | None => {
            if !ctx.sleep_async(Duration::from_secs(seconds)).await {
                dropped.1.clear();
                seen.add(format!("{} stopped", job.as_str()));
                return Err("interrupted".into());
            }
        }
    }
    dropped.1.clear();
    seen.add(format!("{} {} true", job.as_str(), job.attempt()));
    Ok(())
}

fn test_with(service: Service, words: &[&str]) -> (TestRunner, Seen) {
    let seen = Seen::default();
    let service = service.queue(WORDS).timeout("30s").on_timeout(OnTimeout::Cancel);
    let mut t = virtual_time_builder()
        .queues(MemoryEngine::new())
        .provide(seen.clone())
        .service(service)
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    for word in words {
        t.push(WORDS, &(*word).to_owned());
    }
    (t, seen)
}

fn plain() -> Service {
    Service::of("sleep", sleep)
}

fn asynchronous() -> Service {
    Service::of("sleep", sleep_async)
}

/// The errors of the attempts that failed, and of the jobs that died.
fn errors(t: &TestRunner) -> Vec<String> {
    let text = |change: Change| {
        if let Change::JobFailed { error, .. } | Change::JobDied { error, .. } = change {
            Some(error.to_string())
        } else {
            None
        }
    };
    t.events().into_iter().filter_map(|event| text(event.change)).collect()
}

const CANCELLED: &str = "cancelled: took longer than its timeout of 30s";

#[test]
fn rule_29_a_job_that_exceeds_its_timeout_has_failed() {
    for (service, expected) in [
        (plain(), ["100 1 false", "100 2 false"]),
        (asynchronous(), ["100 dropped", "100 dropped"]),
    ] {
        let (mut t, seen) = test_with(service.attempts(2), &["100"]);
        t.advance("29s");
        assert_eq!(seen.take(), [""; 0]);
        t.advance("1s");
        assert_eq!(seen.take(), [expected[0]]);
        assert_eq!(errors(&t), [CANCELLED]);
        // Again after the backoff, and then dead.
        t.advance("40s");
        assert_eq!(seen.take(), [expected[1]]);
        assert_eq!(errors(&t), [CANCELLED, CANCELLED]);
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.failed, counters.dead, counters.lost), (2, 1, 0));
        let info = t.info("sleep");
        assert_eq!((info.state, info.crashes, info.stuck), (State::Running, 0, false));
        let stuck = |change: &Change| matches!(change, Change::Stuck { .. });
        assert_eq!(t.events().iter().filter(|event| stuck(&event.change)).count(), 2);
    }
}

#[test]
fn rule_29_only_the_job_that_takes_too_long_is_cancelled() {
    for (service, cancelled) in [(plain(), "100 1 false"), (asynchronous(), "100 dropped")] {
        let (mut t, seen) = test_with(service.concurrency(3).attempts(1), &["100"]);
        t.advance("15s");
        for word in ["20", "100 beat"] {
            t.push(WORDS, &word.to_owned());
        }
        t.advance("15s");
        assert_eq!(seen.take(), [cancelled]);
        t.advance("5s");
        assert_eq!(seen.take(), ["20 1 true"]);
        t.advance("80s");
        assert_eq!(seen.take(), ["100 beat 1 true"], "each job has its own heartbeat");
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.done, counters.failed), (2, 1));
    }
}

#[test]
fn rule_29_what_a_cancelled_job_returns_is_added_and_decides_what_follows() {
    let words = ["100 fail", "100 reject", "100 complete", "100 panic"];
    let (mut t, _) = test_with(plain().concurrency(4).attempts(2), &words);
    t.advance("31s");
    let mut errors = errors(&t);
    errors.sort();
    assert_eq!(errors.len(), 3);
    assert_eq!(errors[0], format!("{CANCELLED}; then failed: interrupted"));
    assert!(errors[1].starts_with(&format!("{CANCELLED}; then failed: panicked")), "{errors:?}");
    assert_eq!(errors[2], format!("{CANCELLED}; then failed: too long"));
    let counters = t.jobs(WORDS).counters;
    assert_eq!((counters.done, counters.failed, counters.dead), (1, 3, 1));
}

#[test]
fn rule_134_a_stop_reaches_jobs_that_can_be_cancelled_and_gives_them_back() {
    for (service, expected) in [(plain(), "20 fail 1 false"), (asynchronous(), "20 fail stopped")] {
        let (mut t, seen) = test_with(service.concurrency(2), &["20 fail"]);
        t.advance("5s");
        let before = t.now();
        let stopped = t.stop("sleep").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        assert_eq!((t.now() - before, seen.take()), (Duration::ZERO, vec![expected.to_owned()]));
        assert_eq!(t.jobs(WORDS).counters.returned, 1);
        // The next activation has nothing of it.
        t.start("sleep").unwrap();
        t.advance("21s");
        assert_eq!(seen.take(), ["20 fail 1 true"]);
    }
}

#[test]
fn rule_93_an_async_job_that_listens_to_nothing_is_dropped_at_its_timeout() {
    let (mut t, seen) = test_with(asynchronous().attempts(1), &["100 deaf", "1"]);
    t.advance("32s");
    assert_eq!(seen.take(), ["100 deaf dropped", "1 1 true"]);
}

#[test]
fn rule_93_code_that_a_job_has_left_behind_learns_of_the_stop() {
    async fn leave(ctx: &Context, _job: Job<String>, seen: Res<Seen>) {
        let (stopped, seen) = (ctx.stopped(), Seen::clone(&seen));
        tokio::spawn(async move {
            stopped.await;
            seen.add("told".to_owned());
        });
    }
    let (mut t, seen) = test_with(Service::of("sleep", leave), &["a", "b"]);
    t.advance("1m");
    assert_eq!(seen.take(), [""; 0]);
    t.stop("sleep").unwrap();
    t.advance("1s");
    assert_eq!(seen.take(), ["told", "told"]);
}
