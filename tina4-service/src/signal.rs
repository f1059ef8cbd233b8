//! The signals that ask a program to end, and why a wait for one ended.

use std::fmt;

/// A signal that asks the program to end: SIGTERM, SIGINT or SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    #[cfg(feature = "signals")]
    pub(crate) fn new(number: i32) -> Self {
        Self(number)
    }

    /// Its number, such as 15 for SIGTERM.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("SIGHUP"),
            2 => f.write_str("SIGINT"),
            15 => f.write_str("SIGTERM"),
            number => write!(f, "signal {number}"),
        }
    }
}

/// Why [`wait_for_signal`](crate::Runner::wait_for_signal) returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// A signal asked the program to end.
    Signal(Signal),
    /// The runner shuts down, or has shut down, without a signal: a critical service failed, or
    /// something called `stop_all`.
    Runner,
}

impl fmt::Display for StopCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "{signal}"),
            Self::Runner => f.write_str("the runner shut down"),
        }
    }
}
