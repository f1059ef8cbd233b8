//! The life of one service, as a pure state machine: `step(facts, input) -> action`.
//!
//! There is no clock, no thread and no lock here; time and dice are arguments. "When do you need
//! me next?" is [`Lifecycle::deadline`]. The supervisor brings the events and does what the
//! commands say. Every `match` on the phase names every phase: a new one does not compile until
//! each event has an answer for it.
//!
//! ```text
//!  Registered ─start─► WaitingForDependencies ─release─► Waiting ◄──good── Running ──crash─► BackingOff
//!                                        │  └────due───►  ▲ │ └─────due──────┘
//!                                        └──pause─► Paused  │
//!                     any of these ──stop─► (Running: StopRequested) ─► Ending (hooks) ─► Stopped
//!                                            done ─► Ending (hooks) ─► Finished
//!        too many crashes, or a permanent one ─► Ending (hooks) ─► Failed
//!                                  stop deadline passed ─► Abandoned
//! ```

use std::time::Duration;

use crate::{Exit, Restarts, Spec, Zone};

use self::dates::Calendar;
use self::phase::Phase;
use crate::nanos::{Nanos, WallNanos, nanos};

mod crash;
mod dates;
mod endings;
mod phase;
mod requests;
mod runs;
mod state;
#[cfg(test)]
mod tests;

pub use crash::Crash;
pub use phase::Readiness;
pub use state::State;

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to stop.
    Stopped,
    /// Its work is done.
    Finished,
    /// It crashed, and is not restarted.
    Failed,
}

/// What a step needs to know besides the event.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The current time of the monotonic clock.
    pub now: Nanos,
    /// The wall clock, which only calendar time needs.
    pub wall: WallNanos,
    /// The time zone of calendar time.
    pub zone: &'a dyn Zone,
    /// Something must be cleaned up if the activation ends now.
    pub hooks: bool,
    /// When the body last called `heartbeat`; it matters only where there is a `timeout`.
    pub last_heartbeat: Nanos,
    /// A random number, for jitter.
    pub random: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Begin an activation.
    Start {
        /// Wait for [`Input::Release`] before the first run.
        wait_for_dependencies: bool,
    },
    /// What it comes `after` is up.
    Release,
    /// The deadline has come.
    Due,
    /// The run has ended.
    Ended(Exit<&'a Crash>),
    /// The run has ended with [`Exit::Again`], and nobody else is to be served first: the next one
    /// begins with the same step.
    Repeat,
    /// The clean-up is over.
    CleanedUp,
    /// The thread that runs or cleans up never comes back: it is ending the process.
    ThreadLost,
    /// A stop waited until its deadline, and nobody else has noticed yet.
    Expired,
    /// The start that has just been made is taken back: there is no thread for it.
    StartFailed,
    /// Make the next run due now.
    RunNow,
    /// Begin no more runs until resumed.
    Pause,
    /// End a pause.
    Resume,
    /// End the activation.
    Stop {
        /// When a run or clean-up that has not ended by then is abandoned.
        deadline: Nanos,
    },
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait for the next event.
    Nothing,
    /// Call the function.
    Run {
        /// When the run was due.
        due: Nanos,
        /// 1 plus the number of consecutive crashes before this run.
        attempt: u32,
    },
    /// Run the clean-up hooks, then report `CleanedUp`.
    CleanUp,
    /// The request does not fit.
    Refused(Refusal),
}

/// Why a request does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in an activation already.
    Active,
    /// It is not in an activation.
    NotActive,
    /// It is waiting for services that it comes `after`.
    WaitingForDependencies,
    /// A run is in progress.
    Busy,
    /// It is ending.
    Stopping,
    /// An abandoned run of it is still alive.
    Lingering,
}

/// Something worth telling: to the log, to subscribers, to those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// An activation has begun.
    Started,
    /// Runs fell due that could not begin in time, and were left out.
    Skipped(u64),
    /// A run has crashed.
    Crashed {
        /// Why.
        crash: Crash,
        /// Consecutive crashes, this one included.
        in_a_row: u32,
        /// The backoff before the restart; `None` if the service has failed for good.
        restart_in: Option<Duration>,
    },
    /// A continuous service returned, and `restart = "always"` restarts it.
    Returned {
        /// The backoff before the restart.
        restart_in: Duration,
    },
    /// A continuous service returned, and fails because it may not be restarted once more.
    ReturnedTooOften {
        /// The text of the error.
        error: &'static str,
    },
    /// A restart is about to run.
    Restarted,
    /// A run has neither ended nor sent a heartbeat within its timeout.
    Stuck {
        /// The time since the run began.
        running_for: Duration,
    },
    /// No more runs begin until the service is resumed.
    Paused,
    /// A pause has ended.
    Resumed,
    /// The activation is ending.
    Stopping,
    /// The activation has ended, its clean-up included.
    Ended {
        /// How it ended.
        ending: Ending,
        /// A start was requested while it was stopping.
        start_again: bool,
    },
    /// The last run crashed after stop was requested, which does not count as a crash.
    CrashedWhileStopping(Crash),
    /// It did not end in time.
    Abandoned {
        /// The service had failed for good before.
        failed: bool,
    },
    /// What was left of an abandoned activation has ended after all.
    LateEnd,
}

/// The life cycle of one service.
#[derive(Debug)]
pub struct Lifecycle {
    phase: Phase,
    since: Nanos,
    /// Which activation this is, from 1; 0 before the first.
    activation: u32,
    /// The first due instant of this activation.
    anchor: Nanos,
    /// When the run in progress, or the last one, was due and began.
    due: Nanos,
    started: Nanos,
    /// What only a service with calendar time has.
    calendar: Option<Box<Calendar>>,
    /// Whether the first run of this activation has begun, or waits for its calendar time.
    ready: bool,
    restarts: Restarts,
}

impl Lifecycle {
    /// A registered service that has not been started.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        Self {
            phase: Phase::Registered,
            since: now,
            activation: 0,
            anchor: 0,
            due: now,
            started: now,
            calendar: None,
            ready: false,
            restarts: Restarts::default(),
        }
    }

    /// Takes one event and says what to do; what is worth telling goes to `emit`.
    pub fn step(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        input: Input<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let before = self.state();
        let activation = self.activation;
        let action = match input {
            Input::Start { wait_for_dependencies } => {
                self.start(spec, facts, wait_for_dependencies, emit)
            }
            Input::Release => self.release(spec, facts),
            Input::Due => self.due(spec, facts, emit),
            Input::Ended(exit) => self.ended(spec, facts, exit, emit),
            Input::Repeat => self.repeat(spec, facts, emit),
            Input::CleanedUp => self.cleaned_up(emit),
            Input::ThreadLost => self.thread_lost(spec, facts, emit),
            Input::Expired => self.expired(facts, emit),
            Input::StartFailed => self.start_failed(emit),
            Input::RunNow => self.run_now(facts),
            Input::Pause => self.pause(emit),
            Input::Resume => self.resume(spec, facts, emit),
            Input::Stop { deadline } => self.stop(facts, deadline, emit),
        };
        // A repeat goes from running to running.
        let begins = matches!(action, Action::Run { .. });
        if begins || self.state() != before || self.activation != activation {
            self.since = facts.now;
        }
        action
    }
}

/// How late this run starts on purpose: `0..jitter`.
fn jitter(spec: &Spec, random: u64) -> Nanos {
    match nanos(spec.jitter) {
        0 => 0,
        jitter => random % jitter,
    }
}
