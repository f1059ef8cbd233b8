//! `Tick`: the number, due time and lateness of a run.

use std::time::{Duration, SystemTime};

/// Information about the current run: its number, its due time and its lateness.
///
/// A service's function can take it as a parameter, or get it from
/// [`Context::tick`](crate::Context::tick).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of this run, counted from 1 since the service was added to its runner.
    pub run: u64,
    /// 1, plus one for each crash in a row before this run.
    pub attempt: u32,
    /// When this run was due. Includes its jitter, except for a run at an occurrence of a `cron` or
    /// an `anchor`: then it is the exact calendar time.
    pub due: SystemTime,
    /// How late this run began, not counting its jitter and its tolerance.
    pub lateness: Duration,
}
