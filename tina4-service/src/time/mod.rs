//! Time: the only clock, the only time zones, and schedules as users see them.

pub(crate) mod clock;
pub(crate) mod rng;
pub(crate) mod schedule;
pub(crate) mod wall;
pub(crate) mod zone;
