//! How a process ends, receives signals and forks, and what becomes of its jobs. Each test starts child processes and checks them
//! from outside.
#![forbid(unsafe_code)]

mod async_exit;
mod exit;
mod exit_edge_cases;
mod fork;
mod full_pipes;
mod global;
mod queue;
mod queue_chaos;
#[cfg(unix)]
mod queue_pauses;
mod queue_recovery;
mod queue_server;
mod queue_service;
#[cfg(target_os = "linux")]
mod queue_syncs;
mod queue_world;
mod quiesce;
mod signals;
#[cfg(target_os = "linux")]
mod systemd;
