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
//! it when its run has ended.
//!
//! All is under one lock, each waits for its own bell, and the baton is passed under the lock; so
//! no wake-up is lost, and no two threads hold the baton. The services are never asked anything
//! under this lock, for they read the clock under theirs.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::ThreadId;
use std::time::{Duration, SystemTime};

use crate::clock::Nanos;
use crate::pool::start_thread;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};

/// How long, in real time, a test waits for a service that does not come to rest.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long, in real time, test time waits for a body that has just gone outside: most only look
/// whether they are asked to stop.
const GLANCE: Duration = Duration::from_millis(100);
/// So much may happen at one instant.
const MOST_AT_ONCE: u64 = 1_000_000;

/// Who has slept and woken so often while no run was planned plans none.
const MOST_NAPS: u64 = 10_000;

const NO_REST: &str = "a service has not come to rest for 10 s of real time. What a body waits for must be \
    `ctx.sleep`, or stop through `ctx.stopping()`; give the test a fake for the rest";
const NO_END: &str = "a million things have happened at one instant: does a body return `Flow::Again` \
    without end?";
const NO_RUN: &str = "services sleep and wake up, a million times by now, and no run begins";
const NO_NEWS: &str = "what the test waits for will never come: nothing is planned";

thread_local! {
    /// The stage that this thread belongs to; 0: none.
    static STAGE: Cell<usize> = const { Cell::new(0) };
}

/// What is played: the services of one runner.
pub(crate) trait Play: Send + Sync {
    /// When something is due next.
    fn next_due(&self) -> Option<Nanos>;
    /// Does what is due first, on this thread; `false`: nothing is due.
    fn step(&self) -> bool;
}

/// Who moves test time, and who waits for it.
pub(crate) struct Stage {
    now: AtomicU64,
    wall: Mutex<Wall>,
    state: Mutex<State>,
    /// Rung when somebody without the baton wants something.
    moved: Condvar,
    play: OnceLock<Weak<dyn Play>>,
}

/// What the wall clock showed at an instant.
#[derive(Clone, Copy)]
struct Wall {
    at: Nanos,
    shows: SystemTime,
}

struct State {
    holder: Holder,
    resting: Vec<Rest>,
    /// Threads that can drive.
    idle: Vec<Arc<Seat>>,
    /// Those outside whose run has ended.
    returning: Vec<Arc<Seat>>,
    /// How many are outside.
    outside: usize,
    /// How long to wait for them before time goes on; `None`: they were waited for in vain.
    wait_outside: Option<Duration>,
    /// How often something changed that somebody may wait for.
    changes: u64,
    /// The thread of the test.
    test: ThreadId,
    /// What happened since the clock last moved, and who woke up since the test began to wait.
    at_once: u64,
    woken: u64,
    threads: u64,
    closed: bool,
    /// Why the test cannot go on.
    stuck: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Test,
    Thread(ThreadId),
    /// A thread that is being started.
    Newcomer,
    /// A thread that has nothing to do with the stage; it never has the baton.
    Stranger,
}

/// Where a thread waits for the baton.
struct Seat {
    holder: Holder,
    bell: Condvar,
    /// Written and read under the stage's lock.
    called: AtomicBool,
}

/// Somebody who rests.
struct Rest {
    until: Option<Nanos>,
    wake: Wake,
    seat: Arc<Seat>,
    /// It had no baton, and needs none.
    away: bool,
}

/// What else than time ends a rest.
enum Wake {
    /// Its service is asked to stop.
    Stop(Arc<dyn Fn() -> bool + Send + Sync>),
    /// Something has changed since so many changes.
    News(u64),
    /// Nothing.
    Never,
    /// Nothing, and it comes last at its instant: the test.
    Curtain,
    /// The same, at the instant of the next run.
    NextRun,
}

impl Seat {
    fn new(holder: Holder) -> Arc<Self> {
        Arc::new(Self { holder, bell: Condvar::new(), called: AtomicBool::new(false) })
    }

    fn call(&self) {
        self.called.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    fn take_call(&self) -> bool {
        self.called.swap(false, Ordering::Relaxed)
    }
}

impl Rest {
    fn is_ready(&self, now: Nanos, changes: u64) -> bool {
        let in_time = || self.until.is_some_and(|until| until <= now);
        match &self.wake {
            Wake::Stop(is_stopping) => in_time() || is_stopping(),
            Wake::News(seen) => in_time() || *seen != changes,
            Wake::Never => in_time(),
            Wake::Curtain | Wake::NextRun => false,
        }
    }
}

impl State {
    fn give(&mut self, seat: &Seat) {
        self.holder = seat.holder;
        seat.call();
    }

