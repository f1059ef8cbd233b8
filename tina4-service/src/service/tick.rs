//! Which run a call of a service's function is.

use std::time::{Duration, SystemTime};

/// One call of a service's function: which run it is, and how punctual.
///
/// A parameter of a service's function; [`Context::tick`](crate::Context::tick) returns it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of this run since the service was added to its runner, from 1.
    pub run: u64,
    /// 1, plus one for each crash in a row before this run.
    pub attempt: u32,
    /// When this run was due. Includes its jitter, except with `cron`: there it is the exact
    /// calendar time.
    pub due: SystemTime,
    /// How late this run began, not counting its jitter.
    pub lateness: Duration,
}
