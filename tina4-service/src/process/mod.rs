//! The process: its signals, its end, its exit code.

pub(crate) mod exit_code;
#[cfg(feature = "exit-hook")]
pub(crate) mod exit_hook;
#[cfg(any(unix, feature = "exit-hook"))]
pub(crate) mod ffi;
#[cfg(feature = "signals")]
pub(crate) mod signals;
