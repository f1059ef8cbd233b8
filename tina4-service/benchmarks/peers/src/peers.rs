//! The peers, one file each; `runtime` and `threads` contain the code that several of them share.

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

use crate::peer::Peer;

/// All peers, in the order of the tables. The first is this crate, which the others are compared with.
pub(crate) const ALL: [&dyn Peer; 17] = [
    &tina4_service::Tina4Service::EXACT,
    &tina4_service::Tina4Service::TOLERANT,
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
