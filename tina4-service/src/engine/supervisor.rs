//! The state of all services of one runner: requests and completions in, work and events out.
//!
//! It is only touched under the pool's lock, never runs user code, and takes time as an argument.
//! Effects that need the lock released (log lines, waking sleepers, dropping user values) go to a
//! [`DeferredQueue`].
//!
//! The types are [`Registry`] (which services there are, and what they depend on), [`Journal`] (events
//! and log lines) and [`Shutdown`]. The other files extend [`Supervisor`] by subject.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use self::journal::Journal;
use self::registry::Registry;
use self::shutdown::Shutdown;
use crate::engine::pool::deferred::DeferredQueue;
use crate::observe::event::Change;
use crate::plan::selection::Selection;
use crate::service::environment::Environment;
use crate::service::host::Host;
use crate::time::rng::SplitMix64;
use tina4_service_core::lifecycle::{Action, Facts, Input, Readiness, Transition};
use tina4_service_core::{Nanos, Timers, nanos};

pub(crate) mod control;
mod info;
mod journal;
mod registry;
mod shutdown;
mod start;
mod stop_all;
mod supervised;
#[cfg(test)]
mod tests;
mod transitions;
mod work_source;

/// The services of one runner. See the file's documentation.
pub(crate) struct Supervisor {
    env: Arc<Environment>,
    registry: Registry,
    journal: Journal,
    shutdown: Shutdown,
    deferred: DeferredQueue,
    /// The deadlines of the life cycles. An outdated one is corrected when it comes up.
    timers: Timers,
    random: SplitMix64,
    /// How many services are in an activation.
    active: usize,
    /// How many activations have ended.
    ended: u64,
    /// Consequences of a step that are steps of other services.
    follow_ups: VecDeque<FollowUp>,
    /// Something changed that a listener may be waiting for.
    changed: bool,
    /// The process is ending: nothing starts any more.
    exiting: bool,
    /// The service whose thread ends the process, until its run is given up.
    lost_thread: Option<u32>,
    spawn_error: Option<io::Error>,
    /// The transitions of the step in progress; empty between steps.
    transitions: Vec<Transition>,
    /// The host of the run that ended last: reused when the same service runs again, which saves an
    /// `Arc` clone.
    last_host: Option<Arc<dyn Host>>,
}

/// A consequence of a step that is a step of another service, or a later one of the same.
enum FollowUp {
    /// A service that it comes after is ready, or has ended: let it continue, unless it must wait for
    /// another one, or for the same one that is starting again.
    Release(u32),
    /// During a shutdown: stop it, unless a service that comes after it is active.
    Stop(u32),
    StartAgain(u32),
    /// A critical service has failed.
    ShutDown(u32),
}

impl Supervisor {
    pub(crate) fn new(env: Arc<Environment>, selection: Selection) -> Self {
        Self {
            registry: Registry::new(selection),
            journal: Journal::new(Arc::clone(&env)),
            shutdown: Shutdown::default(),
            deferred: DeferredQueue::new(Arc::clone(&env)),
            timers: Timers::default(),
            random: SplitMix64::new(env.clock.seed()),
            active: 0,
            ended: 0,
            follow_ups: VecDeque::new(),
            changed: false,
            exiting: false,
            lost_thread: None,
            spawn_error: None,
            transitions: Vec::new(),
            last_host: None,
            env,
        }
    }

    /// One step of one service, and everything that follows from it.
    fn apply(&mut self, index: u32, input: Input<'_>, now: Nanos) -> Action {
        let action = self.step(index, input, now);
        self.follow_up(now);
        action
    }

    /// Handles consequences until there are none; most runs have none.
    #[inline]
    fn follow_up(&mut self, now: Nanos) {
        if !self.follow_ups.is_empty() || self.active == 0 {
            self.follow_up_all(now);
        }
    }

