//! How stopping went, in honest words.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::observe::event::ADVICE;
use crate::sys::fork::{self, Forked};
use crate::sys::place::Place;
use crate::text::one_line::OneLine;
use tina4_service_core::lifecycle::State;

/// How one `stop(name)` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// It has ended, its clean-up included, after this long.
    Ended {
        /// From the request to the end.
        after: Duration,
    },
    /// There was nothing to stop: it was in this state.
    NotActive {
        /// Registered, stopped, finished, failed, or abandoned earlier.
        state: State,
    },
    /// The request was made, but could not be waited for: it came from inside the service itself,
    /// or from inside another one that was asked to stop as well.
    Requested,
    /// It did not end within its `stop_timeout`.
    Abandoned {
        /// For how long its last run, or its clean-up, has been going on.
        age: Duration,
        /// Where it is declared.
        place: Place,
    },
}

/// How `stop_all` went, service by service, in the order in which they ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StopReport {
    /// Every service of the runner.
    pub services: Vec<StoppedService>,
    /// From the request to the last end.
    pub took: Duration,
    /// The critical service whose failure shut the runner down, if that was the reason.
    pub critical: Option<Cow<'static, str>>,
    /// The request came from inside a service, which cannot wait for its own end: stopping goes
    /// on, and this report shows how things stood.
    pub in_progress: bool,
    /// Nothing was stopped: this process was forked from the one whose threads run the services.
    pub forked: bool,
}

/// One service of a [`StopReport`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoppedService {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Where it is declared.
    pub place: Place,
    /// Its state: stopped, finished, failed, abandoned, registered.
    pub state: State,
    /// How long it took to end once it was asked to; `None`: it was not active.
    pub took: Option<Duration>,
    /// For how long the run, or the clean-up, of an abandoned service has been going on; `None`
    /// also if it has ended late.
    pub age: Option<Duration>,
    /// Clean-up hooks that returned an error or panicked.
    pub failed_hooks: u64,
}

impl StopReport {
    /// The services that did not end in time.
    pub fn abandoned(&self) -> impl Iterator<Item = &StoppedService> {
        self.services.iter().filter(|service| service.state == State::Abandoned)
    }

    /// Whether everything ended in time and no clean-up hook failed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.in_progress
            && !self.forked
            && self.abandoned().next().is_none()
            && self.services.iter().all(|service| service.failed_hooks == 0)
    }

    fn count(&self, state: State) -> usize {
        self.services.iter().filter(|service| service.state == state).count()
    }
}

/// One line, one more for each service that needs attention, and what to do about those that were
/// abandoned.
impl fmt::Display for StopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.forked {
            return write!(f, "nothing was stopped: {}", fork::REFUSAL);
        }
        let verb = if self.in_progress { "stopping" } else { "ended" };
        let (count, s) = (self.services.len(), if self.services.len() == 1 { "" } else { "s" });
        // Nobody cares for less, and below that `Duration` prints "0.0ns".
        let took = self.took.max(Duration::from_micros(1));
        write!(f, "{count} service{s} {verb} in {took:.1?}")?;
        for state in
            [State::Stopped, State::Finished, State::Failed, State::Abandoned, State::Registered]
        {
            let count = self.count(state);
            if count > 0 {
                write!(f, ", {count} {state}")?;
            }
        }
        if let Some(name) = &self.critical {
            write!(f, "; shut down because `{name}` is critical and failed")?;
        }
        for StoppedService { name, place, state, age, failed_hooks, .. } in &self.services {
            if *state == State::Abandoned {
                write!(f, "\n  {name} ({place}): abandoned, ")?;
                match age {
                    Some(age) => write!(f, "still running after {age:.1?}")?,
                    None => f.write_str("it ended after its time was up")?,
                }
            } else if *state == State::Failed {
                write!(f, "\n  {name} ({place}): failed")?;
            }
            if *failed_hooks > 0 {
                write!(f, "\n  {name} ({place}): {failed_hooks} clean-up hooks failed")?;
            }
        }
        if self.abandoned().next().is_some() {
            write!(f, "\n  an abandoned service did not return in time; {ADVICE}")?;
        }
        Ok(())
    }
}

/// Why a request to one service was not carried out. `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum ControlError {
    /// There is no service of that name.
    Unknown {
        /// The name.
        name: String,
        /// The name that was probably meant, if one is much like it (with the feature `cron`).
        nearest: Option<String>,
    },
    /// It is not waiting, running, backing off or paused.
    NotActive {
        /// The service.
        name: String,
        /// Its state.
        state: State,
    },
    /// It waits for services that it comes `after` to be up.
    NotUpYet {
        /// The service.
        name: String,
    },
    /// A run is in progress, and a service never overlaps itself.
    Busy {
        /// The service.
        name: String,
    },
    /// It is being stopped.
    Stopping {
        /// The service.
        name: String,
    },
    /// It was abandoned, and its old run is still alive.
    StillAlive {
        /// The service.
        name: String,
        /// For how long.
        age: Duration,
        /// Where it is declared.
        place: Place,
    },
    /// It cannot be started as it is.
    Start(crate::plan::StartError),
    /// This process was forked from the one whose threads run the services.
    Forked,
}

impl From<Forked> for ControlError {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest: Some(nearest) } => {
                let (name, nearest) = (OneLine(name), OneLine(nearest));
                write!(f, "there is no service `{name}`; did you mean `{nearest}`?")
            }
            Self::Unknown { name, nearest: None } => {
                let name = OneLine(name);
                write!(f, "there is no service `{name}`; `status()` lists the names")
            }
            Self::NotActive { name, state } => {
                write!(f, "`{}` is {state}; `start` it first", OneLine(name))
            }
            Self::NotUpYet { name } => {
                write!(
                    f,
                    "`{name}` waits for the services it comes after; try again when they are up"
                )
            }
            Self::Busy { name } => {
                write!(f, "a run of `{name}` is in progress, and a service never overlaps itself")
            }
            Self::Stopping { name } => write!(f, "`{name}` is being stopped"),
            Self::StillAlive { name, age, place } => write!(
                f,
                "`{name}` at {place} was abandoned and its old run is still alive after {age:.1?}; \
                 a second copy is not started; start it again once that run has returned"
            ),
            Self::Start(error) => write!(f, "{error}"),
            Self::Forked => f.write_str(fork::REFUSAL),
        }
    }
}

impl fmt::Debug for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ControlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(error) => error.source(),
            Self::Unknown { .. }
            | Self::NotActive { .. }
            | Self::NotUpYet { .. }
            | Self::Busy { .. }
            | Self::Stopping { .. }
            | Self::StillAlive { .. }
            | Self::Forked => None,
        }
    }
}
