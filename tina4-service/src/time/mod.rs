//! Clocks, time zones, random numbers, and the public type `Schedule`.

pub(crate) mod clock;
mod manual_clock;
pub(crate) mod rng;
pub(crate) mod schedule;
pub(crate) mod stop_wait;
pub(crate) mod virtual_clock;
pub(crate) mod wall;
pub(crate) mod zone;
