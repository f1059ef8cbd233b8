//! The process and the operating system. Each file owns one danger: locks, panics, threads, C calls,
//! forks.

#[cfg(any(unix, feature = "exit-hook"))]
pub(crate) mod ffi;
pub(crate) mod fork;
pub(crate) mod panics;
pub(crate) mod sync;
pub(crate) mod threads;
