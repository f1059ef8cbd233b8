//! [`Executor`]: a transaction of the caller.

use crate::claim::Held;
use crate::engine_error::EngineError;
use crate::new_job::NewJob;
use crate::pushed::Pushed;
use crate::timestamp::Timestamp;

/// A transaction of the caller, in the store of an engine.
///
/// `Db` is a marker type of the crate that implements the trait, so that it can do so for the
/// transactions of a database driver. Callers never name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction of a queue engine",
    label = "pass the transaction itself, such as `&mut tx` of a `rusqlite::Transaction` or a `postgres::Transaction`"
)]
pub trait Executor<Db> {
    /// The name of the engine whose store this is.
    const ENGINE: &'static str;

    /// Stores a job when the transaction commits.
    ///
    /// # Errors
    ///
    /// As [`Engine::push`](crate::Engine::push).
    fn push(&mut self, job: &NewJob<'_>, now: Timestamp) -> Result<Pushed, EngineError>;

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
    ) -> Result<bool, EngineError>;
}
