//! The metrics of `tina4-service` for programs that export metrics with another crate.
//!
//! * Feature `metrics`: `Reporter` writes them to the recorder of the crate [`metrics`](https://docs.rs/metrics).
//! * Feature `prometheus-client`: `RunnerCollector` adds them to a registry of the crate
//!   [`prometheus-client`](https://docs.rs/prometheus-client).
//!
//! The names are those that the chapter `observing` of `tina4-service` lists, and so its alert rules and its dashboard
//! apply. A program that exports no other metrics needs neither: `tina4_service::prometheus()` returns the text.
//!
//! This is a package of its own, because the minor versions of both crates are not compatible with each other: two
//! versions of `metrics` in one program have two recorders, and one of them stays empty. `cargo tree -d` shows such
//! duplicates.
#![deny(unsafe_code)]

#[cfg(feature = "prometheus-client")]
mod collector;
#[cfg(feature = "metrics")]
mod reporter;

#[cfg(feature = "prometheus-client")]
pub use collector::RunnerCollector;
#[cfg(feature = "metrics")]
pub use reporter::Reporter;
