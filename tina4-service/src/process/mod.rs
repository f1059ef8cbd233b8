//! The process: its signals, its end, its exit code.

pub(crate) mod exit_code;
#[cfg(feature = "exit-hook")]
pub(crate) mod exit_hook;
#[cfg(feature = "signals")]
pub(crate) mod signals;
