//! The handle of a runner, its builder, and `run`, which is a program's whole `main`.

pub(crate) mod builder;
#[cfg(feature = "testing")]
mod for_testing;
#[cfg(all(test, shuttle))]
mod model;
mod run;
pub(crate) mod runner;
mod shared;
