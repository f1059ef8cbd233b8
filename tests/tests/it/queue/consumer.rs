//! What becomes of jobs: the same cases for plain and for async functions, on an engine in memory and in
//! virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, DeadJob, Job, MemoryEngine, Permanent, Push, Queue, Ready, Reject, Res, Retry,
    Service, State, Stopped, Tick,
};

const WORDS: Queue<String> = Queue::new("words");

/// What the jobs of a test have done.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Vec<String>>>);

impl Done {
    fn add(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What a job does that does not sleep.
fn act(job: Job<String>) -> Outcome {
    match job.as_str() {
        "fail" => Err("it failed".into()),
        "panic" => panic!("it panicked"),
        "reject" => Err(Reject::new("no such address").into()),
        "permanent" => Err(Permanent::new("no such table").into()),
        "retry" => Err(Retry::after(Duration::from_secs(100)).because("busy").into()),
        "complete" => Ok(job.complete()?),
        "complete and fail" => {
            job.complete()?;
            Err("too late".into())
        }
        "release" => Ok(job.release()?),
        "fail by hand" => {
            job.fail("by hand")?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Does what the word of the job says.
fn obey(ctx: &Context, tick: Tick, job: Job<String>, done: Res<Done>) -> Outcome {
    done.add(format!("{} {}", job.as_str(), job.attempt()));
    assert_eq!(tick.attempt, job.attempt());
    match job.as_str() {
        "sleep" if !ctx.sleep(Duration::from_secs(60)) => Err("interrupted".into()),
        "sleep and reject" if !ctx.sleep(Duration::from_secs(60)) => {
            Err(Reject::new("interrupted").into())
        }
        _ => act(job),
    }
}

/// The same, async.
async fn obey_async(ctx: &Context, tick: Tick, job: Job<String>, done: Res<Done>) -> Outcome {
    done.add(format!("{} {}", job.as_str(), job.attempt()));
    assert_eq!(tick.attempt, job.attempt());
    let minute = Duration::from_secs(60);
    match job.as_str() {
        "sleep" if !ctx.sleep_async(minute).await => Err("interrupted".into()),
        "sleep and reject" if !ctx.sleep_async(minute).await => {
            Err(Reject::new("interrupted").into())
        }
        _ => act(job),
    }
}

fn plain() -> Service {
    Service::of("obey", obey).queue(WORDS)
}

fn asynchronous() -> Service {
    Service::of("obey", obey_async).queue(WORDS)
}

/// A test with one service, whose jobs are pushed already.
fn test_with(service: Service, words: &[&str]) -> (TestRunner, Done) {
    let done = Done::default();
    let mut t = virtual_time_builder()
        .queues(MemoryEngine::new())
        .provide(done.clone())
        .service(service)
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    for word in words {
        push(&mut t, word);
    }
    (t, done)
}

fn push(t: &mut TestRunner, word: &str) {
    t.push(WORDS, &word.to_owned());
}

/// Runs a case for a plain and for an async function.
fn both(case: impl Fn(fn() -> Service)) {
    case(plain);
    case(asynchronous);
}

/// The events about jobs, without the ids.
fn job_events(t: &TestRunner) -> Vec<String> {
    let text = |change: Change| {
        if let Change::JobFailed { attempt, error, .. } = &change {
            Some(format!("failed {attempt}: {error}"))
        } else if let Change::JobDied { error, .. } = &change {
            Some(format!("died: {error}"))
        } else if let Change::JobLost { attempt, .. } = &change {
            Some(format!("lost {attempt}"))
        } else {
            matches!(change, Change::JobReturned { .. }).then(|| "returned".to_owned())
        }
    };
    t.events().into_iter().filter_map(|event| text(event.change)).collect()
}

#[test]
fn rule_131_a_job_runs_until_it_is_done_or_dead() {
    both(|service| {
        let (mut t, done) = test_with(service().attempts(3), &["good", "fail", "reject", "retry"]);
        t.advance("0s");
        assert_eq!(done.take(), ["good 1", "fail 1", "reject 1", "retry 1"]);
        assert_eq!(t.jobs(WORDS).counters.done, 1);
        assert_eq!(t.dead(WORDS)[0].error, "no such address");
        // The backoff is 2 s, then 4 s, up to a fifth more or less.
        t.advance("10s");
        assert_eq!(done.take(), ["fail 2", "fail 3"]);
        assert_eq!(t.dead(WORDS).len(), 2);
        t.advance("250s");
        assert_eq!(done.take(), ["retry 2", "retry 3"]);
        let stats = t.jobs(WORDS);
        assert_eq!((stats.backlog.dead, stats.counters.failed, stats.counters.dead), (3, 7, 3));
        assert_eq!(stats.backlog.ready + stats.backlog.delayed + stats.backlog.claimed, 0);
    });
}

#[test]
fn rule_131_attempts_wait_for_the_backoff_of_the_service() {
    both(|service| {
        let service = service().attempts(4).backoff("10s").max_backoff("15s");
        let (mut t, done) = test_with(service, &["fail"]);
        t.advance("7s");
        assert_eq!(done.take(), ["fail 1"]);
        t.advance("6s");
        assert_eq!(done.take(), ["fail 2"]);
        // At most 15 s, less a fifth.
        t.advance("16s");
        assert_eq!(done.take(), ["fail 3"]);
    });
}

#[test]
fn rule_131_a_permanent_error_and_a_panic_are_about_the_job() {
    both(|service| {
        let (mut t, done) = test_with(service().attempts(2), &["permanent", "panic", "good"]);
        t.advance("0s");
        assert_eq!(done.take(), ["permanent 1", "panic 1", "good 1"]);
        assert!(t.dead(WORDS)[0].error.contains("no such table"), "{:?}", t.dead(WORDS));
        t.advance("3s");
        assert_eq!(done.take(), ["panic 2"]);
        let dead = t.dead(WORDS);
        assert!(dead[1].error.contains("it panicked"), "{dead:?}");
        assert_eq!((t.state("obey"), t.crashes("obey")), (State::Running, 0));
    });
}

#[test]
fn rule_131_a_payload_of_another_type_is_a_failed_attempt() {
    const NUMBERS: Queue<u32> = Queue::new("words");
    both(|service| {
        let (mut t, done) = test_with(service().attempts(2), &[]);
        t.push(NUMBERS, &7);
        t.advance("3s");
        assert_eq!(done.take(), [""; 0]);
        let dead = t.dead(WORDS);
        assert!(dead[0].error.starts_with("the payload does not fit"), "{dead:?}");
        assert_eq!(dead[0].attempts, 2);
    });
}

#[test]
fn rule_131_a_function_may_finish_its_job_by_itself() {
    both(|service| {
        let words = ["complete", "complete and fail", "fail by hand"];
        let (mut t, done) = test_with(service().attempts(2), &words);
        t.advance("0s");
        assert_eq!(done.take(), ["complete 1", "complete and fail 1", "fail by hand 1"]);
        let stats = t.jobs(WORDS);
        assert_eq!((stats.counters.done, stats.counters.failed), (2, 1), "{stats:?}");
        t.advance("3s");
        assert_eq!(done.take(), ["fail by hand 2"]);
        assert_eq!(t.dead(WORDS)[0].error, "by hand");
        assert_eq!(t.jobs(WORDS).counters.stale, 0);
    });
}

#[test]
fn rule_131_each_dead_job_is_reported_to_on_dead() {
    fn report(dead: DeadJob, done: Res<Done>) -> Outcome {
        done.add(format!("{} died after {}: {}", dead.payload, dead.attempts, dead.error));
        Err("the report failed".into())
    }
    both(|service| {
        let service = service().attempts(1).lease("3s").on_dead(report);
        let (mut t, done) = test_with(service, &["reject", "fail"]);
        t.advance("0s");
        let mut found = done.take();
        found.sort();
        let expected = [
            r#""fail" died after 1: it failed"#,
            r#""reject" died after 1: no such address"#,
            "fail 1",
            "reject 1",
        ];
        assert_eq!(found, expected);
        // A job whose claim is lost on its last attempt, too.
        t.kill_next("obey");
        push(&mut t, "good");
        t.advance("10s");
        let found = done.take();
        assert!(
            found[0].starts_with(r#""good" died after 1: its claim was lost once"#),
            "{found:?}"
        );
        let failed = |change: &Change| matches!(change, Change::HookFailed { .. });
        assert_eq!(t.events().iter().filter(|event| failed(&event.change)).count(), 3);
        assert_eq!(t.state("obey"), State::Running);
    });
}

#[test]
fn rule_132_no_more_jobs_run_at_once_than_concurrency_allows() {
    both(|service| {
        let (mut t, done) = test_with(service().concurrency(3), &["sleep"; 7]);
        t.advance("59s");
        assert_eq!(done.take().len(), 3);
        assert_eq!(t.info("obey").queue.unwrap().running, 3);
        assert_eq!(t.jobs(WORDS).backlog.claimed, 3, "nothing is claimed in advance");
        t.advance("2s");
        assert_eq!(done.take().len(), 3);
        t.advance("60s");
        assert_eq!(done.take().len(), 1);
        t.advance("60s");
        assert_eq!(t.jobs(WORDS).counters.done, 7);
    });
}

#[test]
fn rule_132_the_claim_of_a_long_job_is_renewed() {
    both(|service| {
        let (mut t, done) = test_with(service().lease("3s").concurrency(2), &["sleep", "good"]);
        t.advance("61s");
        assert_eq!(done.take(), ["sleep 1", "good 1"]);
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.done, counters.lost, counters.stale), (2, 0, 0));
    });
}

#[test]
fn rule_132_the_job_of_a_killed_process_comes_back_after_its_lease() {
    both(|service| {
        let (mut t, done) = test_with(service().lease("20s"), &[]);
        t.kill_next("obey");
        push(&mut t, "good");
        t.advance("19s");
        assert_eq!(done.take(), [""; 0]);
        t.advance("2s");
        assert_eq!(done.take(), ["good 2"]);
        assert_eq!(t.jobs(WORDS).counters.lost, 1);
    });
}

/// What a test can do to a job, in one test.
#[test]
fn rule_70_jobs_run_fail_are_killed_die_and_are_put_back_in_virtual_time() {
    both(|service| {
        let (mut t, done) = test_with(service().attempts(3).lease("20s"), &[]);
        t.kill_next("obey");
        t.crash_next("obey");
        t.panic_next("obey");
        push(&mut t, "good");
        t.advance("1m");
        let dead = t.dead(WORDS);
        assert_eq!((dead.len(), dead[0].attempts, done.take().len()), (1, 3, 0));
        assert!(dead[0].error.contains("a panic that the test asked for"), "{dead:?}");
        let jobs = t.jobs(WORDS);
        assert_eq!((jobs.backlog.dead, jobs.counters.lost, jobs.counters.failed), (1, 1, 2));
        assert_eq!(t.redrive(WORDS), 1);
        t.advance("0s");
        assert_eq!(done.take(), ["good 1"]);
        assert_eq!((t.jobs(WORDS).counters.done, t.redrive(WORDS)), (1, 0));
    });
}

#[test]
fn rule_132_a_claim_that_was_lost_is_not_finished() {
    both(|service| {
        let engine = MemoryEngine::new();
        let done = Done::default();
        let mut t = virtual_time_builder()
            .queues(engine)
            .provide(done.clone())
            .service(service().lease("5s"))
            .build()
            .unwrap();
        push(&mut t, "sleep");
        t.advance("0s");
        // The wall clock is set forward, as after a suspend: the lease has ended.
        t.suspend("1h");
        t.advance("3s");
        assert_eq!(job_events(&t), ["lost 1"]);
        t.advance("61s");
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.stale, counters.lost, counters.done), (1, 1, 0), "{counters:?}");
        assert_eq!(done.take(), ["sleep 1", "sleep 2"]);
    });
}

#[test]
fn rule_133_jobs_begin_by_priority_then_due_time_then_id() {
    both(|service| {
        let (mut t, done) = test_with(service(), &["a", "b"]);
        t.push_with(WORDS, &"urgent".to_owned(), &Push::new().priority(5));
        t.push_with(WORDS, &"late".to_owned(), &Push::new().delay(Duration::from_secs(10)));
        push(&mut t, "c");
        t.advance("0s");
        assert_eq!(done.take(), ["urgent 1", "a 1", "b 1", "c 1"]);
        t.advance("9s");
        assert_eq!(done.take(), [""; 0]);
        t.advance("1s");
        assert_eq!(done.take(), ["late 1"], "it begins when it is due, not at the next poll");
    });
}

#[test]
fn rule_134_a_stopping_service_gives_its_jobs_back() {
    both(|service| {
        let words = ["sleep", "sleep and reject", "good"];
        let (mut t, done) = test_with(service().concurrency(2), &words);
        t.advance("1s");
        assert_eq!(done.take(), ["sleep 1", "sleep and reject 1"]);
        t.stop("obey").unwrap();
        assert_eq!(t.state("obey"), State::Stopped);
        let stats = t.jobs(WORDS);
        assert_eq!((stats.backlog.ready, stats.backlog.claimed), (2, 0));
        assert_eq!(
            (stats.counters.returned, stats.counters.dead),
            (1, 1),
            "a rejected job is dead"
        );
        let mut events = job_events(&t);
        events.sort();
        assert_eq!(events, ["died: interrupted", "returned"]);
        t.start("obey").unwrap();
        t.advance("0s");
        assert_eq!(done.take(), ["sleep 1", "good 1"], "the attempt did not count");
    });
}

#[test]
fn rule_134_a_stop_claims_nothing_and_lets_jobs_end() {
    both(|service| {
        let (mut t, done) = test_with(service().stop_timeout("2m"), &["sleep", "good", "good"]);
        t.advance("1s");
        assert_eq!(done.take(), ["sleep 1"]);
        let stopped = t.stop("obey").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        let stats = t.jobs(WORDS);
        assert_eq!((stats.backlog.ready, stats.backlog.claimed), (3, 0));
        assert_eq!(done.take(), [""; 0]);
    });
}

#[test]
fn rule_43_a_plain_job_that_ignores_the_stop_is_abandoned_and_keeps_its_claim() {
    let (mut t, done) = test_with(plain().lease("3s").stop_timeout("5s"), &["a", "b"]);
    t.slow_next("obey", "60s");
    t.advance("1s");
    let stopped = t.stop("obey").unwrap();
    assert!(matches!(stopped, Stopped::Abandoned { .. }), "{stopped:?}");
    assert_eq!(t.jobs(WORDS).backlog.claimed, 1);
    t.advance("60s");
    // The job has ended, and what it has done counts.
    let stats = t.jobs(WORDS);
    assert_eq!((stats.counters.done, stats.backlog.ready, stats.counters.lost), (1, 1, 0));
    assert_eq!(done.take(), ["a 1"]);
    t.start("obey").unwrap();
    t.advance("0s");
    assert_eq!(done.take(), ["b 1"]);
}

#[test]
fn rule_93_an_async_job_that_ignores_the_stop_is_dropped_and_given_back() {
    async fn wait(job: Job<String>, done: Res<Done>) {
        done.add(job.as_str());
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        done.add("not reached");
    }
    let service = Service::of("obey", wait).queue(WORDS).stop_timeout("5s").concurrency(2);
    let (mut t, done) = test_with(service, &["a", "b"]);
    t.advance("1s");
    t.stop("obey").unwrap();
    assert_eq!(t.state("obey"), State::Cancelled);
    assert_eq!(done.take(), ["a", "b"]);
    let stats = t.jobs(WORDS);
    assert_eq!((stats.backlog.ready, stats.counters.returned), (2, 2));
}

#[test]
fn rule_173_a_paused_service_claims_nothing() {
    both(|service| {
        let (mut t, done) = test_with(service(), &["sleep", "good"]);
        t.advance("1s");
        t.pause("obey").unwrap();
        t.advance("10s");
        assert_eq!(t.state("obey"), State::Running, "the job continues");
        t.advance("60s");
        assert_eq!((t.state("obey"), t.jobs(WORDS).counters.done), (State::Paused, 1));
        assert_eq!(done.take(), ["sleep 1"]);
        t.advance("1h");
        assert_eq!(t.jobs(WORDS).backlog.ready, 1);
        t.resume("obey").unwrap();
        t.advance("0s");
        assert_eq!(done.take(), ["good 1"]);
    });
}

#[test]
fn rule_32_a_queue_service_is_ready_once_it_takes_jobs() {
    both(|service| {
        let (mut t, _) = test_with(service(), &[]);
        t.wait_ready("obey").unwrap();
        assert_eq!(t.runs("obey"), 0);
    });
    fn notify(ctx: &Context, _job: Job<String>) {
        ctx.ready();
    }
    let service = Service::of("obey", notify).queue(WORDS).ready(Ready::Notified);
    let (mut t, _) = test_with(service, &[]);
    t.advance("1m");
    assert!(!t.info("obey").ready);
    push(&mut t, "good");
    t.advance("0s");
    assert!(t.info("obey").ready);
}

#[test]
fn rule_63_a_job_that_takes_longer_than_the_timeout_is_reported_once() {
    both(|service| {
        let (mut t, _) = test_with(service().timeout("20s"), &["sleep", "good"]);
        t.advance("19s");
        assert!(!t.info("obey").stuck);
        t.advance("2s");
        assert!(t.info("obey").stuck);
        t.advance("60s");
        assert!(!t.info("obey").stuck);
        let stuck = t.events().into_iter().filter_map(|event| {
            if let Change::Stuck { running_for } = event.change { Some(running_for) } else { None }
        });
        assert_eq!(stuck.collect::<Vec<_>>(), [Duration::from_secs(20)]);
    });
}

#[test]
fn rule_60_what_is_known_about_a_queue() {
    both(|service| {
        let service = service().concurrency(2).attempts(5);
        let (mut t, _) = test_with(service, &["sleep", "sleep", "good", "fail"]);
        t.push_with(WORDS, &"late".to_owned(), &Push::new().delay(Duration::from_secs(3_600)));
        t.advance("30s");
        let queue = t.info("obey").queue.unwrap();
        let backlog = queue.backlog.unwrap();
        assert_eq!((queue.name, queue.running), ("words", 2));
        assert_eq!((backlog.ready, backlog.delayed, backlog.claimed), (2, 1, 2));
        assert_eq!(backlog.oldest_ready, Some(Duration::from_secs(30)));
        t.advance("31s");
        let info = t.info("obey");
        let counters = info.queue.unwrap().counters;
        assert_eq!((counters.done, counters.failed), (3, 1));
        assert_eq!((info.runs, info.crashes), (4, 0));
        assert_eq!(info.last_error.as_deref(), Some("it failed"));
        assert_eq!(job_events(&t), ["failed 1: it failed"]);
        let line = info.to_string();
        assert!(line.contains("the jobs of a queue, up to 2 at once"), "{line}");
        assert!(line.contains("queue: words, jobs running: 0, done: 3, failed: 1"), "{line}");
    });
}

#[test]
fn rule_70_jobs_begin_when_they_are_pushed() {
    both(|service| {
        // Without the notification of a push, the job would begin at the next poll.
        let (mut t, done) = test_with(service().poll("1h"), &[]);
        t.advance("10s");
        push(&mut t, "good");
        t.advance("0s");
        assert_eq!(done.take(), ["good 1"]);
        t.crash_next("obey");
        push(&mut t, "good");
        t.advance("0s");
        assert_eq!(job_events(&t), ["failed 1: a crash that the test asked for"]);
        t.advance("3s");
        assert_eq!(done.take(), ["good 2"]);
    });
}

#[test]
fn rule_130_a_push_does_not_block_the_executor() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let queues = tina4_service::Queues::new(MemoryEngine::new());
    let words = WORDS.on(&queues);
    let pushed = runtime.block_on(async {
        let options = Push::new().unique("once");
        let first = words.push_with_async(&"a".to_owned(), options.clone()).await.unwrap();
        let again = words.push_with_async(&"a".to_owned(), options).await.unwrap();
        assert_eq!(first.id(), again.id());
        // The future owns everything, so it can be moved to another task.
        let pushing = words.push_async(&"b".to_owned());
        (first.is_new(), again.is_new(), tokio::spawn(pushing).await.unwrap().unwrap().is_new())
    });
    assert_eq!(pushed, (true, false, true));
    assert_eq!(words.stats().unwrap().counters.pushed, 2);
}

#[test]
fn rule_131_dead_jobs_are_deleted_after_keep_dead() {
    both(|service| {
        let service = service().attempts(1).poll("1h").keep_dead("2d");
        let (mut t, _) = test_with(service, &["fail"]);
        t.advance("1d");
        push(&mut t, "reject");
        t.advance("26h");
        assert_eq!(
            t.dead(WORDS).iter().map(|job| &*job.error).collect::<Vec<_>>(),
            ["no such address"]
        );
        t.advance("24h");
        assert_eq!(t.dead(WORDS).len(), 0);
    });
}

#[test]
fn rule_131_copies_of_done_jobs_are_kept_for_keep_done() {
    both(|service| {
        let words = ["a", "fail", "complete", "reject"];
        let service = service().attempts(2).poll("1h").keep_done("2d");
        let (mut t, _) = test_with(service, &words);
        t.advance("1m");
        let copies = |t: &TestRunner| {
            let done = t.done(WORDS);
            done.into_iter().map(|job| (job.payload, job.attempts)).collect::<Vec<_>>()
        };
        let of = |word: &str| (format!("\"{word}\""), 1);
        assert_eq!(copies(&t), [of("a"), of("complete")]);
        t.advance("1d");
        push(&mut t, "b");
        t.advance("26h");
        assert_eq!(copies(&t), [of("b")]);
        t.advance("24h");
        assert_eq!(copies(&t), []);
        assert_eq!(t.dead(WORDS).len(), 2, "they are kept for 30 days");
    });
}

#[test]
fn rule_131_without_keep_done_there_are_no_copies() {
    both(|service| {
        let (mut t, _) = test_with(service(), &["a", "complete"]);
        t.advance("1s");
        assert_eq!((t.done(WORDS), t.jobs(WORDS).counters.done), (vec![], 2));
    });
}

#[test]
fn rule_152_a_queue_service_with_one_job_at_a_time_may_have_a_local() {
    fn count(_job: Job<String>, mut seen: tina4_service::Local<u32>, done: Res<Done>) {
        *seen += 1;
        done.add(seen.to_string());
    }
    let (mut t, done) = test_with(Service::of("obey", count).queue(WORDS), &["a", "b", "c"]);
    t.advance("0s");
    assert_eq!(done.take(), ["1", "2", "3"]);
}
