//! The task pool under a model checker: every job is executed or dropped, exactly once, and every executor
//! of a closed pool ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::future::yield_now;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread;

use super::*;

const SCHEDULES: usize = 2_000;
const PREEMPTIONS: usize = 3;

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 17;
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    let test = Arc::new(test);
    let again = Arc::clone(&test);
    let random = RandomScheduler::new(SCHEDULES);
    shuttle::Runner::new(random, config.clone()).run(move || test());
    let preempting = PctScheduler::new(PREEMPTIONS, SCHEDULES);
    shuttle::Runner::new(preempting, config).run(move || again());
}

/// Atomics of `std`, so that the checker does not try schedules that differ only here.
#[derive(Default)]
struct Counts {
    executed: AtomicUsize,
    dropped: AtomicUsize,
}

struct Counted {
    counts: Arc<Counts>,
    is_executed: bool,
}

impl Job for Counted {
    async fn execute(mut self) {
        for _ in 0..thread_rng().gen_range(0..3) {
            yield_now().await;
        }
        self.is_executed = true;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let count = if self.is_executed { &self.counts.executed } else { &self.counts.dropped };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

const PUSHES: usize = 3;

/// Two threads that push jobs.
fn push(pool: &Arc<TaskPool<Counted>>, counts: &Arc<Counts>) -> [thread::JoinHandle<()>; 2] {
    [(); 2].map(|()| {
        let (pool, counts) = (Arc::clone(pool), Arc::clone(counts));
        thread::spawn(move || {
            for _ in 0..PUSHES {
                pool.push(Counted { counts: Arc::clone(&counts), is_executed: false });
            }
        })
    })
}

fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn rule_91_every_job_is_executed_once_and_the_executors_of_a_closed_pool_end() {
    explore(|| {
        let pool = Arc::new(TaskPool::new(Handle::new(), true));
        let counts = Arc::<Counts>::default();
        for thread in push(&pool, &counts) {
            thread.join().expect("it returns");
        }
        wait_until(|| counts.executed.load(Ordering::SeqCst) == 2 * PUSHES);
        drop(PoolOwner(Arc::clone(&pool)));
        // Every executor is an owner, too.
        wait_until(|| Arc::strong_count(&pool) == 1);
        assert_eq!(counts.dropped.load(Ordering::SeqCst), 0);
        let state = lock(&pool.state);
        assert_eq!((state.arriving, state.idle.len()), (0, 0));
    });
}

#[test]
fn rule_91_the_runtime_of_a_pool_shuts_down_at_any_moment() {
    explore(|| {
        let runtime = Handle::new();
        let pool = Arc::new(TaskPool::new(runtime.clone(), true));
        let counts = Arc::<Counts>::default();
        let threads = push(&pool, &counts);
        runtime.shut_down();
        for thread in threads {
            thread.join().expect("it returns");
        }
        let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        wait_until(|| count(&counts.executed) + count(&counts.dropped) == 2 * PUSHES);
        wait_until(|| Arc::strong_count(&pool) == 1);
        let state = lock(&pool.state);
        assert_eq!((state.arriving, state.idle.len(), state.jobs.len()), (0, 0, 0));
    });
}

/// How many jobs block: one in each executor that `push` wakes.
const BLOCKING: usize = 2;
const OTHERS: usize = 2;

/// Two of these jobs block their threads until the others have been executed.
struct MayBlock {
    blocks: bool,
    executed: Arc<AtomicUsize>,
}

impl Job for MayBlock {
    async fn execute(self) {
        if self.blocks {
            wait_until(|| self.executed.load(Ordering::SeqCst) == OTHERS);
        } else {
            yield_now().await;
            self.executed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Here, every task has a thread of its own.
#[test]
fn rule_92_jobs_that_block_leave_the_others_to_another_executor() {
    explore(|| {
        let pool = Arc::new(TaskPool::new(Handle::new(), true));
        let executed = Arc::<AtomicUsize>::default();
        let job = |blocks| MayBlock { blocks, executed: Arc::clone(&executed) };
        let mut jobs: Vec<_> = (0..OTHERS).map(|_| job(false)).collect();
        for _ in 0..BLOCKING {
            let position = thread_rng().gen_range(0..=jobs.len());
            jobs.insert(position, job(true));
        }
        pool.push_all(jobs);
        wait_until(|| executed.load(Ordering::SeqCst) == OTHERS);
        drop(PoolOwner(Arc::clone(&pool)));
        wait_until(|| Arc::strong_count(&pool) == 1);
    });
}
