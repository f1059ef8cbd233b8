//! What a service with calendar time remembers.

use super::date::{Date, NEVER};
use crate::nanos::Nanos;

/// What a service with calendar time remembers. Calendar times are in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    /// The time it waits for, or waited for last.
    pub(super) date: Date,
    /// The time that the run in progress, or the last one, is for, if it is for one.
    pub(super) run: Option<i64>,
    /// Every calendar time up to this one has been answered for.
    pub(super) until: i64,
    /// The last one that a run was for.
    pub(super) ran: i64,
}

impl Calendar {
    /// Of a service that has not waited yet.
    pub(super) const NEW: Self = Self {
        date: Date { at: NEVER, late: 0, due: Nanos::MAX },
        run: None,
        until: i64::MIN,
        ran: i64::MIN,
    };
}

impl Default for Calendar {
    fn default() -> Self {
        Self::NEW
    }
}
