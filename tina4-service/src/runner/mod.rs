//! The handle of a runner, its builder, and a program's whole life with its services.

pub(crate) mod builder;
#[cfg(feature = "testing")]
mod for_testing;
#[cfg(all(test, shuttle))]
mod model;
mod run;
pub(crate) mod runner;
mod shared;