    /// A loop instead of recursion, because a chain of `after` may be long.
    fn follow_up_all(&mut self, now: Nanos) {
        while let Some(follow_up) = self.follow_ups.pop_front() {
            match follow_up {
                FollowUp::Stop(index) => self.stop_if_free(index, now),
                FollowUp::Release(index) => {
                    if !self.registry.waits_for_dependencies(index) {
                        self.step(index, Input::Release, now);
                    }
                }
                FollowUp::StartAgain(index) => {
                    if self.may_start().is_ok() {
                        let wait_for_dependencies = self.registry.waits_for_dependencies(index);
                        self.step(index, Input::Start { wait_for_dependencies }, now);
                    }
                }
                FollowUp::ShutDown(index) => {
                    let name = self.registry.get(index).instance.definition.name();
                    let timeout = self.env.shutdown_timeout;
                    self.stop_all(timeout, Some(name), now);
                }
            }
        }
        if self.active == 0
            && let Some(ended) = self.shutdown.end()
        {
            let report = self.report(ended.began, now, ended.critical);
            self.shutdown.set_report(report);
            self.changed = true;
        }
    }

    /// During a shutdown: stops a service once nothing that comes after it is active.
    fn stop_if_free(&mut self, index: u32, now: Nanos) {
        let Some(limit) = self.shutdown.deadline() else { return };
        let service = self.registry.get(index);
        if service.active_dependents() == 0 && service.life.state().is_active() {
            let stop_timeout = service.instance.definition.spec().stop_timeout;
            let deadline = now.saturating_add(nanos(stop_timeout)).min(limit);
            self.registry.get_mut(index).record_stop_request(now);
            self.step(index, Input::Stop { deadline }, now);
            // Once: a run that another worker has begun for it since then is not given up.
            if self.lost_thread.take_if(|lost| *lost == index).is_some() {
                self.step(index, Input::ThreadLost, now);
            }
        }
    }

    /// One step of one life cycle.
    fn step(&mut self, index: u32, input: Input<'_>, now: Nanos) -> Action {
        let Self { registry, timers, transitions, random, .. } = self;
        let service = registry.get_mut(index);
        let spec = service.instance.definition.spec();
        let (wall, zone) = service.instance.calendar();
        let has_timeout = spec.timeout.is_some();
        let facts = Facts {
            now,
            wall,
            zone,
            has_hooks: service.instance.has_hooks(),
            last_heartbeat: if has_timeout { service.instance.last_heartbeat() } else { 0 },
            random: if spec.jitter.is_zero() { 0 } else { random.next_u64() },
        };
        let before = service.life.readiness();
        let emit = &mut |transition| transitions.push(transition);
        let action = service.life.step(spec, facts, input, emit);
        let after = service.life.readiness();
        let concerns_others = before != after || !transitions.is_empty();
        if service.rearm(index, timers) && timers.len() > 2 * registry.len() + 64 {
            registry.rebuild(timers);
        }
        if concerns_others {
            self.record_step(index, before, after, now);
        }
        match action {
            Action::Run { due, attempt } => {
                self.begin_run(index, now.saturating_sub(due), attempt, now);
            }
            Action::CleanUp => {
                self.registry.get_mut(index).end_mut().clean_up_since = Some(now);
            }
            Action::Nothing | Action::Refused(_) => {}
        }
        action
    }

    /// Records the transitions of a step, and queues what follows from it for other services. Most
    /// steps are runs that begin or end in a service that continues: they concern no other.
    fn record_step(&mut self, index: u32, before: Readiness, after: Readiness, now: Nanos) {
        match (before.active, after.active) {
            (false, true) => {
                self.active += 1;
                self.registry.count_active_dependent(index, 1);
            }
            (true, false) => {
                self.active -= 1;
                self.registry.count_active_dependent(index, -1);
            }
            (true, true) | (false, false) => {}
        }
        let mut transitions = std::mem::take(&mut self.transitions);
        for transition in transitions.drain(..) {
            self.apply_transition(index, transition, now);
        }
        self.transitions = transitions;
        if before.active && !before.ready && (after.ready || !after.active) {
            let dependents = self.registry.get(index).dependents();
            self.follow_ups.extend(dependents.iter().copied().map(FollowUp::Release));
        }
        if before.active && !after.active {
            self.changed = true;
            let dependencies = self.registry.get(index).after();
            self.follow_ups.extend(dependencies.iter().copied().map(FollowUp::Stop));
        }
    }

    fn begin_run(&mut self, index: u32, late: Nanos, attempt: u32, now: Nanos) {
        let service = self.registry.get_mut(index);
        service.stats.began(late, attempt);
        if self.journal.has_subscribers() {
            let (run, lateness) = (service.stats.runs, Duration::from_nanos(late));
            let change = Change::RunBegan { run, lateness };
            self.journal.publish(&service.instance, &change, now);
        }
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("services", &self.registry.len()).finish_non_exhaustive()
    }
}