    /// Where the test waits, if it does.
    fn test(&self) -> Option<usize> {
        self.resting.iter().position(|rest| rest.seat.holder == Holder::Test && !rest.away)
    }
}

impl Stage {
    /// A stage whose clock shows `start`.
    pub(crate) fn new(start: SystemTime) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicU64::new(0),
            wall: Mutex::new(Wall { at: 0, shows: start }),
            state: Mutex::new(State {
                holder: Holder::Test,
                resting: Vec::new(),
                idle: Vec::new(),
                returning: Vec::new(),
                outside: 0,
                wait_outside: None,
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
    pub(crate) fn set_play(&self, play: Weak<dyn Play>) {
        let _ = self.play.set(play);
    }

    pub(crate) fn now(&self) -> Nanos {
        self.now.load(Ordering::Acquire)
    }

    pub(crate) fn wall(&self) -> SystemTime {
        let Wall { at, shows } = *lock(&self.wall);
        let passed = Duration::from_nanos(self.now().saturating_sub(at));
        shows.checked_add(passed).unwrap_or(shows)
    }

    /// Sets the wall clock, and nothing else.
    pub(crate) fn set_wall(&self, shows: SystemTime) {
        *lock(&self.wall) = Wall { at: self.now(), shows };
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
    pub(crate) fn play_until(self: &Arc<Self>, until: Nanos) {
        self.take_the_test();
        self.rest(Some(until.max(self.now())), Wake::Curtain);
    }

    /// The test lets time pass up to the next run, and through all of that instant.
    pub(crate) fn play_next_run(self: &Arc<Self>) {
        self.take_the_test();
        self.rest(None, Wake::NextRun);
    }

    /// This thread is that of the test from now on: a test may be moved.
    pub(crate) fn take_the_test(&self) {
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
    pub(crate) fn touch(&self) {
        lock(&self.state).changes += 1;
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

    fn here(&self, state: &State) -> Holder {
        let id = std::thread::current().id();
        if STAGE.get() == self.address() {
            Holder::Thread(id)
        } else if state.test == id {
            Holder::Test
        } else {
            Holder::Stranger
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn rest(self: &Arc<Self>, until: Option<Nanos>, wake: Wake) {
        // The end of time is never.
        let until = until.filter(|until| *until < Nanos::MAX);
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let holder = self.here(&state);
        let away = state.holder != holder;
        let seat = Seat::new(holder);
        state.resting.push(Rest { until, wake, seat: Arc::clone(&seat), away });
        if away {
            self.moved.notify_all();
        } else {
            self.pass_on(&mut state);
        }
        let is_test = holder == Holder::Test && !away;
        if is_test {
            (state.at_once, state.woken) = (0, 0);
        }
        let mut state = self.wait_to_be_called(state, &seat, is_test);
        if is_test && let Some(why) = state.stuck.take() {
            self.close_now(&mut state);
            drop(state);
            panic!("test time cannot go on: {why}");
        }
    }

    /// Gives the baton to somebody who drives.
    fn pass_on(self: &Arc<Self>, state: &mut State) {
        if let Some(seat) = state.idle.pop() {
            state.give(&seat);
            return;
        }
        state.holder = Holder::Newcomer;
        state.threads += 1;
        let stage = Arc::clone(self);
        let name = format!("stage-{}", state.threads);
        if start_thread(name, move || stage.life()).is_err() {
            state.stuck = Some("the operating system does not start a thread");
            self.close_now(state);
        }
    }

    fn wait_to_be_called<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Seat,
        is_test: bool,
    ) -> MutexGuard<'a, State> {
        let patience = is_test.then_some(PATIENCE);
        while !seat.take_call() && !state.closed {
            let before = (state.at_once, state.woken, state.holder, self.now());
            let timed_out;
            (state, timed_out) = wait(&seat.bell, state, patience);
            if timed_out && before == (state.at_once, state.woken, state.holder, self.now()) {
                state.stuck = Some(NO_REST);
                break;
            }
        }
        state
    }

    /// A thread on which services run.
    fn life(self: Arc<Self>) {
        STAGE.set(self.address());
        let seat = Seat::new(Holder::Thread(std::thread::current().id()));
        let mut state = lock(&self.state);
        state.holder = seat.holder;
        while !state.closed {
            state = self.drive(state, &seat);
        }
    }

    /// Does the next thing. Whoever calls this holds the baton, and holds it again afterwards.
    fn drive<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Seat>,
    ) -> MutexGuard<'a, State> {
        if !state.returning.is_empty() {
            let back = state.returning.remove(0);
            return self.hand_over(state, seat, &back);
        }
        let (now, changes) = (self.now(), state.changes);
        if let Some(place) = state.resting.iter().position(|rest| rest.is_ready(now, changes)) {
            let rest = state.resting.remove(place);
            state.woken += 1;
            if rest.away {
                rest.seat.call();
                return state;
            }
            return self.hand_over(state, seat, &rest.seat);
        }
        drop(state);
        let Some(play) = self.play.get().and_then(Weak::upgrade) else {
            self.close();
            return lock(&self.state);
        };
        let did = play.step();
        let due = play.next_due();
        drop(play);
        let mut state = lock(&self.state);
        if did {
            state.changes += 1;
            state.at_once += 1;
            if state.at_once > MOST_AT_ONCE {
                return self.give_up(state, seat, NO_END);
            }
            return state;
        }
        // Somebody without the baton may have changed something meanwhile.
        if state.changes != changes || state.closed {
            return state;
        }
        self.go_on(state, seat, due)
    }

    /// Gives the baton to somebody, and waits to be the one who drives again.
    fn hand_over<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Seat>,
        next: &Seat,
    ) -> MutexGuard<'a, State> {
        state.idle.push(Arc::clone(own));
        state.give(next);
        self.wait_to_be_called(state, own, false)
    }

    /// Nothing is left to do at this instant: goes on to the next, or back to the test.
    fn go_on<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Seat>,
        due: Option<Nanos>,
    ) -> MutexGuard<'a, State> {
        let Some(test) = state.test() else {
            // It was let go of: see `close`.
            return wait(&self.moved, state, None).0;
        };
        // First those outside have their chance.
        if state.outside > 0
            && let Some(limit) = state.wait_outside
        {
            let (mut state, timed_out) = wait(&self.moved, state, Some(limit));
            if timed_out {
                state.wait_outside = None;
            }
            return state;
        }
        let is_curtain = |rest: &Rest| matches!(rest.wake, Wake::Curtain | Wake::NextRun);
        let others = state.resting.iter().filter(|rest| !is_curtain(rest));
        let due = due.filter(|due| *due < Nanos::MAX);
        let next = others.filter_map(|rest| rest.until).chain(due).min();
        let Rest { wake, until: end, .. } = &state.resting[test];
        let end = *end;
        match wake {
            Wake::Curtain | Wake::NextRun if end.is_some() => {
                let next = next.filter(|next| end.is_some_and(|end| *next <= end));
                let back = next.is_none();
                self.move_to(&mut state, next.or(end));
                if back { self.back_to_test(state, seat, test) } else { state }
            }
            // No run has begun yet, and none is planned, unless one of those who sleep ends its run.
            Wake::Curtain | Wake::NextRun
                if next.is_none() || (due.is_none() && state.woken > MOST_NAPS) =>
            {
                self.back_to_test(state, seat, test)
            }
            Wake::Curtain | Wake::NextRun if state.woken > MOST_AT_ONCE => {
                self.give_up(state, seat, NO_RUN)
            }
            Wake::Curtain | Wake::NextRun => {
                self.move_to(&mut state, next);
                state
            }
            Wake::News(_) | Wake::Stop(_) | Wake::Never => {
                if next.is_none() {
                    return self.give_up(state, seat, NO_NEWS);
                }
                self.move_to(&mut state, next);
                state.changes += 1;
                state
            }
        }
    }

