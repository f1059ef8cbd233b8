//! Instants in virtual time, printed in the time zone of the test.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, SystemTimeError};

use crate::sys::sync::std_lock;
use crate::time::zone::Zone;

/// An instant, as the wall clock of a test shows it.
///
/// It prints as civil time with its zone, also in the message of a failed assertion, and
/// [`TestRunner::time`](super::TestRunner::time) parses that text. It can be compared with instants of
/// any zone, including [`SystemTime`], and converts into a `SystemTime`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tina4_service::{Service, testing::TestRunner};
///
/// let mut t = TestRunner::builder()
///     .at("2026-03-28T12:00:00[Europe/Berlin]")
///     .service(Service::new("hourly", |_| {}).interval("1h"))
///     .build()?;
/// let start = t.now();
/// assert_eq!(start.to_string(), "2026-03-28 12:00:00 +01:00[Europe/Berlin]");
///
/// t.advance("1d");
/// // DST has begun.
/// assert_eq!(t.now(), t.time("2026-03-29T13:00"));
/// assert_eq!(t.info("hourly").last_start, Some(t.now()));
/// assert_eq!(t.now() - start, Duration::from_secs(24 * 60 * 60));
/// assert!(SystemTime::from(start) < t.now());
/// # Ok::<(), tina4_service::testing::TestError>(())
/// ```
#[derive(Clone, Copy)]
pub struct TestTime {
    at: SystemTime,
    zone: &'static Zone,
}

impl TestTime {
    pub(super) fn new(at: SystemTime, zone: &'static Zone) -> Self {
        Self { at, zone }
    }

    /// The time that has passed since `earlier`.
    ///
    /// # Errors
    ///
    /// `earlier` is after this instant; the error contains the difference.
    pub fn duration_since(
        &self,
        earlier: impl Into<SystemTime>,
    ) -> Result<Duration, SystemTimeError> {
        self.at.duration_since(earlier.into())
    }
}

/// `2026-03-28 12:00:00 +01:00[Europe/Berlin]`, with the fraction of the second if there is one.
///
/// An instant outside of the years -9999 to 9999, or within about a day of either end, is shown as `@`
/// and the seconds since 1970, such as `@253402300800`, which
/// [`TestRunner::time`](super::TestRunner::time) does not parse.
impl fmt::Display for TestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.zone.write_with_fraction(f, self.at)
    }
}

/// The same text as `Display`.
impl fmt::Debug for TestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<TestTime> for SystemTime {
    fn from(time: TestTime) -> Self {
        time.at
    }
}

/// # Panics
///
/// The result cannot be represented, as for [`SystemTime`].
impl Add<Duration> for TestTime {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        Self { at: self.at + length, ..self }
    }
}

/// # Panics
///
/// The result cannot be represented, as for [`SystemTime`].
impl Sub<Duration> for TestTime {
    type Output = Self;

    fn sub(self, length: Duration) -> Self {
        Self { at: self.at - length, ..self }
    }
}

/// # Panics
///
/// The result cannot be represented, as for [`SystemTime`].
impl AddAssign<Duration> for TestTime {
    fn add_assign(&mut self, length: Duration) {
        *self = *self + length;
    }
}

/// # Panics
///
/// The result cannot be represented, as for [`SystemTime`].
impl SubAssign<Duration> for TestTime {
    fn sub_assign(&mut self, length: Duration) {
        *self = *self - length;
    }
}

/// The time between two instants.
///
/// # Panics
///
/// The second instant is later; [`TestTime::duration_since`] returns an error instead.
impl Sub for TestTime {
    type Output = Duration;

    #[track_caller]
    fn sub(self, earlier: Self) -> Duration {
        match self.duration_since(earlier) {
            Ok(length) => length,
            Err(_) => panic!("{self} is before {earlier}"),
        }
    }
}

/// The time between two instants, such as one that a service has recorded and one of the test.
///
/// # Panics
///
/// The second instant is later; [`TestTime::duration_since`] returns an error instead.
impl Sub<SystemTime> for TestTime {
    type Output = Duration;

