//! How the baton goes on: who is given it next, and when the clock moves.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, Weak};

use super::detached::{self, Detached, POLL_INTERVAL};
use super::state::{Rest, State, TokenHolder, Waiter, Wake};
use super::{STALL_TIMEOUT, VIRTUAL_TIME, VirtualTime};
use crate::sys::sync::{lock, wait};
use crate::sys::threads::start_thread;
use tina4_service_core::Nanos;

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

impl VirtualTime {
    pub(super) fn rest(self: &Arc<Self>, until: Option<Nanos>, wake: Wake) {
        // The end of time is never.
        let until = until.filter(|until| *until < Nanos::MAX);
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let holder = self.here(&state);
        let away = state.holder != holder;
        let seat = Waiter::new(holder);
        state.resting.push(Rest { until, wake, seat: Arc::clone(&seat), away });
        if away {
            // Something may have changed since it looked, and nobody may be there to notice.
            state.notify_foreign(self.now());
            self.moved.notify_all();
        } else {
            self.pass_on(&mut state);
        }
        let is_test = holder == TokenHolder::Test && !away;
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
    pub(super) fn pass_on(self: &Arc<Self>, state: &mut State) {
        if let Some(seat) = state.idle.pop() {
            state.give(&seat);
            return;
        }
        state.holder = TokenHolder::Starting;
        state.threads += 1;
        let virtual_time = Arc::clone(self);
        let name = format!("stage-{}", state.threads);
        if start_thread(name, Box::new(move || virtual_time.life())).is_err() {
            state.stuck = Some("the operating system does not start a thread");
            self.close_now(state);
        }
    }

    pub(super) fn wait_to_be_called<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Waiter,
        is_test: bool,
    ) -> MutexGuard<'a, State> {
        let patience = is_test.then_some(STALL_TIMEOUT);
        while !seat.take_call() && !state.closed {
            let before = (state.at_once, state.woken, state.holder, self.now());
            let timed_out;
            (state, timed_out) = wait(&seat.condvar, state, patience);
            if timed_out && before == (state.at_once, state.woken, state.holder, self.now()) {
                state.stuck = Some(NO_REST);
                break;
            }
        }
        state
    }

    /// A thread on which services run.
    fn life(self: Arc<Self>) {
        VIRTUAL_TIME.set(self.address());
        let seat = Waiter::new(TokenHolder::Thread(std::thread::current().id()));
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
        seat: &Arc<Waiter>,
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
        // Somebody without the baton may have changed something meanwhile, or come back.
        let is_ready = |rest: &Rest| rest.is_ready(now, changes);
        let has_news = state.changes != changes || !state.returning.is_empty();
        if has_news || state.resting.iter().any(is_ready) || state.closed {
            return state;
        }
        self.go_on(state, seat, due)
    }

    /// Gives the baton to somebody, and waits to be the one who drives again.
    fn hand_over<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
        next: &Waiter,
    ) -> MutexGuard<'a, State> {
        state.idle.push(Arc::clone(own));
        state.give(next);
        self.wait_to_be_called(state, own, false)
    }

    /// Nothing is left to do at this instant: goes on to the next, or back to the test.
    fn go_on<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Waiter>,
        due: Option<Nanos>,
    ) -> MutexGuard<'a, State> {
        let Some(test) = state.test() else {
            // It was let go of: see `close`.
            return wait(&self.moved, state, None).0;
        };
        // First those outside have their chance.
        if state.outside.iter().any(Detached::is_awaited) {
            let (mut state, timed_out) = wait(&self.moved, state, Some(POLL_INTERVAL));
            if timed_out {
                let stats = detached::stats(&state.outside);
                drop(state);
                let computing = detached::computing(stats);
                state = lock(&self.state);
                detached::count_glance(&mut state.outside, &computing);
            }
            return state;
        }
        let is_curtain = |rest: &Rest| matches!(rest.wake, Wake::EndOfAdvance | Wake::NextRun);
        let others = state.resting.iter().filter(|rest| !is_curtain(rest));
        let due = due.filter(|due| *due < Nanos::MAX);
        let next = others.filter_map(|rest| rest.until).chain(due).min();
        let Rest { wake, until: end, .. } = &state.resting[test];
        let end = *end;
        match wake {
            Wake::EndOfAdvance | Wake::NextRun if end.is_some() => {
                let next = next.filter(|next| end.is_some_and(|end| *next <= end));
                let back = next.is_none();
                self.move_to(&mut state, next.or(end));
                if back { self.back_to_test(state, seat, test) } else { state }
            }
            // No run has begun yet, and none is planned, unless one of those who sleep ends its run.
            Wake::EndOfAdvance | Wake::NextRun
                if next.is_none() || (due.is_none() && state.woken > MOST_NAPS) =>
            {
                self.back_to_test(state, seat, test)
            }
            Wake::EndOfAdvance | Wake::NextRun if state.woken > MOST_AT_ONCE => {
                self.give_up(state, seat, NO_RUN)
            }
            Wake::EndOfAdvance | Wake::NextRun => {
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
        seat: &Arc<Waiter>,
        test: usize,
    ) -> MutexGuard<'a, State> {
        let rest = state.resting.remove(test);
        self.hand_over(state, seat, &rest.seat)
    }

    /// The test cannot go on: it says why.
    fn give_up<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Arc<Waiter>,
        why: &'static str,
    ) -> MutexGuard<'a, State> {
        state.stuck = Some(why);
        match state.test() {
            Some(test) => self.back_to_test(state, seat, test),
            None => state,
        }
    }
}
