//! What a program can learn about its services: events, log lines, statistics, reports.

pub(crate) mod duration_stats;
pub(crate) mod event;
pub(crate) mod info;
pub(crate) mod log;
mod quantile;
#[cfg(feature = "testing")]
pub(crate) mod record;
pub(crate) mod signal;
pub(crate) mod stats;
pub(crate) mod stop_report;
pub(crate) mod subscribers;
