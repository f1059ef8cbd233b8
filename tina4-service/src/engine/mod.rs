//! What makes services run: the supervisor decides, the pool owns the threads, `invoke` calls user
//! code.

pub(crate) mod invoke;
pub(crate) mod pool;
pub(crate) mod supervisor;
