//! The life of one service, as a pure state machine: `step(facts, event) -> command`.
//!
//! There is no clock, no thread and no lock here; time and dice are arguments. "When do you need
//! me next?" is [`Lifecycle::deadline`]. The supervisor brings the events and does what the
//! commands say. Every `match` on the phase names every phase: a new one does not compile until
//! each event has an answer for it.
//!
//! ```text
//!  Registered ─start─► Held ─release─► Waiting ◄──good── Running ──crash─► BackingOff
//!                                        │  └────due───►  ▲ │ └─────due──────┘
//!                                        └──pause─► Paused  │
//!                         any of these ──stop─► (Running: told) ─► Ending (hooks) ─► Stopped
//!                                            done ─► Ending (hooks) ─► Finished
//!                              too many crashes ─► Ending (hooks) ─► Failed
//!                                  stop deadline passed ─► Abandoned
//! ```

use std::fmt;
use std::time::Duration;

use tina4_service_schedule::{Grid, Restart, RestartPolicy, Restarts, Schedule, Spec, Verdict};

use crate::clock::{Nanos, nanos};
use crate::flow::Flow;

#[cfg(test)]
mod tests;

/// What a service is doing. `Display` prints the words of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Known, not started yet.
    Registered,
    /// Waiting for its next run.
    Waiting,
    /// Its function is being called.
    Running,
    /// Waiting for its restart after a crash.
    BackingOff,
    /// Told not to run until resumed.
    Paused,
    /// Its activation is ending: a last run, or its clean-up, is in progress.
    Stopping,
    /// Ended because it was told to.
    Stopped,
    /// Ended because its work was done.
    Finished,
    /// Ended because it crashed too often; final until it is started again.
    Failed,
    /// Did not end within its `stop_timeout`; its last run may still be alive.
    Abandoned,
}

impl State {
    /// Whether the service is in an activation: waiting, running, backing off, paused, stopping.
    #[must_use]
    pub const fn is_active(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::BackingOff | Self::Paused | Self::Stopping => {
                true
            }
            Self::Registered | Self::Stopped | Self::Finished | Self::Failed | Self::Abandoned => {
                false
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Registered => "registered",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::BackingOff => "backing off",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        })
    }
}

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stopped,
    Finished,
    Failed,
}

/// Who carries out the clean-up of an activation that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hooks {
    /// Nobody yet: a worker must come for it.
    Queued,
    /// The worker that ran last, or the one that came.
    Running,
}

/// What is still alive in an abandoned service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alive {
    /// The last run.
    Run,
    /// The clean-up, for which no worker has come yet.
    Queued,
    /// The clean-up.
    Hooks,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Registered,
    /// Started, but what it comes `after` is not up.
    Held,
    /// `pause`: go (back) to being paused after the run.
    Waiting {
        due: Nanos,
        pause: bool,
    },
    Running(Running),
    BackingOff {
        due: Nanos,
        pause: bool,
    },
    Paused {
        resume: Resume,
    },
    Ending {
        ending: Ending,
        hooks: Hooks,
        deadline: Nanos,
        start_again: bool,
    },
    Stopped,
    Finished,
    Failed,
    Abandoned {
        alive: Alive,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    due: Nanos,
    started: Nanos,
    /// Stop was requested and waits until then.
    stop: Option<Nanos>,
    /// Start again once stopped.
    start_again: bool,
    /// Pause once this run has ended.
    pause: bool,
    /// When to look whether this run is stuck.
    watch: Option<Nanos>,
}

/// What a paused service goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resume {
    Waiting { due: Nanos },
    BackingOff { due: Nanos },
}

/// What a step needs to know besides the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Nanos,
    /// Something must be cleaned up if the activation ends now.
    pub(crate) hooks: bool,
    /// When the body last called `heartbeat`.
    pub(crate) beat: Nanos,
    /// A random number, for jitter.
    pub(crate) dice: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Begin an activation; `held` while what it comes `after` is not up.
    Start {
        held: bool,
    },
    /// What it comes `after` is up.
    Release,
    /// The deadline has come.
    Due,
    /// The run has ended well.
    Ended(Flow),
    /// The run has crashed.
    Crashed,
    /// The clean-up is over.
    CleanedUp,
    /// The thread that runs or cleans up never comes back: it is ending the process.
    Vanished,
    /// A stop waited until its deadline, and nobody else has noticed yet.
    Expired,
    RunNow,
    Pause,
    Resume,
    /// End the activation; what does not end by `deadline` is abandoned.
    Stop {
        deadline: Nanos,
    },
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Nothing,
    /// Call the function.
    Run {
        due: Nanos,
        attempt: u32,
    },
    /// Run the clean-up hooks, then report `CleanedUp`.
    CleanUp,
    /// The request does not fit.
    Refused(Refusal),
}

