//! How a process ends, receives signals and forks: each test starts child processes and looks at
//! them from outside.
#![forbid(unsafe_code)]

mod exit;
mod exit_edges;
mod fork;
mod full_pipes;
mod signals;
