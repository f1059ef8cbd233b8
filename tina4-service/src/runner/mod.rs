//! The handles of a runner, its builder, and `run`, which can be the entire body of `main`.

#[cfg(feature = "tokio")]
mod async_calls;
#[cfg(feature = "queue")]
mod backlogs;
mod blocking;
pub(crate) mod builder;
mod context;
#[cfg(feature = "queue")]
mod engine_check;
#[cfg(feature = "testing")]
mod for_testing;
mod health;
mod hook_wait;
mod metrics;
#[cfg(all(test, shuttle))]
mod model;
mod on_behalf;
pub(crate) mod on_change;
mod run;
pub(crate) mod runner;
mod shared;
#[cfg(all(target_os = "linux", feature = "systemd"))]
mod systemd;
pub(crate) mod weak_runner;
