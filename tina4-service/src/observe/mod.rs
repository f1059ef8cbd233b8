//! What a program can learn about its services: events, log lines, statistics, reports.

#[cfg(any(feature = "serde", all(test, not(shuttle))))]
pub(crate) mod change_kind;
#[cfg(all(test, not(shuttle)))]
pub(crate) mod change_samples;
pub(crate) mod duration_stats;
pub(crate) mod event;
#[cfg(feature = "testing")]
pub(crate) mod event_log;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod info;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod log_limits;
pub(crate) mod metric_table;
pub(crate) mod metrics;
pub(crate) mod notice;
pub(crate) mod notice_queue;
pub(crate) mod outcome_counts;
mod quantile;
#[cfg(feature = "queue")]
pub(crate) mod queue_info;
pub(crate) mod readiness;
pub(crate) mod recent_runs;
pub(crate) mod request;
pub(crate) mod requester;
pub(crate) mod run_durations;
pub(crate) mod run_entry;
pub(crate) mod run_facts;
#[cfg(feature = "run-log")]
pub(crate) mod run_lines;
#[cfg(feature = "run-log")]
pub(crate) mod run_log;
#[cfg(feature = "run-log")]
pub(crate) mod run_logs;
pub(crate) mod run_record;
pub(crate) mod run_trigger;
pub(crate) mod service_sample;
pub(crate) mod signal;
pub(crate) mod stats;
pub(crate) mod stop_report;
pub(crate) mod subscribers;
