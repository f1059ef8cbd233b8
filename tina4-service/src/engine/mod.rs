//! What makes services run: the supervisor decides, the pool owns the threads, `invoke` calls user
//! code.

pub(crate) mod control_error;
mod crashes;
pub(crate) mod current;
mod invoke;
pub(crate) mod pool;
pub(crate) mod supervisor;
mod work;

/// The pool of threads that works for a supervisor: all that runs on behalf of one runner.
pub(crate) type Engine = pool::Pool<supervisor::Supervisor>;
