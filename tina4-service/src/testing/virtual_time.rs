//! Virtual time: a clock that advances only when every thread waits, and one thread at a time that
//! acts.
//!
//! There is one token, and only the thread that holds it acts: the thread of the test, or one of the
//! driver threads, which run the services. A thread that waits for a time or for a change releases the
//! token, and parks until it is granted the token again. A driver thread that holds the token and is
//! not inside a body grants the token to the next parked thread that is ready, or else executes the
//! work that is due. When nothing is left to do at this instant, it advances the clock to the next
//! instant at which there is something to do. So the events of a test, and their order, depend on the
//! test alone.
//!
//! A body that calls [`Context::stopping`](crate::Context::stopping) is about to block on something
//! that is not virtual time. The body detaches: it continues without the token, and waits to get the
//! token back when its run has ended. We cannot know when it starts to block, so the clock is held back
//! for a grace period: 100 ms of real time, up to 2 s while Linux reports the thread as running, or up
//! to 10 s once the body is asked to stop. The longer periods are for bodies that only poll whether they
//! are asked to stop: they must behave the same on a slow machine.
//!
//! Everything is under one lock. Each waiter has a condition variable of its own, and the token
//! is handed over under the lock; so no wake-up is lost, and no two threads hold the token. The runner
//! is never called under this lock, because it reads the clock under its own.

use std::cell::Cell;
use std::fmt;
#[cfg(all(feature = "tokio", not(shuttle)))]
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use self::detached::Detached;
use self::state::State;
#[cfg(all(feature = "tokio", not(shuttle)))]
use self::tasks::Tasks;
use self::waiter::{Parked, ThreadRole, Waiter, WakeOn};
#[cfg(all(feature = "tokio", not(shuttle)))]
use crate::sys::runtime::Handle;
use crate::sys::stop_flag::StopReceiver;
use crate::sys::sync::{Condvar, Mutex, lock};
#[cfg(feature = "tokio")]
use crate::time::async_sleeper::AsyncSleeper;
use crate::time::virtual_clock::{Driven, IsStopping, VirtualClock};
use crate::time::wall::WallReading;
use tina4_service_core::{Nanos, nanos};

mod detached;
mod driver;
mod limits;
mod state;
#[cfg(all(feature = "tokio", not(shuttle)))]
mod tasks;
mod waiter;

thread_local! {
    /// The address of the `VirtualTime` that this thread drives; 0: none.
    static DRIVEN_BY_THIS_THREAD: Cell<usize> = const { Cell::new(0) };
}

/// The clock of a test, and the threads that wait for it.
pub(crate) struct VirtualTime {
    now: AtomicU64,
    wall: Mutex<WallReading>,
    state: Mutex<State>,
    /// Wakes the driver thread that holds the token, when a thread without the token parks or
    /// reattaches, or when virtual time is closed.
    changed: Condvar,
    runner: OnceLock<Weak<dyn Driven>>,
    #[cfg(all(feature = "tokio", not(shuttle)))]
    tasks: Tasks,
}

