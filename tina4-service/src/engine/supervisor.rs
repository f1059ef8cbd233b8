//! The state of all services of one runner: requests and reports in, jobs and news out.
//!
//! It is only ever touched under the pool's lock, never calls user code, and takes time as an
//! argument. What must happen outside of the lock (logs, waking sleepers, dropping the user's
//! values) is put aside for [`WorkSource::flush`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::invoke::Crash;
use crate::observe::event::{Change, LogLine, Subscribers};
use crate::observe::stop_report::StopReport;
use crate::plan::{Fault, Names, Selection};
use crate::service::environment::Environment;
use crate::service::host::Host;
use crate::service::locals::Discarded;
use crate::sys::stop_signal::Sleepers;
use crate::time::rng::SplitMix64;
use tina4_service_core::lifecycle::{Action, Facts, Input, Readiness, Transition};
use tina4_service_core::{Nanos, nanos};

mod registry;
mod requests;
mod shutdown;
mod supervised;
#[cfg(test)]
mod tests;
mod transitions;
mod work_source;

use self::supervised::Supervised;
use tina4_service_core::Timers;

pub(crate) struct Supervisor {
    env: Arc<Environment>,
    services: Vec<Supervised>,
    /// Brought up to date whenever it is asked.
    names: Names,
    selection: Selection,
    /// The deadlines. An entry that no longer says the truth is corrected when it comes up.
    timers: Timers,
    random: SplitMix64,
    subscribers: Subscribers,
    /// Engine in an activation.
    active: usize,
    /// How many activations have ended.
    ends: u64,
    shutdown: Option<Shutdown>,
    last_report: Option<StopReport>,
    /// Consequences of a step that are steps of their own.
    todo: VecDeque<Todo>,
    deferred: Deferred,
    /// Somebody is writing the log.
    logging: bool,
    lost_lines: u64,
    news: bool,
    /// The process is ending: nothing starts any more.
    exiting: bool,
    /// The service whose thread ends the process, until it is given up.
    vanished: Option<u32>,
    /// What `relink` last looked at and found.
    linked: Linked,
    thread_error: Option<io::Error>,
    /// What the step in progress tells; empty between steps.
    transitions: Vec<Transition>,
    /// The host of the run that ended last: reused when the same service runs again, which saves an
    /// `Arc` clone.
    spare: Option<Arc<dyn Host>>,
}

/// A `stop_all` in progress.
struct Shutdown {
    began: Nanos,
    deadline: Nanos,
    critical: Option<Cow<'static, str>>,
}

enum Todo {
    /// Something that it comes after is up, or has ended: release it, unless it must wait for
    /// another one, or for the same one that is coming up anew.
    Release(u32),
    /// During a shutdown: stop it, if nothing that comes after it is active any more.
    Stop(u32),
    StartAgain(u32),
    /// A critical service has failed.
    ShutDown(u32),
}

/// What a check found, and for which services and provided values.
#[derive(Default)]
struct Linked {
    services: usize,
    provided: u64,
    order: Vec<u32>,
    faults: Vec<Fault>,
}

/// What to do once the lock is released.
#[derive(Default)]
pub(crate) struct Deferred {
    sleepers: Vec<Sleepers>,
    discarded: Vec<Discarded>,
    log: Vec<LogLine>,
}

/// A stop that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) index: u32,
    activation: u32,
    at: Nanos,
}

impl Supervisor {
    pub(crate) fn new(env: Arc<Environment>, selection: Selection) -> Self {
        let random = SplitMix64::new(env.clock.seed());
        Self {
            env,
            services: Vec::new(),
            names: Names::default(),
            selection,
            timers: Timers::default(),
            random,
            subscribers: Subscribers::default(),
            active: 0,
            ends: 0,
            shutdown: None,
            last_report: None,
            todo: VecDeque::new(),
            deferred: Deferred::default(),
            logging: false,
            lost_lines: 0,
            news: false,
            exiting: false,
            vanished: None,
            linked: Linked::default(),
            thread_error: None,
            transitions: Vec::new(),
            spare: None,
        }
    }

    /// One step of one service, and all that follows from it.
    fn event(&mut self, index: u32, event: Input, now: Nanos) -> Action {
        let action = self.step(index, event, now, None);
        self.pump(now);
        action
    }

    /// Carries out consequences until there are none; most runs have none.
    #[inline]
    fn pump(&mut self, now: Nanos) {
        if !self.todo.is_empty() || self.active == 0 {
            self.pump_all(now);
        }
    }

    /// A loop, not a recursion: a chain of `after` may be long.
    fn pump_all(&mut self, now: Nanos) {
        while let Some(todo) = self.todo.pop_front() {
            match todo {
                Todo::Stop(index) => self.stop_if_free(index, now),
                Todo::Release(index) => {
                    if !self.waits_for_dependencies(index) {
                        self.step(index, Input::Release, now, None);
                    }
                }
                Todo::StartAgain(index) => {
                    if self.may_start().is_ok() {
                        let wait_for_dependencies = self.waits_for_dependencies(index);
                        self.step(index, Input::Start { wait_for_dependencies }, now, None);
                    }
                }
                Todo::ShutDown(index) => {
                    let name = self.service(index).instance.definition.name();
                    let timeout = self.env.shutdown_timeout;
                    self.stop_all(timeout, Some(name), now);
                }
            }
        }
        if self.active == 0
            && let Some(shutdown) = self.shutdown.take()
        {
            self.last_report = Some(self.report(shutdown.began, now, shutdown.critical));
            self.news = true;
        }
    }