    #[track_caller]
    fn sub(self, earlier: SystemTime) -> Duration {
        self - Self { at: earlier, ..self }
    }
}

impl PartialEq for TestTime {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for TestTime {}

impl PartialOrd for TestTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TestTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

impl Hash for TestTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.at.hash(state);
    }
}

impl PartialEq<SystemTime> for TestTime {
    fn eq(&self, other: &SystemTime) -> bool {
        self.at == *other
    }
}

impl PartialEq<TestTime> for SystemTime {
    fn eq(&self, other: &TestTime) -> bool {
        *self == other.at
    }
}

impl PartialOrd<SystemTime> for TestTime {
    fn partial_cmp(&self, other: &SystemTime) -> Option<Ordering> {
        self.at.partial_cmp(other)
    }
}

impl PartialOrd<TestTime> for SystemTime {
    fn partial_cmp(&self, other: &TestTime) -> Option<Ordering> {
        self.partial_cmp(&other.at)
    }
}

/// Leaks a zone, once for each name, so that instants can be `Copy`. A test program uses few zones.
pub(super) fn intern(zone: Zone) -> &'static Zone {
    static INTERNED: Mutex<Vec<&Zone>> = Mutex::new(Vec::new());
    let mut interned = std_lock(&INTERNED);
    // A zone can have several names, and the test should see the one that it wrote.
    let is_same = |known: &&&Zone| ***known == zone && known.name() == zone.name();
    if let Some(known) = interned.iter().find(is_same) {
        return known;
    }
    let zone = Box::leak(Box::new(zone));
    interned.push(zone);
    zone
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use tina4_service_core::Timezone;

    use super::*;

    /// Displays the text that a function writes.
    struct Written<F>(F);

    impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Written<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0(f)
        }
    }

    #[test]
    fn every_instant_can_be_printed() {
        let utc = intern(Zone::find(&Timezone::Named("UTC".into()), None).unwrap());
        let after = |secs, nanos| UNIX_EPOCH.checked_add(Duration::new(secs, nanos));
        let before = |secs, nanos| UNIX_EPOCH.checked_sub(Duration::new(secs, nanos));
        for (at, exact, short) in [
            (after(0, 0), "1970-01-01 00:00:00 +00:00[UTC]", "1970-01-01T00:00:00Z"),
            (before(1, 0), "1969-12-31 23:59:59 +00:00[UTC]", "@-1"),
            // The last instant that jiff prints is near here; that of humantime is a day later.
            (after(253_402_207_200, 0), "9999-12-30 22:00:00 +00:00[UTC]", "9999-12-30T22:00:00Z"),
            (after(253_402_300_800, 0), "@253402300800", "@253402300800"),
            (after(253_402_300_799, 0), "@253402300799", "9999-12-31T23:59:59Z"),
            (after(253_402_300_800, 1_000), "@253402300800.000001", "@253402300800.000001"),
            (before(377_705_116_801, 0), "@-377705116801", "@-377705116801"),
            (before(377_705_116_801, 500_000_000), "@-377705116801.5", "@-377705116801.5"),
        ] {
            // Windows has no instant before the year 1601.
            let Some(at) = at else { continue };
            let time = TestTime::new(at, utc);
            assert_eq!(time.to_string(), exact);
            assert_eq!(format!("{time:?}"), exact);
            let written_in_utc =
                Written(|f: &mut fmt::Formatter<'_>| crate::time::zone::write_utc(f, at));
            assert_eq!(written_in_utc.to_string(), short);
            let in_zone = Written(|f: &mut fmt::Formatter<'_>| utc.write_time(f, at)).to_string();
            let exact = exact.split('[').next().unwrap();
            assert_eq!(in_zone, exact);
        }
        // The first and the last instant that exist.
        for at in [after(i64::MAX as u64, 999_999_999), before(i64::MAX as u64, 0)] {
            let Some(at) = at else { continue };
            assert!(TestTime::new(at, utc).to_string().starts_with('@'));
        }
    }
}
