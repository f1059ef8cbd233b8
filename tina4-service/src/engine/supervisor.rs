//! The state of all services of one runner. It receives requests and completions, and produces work and
//! events.
//!
//! It is only accessed under the pool's lock, never runs user code, and takes the monotonic time as an
//! argument; it reads the wall time itself. Effects that need the lock released (log lines, waking
//! sleepers, dropping user values) go to a [`DeferredQueue`].
//!
//! Its parts are the [`Registry`] (the services and their dependencies), the [`Journal`] (events
//! and log lines) and the [`Shutdown`]. The other files add methods to [`Supervisor`], grouped by
//! subject.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
#[cfg(feature = "tokio")]
use std::sync::atomic::Ordering;

use self::availability::Availability;
use self::journal::Journal;
use self::notices::Notices;
use self::past_runs::PastRuns;
use self::registry::Registry;
#[cfg(all(target_os = "linux", feature = "systemd"))]
use self::service_manager::ServiceManager;
use self::shutdown::Shutdown;
use self::supervised::StepParts;
use crate::engine::pool::deferred::DeferredQueue;
use crate::observe::requester::Requester;
use crate::plan::selection::Selection;
use crate::service::environment::Environment;
use crate::service::host::Host;
use crate::time::rng::SplitMix64;
use tina4_service_core::lifecycle::{Action, Facts, Input, Readiness, State, Transition};
use tina4_service_core::{Nanos, Timers, nanos};

mod availability;
#[cfg(feature = "queue")]
mod consumer;
pub(crate) mod control;
mod history;
mod index_set;
mod info;
#[cfg(feature = "queue")]
mod jobs;
mod journal;
mod log;
pub(crate) mod metrics;
mod notices;
#[cfg(all(target_os = "linux", feature = "systemd"))]
mod notify;
mod past_runs;
#[cfg(feature = "signals")]
pub(crate) mod quiesce;
pub(crate) mod readiness;
pub(crate) mod ready;
mod registry;
pub(crate) mod requests;
mod reschedule;
#[cfg(all(target_os = "linux", feature = "systemd"))]
pub(crate) mod service_manager;
mod shutdown;
mod start;
mod stop_all;
mod supervised;
#[cfg(all(unix, feature = "signals"))]
pub(crate) mod table;
#[cfg(feature = "tokio")]
mod tasks;
#[cfg(test)]
mod tests;
mod tracking;
mod transitions;
pub(crate) mod unregister;
mod work_source;

/// The services of one runner. See the module documentation.
pub(crate) struct Supervisor {
    env: Arc<Environment>,
    registry: Registry,
    journal: Journal,
    past: PastRuns,
    /// What people are told of; `None`: there is no hook.
    notices: Option<Box<Notices>>,
    shutdown: Shutdown,
    /// What systemd was told about the process.
    #[cfg(all(target_os = "linux", feature = "systemd"))]
    service_manager: Option<Box<ServiceManager>>,
    availability: Availability,
    deferred: DeferredQueue,
    /// By when each life cycle that has a next wake-up needs it. An outdated entry is removed or replaced when
    /// it reaches the front.
    timers: Timers,
    random: SplitMix64,
    /// The number of active services.
    active: usize,
    /// The number of activations that have ended.
    ended: u64,
    /// The follow-ups that are still to be handled.
    follow_ups: VecDeque<FollowUp>,
    /// Something changed that a listener may be waiting for.
    changed: bool,
    /// The number of threads that wait for a service to become ready.
    ready_waiters: usize,
    /// The process is ending: no service may start.
    exiting: bool,
    /// The service whose run is ending the process, until its thread is declared lost.
    exiting_service: Option<u32>,
    /// The process is ending, and nothing polls the tasks of the runtime: they never end.
    #[cfg(all(feature = "exit-hook", feature = "tokio"))]
    tasks_are_unpolled: bool,
    /// Whether the log says which services are selected.
    selection_is_logged: bool,
    /// Who made the request that is being handled, and to which service.
    requester: Option<(u32, Requester)>,
    /// The last failure to spawn a thread, until it is taken.
    spawn_error: Option<io::Error>,
    /// The transitions of the step in progress; empty between steps.
    transitions: Vec<Transition>,
    /// The host of the run that ended last: reused when the same service runs again, which saves an
    /// `Arc` clone.
    last_host: Option<Arc<dyn Host>>,
}

/// A consequence of a step or of a shutdown: a step of another service, a later step of the same one,
/// or a shutdown.
enum FollowUp {
    /// A dependency of this service has come further or has ended: tell the service whether it may
    /// start now.
    CheckDependencies(u32),
    /// During a shutdown: stop this service, unless one of its dependents is active.
    Stop(u32),
    /// The deployment has turned this service off, and it was stopped: it is disabled again.
    Disable(u32),
    /// A start was requested while the service was stopping: start it.
    StartAgain(u32),
    /// This critical service has failed: stop all services.
    ShutDown(u32),
}

