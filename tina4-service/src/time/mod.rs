//! Clocks, time zones, random numbers, and the public type `Schedule`.

#[cfg(feature = "tokio")]
mod async_sleep;
#[cfg(feature = "tokio")]
pub(crate) mod async_sleeper;
pub(crate) mod clock;
mod manual_clock;
pub(crate) mod rng;
pub(crate) mod schedule;
pub(crate) mod stop_wait;
pub(crate) mod virtual_clock;
pub(crate) mod wall;
pub(crate) mod zone;
