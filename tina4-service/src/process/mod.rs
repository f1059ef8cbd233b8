//! The process: its signals, its end, its exit code, and the calls into the C library.

pub(crate) mod exit_code;
#[cfg(feature = "exit-hook")]
pub(crate) mod exit_hook;
#[cfg(any(unix, feature = "exit-hook"))]
pub(crate) mod ffi;
#[cfg(feature = "signals")]
pub(crate) mod signals;
pub(crate) mod stderr;
