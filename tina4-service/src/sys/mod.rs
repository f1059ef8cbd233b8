//! The operating system and the language runtime: locks, panics, threads, forks, stop requests, source
//! locations. Only these files start threads, catch panics and count forks.

pub(crate) mod env_vars;
pub(crate) mod fork;
pub(crate) mod log_target;
#[cfg(all(target_os = "linux", feature = "systemd"))]
pub(crate) mod notify_socket;
pub(crate) mod panics;
#[cfg(all(feature = "tokio", feature = "testing", not(shuttle)))]
pub(crate) mod paused_runtime;
pub(crate) mod pending_threads;
#[cfg(any(feature = "exit-hook", feature = "signals"))]
pub(crate) mod per_process;
pub(crate) mod place;
#[cfg(feature = "signals")]
pub(crate) mod received_signals;
#[cfg(feature = "tokio")]
pub(crate) mod runtime;
#[cfg(feature = "tokio")]
pub(crate) mod runtime_slot;
pub(crate) mod stop_flag;
pub(crate) mod sync;
#[cfg(feature = "tokio")]
pub(crate) mod task_pool;
pub(crate) mod thread_name;
pub(crate) mod threads;
