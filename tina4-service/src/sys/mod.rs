//! The process and the operating system: locks, panics, threads, C calls, forks, stop signals, source
//! lines. Each file owns one danger.

#[cfg(any(unix, feature = "exit-hook"))]
pub(crate) mod ffi;
pub(crate) mod fork;
pub(crate) mod panics;
pub(crate) mod place;
#[cfg(feature = "signals")]
pub(crate) mod received;
pub(crate) mod stop_signal;
pub(crate) mod sync;
pub(crate) mod threads;