impl Supervisor {
    pub(crate) fn new(env: Arc<Environment>, selection: Selection) -> Self {
        Self {
            registry: Registry::new(selection),
            journal: Journal::new(Arc::clone(&env)),
            past: PastRuns::default(),
            notices: None,
            shutdown: Shutdown::default(),
            #[cfg(all(target_os = "linux", feature = "systemd"))]
            service_manager: None,
            availability: Availability::default(),
            deferred: DeferredQueue::new(Arc::clone(&env)),
            timers: Timers::default(),
            random: SplitMix64::new(env.clock.seed()),
            active: 0,
            ended: 0,
            follow_ups: VecDeque::new(),
            changed: false,
            ready_waiters: 0,
            exiting: false,
            exiting_service: None,
            #[cfg(all(feature = "exit-hook", feature = "tokio"))]
            tasks_are_unpolled: false,
            selection_is_logged: false,
            requester: None,
            spawn_error: None,
            transitions: Vec::new(),
            last_host: None,
            env,
        }
    }

    /// Makes one step of one service, and all its follow-ups.
    fn apply(&mut self, index: u32, input: Input<'_>, now: Nanos) -> Action {
        let action = self.step(index, input, now);
        self.follow_up(now);
        action
    }

    /// Handles all follow-ups, and ends the shutdown once no service is active; most runs cause
    /// neither.
    #[inline]
    fn follow_up(&mut self, now: Nanos) {
        if !self.follow_ups.is_empty() || self.active == 0 {
            self.follow_up_all(now);
        }
    }

