//! Runs the services: the supervisor decides, the pool owns the threads, `invoke` calls user code.

pub(crate) mod control_error;
mod crashes;
pub(crate) mod current;
mod invoke;
pub(crate) mod pool;
pub(crate) mod supervisor;
mod work;

/// The thread pool of one runner, with its supervisor as the source of work.
pub(crate) type Engine = pool::Pool<supervisor::Supervisor>;
