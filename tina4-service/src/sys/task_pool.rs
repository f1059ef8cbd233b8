//! Tokio tasks that execute jobs, as the threads of a thread pool do.
//!
//! A job is asynchronous code that is needed often: a run of an async service. An *executor* is a task that takes
//! jobs from a queue and executes them, one after another. When the queue is empty, it becomes idle instead of
//! ending. So a job needs no task of its own, and many jobs at once need only a few wake-ups.
//!
//! # Why no job is forgotten
//!
//! The queue and the state of the executors are guarded by one lock. An executor is *arriving* from the moment it
//! is woken or spawned for the sake of the queue until it looks at the queue. While there are jobs in the queue, at
//! least one executor is arriving:
//!
//! * [`TaskPool::push`] wakes idle executors or spawns some, unless enough are arriving.
//! * An executor takes a job only if it is the last one in the queue, or if another executor is arriving.
//!   Otherwise it wakes or spawns others, and arrives again itself.
//! * If the runtime shuts down and drops an executor, it drops the jobs in the queue, whose destructors report
//!   their end.
//!
//! So a job that has to wait needs no action: whoever takes the other jobs is arriving already.
//!
//! # Jobs that block
//!
//! A job may block its thread, though it should not, or leave its thread to others with `block_in_place`. Then other
//! jobs must not wait for it as long as the runtime has a free thread. So the executor that is arriving meanwhile
//! must be where every thread finds it: in the queue of the runtime, or in the run queue of a thread, from which
//! idle threads steal. But tokio puts a task that another one wakes or spawns into the *LIFO slot* of its thread: it
//! is polled next, and no other thread takes it. While the poll in progress blocks, it is stuck there.
//!
//! So an executor that wakes others executes no job in that poll, but ends it at once: it yields. Its thread then
//! polls what is in its LIFO slot, and the executor itself is in the run queue, which is where tokio puts a
//! task that wakes itself while it is polled. `push` wakes executors from threads that do not belong to the runtime,
//! and these get into its queue.
//!
//! There is one exception. A waker that a job has left behind may wake an idle executor. If that happens in a
//! job that then blocks its thread, the executor is stuck in the LIFO slot, as any task would be. If `push` chooses
//! this executor, its job waits until the next push.
//!
//! # One job in each poll
//!
//! An executor that has executed a job yields before it takes the next one. Tokio looks at its timers and sockets
//! after 61 polls of tasks, and a task that has received 128 messages in one poll seems to receive no more until
//! the next poll: its *budget* is spent. So jobs delay timers no longer than tasks of their own would, and each
//! begins with a whole budget.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sys::runtime::{self, Handle};
use crate::sys::sync::{Mutex, lock};

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// The maximum number of idle executors. An idle one takes less than a kilobyte.
const MAX_IDLE: usize = 128;

/// What executors execute.
///
/// Its destructor must cope with a job that was never executed: that happens when the runtime shuts down.
pub(crate) trait Job: Send + 'static {
    /// Executes the job. Must not panic.
    fn execute(self) -> impl Future<Output = ()> + Send;
}

/// Executors on one runtime, and the jobs that wait for them.
pub(crate) struct TaskPool<J> {
    runtime: Handle,
    /// The number of threads of the runtime: how many executors should arrive at the same time, if there are so many
    /// jobs.
    threads: usize,
    max_idle: usize,
    state: Mutex<State<J>>,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// The number of arriving executors.
    arriving: usize,
    /// A stack: the executor that became idle last is woken first.
    idle: Vec<IdleExecutor>,
    last_id: u64,
    /// There will be no more jobs.
    is_closed: bool,
}

struct IdleExecutor {
    id: u64,
    waker: Waker,
}

/// How to get an executor that is arriving.
#[must_use = "carry it out without the lock"]
enum Wakeup {
    Wake(Waker),
    Spawn,
}

impl<J> State<J> {
    /// Chooses an executor to wake or spawn.
    fn wake_one(&mut self) -> Wakeup {
        self.arriving += 1;
        self.idle.pop().map_or(Wakeup::Spawn, |idle| Wakeup::Wake(idle.waker))
    }

    /// Records that an executor in this phase looks at the queue, or will never do so.
    fn arrived(&mut self, phase: Phase) {
        match phase {
            Phase::Arriving => self.arriving -= 1,
            Phase::Idle(id) => match self.idle.iter().rposition(|idle| idle.id == id) {
                // Something else has woken it, such as a waker that an earlier job has left behind.
                Some(position) => drop(self.idle.remove(position)),
                None => self.arriving -= 1,
            },
            Phase::Executing | Phase::Ended => {}
        }
    }
}

