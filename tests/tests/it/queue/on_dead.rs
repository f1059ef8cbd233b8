//! `on_dead`: which jobs it is told of, and how many at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, DeadJob, Job, MemoryEngine, Queue, Reject, Res, Service, State,
};

const WORDS: Queue<String> = Queue::new("words");

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The items that were reported, and the number of functions that ran at once.
#[derive(Clone, Default)]
struct Seen(Arc<SeenInner>);

#[derive(Default)]
struct SeenInner {
    dead: Mutex<Vec<String>>,
    active: AtomicUsize,
    most: AtomicUsize,
}

impl Seen {
    fn enter(&self) {
        let active = self.0.active.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.most.fetch_max(active, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }

    fn dead(&self) -> Vec<String> {
        let mut dead = std::mem::take(&mut *self.0.dead.lock().unwrap());
        dead.sort();
        dead
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }
}

fn end(job: Job<String>) -> Outcome {
    match job.as_str() {
        "fail" => Err("it failed".into()),
        "fail by hand" => {
            job.fail("by hand")?;
            Ok(())
        }
        "reject by hand" => {
            job.fail(Reject::new("no such address"))?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn work(ctx: &Context, job: Job<String>, seen: Res<Seen>) -> Outcome {
    seen.enter();
    let _ = ctx.sleep(Duration::from_secs(1));
    seen.leave();
    end(job)
}

async fn work_async(ctx: &Context, job: Job<String>, seen: Res<Seen>) -> Outcome {
    seen.enter();
    let _ = ctx.sleep_async(Duration::from_secs(1)).await;
    seen.leave();
    end(job)
}

fn report(ctx: &Context, dead: DeadJob, seen: Res<Seen>) {
    seen.enter();
    let _ = ctx.sleep(Duration::from_secs(1));
    seen.leave();
    seen.0.dead.lock().unwrap().push(format!("{}: {}", dead.payload, dead.error));
}

async fn report_async(ctx: &Context, dead: DeadJob, seen: Res<Seen>) {
    seen.enter();
    let _ = ctx.sleep_async(Duration::from_secs(1)).await;
    seen.leave();
    seen.0.dead.lock().unwrap().push(format!("{}: {}", dead.payload, dead.error));
}

/// Plain and async functions, and the kinds of `on_dead` that they can have.
fn services() -> [Service; 3] {
    [
        Service::of("work", work).on_dead(report),
        Service::of("work", work_async).on_dead(report),
        Service::of("work", work_async).on_dead(report_async),
    ]
    .map(|service| service.queue(WORDS))
}

fn test_with(service: Service, words: &[&str]) -> (TestRunner, Seen) {
    let seen = Seen::default();
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

#[test]
fn rule_131_jobs_that_die_by_hand_are_reported() {
    for service in services() {
        let words = ["fail by hand", "reject by hand", "fail"];
        let (mut t, seen) = test_with(service.attempts(2), &words);
        t.advance("20s");
        let expected = [
            r#""fail by hand": by hand"#,
            r#""fail": it failed"#,
            r#""reject by hand": no such address"#,
        ];
        assert_eq!(seen.dead(), expected);
        let events = t.events();
        let died = |change: &Change| matches!(change, Change::JobDied { .. });
        assert_eq!(events.iter().filter(|event| died(&event.change)).count(), 3);
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.failed, counters.dead), (5, 3));
        assert_eq!(t.state("work"), State::Running);
    }
}

#[test]
fn rule_132_reports_of_dead_jobs_count_as_jobs_that_run() {
    for concurrency in [1, 2] {
        for service in services() {
            let service = service.attempts(1).concurrency(concurrency);
            let (mut t, seen) = test_with(service, &["fail"; 7]);
            t.advance("1m");
            assert_eq!(seen.dead().len(), 7);
            assert_eq!(seen.most(), concurrency as usize);
        }
    }
}

#[test]
fn rule_134_a_stop_reports_the_jobs_that_have_died() {
    for service in services() {
        let (mut t, seen) = test_with(service.attempts(1), &["fail"]);
        t.advance("500ms");
        t.stop("work").unwrap();
        // The function has slept less, and has failed: given back. `Reject` and by hand are not.
        assert_eq!(seen.dead().len(), 0);
        t.push(WORDS, &"reject by hand".to_owned());
        t.start("work").unwrap();
        t.advance("1500ms");
        t.stop("work").unwrap();
        assert_eq!((t.state("work"), seen.dead().len()), (State::Stopped, 2));
    }
}

fn failed_hooks(t: &mut TestRunner) -> Vec<String> {
    let cause = |change: Change| {
        if let Change::HookFailed { cause } = change { Some(cause.to_string()) } else { None }
    };
    t.events().into_iter().filter_map(|event| cause(event.change)).collect()
}

#[test]
fn rule_131_an_error_and_a_panic_of_an_async_on_dead_are_those_of_a_hook() {
    async fn fail(dead: DeadJob) -> Result<(), String> {
        assert_ne!(dead.payload, "\"panic\"", "planted");
        Err(format!("no mail about {}", dead.payload))
    }
    async fn refuse(job: Job<String>) -> Outcome {
        Err(Reject::new(job.clone()).into())
    }
    let service = Service::of("work", refuse).queue(WORDS).on_dead(fail);
    let (mut t, _) = test_with(service, &["error", "panic"]);
    t.advance("1s");
    let failed = failed_hooks(&mut t);
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert_eq!(failed[0], "no mail about \"error\"");
    assert!(failed[1].contains("planted"), "{failed:?}");
    // Both have given their slots back.
    t.push(WORDS, &"again".to_owned());
    t.advance("1s");
    assert_eq!(failed_hooks(&mut t)[2..], ["no mail about \"again\""]);
    assert_eq!(t.state("work"), State::Running);
}

#[test]
fn rule_131_an_async_on_dead_that_is_dropped_at_a_stop_is_reported() {
    async fn hang(_dead: DeadJob) {
        std::future::pending().await
    }
    async fn refuse(job: Job<String>) -> Outcome {
        Err(Reject::new(job.clone()).into())
    }
    let service = Service::of("work", refuse).queue(WORDS).on_dead(hang).stop_timeout("5s");
    let (mut t, _) = test_with(service, &["a"]);
    t.advance("1s");
    assert_eq!(failed_hooks(&mut t), [] as [String; 0]);
    t.stop("work").unwrap();
    let dropped = "`on_dead` was dropped before it had ended; the list of dead jobs has the job";
    assert_eq!(failed_hooks(&mut t), [dropped]);
    assert!(!t.state("work").is_active(), "{:?}", t.state("work"));
    assert_eq!(t.dead(WORDS).len(), 1);
    // The service can start again.
    t.push(WORDS, &"b".to_owned());
    t.start("work").unwrap();
    t.advance("1s");
    assert_eq!(t.dead(WORDS).len(), 2);
}

/// As with jobs, `on_timeout` is for the function of the service.
#[test]
fn rule_131_an_async_on_dead_is_not_cancelled_by_the_timeout_of_jobs() {
    async fn slow(ctx: &Context, dead: DeadJob, seen: Res<Seen>) {
        let _ = ctx.sleep_async(Duration::from_secs(60)).await;
        seen.0.dead.lock().unwrap().push(dead.error.clone());
    }
    async fn refuse(job: Job<String>) -> Outcome {
        Err(Reject::new(job.clone()).into())
    }
    let service = Service::of("work", refuse).queue(WORDS).on_dead(slow);
    let service = service.timeout("5s").on_timeout(tina4_service::OnTimeout::Cancel);
    let (mut t, seen) = test_with(service, &["a"]);
    t.advance("2m");
    assert_eq!(seen.dead(), ["a"]);
    assert_eq!(failed_hooks(&mut t), [] as [String; 0]);
}
