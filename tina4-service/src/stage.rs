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
/// How long, in real time, a stop waits for those outside before test time goes on.
const OUTSIDE: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this thread belongs to a stage.
    static ON_STAGE: Cell<bool> = const { Cell::new(false) };
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
    /// Those outside were waited for in vain.
    gave_up: bool,
    /// How often something changed that somebody may wait for.
    changes: u64,
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

fn here() -> Holder {
    if ON_STAGE.get() { Holder::Thread(std::thread::current().id()) } else { Holder::Test }
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
                gave_up: false,
                changes: 0,
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
            self.rest(Some(until), Wake::Stop(Arc::clone(&is_stopping)), false);
        }
        // Once it is closed nobody moves the clock, so nobody shall wait for it.
        !is_stopping() && !lock(&self.state).closed
    }

    /// Takes time, whatever happens.
    pub(crate) fn take_time(self: &Arc<Self>, until: Nanos) {
        self.rest(Some(until), Wake::Never, false);
    }

    /// The test lets time pass.
    pub(crate) fn play_until(self: &Arc<Self>, until: Nanos) {
        self.rest(Some(until.max(self.now())), Wake::Curtain, false);
    }

    /// The test lets time pass up to the next run, and through all of that instant.
    pub(crate) fn play_next_run(self: &Arc<Self>) {
        self.rest(None, Wake::NextRun, false);
    }

    /// Waits until something changes; `again`: the change before was not what it waits for.
    pub(crate) fn wait_for_news(self: &Arc<Self>, until: Option<Nanos>, again: bool) {
        self.rest(until, Wake::News(0), again);
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

    fn rest(self: &Arc<Self>, until: Option<Nanos>, wake: Wake, again: bool) {
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let holder = here();
        let away = state.holder != holder;
        if !again {
            state.changes += 1;
            state.gave_up = false;
        }
        let wake = match wake {
            Wake::News(_) => Wake::News(state.changes),
            Wake::Stop(_) | Wake::Never | Wake::Curtain | Wake::NextRun => wake,
        };
        let seat = Seat::new(holder);
        state.resting.push(Rest { until, wake, seat: Arc::clone(&seat), away });
        if away {
            self.moved.notify_all();
        } else {
            self.pass_on(&mut state);
        }
        let is_test = holder == Holder::Test && !away;
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
            let before = (state.changes, state.holder);
            let timed_out;
            (state, timed_out) = wait(&seat.bell, state, patience);
            if timed_out && before == (state.changes, state.holder) {
                state.stuck = Some(
                    "a service has not come to rest for 10 s of real time. What a body waits for must \
                     be `ctx.sleep`, or stop through `ctx.stopping()`; give the test a fake for the rest",
                );
                break;
            }
        }
        state
    }

    /// A thread on which services run.
    fn life(self: Arc<Self>) {
        ON_STAGE.set(true);
        let seat = Seat::new(here());
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
        let is_curtain = |rest: &Rest| matches!(rest.wake, Wake::Curtain | Wake::NextRun);
        let others = state.resting.iter().filter(|rest| !is_curtain(rest));
        let next = others.filter_map(|rest| rest.until).chain(due).min();
        if is_curtain(&state.resting[test]) {
            let end = state.resting[test].until;
            // What waits for the next run waits for ever, until there was one.
            let next = next.filter(|next| end.is_none_or(|end| *next <= end));
            if let Some(now) = next.or(end) {
                self.now.store(now, Ordering::Release);
            }
            if next.is_some() {
                return state;
            }
            let rest = state.resting.remove(test);
            return self.hand_over(state, seat, &rest.seat);
        }
        // The test waits for something to change: first those outside have their chance.
        if state.outside > 0 && !state.gave_up {
            let (mut state, timed_out) = wait(&self.moved, state, Some(OUTSIDE));
            state.gave_up = timed_out;
            return state;
        }
        match next {
            Some(next) => {
                self.now.store(next, Ordering::Release);
                state.changes += 1;
                state
            }
            None => {
                state.stuck = Some("what the test waits for will never come: nothing is planned");
                let rest = state.resting.remove(test);
                self.hand_over(state, seat, &rest.seat)
            }
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

    /// A body goes on without the baton.
    pub(crate) fn step_outside(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        if !state.closed && ON_STAGE.get() && state.holder == here() {
            state.outside += 1;
            self.pass_on(&mut state);
        }
    }

    /// The body of this thread has ended: what comes of it needs the baton.
    pub(crate) fn come_back(&self) {
        let mut state = lock(&self.state);
        if state.closed || state.holder == here() {
            return;
        }
        state.outside -= 1;
        let seat = Seat::new(here());
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
