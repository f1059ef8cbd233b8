//! Instants and durations as plain integers: [`Nanos`] fits in an atomic, and callers can use
//! saturating arithmetic instead of arithmetic that panics.

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

/// Nanoseconds: a duration, or an instant of the monotonic clock as the time since its origin. The
/// range is 584 years.
pub type Nanos = u64;

/// Nanoseconds of the wall clock: a duration, or an instant as the time since the Unix epoch.
pub type WallNanos = i128;

/// One second of [`WallNanos`].
pub const WALL_SECOND: WallNanos = 1_000_000_000;

/// An instant with a niche, so that `Option<NonMaxNanos>` is as small as [`Nanos`].
///
/// `u64::MAX` is not representable; it saturates to `u64::MAX - 1`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NonMaxNanos(NonZero<u64>);

impl NonMaxNanos {
    /// Wraps an instant.
    #[must_use]
    #[inline]
    pub fn new(instant: Nanos) -> Self {
        Self(NonZero::new(!instant).unwrap_or(NonZero::<u64>::MIN))
    }

    /// The instant.
    #[must_use]
    #[inline]
    pub fn nanos(self) -> Nanos {
        !self.0.get()
    }
}

impl fmt::Debug for NonMaxNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nanos().fmt(f)
    }
}

/// Converts a duration to nanoseconds, saturating at `u64::MAX`.
#[must_use]
#[inline]
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