impl<J: Job> TaskPool<J> {
    /// `keep_idle`: whether executors become idle instead of ending.
    pub(crate) fn new(runtime: Handle, keep_idle: bool) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            arriving: 0,
            idle: Vec::new(),
            last_id: 0,
            is_closed: false,
        };
        Self {
            threads: runtime::thread_count(&runtime).max(1),
            max_idle: if keep_idle { MAX_IDLE } else { 0 },
            runtime,
            state: Mutex::new(state),
        }
    }

    /// Has the job executed, and those that were added before. If the runtime has shut down, drops them, on this
    /// thread.
    pub(crate) fn push(self: &Arc<Self>, job: J) {
        let mut state = lock(&self.state);
        state.jobs.push_back(job);
        let mut enough = self.threads.min(state.jobs.len());
        while state.arriving < enough {
            let wakeup = state.wake_one();
            drop(state);
            self.carry_out(wakeup);
            state = lock(&self.state);
            enough = enough.min(state.jobs.len());
        }
    }

    /// Adds jobs without waking an executor for them. The caller must [`push`](Self::push) another one
    /// afterwards. Returns the jobs if the pool is closed.
    pub(crate) fn add(&self, jobs: Vec<J>) -> Option<Vec<J>> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Some(jobs);
        }
        state.jobs.extend(jobs);
        None
    }

    /// Has these jobs executed.
    pub(crate) fn push_all(self: &Arc<Self>, mut jobs: Vec<J>) {
        if let Some(last) = jobs.pop() {
            drop(self.add(jobs));
            self.push(last);
        }
    }

    fn carry_out(self: &Arc<Self>, wakeup: Wakeup) {
        match wakeup {
            Wakeup::Wake(waker) => waker.wake(),
            Wakeup::Spawn => {
                let executor = Executor { pool: Arc::clone(self), phase: Phase::Arriving };
                runtime::spawn(&self.runtime, executor.run());
            }
        }
    }

    /// Ends the idle executors, now and in future. The pool is closed when its runner is dropped, and there are no
    /// jobs; or when its runtime is gone and has been replaced, and no executor will take the jobs.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.arriving += state.idle.len();
        let idle = std::mem::take(&mut state.idle);
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        idle.into_iter().for_each(|idle| idle.waker.wake());
        drop(jobs);
    }
}

impl<J> fmt::Debug for TaskPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskPool").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// A task that executes jobs.
struct Executor<J: Job> {
    pool: Arc<TaskPool<J>>,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Counted in [`State::arriving`].
    Arriving,
    /// Idle under this id; or arriving, if it is not among the idle ones any more.
    Idle(u64),
    Executing,
    /// There is nothing to clean up.
    Ended,
}

impl<J: Job> Executor<J> {
    async fn run(mut self) {
        while let Some(job) = poll_fn(|cx| self.poll_next(cx)).await {
            job.execute().await;
        }
    }

    /// Takes the next job. `None`: the executor is to end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<J>> {
        let pool = &self.pool;
        let mut state = lock(&pool.state);
        let has_executed = matches!(self.phase, Phase::Executing);
        state.arrived(self.phase);
        // If this executor took a job.
        let others = state.jobs.len().saturating_sub(1);
        if !has_executed
            && (state.arriving > 0 || others == 0)
            && let Some(job) = state.jobs.pop_front()
        {
            self.phase = Phase::Executing;
            return Poll::Ready(Some(job));
        }
        // One for each thread and this one are enough: more would only find the queue empty.
        if !state.jobs.is_empty() && state.arriving <= pool.threads {
            let missing = if has_executed { 0 } else { others.min(pool.threads) };
            let wakeups: Vec<_> = (0..missing).map(|_| state.wake_one()).collect();
            state.arriving += 1;
            self.phase = Phase::Arriving;
            drop(state);
            wakeups.into_iter().for_each(|wakeup| pool.carry_out(wakeup));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if state.is_closed || state.idle.len() >= pool.max_idle {
            self.phase = Phase::Ended;
            return Poll::Ready(None);
        }
        state.last_id += 1;
        let id = state.last_id;
        self.phase = Phase::Idle(id);
        // Under the lock: it is the waker of a task of the runtime itself, and not user code.
        state.idle.push(IdleExecutor { id, waker: cx.waker().clone() });
        Poll::Pending
    }
}

/// If the runtime drops the executor, it drops the jobs that the executor was woken for, too.
impl<J: Job> Drop for Executor<J> {
    fn drop(&mut self) {
        if let Phase::Ended = self.phase {
            return;
        }
        let mut state = lock(&self.pool.state);
        state.arrived(self.phase);
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
    }
}

/// Closes the pool when it is dropped.
#[derive(Debug)]
pub(crate) struct PoolOwner<J: Job>(pub(crate) Arc<TaskPool<J>>);

impl<J: Job> Drop for PoolOwner<J> {
    fn drop(&mut self) {
        self.0.close();
    }
}
