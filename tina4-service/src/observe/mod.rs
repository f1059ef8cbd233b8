//! What is known about services from outside: events, log lines, statistics, reports.

pub(crate) mod event;
pub(crate) mod info;
mod quantile;
pub(crate) mod signal;
pub(crate) mod stop_report;
