//! How a process ends, receives signals and forks, and what becomes of its jobs. Each test starts child processes and checks them
//! from outside.
#![forbid(unsafe_code)]

mod exit;
mod exit_edge_cases;
mod fork;
mod full_pipes;
mod global;
mod queue;
mod signals;
