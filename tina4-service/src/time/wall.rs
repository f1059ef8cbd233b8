//! Wall time, within the range and the resolution of `SystemTime`.

use std::time::{Duration, SystemTime};

use tina4_service_core::{Nanos, WallNanos};

/// `time` in nanoseconds since 1970.
pub(crate) fn wall_nanos(time: SystemTime) -> WallNanos {
    // A duration is less than 2^94 nanoseconds.
    let nanos = |distance: Duration| distance.as_nanos().cast_signed();
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => nanos(since),
        Err(before) => -nanos(before.duration()),
    }
}

/// Whole seconds since 1970, rounded down.
pub(crate) fn wall_seconds(time: SystemTime) -> i64 {
    let whole = |distance: Duration| i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => {
            let before = before.duration();
            -whole(before) - i64::from(before.subsec_nanos() > 0)
        }
    }
}

/// The time that is `seconds` after 1970; `None` if `SystemTime` cannot represent it.
pub(crate) fn wall_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    }
}

/// The resolution of `SystemTime`: 100 ns on Windows.
const WALL_STEP: Nanos = if cfg!(windows) { 100 } else { 1 };

/// `time` plus `distance`, rounded up to the resolution of `SystemTime`.
///
/// Rounded up, because a clock that is advanced to a due time must not stop short of it.
pub(crate) fn wall_after(time: SystemTime, distance: Nanos) -> Option<SystemTime> {
    let rounded = distance.checked_next_multiple_of(WALL_STEP).unwrap_or(distance);
    time.checked_add(Duration::from_nanos(rounded))
}

/// A reading of a wall clock at one instant, from which its reading at any other instant follows.
///
/// A clock that added to a `SystemTime` instead would lose a fraction with every addition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallReading {
    /// When the clock was read.
    pub(crate) instant: Nanos,
    /// The wall time then.
    pub(crate) wall: SystemTime,
}

impl WallReading {
    /// The wall time at `now`, which is not earlier than this reading; rounded down to the resolution
    /// of `SystemTime`.
    pub(crate) fn wall_rounded_down(self, now: Nanos) -> SystemTime {
        let passed = Duration::from_nanos(now.saturating_sub(self.instant));
        self.wall.checked_add(passed).unwrap_or(self.wall)
    }

    /// The wall time at `now` in nanoseconds since 1970, without rounding.
    pub(crate) fn wall_nanos(self, now: Nanos) -> WallNanos {
        wall_nanos(self.wall) + WallNanos::from(now.saturating_sub(self.instant))
    }

    /// The wall time at `instant`, rounded up to the resolution of `SystemTime`.
    pub(crate) fn wall_rounded_up(self, instant: Nanos) -> SystemTime {
        let shifted = match instant.checked_sub(self.instant) {
            Some(ahead) => wall_after(self.wall, ahead),
            // The distance that is subtracted is rounded down, so the result is rounded up.
            None => self.wall.checked_sub(Duration::from_nanos(self.instant - instant)),
        };
        shifted.unwrap_or(self.wall)
    }
}
