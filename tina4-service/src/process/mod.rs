//! Process-wide handlers: signals, and the end of the process.

#[cfg(feature = "exit-hook")]
pub(crate) mod exit_hook;
#[cfg(feature = "signals")]
pub(crate) mod signals;
