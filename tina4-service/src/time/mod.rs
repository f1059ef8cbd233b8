//! Time: the only clock and the clocks that stand in for it, the only time zones, and schedules as
//! users see them.

pub(crate) mod clock;
mod manual_clock;
pub(crate) mod rng;
pub(crate) mod schedule;
pub(crate) mod stop_wait;
pub(crate) mod virtual_clock;
pub(crate) mod wall;
pub(crate) mod zone;
