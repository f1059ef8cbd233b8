//! Test time: a clock that goes on only when everybody rests, and one thread at a time that acts.
//!
//! There is one baton. Only the thread that holds it acts: that of the test, or one on which a
//! service runs. Who waits for time, or for something to change, rests: it passes the baton on and
//! blocks until it is given back. A thread that is given the baton and has nothing of its own to do
//! drives: it wakes who is ready, does what is due, and when nothing is left to do at this instant
//! it moves the clock to the next instant at which there is. So what happens in a test, and in
//! which order, depends on the test alone.
//!
//! A body that asks for [`Context::stopping`](crate::Context::stopping) is going to wait for
//! something that is not test time. It goes *outside*: it goes on without the baton, and waits for
//! it when its run has ended. Whether it has begun to wait cannot be known, so time waits a moment
//! for it; on Linux, where one can see that it computes, for up to two seconds: what becomes of a
//! body that only looks whether it is asked to stop shall not depend on how fast the machine is.
//!
//! All is under one lock, each waits for its own bell, and the baton is passed under the lock; so
//! no wake-up is lost, and no two threads hold the baton. The services are never asked anything
//! under this lock, for they read the clock under theirs.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use self::detached::Detached;
use self::state::{Rest, State, TokenHolder, Waiter, Wake};
use crate::sys::sync::{Condvar, Mutex, lock};
use crate::time::wall::WallMark;
use tina4_service_core::Nanos;

mod detached;
mod driver;
mod state;

/// How long, in real time, a test waits for a service that does not come to rest.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

thread_local! {
    /// The stage that this thread belongs to; 0: none.
    static VIRTUAL_TIME: Cell<usize> = const { Cell::new(0) };
}

/// What is played: the services of one runner.
pub(crate) trait Driven: Send + Sync {
    /// When something is due next.
    fn next_due(&self) -> Option<Nanos>;
    /// Does what is due first, on this thread; `false`: nothing is due.
    fn step(&self) -> bool;
}

/// Who moves test time, and who waits for it.
pub(crate) struct VirtualTime {
    now: AtomicU64,
    wall: Mutex<WallMark>,
    state: Mutex<State>,
    /// Rung when somebody without the baton wants something.
    moved: Condvar,
    play: OnceLock<Weak<dyn Driven>>,
}

impl VirtualTime {
    /// A stage whose clock shows `start`.
    pub(crate) fn new(start: SystemTime) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicU64::new(0),
            wall: Mutex::new(WallMark { at: 0, shows: start }),
            state: Mutex::new(State {
                holder: TokenHolder::Test,
                resting: Vec::new(),
                idle: Vec::new(),
                returning: Vec::new(),
                outside: Vec::new(),
                changes: 0,
                test: std::thread::current().id(),
                at_once: 0,
                woken: 0,
                threads: 0,
                closed: false,
                stuck: None,
            }),
            moved: Condvar::new(),
            play: OnceLock::new(),
        })
    }

    /// Says what is to be played, once.
    pub(crate) fn set_driven(&self, play: Weak<dyn Driven>) {
        let _ = self.play.set(play);
    }

    pub(crate) fn now(&self) -> Nanos {
        self.now.load(Ordering::Acquire)
    }

    pub(crate) fn wall(&self) -> SystemTime {
        self.wall_mark().wall(self.now())
    }

    pub(crate) fn wall_mark(&self) -> WallMark {
        *lock(&self.wall)
    }

    /// Sets the wall clock, and nothing else.
    pub(crate) fn set_wall(&self, shows: SystemTime) {
        *lock(&self.wall) = WallMark { at: self.now(), shows };
    }

    /// A body sleeps; `false`: it is asked to stop.
    pub(crate) fn sleep(
        self: &Arc<Self>,
        until: Nanos,
        is_stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    ) -> bool {
        if until > self.now() && !is_stopping() {
            self.rest(Some(until), Wake::Stop(Arc::clone(&is_stopping)));
        }
        // Once it is closed nobody moves the clock, so nobody shall wait for it.
        !is_stopping() && !lock(&self.state).closed
    }

    /// Takes time, whatever happens.
    pub(crate) fn take_time(self: &Arc<Self>, until: Nanos) {
        self.rest(Some(until), Wake::Never);
    }

    /// The test lets time pass.
    pub(crate) fn advance_to(self: &Arc<Self>, until: Nanos) {
        self.claim_test_thread();
        self.rest(Some(until.max(self.now())), Wake::EndOfAdvance);
    }

    /// The test lets time pass up to the next run, and through all of that instant.
    pub(crate) fn advance_to_next_run(self: &Arc<Self>) {
        self.claim_test_thread();
        self.rest(None, Wake::NextRun);
    }

    /// This thread is that of the test from now on: a test may be moved.
    pub(crate) fn claim_test_thread(&self) {
        lock(&self.state).test = std::thread::current().id();
    }

    /// How often something has changed; to be asked before one looks.
    pub(crate) fn changes(&self) -> u64 {
        lock(&self.state).changes
    }

    /// Waits until something has changed since so many changes.
    pub(crate) fn wait_for_news(self: &Arc<Self>, until: Option<Nanos>, seen: u64) {
        self.rest(until, Wake::News(seen));
    }

    /// Whether nothing is played any more.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Something was changed from outside of the play.
    pub(crate) fn notify_change(&self) {
        let mut state = lock(&self.state);
        state.changes += 1;
        state.notify_foreign(self.now());
    }

    /// Ends it: everybody who rests goes on at once, and nothing is played any more.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        self.close_now(&mut state);
    }

    fn close_now(&self, state: &mut State) {
        state.closed = true;
        let resting = state.resting.drain(..).map(|rest| rest.seat);
        for seat in resting.chain(state.idle.drain(..)).chain(state.returning.drain(..)) {
            seat.call();
        }
        self.moved.notify_all();
    }

    fn here(&self, state: &State) -> TokenHolder {
        let id = std::thread::current().id();
        if VIRTUAL_TIME.get() == self.address() {
            TokenHolder::Thread(id)
        } else if state.test == id {
            TokenHolder::Test
        } else {
            TokenHolder::Foreign
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// A service is about to run: the test may have waited for that.
    pub(crate) fn begin_run(&self) {
        let mut state = lock(&self.state);
        if let Some(test) = state.test()
            && let Rest { wake: Wake::NextRun, until, .. } = &mut state.resting[test]
        {
            until.get_or_insert(self.now());
        }
    }

    /// A body goes on without the baton, if it has it.
    pub(crate) fn detach(self: &Arc<Self>, is_stopping: Arc<dyn Fn() -> bool + Send + Sync>) {
        let mut state = lock(&self.state);
        if !state.closed
            && VIRTUAL_TIME.get() == self.address()
            && state.holder == self.here(&state)
        {
            state.outside.push(Detached::new(is_stopping));
            self.pass_on(&mut state);
        }
    }

    /// The body of this thread has ended: what comes of it needs the baton.
    pub(crate) fn reattach(&self) {
        let mut state = lock(&self.state);
        let thread = std::thread::current().id();
        let place = state.outside.iter().position(|outside| outside.thread == thread);
        let Some(place) = place.filter(|_| !state.closed) else {
            return;
        };
        state.outside.remove(place);
        let seat = Waiter::new(self.here(&state));
        state.returning.push(Arc::clone(&seat));
        self.moved.notify_all();
        drop(self.wait_to_be_called(state, &seat, false));
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("now", &self.now()).finish_non_exhaustive()
    }
}
