//! How the token is handed over, and when the clock advances.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, Weak};

use super::detached::{self, Detached};
use super::limits::{MAX_IDLE_WAKEUPS, MAX_STEPS, POLL_INTERVAL, STALL_TIMEOUT};
use super::state::State;
use super::waiter::{Parked, ThreadRole, Waiter, WakeOn};
use super::{DRIVEN_BY_THIS_THREAD, VirtualTime};
use crate::sys::sync::{lock, wait};
use crate::sys::threads::start_thread;
use crate::text::one_line::OneLine;
use crate::time::virtual_clock::VirtualClock;
use tina4_service_core::Nanos;

const STALLED: &str = "a service has neither returned nor slept for 10 s of real time; let its body wait with \
    `ctx.sleep` or for `ctx.stopping()`, and provide fakes of everything else that it waits for";
const ENDLESS_INSTANT: &str = "the runner has made a million steps at one instant; \
    look for a body that always returns `Flow::Again`";
const NO_RUN: &str = "services have slept and woken a million times, and no run has begun; \
    use `advance` instead of `run_next`";
const NOTHING_SCHEDULED: &str = "the test waits for something that cannot happen, because nothing is scheduled; \
    start or resume a service first";
const NO_THREAD: &str =
    "the operating system cannot start a thread; lower the number of tests that run in parallel";

impl VirtualTime {
    /// Releases the token, if this thread holds it, and parks the thread until `until` or until it is
    /// woken.
    ///
    /// # Panics
    ///
    /// Time cannot advance, and this is the thread of the test.
    pub(super) fn park(self: &Arc<Self>, until: Option<Nanos>, wake: WakeOn) {
        // `Nanos::MAX` means "never".
        let until = until.filter(|until| *until < Nanos::MAX);
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let role = self.current_role(&state);
        let without_token = state.holder != role;
        let waiter = Waiter::new(role);
        state.parked.push(Parked { until, wake, waiter: Arc::clone(&waiter), without_token });
        if without_token {
            // There may have been a change since the caller checked, and no driver to notice it.
            state.wake_parked_without_token(self.now());
            self.changed.notify_all();
        } else {
            self.release_token(&mut state);
        }
        let is_test = role == ThreadRole::Test && !without_token;
        if is_test {
            (state.steps_at_instant, state.wakeups) = (0, 0);
        }
        let mut state = self.wait_for_notification(state, &waiter, is_test);
        if is_test && let Some(why) = state.stalled.take() {
            self.close_locked(&mut state);
            drop(state);
            let runner = self.runner.get().and_then(Weak::upgrade);
            let names = runner.map(|runner| runner.in_progress()).unwrap_or_default();
            let names = names.iter().map(|name| format!("`{}`", OneLine(name))).collect::<Vec<_>>();
            let what = if names.is_empty() { "" } else { "; it waits for " };
            panic!("virtual time cannot advance: {why}{what}{}", names.join(", "));
        }
    }

    /// Grants the token to an idle driver thread; starts one if there is none.
    pub(super) fn release_token(self: &Arc<Self>, state: &mut State) {
        if let Some(driver) = state.idle_drivers.pop() {
            state.grant_token(&driver);
            return;
        }
        state.holder = ThreadRole::Starting;
        state.drivers_started += 1;
        let virtual_time = Arc::clone(self);
        let name = format!("virtual-time-{}", state.drivers_started);
        if start_thread(name, Box::new(move || virtual_time.drive())).is_err() {
            state.stalled = Some(NO_THREAD);
            self.close_locked(state);
        }
    }

