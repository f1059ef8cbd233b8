//! [`JobId`].

use std::fmt;

/// The number of a job, which no other job of its engine ever has.
///
/// It has 128 bits, so that each store can use its own kind of number: row ids of SQL tables, entry ids
/// of Redis streams, sequence numbers of NATS, or random ones where a store has none.
///
/// ```
/// use tina4_service_queue::JobId;
///
/// assert_eq!(JobId::new(7).to_string(), "7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u128);

impl JobId {
    /// The id with this number; for engines.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