/// Why a request does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is in an activation already.
    Active,
    /// It is not in an activation.
    NotActive,
    /// It is waiting for services that it comes `after`.
    Held,
    /// A run is in progress.
    Busy,
    /// It is ending.
    Stopping,
    /// An abandoned run of it is still alive.
    Alive,
}

/// Something worth telling: to the log, to subscribers, to those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    Started,
    /// Runs fell due while one was in progress, and were left out.
    Skipped(u64),
    Crashed {
        in_a_row: u32,
        restart_in: Option<Duration>,
    },
    /// A continuous service returned, and is restarted because it says `restart = "always"`.
    Returned {
        restart_in: Option<Duration>,
    },
    Restarted,
    Stuck {
        running_for: Duration,
    },
    Paused,
    Resumed,
    /// The activation is ending.
    Stopping,
    /// The activation has ended, its clean-up included; it may be asked to start again.
    Ended {
        ending: Ending,
        start_again: bool,
    },
    /// The last run crashed after stop was requested, which is not a crash that counts.
    CrashedWhileStopping,
    Abandoned,
    /// What was left of an abandoned activation has ended after all.
    LateEnd,
}

/// The life cycle of one service.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    since: Nanos,
    /// Which activation this is, from 1; 0 before the first.
    activation: u32,
    /// The first due instant of this activation.
    anchor: Nanos,
    /// Whether the first run of this activation has begun.
    up: bool,
    restarts: Restarts,
}

impl Lifecycle {
    pub(crate) fn new(now: Nanos) -> Self {
        Self {
            phase: Phase::Registered,
            since: now,
            activation: 0,
            anchor: 0,
            up: false,
            restarts: Restarts::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.phase {
            Phase::Registered => State::Registered,
            Phase::Held | Phase::Waiting { .. } => State::Waiting,
            Phase::Running(Running { stop: None, .. }) => State::Running,
            Phase::Running(Running { stop: Some(_), .. }) | Phase::Ending { .. } => State::Stopping,
            Phase::BackingOff { .. } => State::BackingOff,
            Phase::Paused { .. } => State::Paused,
            Phase::Stopped => State::Stopped,
            Phase::Finished => State::Finished,
            Phase::Failed => State::Failed,
            Phase::Abandoned { .. } => State::Abandoned,
        }
    }

    /// Since when it has been in this state.
    pub(crate) fn since(&self) -> Nanos {
        self.since
    }

    pub(crate) fn activation(&self) -> u32 {
        self.activation
    }

    pub(crate) fn crashes_in_a_row(&self) -> u32 {
        self.restarts.in_a_row()
    }

    /// In an activation whose first run has not begun: others may be waiting for it.
    pub(crate) fn is_coming_up(&self) -> bool {
        self.state().is_active() && !self.up
    }

    /// The run in progress began then.
    pub(crate) fn running_since(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Running(Running { started, .. }) => Some(started),
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// Whether the service's code, a run or a clean-up, is being executed.
    pub(crate) fn is_executing(&self) -> bool {
        match self.phase {
            Phase::Running(_)
            | Phase::Ending { hooks: Hooks::Running, .. }
            | Phase::Abandoned { alive: Alive::Run | Alive::Hooks } => true,
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { hooks: Hooks::Queued, .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Queued | Alive::Nothing } => false,
        }
    }

    /// When the next run or restart is due, if one is planned.
    pub(crate) fn next_run(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Waiting { due, .. } | Phase::BackingOff { due, .. } => Some(due),
            Phase::Registered
            | Phase::Held
            | Phase::Running(_)
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// When this life cycle needs the event [`Event::Due`] next.
    pub(crate) fn deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Waiting { due, .. } | Phase::BackingOff { due, .. } => Some(due),
            Phase::Running(Running { stop, watch, .. }) => stop.or(watch),
            Phase::Ending { hooks: Hooks::Queued, .. }
            | Phase::Abandoned { alive: Alive::Queued } => Some(self.since),
            Phase::Ending { hooks: Hooks::Running, deadline, .. } => Some(deadline),
            Phase::Registered
            | Phase::Held
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Run | Alive::Hooks | Alive::Nothing } => None,
        }
    }

