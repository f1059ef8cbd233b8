//! [`AsyncExecutor`]: a transaction of the caller, in an asynchronous driver.

use crate::claim::Held;
use crate::engine_error::EngineError;
use crate::new_job::NewJob;
use crate::pushed::Pushed;
use crate::timestamp::Timestamp;

/// A transaction of the caller in an asynchronous driver, such as `sqlx`.
///
/// It is to [`push_in_async`](crate::BoundQueue::push_in_async) what [`Executor`](crate::Executor) is to
/// [`push_in`](crate::BoundQueue::push_in). If a future is dropped before it is ready, the transaction must not be
/// committed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asynchronous transaction of a queue engine",
    label = "pass the transaction itself, such as `&mut tx`",
    note = "the package of the engine has a feature for each driver; for one that blocks, use `push_in` and `complete_in`"
)]
pub trait AsyncExecutor<Db>: Send {
    /// The name of the engine whose store this is.
    const ENGINE: &'static str;

    /// Stores a job when the transaction commits.
    ///
    /// # Errors
    ///
    /// As [`Engine::push`](crate::Engine::push).
    fn push(
        &mut self,
        job: &NewJob<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Pushed, EngineError>> + Send;

    /// Ends the claim of this owner as done when the transaction commits, and keeps a copy of the job if `keeps_copy`
    /// ([`Feature::DoneJobs`](crate::Feature::DoneJobs)). Returns whether it was held; if not, nothing was changed.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, EngineError>> + Send;
}
