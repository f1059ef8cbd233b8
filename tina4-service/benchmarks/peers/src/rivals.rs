//! The rivals, one file each; `runtime` and `threads` hold what several of them share.

mod clokwerk;
mod condvar_loop;
mod cron_tab;
mod crossbeam_tick;
mod floor;
mod job_scheduler_ng;
mod naive_loop;
mod ractor;
mod runtime;
mod service_daemon;
mod sleep_loop;
mod supervised;
mod task_supervisor;
mod threads;
mod tina4_service;
mod tokio_blocking;
mod tokio_cron_scheduler;
mod tokio_interval;

use crate::rival::Rival;

/// All rivals, in the order of the tables. The first is this crate, which the others are compared with.
pub(crate) const ALL: [&dyn Rival; 16] = [
    &tina4_service::Tina4Service,
    &floor::Floor,
    &sleep_loop::SleepLoop,
    &naive_loop::NaiveLoop,
    &condvar_loop::CondvarLoop,
    &crossbeam_tick::CrossbeamTick,
    &tokio_interval::TokioInterval,
    &tokio_blocking::TokioBlocking,
    &task_supervisor::TaskSupervisor,
    &supervised::Supervised,
    &ractor::Ractor,
    &service_daemon::ServiceDaemon,
    &tokio_cron_scheduler::TokioCronScheduler,
    &clokwerk::Clokwerk,
    &cron_tab::CronTab,
    &job_scheduler_ng::JobSchedulerNg,
];
