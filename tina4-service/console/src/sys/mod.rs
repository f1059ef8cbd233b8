//! Threads, panics and the clock: each has one file.

pub(crate) mod clock;
pub(crate) mod panics;
pub(crate) mod threads;
