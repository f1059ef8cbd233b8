//! Instants of test time, which print as the clock of the test shows them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, SystemTimeError};

use crate::zone::Zone;

/// An instant, as the wall clock of a test shows it.
///
/// It prints as civil time with its zone, also where an assertion fails, and
/// [`TestRunner::time`](super::TestRunner::time) reads what it prints. It compares with other
/// instants, [`SystemTime`] included, whatever their zones, and converts into one.
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
/// // The clocks have gone forward.
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

    /// How much later it is than `earlier`.
    ///
    /// # Errors
    ///
    /// `earlier` is later; the error says by how much.
    pub fn duration_since(
        &self,
        earlier: impl Into<SystemTime>,
    ) -> Result<Duration, SystemTimeError> {
        self.at.duration_since(earlier.into())
    }
}

/// `2026-03-28 12:00:00 +01:00[Europe/Berlin]`, with the fraction of the second if there is one.
impl fmt::Display for TestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.zone.write_exactly(f, self.at)
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

/// As for [`SystemTime`], panics if the result cannot be represented.
impl Add<Duration> for TestTime {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        Self { at: self.at + length, ..self }
    }
}

/// As for [`SystemTime`], panics if the result cannot be represented.
impl Sub<Duration> for TestTime {
    type Output = Self;

    fn sub(self, length: Duration) -> Self {
        Self { at: self.at - length, ..self }
    }
}

impl AddAssign<Duration> for TestTime {
    fn add_assign(&mut self, length: Duration) {
        *self = *self + length;
    }
}

impl SubAssign<Duration> for TestTime {
    fn sub_assign(&mut self, length: Duration) {
        *self = *self - length;
    }
}

/// The time between two instants; panics if the second one is later.
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

/// Keeps a zone for as long as the program runs, so that instants can be copied like any number. A
/// test program knows few of them.
pub(super) fn keep(zone: Zone) -> &'static Zone {
    static KEPT: Mutex<Vec<&Zone>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    // A zone has several names, and the test is to see the one that it wrote.
    let is_same = |known: &&&Zone| ***known == zone && known.name() == zone.name();
    if let Some(known) = kept.iter().find(is_same) {
        return known;
    }
    let zone = Box::leak(Box::new(zone));
    kept.push(zone);
    zone
}
