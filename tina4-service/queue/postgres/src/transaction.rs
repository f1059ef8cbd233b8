//! [`Postgres`]: transactions of the caller.

use postgres::Transaction;
use postgres::error::SqlState;
use postgres::types::Type;
use tina4_service_queue::{EngineError, Executor, Held, NewJob, Pushed, Timestamp};

use crate::engine::PostgresEngine;
use crate::error::{NAME, failed, failed_with, unusable};
use crate::numbers::claim_of;
use crate::push::{self, OwnedJob, Statement};

/// Marks transactions of `postgres` as those of this engine.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

/// The statement that ends a claim as done. It returns whether it was held.
pub(crate) fn complete(keeps_copy: bool) -> &'static str {
    if keeps_copy {
        "select not exists (select from tina4.keep_done($1, array[$2], array[$3]))"
    } else {
        "select tina4.complete($1, $2, $3)"
    }
}

/// Also a savepoint, which is of the same type.
impl Executor<Postgres> for Transaction<'_> {
    const ENGINE: &'static str = NAME;

    fn push(&mut self, job: &NewJob<'_>, _now: Timestamp) -> Result<Pushed, EngineError> {
        job.check(NAME, PostgresEngine::CAPABILITIES)?;
        push::check(job)?;
        let job = OwnedJob::new(job);
        let statement = Statement::new(&[&job], None);
        let rows = self.query_typed(statement.text(), &statement.values());
        let pushed = rows.and_then(|rows| Statement::read(&rows));
        let pushed = pushed.map_err(|error| explained(&error))?;
        pushed.first().copied().ok_or_else(|| failed_with("no result for the job"))
    }

    fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        _now: Timestamp,
    ) -> Result<bool, EngineError> {
        let (id, claim) = claim_of(held);
        let completed = self.query_typed_one(
            complete(keeps_copy),
            &[(&owner, Type::TEXT), (&id, Type::INT8), (&claim, Type::INT8)],
        );
        completed.and_then(|row| row.try_get(0)).map_err(|error| explained(&error))
    }
}

/// An error, with the usual reason if the tables are missing.
pub(crate) fn explained(error: &postgres::Error) -> EngineError {
    let code = error.code().map(SqlState::code);
    if code.is_some_and(is_missing) { without_queues() } else { failed(error) }
}

/// Whether an error with this code means that the tables and functions do not exist.
pub(crate) fn is_missing(code: &str) -> bool {
    [SqlState::INVALID_SCHEMA_NAME, SqlState::UNDEFINED_FUNCTION]
        .iter()
        .any(|missing| missing.code() == code)
}

/// The error of a transaction in a database without the tables and functions.
pub(crate) fn without_queues() -> EngineError {
    unusable(
        "the transaction is in a database that has no queues; use a connection to the database that `PostgresEngine::open` opened"
            .to_owned(),
    )
}