    /// Handles all follow-ups, then ends the shutdown in progress if no service is active. Uses a loop
    /// instead of recursion, because a chain of dependencies may be long.
    fn follow_up_all(&mut self, now: Nanos) {
        while let Some(follow_up) = self.follow_ups.pop_front() {
            match follow_up {
                FollowUp::Stop(index) => self.stop_if_no_active_dependents(index, now),
                FollowUp::CheckDependencies(index) => {
                    let is_waiting = self.registry.get(index).life.is_waiting_for_dependencies();
                    if is_waiting && self.may_start().is_ok() {
                        let dependencies = self.registry.dependencies(index);
                        self.step(index, Input::DependenciesChanged(dependencies), now);
                    }
                }
                FollowUp::Disable(index) => {
                    self.step(index, Input::Disable, now);
                }
                FollowUp::StartAgain(index) => {
                    if self.may_start().is_ok() {
                        let dependencies = self.registry.dependencies(index);
                        let outer = self.restore_requester(index);
                        self.step(index, Input::Start { dependencies }, now);
                        self.requester = outer;
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
            && let Some(mut ended) = self.shutdown.end()
        {
            self.end_stop_log(&mut ended, now);
            let report = self.report(ended.began, now, ended.critical);
            self.shutdown.set_report(report);
            self.changed = true;
        }
    }

    /// During a shutdown: stops a service unless one of its dependents is still active.
    fn stop_if_no_active_dependents(&mut self, index: u32, now: Nanos) {
        let Some(limit) = self.shutdown.deadline() else { return };
        let service = self.registry.get(index);
        let state = service.life.state();
        let is_blocked = state == State::Blocked;
        let is_stoppable = state.is_active() || is_blocked;
        if is_stoppable && service.active_dependents() == 0 && !self.registry.blocks_any(index) {
            let stop_timeout = service.instance.definition.spec().stop_timeout;
            let deadline = now.saturating_add(nanos(stop_timeout)).min(limit);
            let shutdown = self.shutdown.begun();
            let service = self.registry.get_mut(index);
            service.record_stop_request(now);
            if is_blocked {
                service.end_mut().blocked_at_shutdown = shutdown;
            }
            self.step(index, Input::Stop { deadline }, now);
            // Only once: a run that another worker has begun since then must not be declared lost.
            if self.exiting_service.take_if(|exiting| *exiting == index).is_some() {
                self.step(index, Input::ThreadLost, now);
            }
            #[cfg(all(feature = "exit-hook", feature = "tokio"))]
            self.end_unpolled_task(index, now);
        }
    }

    /// Makes one step of one life cycle, and queues its follow-ups.
    #[inline]
    fn step(&mut self, index: u32, input: Input<'_>, now: Nanos) -> Action {
        if self.registry.get(index).instance.has_time_settings() {
            self.step_of::<true>(index, input, now)
        } else {
            self.step_of::<false>(index, input, now)
        }
    }

    /// [`Supervisor::step`] of a service with or without a time zone, a tolerance or a new schedule.
    // perf: two functions. Most services have neither; since the compiler knows that in theirs, they do not
    // pay for them.
    #[inline(never)]
    fn step_of<const HAS_TIME_SETTINGS: bool>(
        &mut self,
        index: u32,
        input: Input<'_>,
        now: Nanos,
    ) -> Action {
        let Self { registry, timers, transitions, random, .. } = self;
        let service = registry.get_mut(index);
        let StepParts {
            life,
            instance,
            spec,
            wall,
            zone,
            tolerance,
            #[cfg(feature = "queue")]
            jobs,
        } = service.step_parts::<HAS_TIME_SETTINGS>();
        let has_timeout = spec.timeout.is_some();
        #[cfg(feature = "queue")]
        let (has_jobs, oldest_job) = match jobs.filter(|_| HAS_TIME_SETTINGS) {
            Some(jobs) => (jobs.has_work(instance), jobs.oldest(now)),
            None => (false, 0),
        };
        #[cfg(not(feature = "queue"))]
        let (has_jobs, oldest_job) = (false, 0);
        let facts = Facts {
            has_jobs,
            now,
            wall,
            zone,
            has_hooks: instance.has_hooks(),
            last_heartbeat: if has_timeout { instance.last_heartbeat().max(oldest_job) } else { 0 },
            random: if spec.jitter.is_zero() { 0 } else { random.next_u64() },
            tolerance,
        };
        let before = life.readiness();
        let emit = &mut |transition| transitions.push(transition);
        let action = life.step(spec, facts, input, emit);
        let after = life.readiness();
        let must_record = before != after || !transitions.is_empty();
        #[cfg(feature = "queue")]
        let action = if HAS_TIME_SETTINGS { service.follow_life(action, now) } else { action };
        #[cfg(feature = "queue")]
        if HAS_TIME_SETTINGS {
            service.rearm_jobs(index, timers);
        }
        if service.rearm(index, tolerance, timers) && timers.len() > 2 * registry.slots() + 64 {
            registry.rebuild_timers(timers);
        }
        if must_record {
            self.record_step(index, before, after, now);
        }
        match action {
            Action::Run { due, attempt, kind: _ } => {
                let lateness = if tolerance == 0 {
                    now.saturating_sub(due)
                } else {
                    self.registry.get(index).lateness()
                };
                self.begin_run(index, lateness, attempt, now);
            }
            Action::CleanUp => {
                self.registry.get_mut(index).end_mut().clean_up_since = Some(now);
            }
            Action::Nothing | Action::Refused(_) => {}
        }
        action
    }

    /// Records the transitions of a step, and queues its follow-ups. Most steps only begin or end a
    /// run of a service that stays active; they have nothing to record.
    fn record_step(&mut self, index: u32, before: Readiness, after: Readiness, now: Nanos) {
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        self.note_for_service_manager(now);
        match (before.active, after.active) {
            (false, true) => {
                self.active += 1;
                // A wait on the thread that executes the async services ends: see `Runner::wait`.
                #[cfg(feature = "tokio")]
                {
                    self.changed |= self.env.has_tasks.load(Ordering::Relaxed)
                        && self.registry.get(index).is_async();
                }
                self.registry.adjust_active_dependents(index, 1);
            }
            (true, false) => {
                self.active -= 1;
                self.registry.adjust_active_dependents(index, -1);
            }
            (true, true) | (false, false) => {}
        }
        let mut transitions = std::mem::take(&mut self.transitions);
        for transition in transitions.drain(..) {
            self.apply_transition(index, transition, now);
        }
        self.transitions = transitions;
        // perf: loops, because most services have no dependencies, and `extend` costs more than nothing.
        if before != after {
            if after.is_ready() && !before.is_ready() {
                self.record_ready(index, now);
            }
            self.changed |= self.ready_waiters > 0;
            let dependents = self.registry.get(index).dependents();
            for dependent in dependents {
                self.follow_ups.push_back(FollowUp::CheckDependencies(*dependent));
            }
        }
        if !after.active {
            self.changed |= before.active;
            let dependencies = self.registry.get(index).dependencies();
            for link in dependencies {
                self.follow_ups.push_back(FollowUp::Stop(link.index));
            }
        }
        if !self.availability.has_started_up {
            self.note_start_up(index, now);
        }
    }

    /// Records that a run begins.
    // perf: called from both copies of `step_of`; the compiler does not inline it on its own.
    #[inline(always)]
    fn begin_run(&mut self, index: u32, lateness: Nanos, attempt: u32, now: Nanos) {
        let service = self.registry.get_mut(index);
        service.stats.began(lateness, attempt);
        if self.journal.has_subscribers() {
            self.publish_run_begin(index, lateness, now);
        }
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("services", &self.registry.len()).finish_non_exhaustive()
    }
}
