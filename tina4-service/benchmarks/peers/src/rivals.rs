//! One file for each rival, and two for what several of them stand on.

pub(crate) mod clokwerk;
pub(crate) mod condvar_loop;
pub(crate) mod cron_tab;
pub(crate) mod crossbeam_tick;
pub(crate) mod floor;
pub(crate) mod job_scheduler_ng;
pub(crate) mod naive_loop;
pub(crate) mod ractor;
mod runtime;
pub(crate) mod service_daemon;
pub(crate) mod sleep_loop;
pub(crate) mod supervised;
pub(crate) mod task_supervisor;
mod threads;
pub(crate) mod tina4_service;
pub(crate) mod tokio_blocking;
pub(crate) mod tokio_cron_scheduler;
pub(crate) mod tokio_interval;