    fn move_to(&self, state: &mut State, now: Option<Nanos>) {
        if let Some(now) = now {
            self.now.store(now, Ordering::Release);
            state.at_once = 0;
        }
    }

    fn back_to_test<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Seat>,
        test: usize,
    ) -> MutexGuard<'a, State> {
        let rest = state.resting.remove(test);
        self.hand_over(state, seat, &rest.seat)
    }

    /// The test cannot go on: it says why.
    fn give_up<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Seat>,
        why: &'static str,
    ) -> MutexGuard<'a, State> {
        state.stuck = Some(why);
        match state.test() {
            Some(test) => self.back_to_test(state, seat, test),
            None => state,
        }
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

    /// A body goes on without the baton; `false`: it had none.
    pub(crate) fn step_outside(self: &Arc<Self>) -> bool {
        let mut state = lock(&self.state);
        let steps_out =
            !state.closed && STAGE.get() == self.address() && state.holder == self.here(&state);
        if steps_out {
            state.outside += 1;
            state.wait_outside = Some(state.wait_outside.unwrap_or(GLANCE).max(GLANCE));
            self.pass_on(&mut state);
        }
        steps_out
    }

    /// Somebody outside is asked to stop: time waits for it.
    pub(crate) fn expect_back(&self) {
        lock(&self.state).wait_outside = Some(PATIENCE);
    }

    /// The body of this thread has ended: what comes of it needs the baton.
    pub(crate) fn come_back(&self) {
        let mut state = lock(&self.state);
        let here = self.here(&state);
        if state.closed || state.holder == here {
            return;
        }
        state.outside -= 1;
        let seat = Seat::new(here);
        state.returning.push(Arc::clone(&seat));
        self.moved.notify_all();
        drop(self.wait_to_be_called(state, &seat, false));
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("now", &self.now()).finish_non_exhaustive()
    }
}