impl VirtualTime {
    /// Creates a clock that shows `start`. The current thread is the thread of the test.
    pub(crate) fn new(start: SystemTime) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicU64::new(0),
            wall: Mutex::new(WallReading { instant: 0, wall: start }),
            state: Mutex::new(State::new()),
            changed: Condvar::new(),
            runner: OnceLock::new(),
            #[cfg(all(feature = "tokio", not(shuttle)))]
            tasks: Tasks::default(),
        })
    }

    pub(crate) fn wall(&self) -> SystemTime {
        let (now, reading) = self.reading();
        reading.wall_rounded_down(now)
    }

    /// Lets time pass until `until`, including everything that is due at that instant. Called by the
    /// test.
    pub(crate) fn advance_to(self: &Arc<Self>, until: Nanos) {
        self.claim_test_thread();
        self.park(Some(until.max(self.now())), WakeOn::EndOfAdvance);
    }

    /// Lets time pass until the next run, including everything that is due at that instant. Called by
    /// the test.
    pub(crate) fn advance_to_next_run(self: &Arc<Self>) {
        self.claim_test_thread();
        self.park(None, WakeOn::NextRun);
    }

    /// Makes the current thread the thread of the test: a `TestRunner` can be moved to another thread.
    pub(crate) fn claim_test_thread(&self) {
        lock(&self.state).test_thread = std::thread::current().id();
    }

    /// Ends virtual time: every waiting thread continues, and the runner is no longer driven.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        self.close_locked(&mut state);
    }

    fn close_locked(&self, state: &mut State) {
        state.close();
        #[cfg(all(feature = "tokio", not(shuttle)))]
        self.tasks.interrupt();
        self.changed.notify_all();
    }

    /// The role of the current thread.
    fn current_role(&self, state: &State) -> ThreadRole {
        let id = std::thread::current().id();
        if self.is_driver_thread() {
            ThreadRole::Driver(id)
        } else if state.test_thread == id {
            ThreadRole::Test
        } else {
            ThreadRole::Foreign
        }
    }

    fn is_driver_thread(&self) -> bool {
        DRIVEN_BY_THIS_THREAD.get() == self.address()
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl VirtualClock for VirtualTime {
    fn now(&self) -> Nanos {
        self.now.load(Ordering::Acquire)
    }

    fn reading(&self) -> (Nanos, WallReading) {
        let reading = *lock(&self.wall);
        (self.now(), reading)
    }

    fn advance(self: Arc<Self>, by: Duration) {
        self.advance_to(self.now().saturating_add(nanos(by)));
    }

    fn set_wall(&self, wall: SystemTime) {
        *lock(&self.wall) = WallReading { instant: self.now(), wall };
    }

    /// There is only one runner; later ones are ignored.
    fn attach(&self, runner: Weak<dyn Driven>) {
        let _ = self.runner.set(runner);
    }

    fn sleep(self: Arc<Self>, until: Nanos, is_stopping: IsStopping, _: &StopReceiver) -> bool {
        if until > self.now() && !is_stopping() {
            self.park(Some(until), WakeOn::Stop(Arc::clone(&is_stopping)));
        }
        // After `close` the clock stands still: the body must not wait for it.
        !is_stopping() && !lock(&self.state).closed
    }

    #[cfg(all(feature = "tokio", not(shuttle)))]
    fn add_sleeper(&self, sleeper: Weak<AsyncSleeper>) {
        self.tasks.add_sleeper(sleeper);
    }

    /// The model checker does not run the test kit.
    #[cfg(all(feature = "tokio", shuttle))]
    fn add_sleeper(&self, _: Weak<AsyncSleeper>) {}

    #[cfg(all(feature = "tokio", not(shuttle)))]
    fn task_runtime(self: Arc<Self>) -> Option<io::Result<Handle>> {
        let virtual_time = Arc::downgrade(&self);
        let on_time = move |since_start| {
            if let Some(virtual_time) = virtual_time.upgrade() {
                virtual_time.now.fetch_max(nanos(since_start), Ordering::AcqRel);
            }
        };
        Some(self.tasks.runtime_handle(on_time))
    }

    #[cfg(all(feature = "tokio", not(shuttle)))]
    fn is_polling_tasks(&self) -> bool {
        tasks::is_polling()
    }

    fn sleep_through(self: Arc<Self>, until: Nanos) {
        self.park(Some(until), WakeOn::Time);
    }

    fn drives_runner(&self) -> bool {
        true
    }

    /// Ends [`VirtualTime::advance_to_next_run`] at this instant, if the test is waiting in that
    /// method.
    fn begin_run(&self) {
        let mut state = lock(&self.state);
        if let Some(test) = state.parked_test()
            && let Parked { wake: WakeOn::NextRun, until, .. } = &mut state.parked[test]
        {
            until.get_or_insert(self.now());
        }
    }

    /// Has no effect if this thread does not hold the token.
    fn detach(self: Arc<Self>, is_stopping: IsStopping) {
        // A task cannot leave: the thread polls others, too.
        #[cfg(feature = "tokio")]
        if self.is_polling_tasks() {
            return;
        }
        let mut state = lock(&self.state);
        if !state.closed && self.is_driver_thread() && state.holder == self.current_role(&state) {
            state.detached.push(Detached::new(is_stopping));
            self.release_token(&mut state);
        }
    }

    fn reattach(&self) {
        let mut state = lock(&self.state);
        let thread = std::thread::current().id();
        let position = state.detached.iter().position(|detached| detached.thread == thread);
        let Some(position) = position.filter(|_| !state.closed) else {
            return;
        };
        state.detached.remove(position);
        let waiter = Waiter::new(self.current_role(&state));
        state.reattaching.push(Arc::clone(&waiter));
        self.changed.notify_all();
        drop(self.wait_for_notification(state, &waiter, false));
    }

    /// `None` once virtual time is closed.
    fn changes(&self) -> Option<u64> {
        let state = lock(&self.state);
        (!state.closed).then_some(state.changes)
    }

    fn wait_for_change(self: Arc<Self>, until: Option<Nanos>, seen: u64) {
        self.park(until, WakeOn::Change { seen });
    }

    fn notify_change(&self) {
        let mut state = lock(&self.state);
        state.changes += 1;
        state.wake_parked_without_token(self.now());
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime").field("now", &self.now()).finish_non_exhaustive()
    }
}
