//! The task pool on real runtimes: how many tasks it needs, and what a job that blocks delays.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::*;
use crate::sys::sync::std_lock;

/// A job that ends once `body` does.
struct Boxed(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Boxed {
    fn new(body: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(body))
    }
}

impl Job for Boxed {
    async fn execute(self) {
        self.0.await;
    }
}

fn multi_thread(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("it starts")
}

fn pool(runtime: &Runtime) -> Arc<TaskPool<Boxed>> {
    Arc::new(TaskPool::new(runtime.handle().clone(), true))
}

/// Pushes `count` jobs that call `job` with a sender of their own.
fn push<F: Future<Output = ()> + Send + 'static>(
    pool: &Arc<TaskPool<Boxed>>,
    count: usize,
    job: impl Fn(Sender<()>) -> F,
) -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    for _ in 0..count {
        pool.push(Boxed::new(job(sender.clone())));
    }
    receiver
}

/// Waits for the end of `count` jobs.
fn wait_for(count: usize, ended: &Receiver<()>) {
    for _ in 0..count {
        ended.recv_timeout(LIMIT).expect("the job ends");
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    // At least a millisecond each.
    let is_met = (0..LIMIT.as_millis()).any(|_| {
        let is_met = condition();
        if !is_met {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        is_met
    });
    assert!(is_met, "the condition is not met");
}

const LIMIT: Duration = Duration::from_secs(60);

/// Blocks until the sender is dropped.
fn pass(gate: &Receiver<()>) {
    assert_eq!(gate.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
}

async fn end(ended: Sender<()>) {
    ended.send(()).expect("somebody waits for it");
}

#[test]
fn rule_91_jobs_in_turn_share_one_task() {
    let runtime = multi_thread(1);
    let pool = pool(&runtime);
    let ids = |ended: Sender<()>| async move {
        assert!(tokio::task::try_id().is_some());
        end(ended).await;
    };
    for _ in 0..100 {
        wait_for(1, &push(&pool, 1, ids));
        wait_until(|| lock(&pool.state).idle.len() == 1);
    }
    assert_eq!(runtime.metrics().num_alive_tasks(), 1);
    drop(PoolOwner(pool));
    wait_until(|| runtime.metrics().num_alive_tasks() == 0);
}

#[test]
fn rule_91_many_short_jobs_need_few_tasks() {
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    wait_for(10_000, &push(&pool, 10_000, end));
    let tasks = runtime.metrics().num_alive_tasks();
    assert!(tasks < 50, "{tasks}");
}

#[test]
fn rule_91_jobs_that_wait_run_side_by_side_and_leave_a_bounded_number_of_tasks() {
    const COUNT: usize = 3 * MAX_IDLE;
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let ended = push(&pool, COUNT, move |ended| {
        let gate = Arc::clone(&waiting);
        async move {
            gate.acquire().await.expect("nobody closes it").forget();
            end(ended).await;
        }
    });
    // Each waits in a task of its own.
    wait_until(|| runtime.metrics().num_alive_tasks() >= COUNT);
    gate.add_permits(COUNT);
    wait_for(COUNT, &ended);
    wait_until(|| runtime.metrics().num_alive_tasks() <= MAX_IDLE);
    assert_eq!(lock(&pool.state).idle.len(), runtime.metrics().num_alive_tasks());
}

/// Jobs that block one of two threads delay no others.
#[test]
fn rule_92_a_job_that_blocks_a_thread_leaves_the_others_to_the_other_thread() {
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    for _ in 0..20 {
        let gate = Arc::clone(&blocked);
        let begun = push(&pool, 1, move |begun| {
            let gate = Arc::clone(&gate);
            async move {
                end(begun).await;
                let gate = std_lock(&gate);
                gate.recv_timeout(LIMIT).expect("it is released");
            }
        });
        // The others are pushed at once, so that the one that blocks is anywhere among them.
        wait_for(100, &push(&pool, 100, end));
        wait_for(1, &begun);
        // One at a time, too.
        for _ in 0..10 {
            wait_for(1, &push(&pool, 1, end));
        }
        wait_for(100, &push(&pool, 100, end));
        release.send(()).expect("it waits");
    }
}

/// The same with jobs that wait: one of them has to let another executor take its place.
#[test]
fn rule_92_a_job_that_blocks_a_thread_leaves_waiting_jobs_to_the_other_thread() {
    const COUNT: usize = 50;
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    for round in 0..20 {
        let (release, blocked) = mpsc::channel::<()>();
        let mut blocked = Some(blocked);
        // Each waits until all of them have begun.
        let others = Arc::new(tokio::sync::Barrier::new(COUNT - 1));
        let (sender, ended) = mpsc::channel();
        let mut jobs: Vec<_> = (0..COUNT)
            .map(|number| {
                let (ended, others) = (sender.clone(), Arc::clone(&others));
                let gate = blocked.take_if(|_| number == round % 2);
                Boxed::new(async move {
                    match gate {
                        Some(gate) => gate.recv_timeout(LIMIT).expect("it is released"),
                        None => {
                            others.wait().await;
                        }
                    }
                    end(ended).await;
                })
            })
            .collect();
        let last = jobs.pop().expect("there are some");
        assert!(pool.add(jobs).is_none());
        pool.push(last);
        wait_for(COUNT - 1, &ended);
        release.send(()).expect("it waits");
        wait_for(1, &ended);
    }
}

/// A thread that is allowed to block is replaced by the runtime.
#[test]
fn rule_92_jobs_in_block_in_place_delay_no_others() {
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    let begun = Arc::new(AtomicUsize::new(0));
    let ended = push(&pool, 4, move |ended| {
        let begun = Arc::clone(&begun);
        async move {
            begun.fetch_add(1, Ordering::SeqCst);
            tokio::task::block_in_place(|| wait_until(|| begun.load(Ordering::SeqCst) == 4));
            end(ended).await;
        }
    });
    wait_for(4, &ended);
}

/// One of two threads is blocked, and the other one is replaced by the runtime.
#[test]
fn rule_92_jobs_in_block_in_place_beside_one_that_blocks_delay_no_others() {
    const OTHERS: usize = 6;
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    for round in 0..20 {
        let (sender, ended) = mpsc::channel();
        let [(release_in_place, in_place), (release_blocked, blocked)] =
            [(); 2].map(|()| mpsc::channel());
        let in_place = Boxed::new(async move { tokio::task::block_in_place(|| pass(&in_place)) });
        let blocks = Boxed::new(async move { pass(&blocked) });
        let mut jobs = if round % 2 == 0 { vec![in_place, blocks] } else { vec![blocks, in_place] };
        jobs.extend((1..OTHERS).map(|_| Boxed::new(end(sender.clone()))));
        assert!(pool.add(jobs).is_none());
        pool.push(Boxed::new(end(sender)));
        wait_for(OTHERS, &ended);
        drop((release_in_place, release_blocked));
        wait_until(|| lock(&pool.state).idle.len() == runtime.metrics().num_alive_tasks());
    }
}

/// The jobs of one poll would count as one task to tokio, which looks at its timers after a number of polls.
#[test]
#[expect(clippy::disallowed_methods, reason = "the jobs take real time")]
fn rule_92_jobs_are_no_longer_between_two_looks_at_the_timers_than_tasks() {
    const JOBS: usize = 2_000;
    const POLLS: u32 = 61;
    let runtime = Builder::new_current_thread()
        .enable_time()
        .event_interval(POLLS)
        .build()
        .expect("it starts");
    let pool = pool(&runtime);
    // A timer of a millisecond ends after at most two, which a few of these jobs take.
    let job = |ended: Sender<()>| async move {
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(100) {
            std::hint::spin_loop();
        }
        end(ended).await;
    };
    runtime.block_on(async {
        let ended = push(&pool, JOBS, job);
        // A task, because tokio polls the root after each look at the timers only if that has woken it.
        let timer = tokio::spawn(async move {
            let (mut longest, mut executed) = (0, 0);
            while executed < JOBS {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let count = ended.try_iter().count();
                (longest, executed) = (longest.max(count), executed + count);
            }
            longest
        });
        let longest = timer.await.expect("it does not panic");
        assert!(longest <= 2 * POLLS as usize, "{longest}");
    });
}

/// Tokio lets a task whose budget is spent find nothing in a channel, though there is something.
#[test]
fn rule_92_a_job_does_not_begin_with_what_others_have_left_of_their_budget() {
    const ROUNDS: usize = 50;
    let current_thread = Builder::new_current_thread().build().expect("it starts");
    for runtime in [multi_thread(1), multi_thread(2), current_thread] {
        let pool = pool(&runtime);
        let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let mut jobs = Vec::new();
        for _ in 0..ROUNDS {
            jobs.push(Boxed::new(async {
                for _ in 0..127 {
                    tokio::task::coop::consume_budget().await;
                }
            }));
            let (messages, mut inbox) = tokio::sync::mpsc::unbounded_channel();
            let sender = sender.clone();
            jobs.push(Boxed::new(poll_fn(move |cx| {
                for _ in 0..2 {
                    messages.send(()).expect("the inbox exists");
                    let is_ready = inbox.poll_recv(cx).is_ready();
                    sender.send(is_ready).expect("the test waits for it");
                }
                Poll::Ready(())
            })));
        }
        drop(sender);
        let last = jobs.pop().expect("there are some");
        assert!(pool.add(jobs).is_none());
        pool.push(last);
        runtime.block_on(async {
            for _ in 0..2 * ROUNDS {
                assert_eq!(
                    seen.recv().await,
                    Some(true),
                    "{:?}",
                    runtime.handle().runtime_flavor()
                );
            }
        });
    }
}

/// A waker that a job leaves behind wakes an executor that has other work, or none.
#[test]
fn rule_92_a_waker_that_a_job_leaves_behind_does_no_harm() {
    let runtime = multi_thread(1);
    let pool = pool(&runtime);
    let (sender, wakers) = mpsc::channel();
    pool.push(Boxed::new(poll_fn(move |cx| {
        sender.send(cx.waker().clone()).expect("the test waits for it");
        Poll::Ready(())
    })));
    let waker = wakers.recv_timeout(LIMIT).expect("the job is polled");
    for _ in 0..100 {
        waker.wake_by_ref();
        wait_for(2, &push(&pool, 2, end));
        waker.wake_by_ref();
    }
    wait_until(|| lock(&pool.state).idle.len() == runtime.metrics().num_alive_tasks());
    assert_eq!(lock(&pool.state).arriving, 0);
}

#[test]
fn rule_91_a_job_for_a_runtime_that_is_gone_is_dropped_at_once() {
    let runtime = multi_thread(2);
    let pool = pool(&runtime);
    wait_for(1, &push(&pool, 1, end));
    wait_until(|| lock(&pool.state).idle.len() == 1);
    runtime.shutdown_timeout(LIMIT);
    assert_eq!(lock(&pool.state).idle.len(), 0);
    let ended = push(&pool, 3, end);
    assert_eq!(
        ended.recv_timeout(LIMIT),
        Err(RecvTimeoutError::Disconnected),
        "every job was dropped"
    );
    assert_eq!(Arc::strong_count(&pool), 1);
}

/// Jobs in the queue and in progress are dropped together with their runtime.
#[test]
fn rule_91_a_runtime_that_shuts_down_drops_every_job() {
    let runtime = Builder::new_current_thread().build().expect("it starts");
    let pool = pool(&runtime);
    let waiting = push(&pool, 1, |ended| async move {
        std::future::pending::<()>().await;
        end(ended).await;
    });
    runtime.block_on(tokio::task::yield_now());
    let queued = push(&pool, 3, end);
    drop(runtime);
    assert_eq!(waiting.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
    assert_eq!(queued.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
    assert_eq!(Arc::strong_count(&pool), 1);
}

/// A pool is replaced, with its runtime, while jobs are added.
#[test]
fn rule_91_a_closed_pool_keeps_no_job() {
    let runtime = multi_thread(1);
    let pool = pool(&runtime);
    let (sender, ended) = mpsc::channel();
    assert!(pool.add(vec![Boxed::new(end(sender.clone()))]).is_none());
    runtime.shutdown_timeout(LIMIT);
    pool.close();
    let refused = pool.add(vec![Boxed::new(end(sender))]);
    assert!(refused.is_some_and(|jobs| jobs.len() == 1) && lock(&pool.state).jobs.is_empty());
    assert_eq!(ended.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
}
