//! The outcome of stopping one service, or all of them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sys::fork;
use crate::sys::place::Place;
use tina4_service_core::lifecycle::State;

/// The remedy for a service that does not stop in time.
pub(crate) const REMEDY: &str = "check `ctx.is_stopping()` in its loop, sleep with `ctx.sleep(..)`, \
    which returns early on a stop request, or give it a longer `stop_timeout`";

/// The remedy for an async run that did not return in time and was dropped.
pub(crate) const CANCEL_REMEDY: &str =
    "let it return when `ctx.stopped()` completes, or give it a longer `stop_timeout`";

/// The outcome of one `stop(name)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// It has ended, its clean-up included.
    Ended {
        /// The time from the request to the end.
        after: Duration,
    },
    /// It was not active, so there was nothing to stop.
    NotActive {
        /// Its state: registered, disabled, stopped, finished, failed, or abandoned earlier.
        state: State,
    },
    /// The request was made, but the caller could not wait.
    ///
    /// The caller is the service itself, or another service that was asked to stop as well, or whose
    /// run was cancelled by `on_timeout = "cancel"`.
    Requested,
    /// It did not end within its `stop_timeout`.
    Abandoned {
        /// The time since the unfinished run or clean-up began.
        age: Duration,
        /// Where it is declared.
        place: Place,
    },
}

/// The outcome of `stop_all` for each service, in the order in which they ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StopReport {
    /// Every service of the runner. Shared, because a report may be handed out many times.
    pub services: Arc<[StoppedService]>,
    /// The time from the request to the last end.
    pub took: Duration,
    /// The critical service whose failure shut the runner down, if that was the reason.
    pub critical: Option<Cow<'static, str>>,
    /// Whether the report is an interim one, because stopping continues.
    ///
    /// The caller was a service, which cannot wait for its own end.
    pub in_progress: bool,
    /// Whether nothing was stopped, because this process is a forked child, which has no services.
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
    /// Its state: stopped, cancelled, finished, failed, abandoned, disabled or registered; or blocked, if the shutdown
    /// stopped it before it could start.
    ///
    /// In an interim report it can be any state.
    pub state: State,
    /// The time from the request to its end; `None`: it was not active, or has not ended yet.
    pub took: Option<Duration>,
    /// The time since the run or the clean-up of an abandoned service began.
    ///
    /// `None` if the run or clean-up has ended in the meantime, and for services that were not
    /// abandoned.
    pub age: Option<Duration>,
    /// The number of clean-up hooks that returned an error or panicked.
    pub failed_hooks: u64,
}

impl StopReport {
    /// The services that did not end in time.
    pub fn abandoned(&self) -> impl Iterator<Item = &StoppedService> {
        self.services.iter().filter(|service| service.state == State::Abandoned)
    }

    /// The services whose async run did not return in time and was dropped.
    pub fn cancelled(&self) -> impl Iterator<Item = &StoppedService> {
        self.services.iter().filter(|service| service.state == State::Cancelled)
    }

    /// Whether everything ended in time and no clean-up hook failed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.in_progress
            && !self.forked
            && self.abandoned().next().is_none()
            && self.cancelled().next().is_none()
            && self.services.iter().all(|service| service.failed_hooks == 0)
    }

    fn count(&self, state: State) -> usize {
        self.services.iter().filter(|service| service.state == state).count()
    }
}

/// A summary line, a line for each service that needs attention, and a remedy for abandoned services.
impl fmt::Display for StopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.forked {
            return write!(f, "nothing was stopped: {}", fork::REFUSAL);
        }
        let verb = if self.in_progress { "stopping" } else { "ended" };
        let (count, s) = (self.services.len(), if self.services.len() == 1 { "" } else { "s" });
        // Without a minimum, `Duration` can print "0.0ns".
        let took = self.took.max(Duration::from_micros(1));
        write!(f, "{count} service{s} {verb} in {took:.1?}")?;
        for state in [
            State::Stopped,
            State::Cancelled,
            State::Finished,
            State::Failed,
            State::Blocked,
            State::Abandoned,
            State::Disabled,
            State::Registered,
        ] {
            let count = self.count(state);
            if count > 0 {
                write!(f, ", {count} {state}")?;
            }
        }
        if let Some(name) = &self.critical {
            let is_blocked = |service: &StoppedService| service.state == State::Blocked;
            let is_it = |service: &&StoppedService| service.name == *name;
            let blocked = self.services.iter().find(is_it).is_some_and(is_blocked);
            let why = if blocked { "could not start" } else { "failed" };
            write!(f, "; shut down because `{name}` is critical and {why}")?;
        }
        for StoppedService { name, place, state, age, failed_hooks, .. } in self.services.iter() {
            if *state == State::Abandoned {
                write!(f, "\n  {name} ({place}): abandoned, ")?;
                match age {
                    Some(age) => write!(f, "still running after {age:.1?}")?,
                    None => f.write_str("ended after its stop timeout")?,
                }
            } else if matches!(state, State::Cancelled | State::Failed | State::Blocked) {
                write!(f, "\n  {name} ({place}): {state}")?;
            }
            if *failed_hooks > 0 {
                write!(f, "\n  {name} ({place}): failed clean-up hooks: {failed_hooks}")?;
            }
        }
        if self.cancelled().next().is_some() {
            write!(f, "\n  to let a cancelled service stop in time, {CANCEL_REMEDY}")?;
        }
        if self.abandoned().next().is_some() {
            write!(f, "\n  to let an abandoned service stop in time, {REMEDY}")?;
        }
        Ok(())
    }
}
