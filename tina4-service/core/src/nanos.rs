//! Instants as numbers, so that they fit a heap entry or an atomic, and arithmetic cannot panic.

use std::fmt;
use std::num::NonZero;
use std::time::Duration;

/// An instant of a monotonic clock: nanoseconds since that clock's origin (584 years).
pub type Nanos = u64;

/// An instant of the wall clock: nanoseconds since 1970 UTC.
pub type WallNanos = i128;

/// A second of wall time.
pub const SECOND: WallNanos = 1_000_000_000;

/// An instant with a niche: `Option<NonMaxNanos>` is as small as [`Nanos`]. `u64::MAX` is not
/// representable; it saturates to `u64::MAX - 1`.
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

/// `duration` in nanoseconds; saturates at `u64::MAX`.
#[must_use]
#[inline]
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
