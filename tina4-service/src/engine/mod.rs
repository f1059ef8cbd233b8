//! Runs the services: the supervisor decides, the pool owns the threads, `invoke` calls user code.

pub(crate) mod control_error;
mod crashes;
pub(crate) mod current;
#[cfg(feature = "testing")]
mod injected;
mod invoke;
#[cfg(feature = "queue")]
mod job_attempt;
#[cfg(all(feature = "queue", feature = "tokio"))]
mod job_task;
#[cfg(feature = "queue")]
mod jobs;
pub(crate) mod pool;
pub(crate) mod release;
#[cfg(all(feature = "queue", feature = "tokio"))]
mod report_task;
pub(crate) mod supervisor;
#[cfg(feature = "tokio")]
mod task;
mod user_code;
mod work;

/// The thread pool of one runner, with its supervisor as the source of work.
pub(crate) type Engine = pool::Pool<supervisor::Supervisor>;