    /// Waits until `waiter` is notified, which grants it the token, unless it parked without the
    /// token. The test waits no longer than [`STALL_TIMEOUT`] without progress.
    pub(super) fn wait_for_notification<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        waiter: &Waiter,
        is_test: bool,
    ) -> MutexGuard<'a, State> {
        let timeout = is_test.then_some(STALL_TIMEOUT);
        let progress =
            |state: &State| (state.steps_at_instant, state.wakeups, state.holder, self.now());
        while !waiter.take_notification() && !state.closed {
            let before = progress(&state);
            let timed_out;
            (state, timed_out) = wait(&waiter.condvar, state, timeout);
            if timed_out && before == progress(&state) {
                state.stalled = Some(STALLED);
                break;
            }
        }
        state
    }

    /// The body of a thread that runs services.
    fn drive(self: Arc<Self>) {
        DRIVEN_BY_THIS_THREAD.set(self.address());
        let own = Waiter::new(ThreadRole::Driver(std::thread::current().id()));
        let mut state = lock(&self.state);
        state.holder = own.role;
        while !state.closed {
            state = self.drive_once(state, &own);
        }
    }

    /// Performs one step: wakes a thread, runs due work, or ends the instant. The caller holds the
    /// token, and holds it again afterwards.
    fn drive_once<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
    ) -> MutexGuard<'a, State> {
        if !state.reattaching.is_empty() {
            let next = state.reattaching.remove(0);
            return self.transfer_token(state, own, &next);
        }
        let (now, changes) = (self.now(), state.changes);
        if let Some(position) = state.parked.iter().position(|parked| parked.is_ready(now, changes))
        {
            let next = state.parked.remove(position);
            state.wakeups += 1;
            if next.without_token {
                next.waiter.notify();
                return state;
            }
            return self.transfer_token(state, own, &next.waiter);
        }
        drop(state);
        let Some(runner) = self.runner.get().and_then(Weak::upgrade) else {
            self.close();
            return lock(&self.state);
        };
        let stepped = runner.step();
        let due = runner.next_due();
        drop(runner);
        let (mut woken, mut sleeper_due) = (0, None);
        #[cfg(all(feature = "tokio", not(shuttle)))]
        if !stepped {
            let sleepers = self.tasks.settle(now);
            (woken, sleeper_due) = (sleepers.woken, sleepers.next);
        }
        #[cfg(not(all(feature = "tokio", not(shuttle))))]
        let _ = (&mut woken, &mut sleeper_due);
        let mut state = lock(&self.state);
        if stepped {
            state.changes += 1;
            state.steps_at_instant += 1;
            if state.steps_at_instant > MAX_STEPS {
                return self.fail_test(state, own, ENDLESS_INSTANT);
            }
            return state;
        }
        state.wakeups += woken;
        // A thread without the token may have changed something in the meantime, or reattach.
        let is_ready = |parked: &Parked| parked.is_ready(now, changes);
        let has_changed = state.changes != changes || !state.reattaching.is_empty();
        if has_changed || state.parked.iter().any(is_ready) || state.closed {
            return state;
        }
        self.end_instant(state, own, due, sleeper_due)
    }

    /// Grants the token to `next`, and waits until this thread is to drive again.
    fn transfer_token<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
        next: &Waiter,
    ) -> MutexGuard<'a, State> {
        state.idle_drivers.push(Arc::clone(own));
        state.grant_token(next);
        self.wait_for_notification(state, own, false)
    }

    /// Ends the instant: advances the clock, or returns to the test. `due` is the time of the runner's
    /// next work, and `sleeper_due` the time at which the next task that sleeps wakes.
    fn end_instant<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
        due: Option<Nanos>,
        sleeper_due: Option<Nanos>,
    ) -> MutexGuard<'a, State> {
        let Some(test) = state.parked_test() else {
            // The test does not wait for time, so there is nothing to advance to.
            return wait(&self.changed, state, None).0;
        };
        if state.detached.iter().any(Detached::is_awaited) {
            return self.poll_detached(state);
        }
        let others = state.parked.iter().filter(|parked| !parked.is_advance());
        let due = due.filter(|due| *due < Nanos::MAX);
        let next = others.filter_map(|parked| parked.until).chain(due).chain(sleeper_due).min();
        let Parked { wake, until: end, .. } = &state.parked[test];
        let end = *end;
        match wake {
            WakeOn::EndOfAdvance | WakeOn::NextRun if end.is_some() => {
                let next = next.filter(|next| end.is_some_and(|end| *next <= end));
                let is_over = next.is_none();
                #[cfg(all(feature = "tokio", not(shuttle)))]
                if end != Some(self.now()) && self.tasks.are_live() {
                    // Their timers at the end of the time to pass come before the end, too.
                    return self.advance_clock(state, next.or(end));
                }
                self.set_now(&mut state, next.or(end));
                if is_over { self.return_to_test(state, own, test) } else { state }
            }
            // No run has begun, and none is scheduled. If bodies sleep, this returns only after many
            // wake-ups, because a sleeping body may end its run, which can schedule the next one.
            WakeOn::EndOfAdvance | WakeOn::NextRun
                if next.is_none() || (due.is_none() && state.wakeups > MAX_IDLE_WAKEUPS) =>
            {
                self.return_to_test(state, own, test)
            }
            WakeOn::EndOfAdvance | WakeOn::NextRun if state.wakeups > MAX_STEPS => {
                self.fail_test(state, own, NO_RUN)
            }
            WakeOn::EndOfAdvance | WakeOn::NextRun => self.advance_clock(state, next),
            WakeOn::Change { .. } | WakeOn::Stop(_) | WakeOn::Time => {
                // A task may wait for a timer of tokio, or for something outside of virtual time.
                #[cfg(all(feature = "tokio", not(shuttle)))]
                let may_wake = self.tasks.are_live();
                #[cfg(not(all(feature = "tokio", not(shuttle))))]
                let may_wake = false;
                if next.is_none() && !may_wake {
                    return self.fail_test(state, own, NOTHING_SCHEDULED);
                }
                let mut state = self.advance_clock(state, next);
                state.changes += 1;
                state
            }
        }
    }

    /// Gives the detached bodies real time to end their runs.
    fn poll_detached<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (mut state, timed_out) = wait(&self.changed, state, Some(POLL_INTERVAL));
        if timed_out {
            let stat_files = detached::stat_files(&state.detached);
            drop(state);
            let busy = detached::busy_threads(stat_files);
            state = lock(&self.state);
            detached::count_poll(&mut state.detached, &busy);
        }
        state
    }

    /// Advances the clock, unless a task is woken before by a timer of its own.
    fn advance_clock<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        next: Option<Nanos>,
    ) -> MutexGuard<'a, State> {
        let mut state = state;
        #[cfg(all(feature = "tokio", not(shuttle)))]
        let is_there = {
            drop(state);
            let is_there = self.tasks.advance(next);
            state = lock(&self.state);
            is_there
        };
        #[cfg(not(all(feature = "tokio", not(shuttle))))]
        let is_there = true;
        if is_there {
            self.set_now(&mut state, next);
        } else {
            state.steps_at_instant = 0;
            state.wakeups += 1;
        }
        state
    }

    fn set_now(&self, state: &mut State, now: Option<Nanos>) {
        if let Some(now) = now {
            self.now.store(now, Ordering::Release);
            state.steps_at_instant = 0;
        }
    }

    fn return_to_test<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
        test: usize,
    ) -> MutexGuard<'a, State> {
        let parked = state.parked.remove(test);
        self.transfer_token(state, own, &parked.waiter)
    }

    /// Returns to the test, which panics and says why.
    fn fail_test<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        own: &Arc<Waiter>,
        why: &'static str,
    ) -> MutexGuard<'a, State> {
        state.stalled = Some(why);
        match state.parked_test() {
            Some(test) => self.return_to_test(state, own, test),
            None => state,
        }
    }
}