    /// When a stop that is in progress gives up.
    pub(crate) fn stop_deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Running(Running { stop, .. }) => stop,
            Phase::Ending { deadline, .. } => Some(deadline),
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// Takes one event and says what to do; what is worth telling goes to `tell`.
    pub(crate) fn step(
        &mut self,
        spec: &Spec,
        facts: Facts,
        event: Event,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        let before = self.state();
        let activation = self.activation;
        let command = match event {
            Event::Start { held } => self.start(spec, facts, held, tell),
            Event::Release => self.release(spec, facts),
            Event::Due => self.due(spec, facts, tell),
            Event::Ended(flow) => self.ended(spec, facts, Some(flow), tell),
            Event::Crashed => self.ended(spec, facts, None, tell),
            Event::CleanedUp => self.cleaned_up(tell),
            Event::Vanished => self.vanished(spec, facts, tell),
            Event::Expired => self.expired(facts, tell),
            Event::RunNow => self.run_now(facts),
            Event::Pause => self.pause(tell),
            Event::Resume => self.resume(spec, facts, tell),
            Event::Stop { deadline } => self.stop(facts, deadline, tell),
        };
        if self.state() != before || self.activation != activation {
            self.since = facts.now;
        }
        command
    }

    fn start(
        &mut self,
        spec: &Spec,
        facts: Facts,
        held: bool,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match &mut self.phase {
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Nothing } => {
                self.activation = self.activation.wrapping_add(1).max(1);
                self.up = false;
                self.restarts = Restarts::default();
                self.phase = Phase::Held;
                tell(Note::Started);
                if held { Command::Nothing } else { self.release(spec, facts) }
            }
            Phase::Running(Running { stop: Some(_), start_again, .. })
            | Phase::Ending { start_again, .. } => {
                *start_again = true;
                Command::Nothing
            }
            Phase::Held
            | Phase::Waiting { .. }
            | Phase::Running(Running { stop: None, .. })
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => Command::Refused(Refusal::Active),
            Phase::Abandoned { alive: Alive::Run | Alive::Queued | Alive::Hooks } => {
                Command::Refused(Refusal::Alive)
            }
        }
    }

    fn release(&mut self, spec: &Spec, facts: Facts) -> Command {
        match self.phase {
            Phase::Held => {
                self.anchor = facts.now.saturating_add(nanos(spec.initial_delay));
                let due = self.anchor.saturating_add(jitter(spec, facts.dice));
                self.phase = Phase::Waiting { due, pause: false };
                Command::Nothing
            }
            Phase::Registered
            | Phase::Waiting { .. }
            | Phase::Running(_)
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Nothing,
        }
    }

    fn due(&mut self, spec: &Spec, facts: Facts, tell: &mut impl FnMut(Note)) -> Command {
        // An early or outdated wake-up changes nothing.
        if self.deadline().is_none_or(|deadline| facts.now < deadline) {
            return Command::Nothing;
        }
        match &mut self.phase {
            Phase::Waiting { due, pause } => {
                let (due, pause) = (*due, *pause);
                self.run(spec, facts, due, pause)
            }
            Phase::BackingOff { due, pause } => {
                let (due, pause) = (*due, *pause);
                self.restarts.restarted(&spec.restart, facts.now);
                tell(Note::Restarted);
                self.run(spec, facts, due, pause)
            }
            Phase::Running(Running { stop: Some(_), .. })
            | Phase::Ending { hooks: Hooks::Running, .. } => self.expired(facts, tell),
            Phase::Running(running @ Running { stop: None, .. }) => {
                let Some(timeout) = spec.timeout.map(nanos) else {
                    running.watch = None;
                    return Command::Nothing;
                };
                let alive = running.started.max(facts.beat);
                if alive.saturating_add(timeout) > facts.now {
                    running.watch = Some(alive.saturating_add(timeout));
                } else {
                    // Told once for each silence: the look after this one is for a heartbeat.
                    if running.watch == Some(alive.saturating_add(timeout)) {
                        let running_for = Duration::from_nanos(facts.now - running.started);
                        tell(Note::Stuck { running_for });
                    }
                    running.watch = Some(facts.now.saturating_add(timeout.max(1)));
                }
                Command::Nothing
            }
            Phase::Ending { hooks: hooks @ Hooks::Queued, .. } => {
                *hooks = Hooks::Running;
                Command::CleanUp
            }
            Phase::Abandoned { alive: alive @ Alive::Queued } => {
                *alive = Alive::Hooks;
                Command::CleanUp
            }
            // These have no deadline.
            Phase::Registered
            | Phase::Held
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Run | Alive::Hooks | Alive::Nothing } => {
                Command::Nothing
            }
        }
    }

    /// Gives up waiting for what stop could not end in time.
    fn expired(&mut self, facts: Facts, tell: &mut impl FnMut(Note)) -> Command {
        let alive = match self.phase {
            Phase::Running(Running { stop: Some(deadline), .. }) if deadline <= facts.now => {
                Alive::Run
            }
            Phase::Ending { hooks, deadline, .. } if deadline <= facts.now => match hooks {
                Hooks::Queued => Alive::Queued,
                Hooks::Running => Alive::Hooks,
            },
            // Nothing waits to be ended, or there is time left.
            Phase::Running(_)
            | Phase::Ending { .. }
            | Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => return Command::Nothing,
        };
        self.phase = Phase::Abandoned { alive };
        tell(Note::Abandoned);
        Command::Nothing
    }

    /// What its thread began will not be ended by it: another one cleans up.
    fn vanished(&mut self, spec: &Spec, facts: Facts, tell: &mut impl FnMut(Note)) -> Command {
        match self.phase {
            Phase::Running(Running { stop, .. }) => {
                let limit = facts.now.saturating_add(nanos(spec.stop_timeout));
                let deadline = stop.unwrap_or(limit);
                self.end(facts, Ending::Stopped, deadline, false, Hooks::Queued, tell)
            }
            Phase::Ending { ending, deadline, .. } => {
                self.end(facts, ending, deadline, false, Hooks::Queued, tell)
            }
            Phase::Abandoned { alive: Alive::Run | Alive::Hooks } => {
                self.phase = Phase::Abandoned {
                    alive: if facts.hooks { Alive::Queued } else { Alive::Nothing },
                };
                self.since = facts.now;
                Command::Nothing
            }
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Queued | Alive::Nothing } => Command::Nothing,
        }
    }

    fn run(&mut self, spec: &Spec, facts: Facts, due: Nanos, pause: bool) -> Command {
        self.up = true;
        self.phase = Phase::Running(Running {
            due,
            started: facts.now,
            stop: None,
            start_again: false,
            pause,
            watch: spec.timeout.map(|timeout| facts.now.saturating_add(nanos(timeout))),
        });
        Command::Run { due, attempt: self.restarts.in_a_row().saturating_add(1) }
    }

    /// Makes the next run due at once; a worker comes for it as for any other.
    fn run_now(&mut self, facts: Facts) -> Command {
        match &mut self.phase {
            Phase::Waiting { due, .. } | Phase::BackingOff { due, .. } => {
                *due = facts.now.min(*due);
                Command::Nothing
            }
            Phase::Paused { resume: Resume::Waiting { .. } } => {
                self.phase = Phase::Waiting { due: facts.now, pause: true };
                Command::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { .. } } => {
                self.phase = Phase::BackingOff { due: facts.now, pause: true };
                Command::Nothing
            }
            Phase::Held => Command::Refused(Refusal::Held),
            Phase::Running(Running { stop: None, .. }) => Command::Refused(Refusal::Busy),
            Phase::Running(Running { stop: Some(_), .. }) | Phase::Ending { .. } => {
                Command::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    /// The run has ended: with a flow, or `None` for a crash.
    fn ended(
        &mut self,
        spec: &Spec,
        facts: Facts,
        flow: Option<Flow>,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match self.phase {
            Phase::Running(Running { stop: Some(deadline), start_again, .. }) => {
                if flow.is_none() {
                    tell(Note::CrashedWhileStopping);
                }
                self.end(facts, Ending::Stopped, deadline, start_again, Hooks::Running, tell)
            }
            Phase::Running(running @ Running { stop: None, .. }) => {
                self.skip(spec, facts, running, tell);
                let next = match flow {
                    Some(flow) => self.after_good_run(spec, facts, running, flow, tell),
                    None => self.after_crash(spec, facts, running, tell),
                };
                match next {
                    Ok(resume) => {
                        self.phase = match (running.pause, resume) {
                            (true, resume) => Phase::Paused { resume },
                            (false, Resume::Waiting { due }) => {
                                Phase::Waiting { due, pause: false }
                            }
                            (false, Resume::BackingOff { due }) => {
                                Phase::BackingOff { due, pause: false }
                            }
                        };
                        Command::Nothing
                    }
                    Err(ending) => {
                        let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                        self.end(facts, ending, deadline, false, Hooks::Running, tell)
                    }
                }
            }
            Phase::Abandoned { alive: Alive::Run } => {
                // Its result is dropped; what it holds is still cleaned up.
                let alive = if facts.hooks { Alive::Hooks } else { Alive::Nothing };
                self.phase = Phase::Abandoned { alive };
                if facts.hooks {
                    Command::CleanUp
                } else {
                    tell(Note::LateEnd);
                    Command::Nothing
                }
            }
            // Only a run that was begun ends.
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Queued | Alive::Hooks | Alive::Nothing } => {
                Command::Nothing
            }
        }
    }

    /// Counts what fell due while the run was in progress.
    fn skip(&self, spec: &Spec, facts: Facts, run: Running, tell: &mut impl FnMut(Note)) {
        let skipped = match spec.schedule {
            Schedule::Interval(period) => self.grid(period).count_between(run.due, facts.now),
            // A delay starts when the run ends; nothing else has due times.
            Schedule::Delay(_) | Schedule::Continuous => 0,
        };
        if skipped > 0 {
            tell(Note::Skipped(skipped));
        }
    }

    fn grid(&self, period: Duration) -> Grid {
        Grid { anchor: self.anchor, period: nanos(period) }
    }

    fn after_good_run(
        &mut self,
        spec: &Spec,
        facts: Facts,
        run: Running,
        flow: Flow,
        tell: &mut impl FnMut(Note),
    ) -> Result<Resume, Ending> {
        match flow {
            Flow::Done => return Err(Ending::Finished),
            Flow::Again => {
                self.restarts.recovered();
                return Ok(Resume::Waiting { due: facts.now });
            }
            Flow::After(pause) => {
                self.restarts.recovered();
                return Ok(Resume::Waiting { due: facts.now.saturating_add(nanos(pause)) });
            }
            Flow::Wait => {}
        }
        if spec.schedule.is_periodic() {
            self.restarts.recovered();
            return Ok(Resume::Waiting { due: self.next_due(spec, facts, run.due) });
        }
        match spec.restart.restart {
            Restart::OnFailure | Restart::Never => Err(Ending::Finished),
            Restart::Always => {
                self.recover_if_long(facts, run);
                let restart_in = match self.restarts.crashed(&spec.restart, facts.now) {
                    Verdict::RestartAfter(delay) => Some(delay),
                    Verdict::GiveUp => None,
                };
                tell(Note::Returned { restart_in });
                backing_off(facts, restart_in)
            }
        }
    }

    fn after_crash(
        &mut self,
        spec: &Spec,
        facts: Facts,
        run: Running,
        tell: &mut impl FnMut(Note),
    ) -> Result<Resume, Ending> {
        if !spec.schedule.is_periodic() {
            self.recover_if_long(facts, run);
        }
        let restart_in = match self.restarts.crashed(&spec.restart, facts.now) {
            Verdict::RestartAfter(delay) => Some(delay),
            Verdict::GiveUp => None,
        };
        tell(Note::Crashed { in_a_row: self.restarts.in_a_row(), restart_in });
        backing_off(facts, restart_in)
    }

    /// A continuous service has recovered once it has run for a minute.
    fn recover_if_long(&mut self, facts: Facts, run: Running) {
        if facts.now.saturating_sub(run.started) >= nanos(RestartPolicy::RECOVERY) {
            self.restarts.recovered();
        }
    }

    /// The next due instant of the schedule: not before now, and after `last`.
    fn next_due(&self, spec: &Spec, facts: Facts, last: Nanos) -> Nanos {
        let due = match spec.schedule {
            Schedule::Interval(period) => self.grid(period).next(last, facts.now),
            Schedule::Delay(pause) => facts.now.saturating_add(nanos(pause)),
            Schedule::Continuous => facts.now,
        };
        due.saturating_add(jitter(spec, facts.dice))
    }

    /// Ends the activation, by way of its clean-up where there is one.
    fn end(
        &mut self,
        facts: Facts,
        ending: Ending,
        deadline: Nanos,
        start_again: bool,
        hooks: Hooks,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        self.phase = Phase::Ending { ending, hooks, deadline, start_again };
        if !facts.hooks {
            return self.cleaned_up(tell);
        }
        match hooks {
            // `since` is the deadline of what is queued, also if the state was Stopping before.
            Hooks::Queued => {
                self.since = facts.now;
                Command::Nothing
            }
            Hooks::Running => Command::CleanUp,
        }
    }

    fn cleaned_up(&mut self, tell: &mut impl FnMut(Note)) -> Command {
        match self.phase {
            Phase::Ending { ending, start_again, .. } => {
                self.phase = match ending {
                    Ending::Stopped => Phase::Stopped,
                    Ending::Finished => Phase::Finished,
                    Ending::Failed => Phase::Failed,
                };
                tell(Note::Ended { ending, start_again });
                Command::Nothing
            }
            Phase::Abandoned { alive: Alive::Hooks } => {
                self.phase = Phase::Abandoned { alive: Alive::Nothing };
                tell(Note::LateEnd);
                Command::Nothing
            }
            // Only a clean-up that was begun ends.
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::Running(_)
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Run | Alive::Queued | Alive::Nothing } => {
                Command::Nothing
            }
        }
    }

    fn pause(&mut self, tell: &mut impl FnMut(Note)) -> Command {
        match &mut self.phase {
            Phase::Waiting { due, .. } => {
                self.phase = Phase::Paused { resume: Resume::Waiting { due: *due } };
                tell(Note::Paused);
                Command::Nothing
            }
            Phase::BackingOff { due, .. } => {
                self.phase = Phase::Paused { resume: Resume::BackingOff { due: *due } };
                tell(Note::Paused);
                Command::Nothing
            }
            Phase::Running(Running { stop: None, pause, .. }) => {
                if !*pause {
                    *pause = true;
                    tell(Note::Paused);
                }
                Command::Nothing
            }
            Phase::Paused { .. } => Command::Nothing,
            Phase::Held => Command::Refused(Refusal::Held),
            Phase::Running(Running { stop: Some(_), .. }) | Phase::Ending { .. } => {
                Command::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    fn resume(&mut self, spec: &Spec, facts: Facts, tell: &mut impl FnMut(Note)) -> Command {
        match &mut self.phase {
            Phase::Paused { resume: Resume::Waiting { due } } => {
                let due = *due;
                // What fell due during the pause was not to run: the grid goes on from here.
                let due = match spec.schedule {
                    Schedule::Interval(_) if due < facts.now => self.next_due(spec, facts, due),
                    Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {
                        due.max(facts.now)
                    }
                };
                self.phase = Phase::Waiting { due, pause: false };
                tell(Note::Resumed);
                Command::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { due } } => {
                let due = (*due).max(facts.now);
                self.phase = Phase::BackingOff { due, pause: false };
                tell(Note::Resumed);
                Command::Nothing
            }
            Phase::Running(Running { stop: None, pause, .. })
            | Phase::Waiting { pause, .. }
            | Phase::BackingOff { pause, .. } => {
                if *pause {
                    *pause = false;
                    tell(Note::Resumed);
                }
                Command::Nothing
            }
            Phase::Held => Command::Nothing,
            Phase::Running(Running { stop: Some(_), .. }) | Phase::Ending { .. } => {
                Command::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    fn stop(&mut self, facts: Facts, limit: Nanos, tell: &mut impl FnMut(Note)) -> Command {
        match &mut self.phase {
            Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => {
                tell(Note::Stopping);
                self.end(facts, Ending::Stopped, limit, false, Hooks::Queued, tell)
            }
            Phase::Running(Running { stop, start_again, .. }) => {
                if stop.is_none() {
                    tell(Note::Stopping);
                }
                *stop = Some(stop.map_or(limit, |earlier| earlier.min(limit)));
                *start_again = false;
                Command::Nothing
            }
            Phase::Ending { deadline, start_again, .. } => {
                *deadline = limit.min(*deadline);
                *start_again = false;
                Command::Nothing
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Nothing,
        }
    }
}

fn backing_off(facts: Facts, restart_in: Option<Duration>) -> Result<Resume, Ending> {
    match restart_in {
        Some(delay) => Ok(Resume::BackingOff { due: facts.now.saturating_add(nanos(delay)) }),
        None => Err(Ending::Failed),
    }
}

/// How late this run starts on purpose: `0..jitter`.
fn jitter(spec: &Spec, dice: u64) -> Nanos {
    match nanos(spec.jitter) {
        0 => 0,
        jitter => dice % jitter,
    }
}
