//! Threads and the operating system. Each file owns one danger: locks, panics, threads, forks.

pub(crate) mod fork;
pub(crate) mod panics;
#[cfg(any(feature = "exit-hook", feature = "signals"))]
pub(crate) mod per_process;
pub(crate) mod sync;
pub(crate) mod threads;