    /// During a shutdown: stops a service once nothing that comes after it is active.
    fn stop_if_free(&mut self, index: u32, now: Nanos) {
        let Some(shutdown) = &self.shutdown else { return };
        let service = self.service(index);
        if service.active_dependents() == 0 && service.life.state().is_active() {
            let own = now.saturating_add(nanos(service.instance.definition.spec().stop_timeout));
            let deadline = own.min(shutdown.deadline);
            self.services[index as usize].note_asked(now);
            self.step(index, Input::Stop { deadline }, now, None);
            // Once: what another worker has begun for it since then is not given up.
            if self.vanished.take_if(|vanished| *vanished == index).is_some() {
                self.step(index, Input::ThreadLost, now, None);
            }
        }
    }

    /// One step of one life cycle; `crash` comes with [`Input::Crashed`].
    fn step(&mut self, index: u32, event: Input, now: Nanos, crash: Option<&Crash>) -> Action {
        let Self { services, timers, transitions, random, .. } = self;
        let count = services.len();
        let service = &mut services[index as usize];
        let spec = service.instance.definition.spec();
        let (wall, zone) = service.instance.calendar();
        let facts = Facts {
            now,
            wall,
            zone,
            hooks: service.instance.has_hooks(),
            last_heartbeat: if spec.timeout.is_some() {
                service.instance.last_heartbeat()
            } else {
                0
            },
            random: if spec.jitter.is_zero() { 0 } else { random.next_u64() },
        };
        let before = service.life.readiness();
        let action =
            service.life.step(spec, facts, event, &mut |transition| transitions.push(transition));
        let after = service.life.readiness();
        let concerns_others = before != after || !transitions.is_empty();
        let crowded = service.rearm(index, timers) && timers.len() > 2 * count + 64;
        if crowded {
            self.rebuild_timers();
        }
        if concerns_others {
            self.follow_up(index, before, after, crash, now);
        }
        match action {
            Action::Run { due, attempt } => {
                self.run_begins(index, now.saturating_sub(due), attempt, now);
            }
            Action::CleanUp => {
                self.services[index as usize].end_mut().clean_up_since = Some(now);
            }
            Action::Nothing | Action::Refused(_) => {}
        }
        action
    }

    /// Tells what a step has left to tell, and takes down what follows from it for others. Most
    /// steps are runs that begin or end in a service that goes on: they concern nobody.
    fn follow_up(
        &mut self,
        index: u32,
        before: Readiness,
        after: Readiness,
        crash: Option<&Crash>,
        now: Nanos,
    ) {
        match (before.active, after.active) {
            (false, true) => {
                self.active += 1;
                self.count_dependent(index, 1);
            }
            (true, false) => {
                self.active -= 1;
                self.count_dependent(index, -1);
            }
            (true, true) | (false, false) => {}
        }
        let mut transitions = std::mem::take(&mut self.transitions);
        for transition in transitions.drain(..) {
            self.apply_transition(index, transition, crash, now);
        }
        self.transitions = transitions;
        if before.active && !before.ready && (after.ready || !after.active) {
            let dependents = self.services[index as usize].dependents();
            self.todo.extend(dependents.iter().copied().map(Todo::Release));
        }
        if before.active && !after.active {
            self.news = true;
            let first = self.services[index as usize].after();
            self.todo.extend(first.iter().copied().map(Todo::Stop));
        }
    }

    /// Counts a service that became active, or no longer is, with those it comes after.
    fn count_dependent(&mut self, index: u32, by: i32) {
        for position in 0..self.service(index).after().len() {
            let first = self.service(index).after()[position] as usize;
            let count = &mut self.services[first].links_mut().active_dependents;
            *count = count.saturating_add_signed(by);
        }
    }

    /// Throws out what no longer says the truth; paid for by as many pushes before it.
    fn rebuild_timers(&mut self) {
        self.timers.clear();
        for (service, index) in self.services.iter_mut().zip(0_u32..) {
            service.queued = service.life.deadline().unwrap_or(Nanos::MAX);
            if service.queued < Nanos::MAX {
                self.timers.push(service.queued, index);
            }
        }
    }

    fn run_begins(&mut self, index: u32, late: Nanos, attempt: u32, now: Nanos) {
        let service = &mut self.services[index as usize];
        service.stats.began(late, attempt);
        let number = service.stats.runs;
        if !self.subscribers.is_empty() {
            let lateness = Duration::from_nanos(late);
            self.tell_subscribers(index, &Change::RunBegan { run: number, lateness }, now);
        }
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("services", &self.services.len()).finish_non_exhaustive()
    }
}
