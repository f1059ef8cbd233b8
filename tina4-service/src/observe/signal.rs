//! The signals that ask a program to end, and the causes that end a wait for them.

use std::fmt;

/// A signal that asks the program to end: SIGTERM, SIGINT or SIGHUP.
///
/// ```
/// use tina4_service::{Signal, StopCause};
///
/// fn farewell(cause: StopCause) -> String {
///     match cause {
///         StopCause::Signal(Signal::SIGINT) => "interrupted at the keyboard".to_owned(),
///         cause => format!("stopping: {cause}"),
///     }
/// }
///
/// assert_eq!(farewell(StopCause::Signal(Signal::SIGINT)), "interrupted at the keyboard");
/// assert_eq!(farewell(StopCause::Signal(Signal::SIGTERM)), "stopping: SIGTERM");
/// assert_eq!(Signal::SIGTERM.number(), 15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(i32);

impl Signal {
    /// Signal 1: the terminal was closed.
    pub const SIGHUP: Self = Self(1);

    /// Signal 2: Ctrl-C was pressed in the terminal.
    pub const SIGINT: Self = Self(2);

    /// Signal 15: the default request of `kill` and of process supervisors.
    pub const SIGTERM: Self = Self(15);

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
        match *self {
            Self::SIGHUP => f.write_str("SIGHUP"),
            Self::SIGINT => f.write_str("SIGINT"),
            Self::SIGTERM => f.write_str("SIGTERM"),
            Self(number) => write!(f, "signal {number}"),
        }
    }
}

/// Why [`wait_for_signal`](crate::Runner::wait_for_signal) returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// A signal asked the program to end.
    Signal(Signal),
    /// The runner is shutting down, or has shut down, without a signal: a critical service failed, or
    /// the program called `stop_all`.
    ///
    /// If the runner was stopped and has not been started again, the wait returns this immediately.
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
