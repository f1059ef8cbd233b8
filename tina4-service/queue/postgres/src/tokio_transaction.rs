//! Transactions of `tokio-postgres`.

use postgres::types::Type;
use tina4_service_queue::{AsyncExecutor, EngineError, Held, NewJob, Pushed, Timestamp};
use tokio_postgres::Transaction;

use crate::engine::PostgresEngine;
use crate::error::{NAME, failed_with};
use crate::numbers::claim_of;
use crate::push::{self, OwnedJob, Statement};
use crate::transaction::{Postgres, complete, explained};

/// Also a savepoint, which is of the same type.
impl AsyncExecutor<Postgres> for Transaction<'_> {
    const ENGINE: &'static str = NAME;

    async fn push(&mut self, job: &NewJob<'_>, _now: Timestamp) -> Result<Pushed, EngineError> {
        job.check(NAME, PostgresEngine::CAPABILITIES)?;
        push::check(job)?;
        let job = OwnedJob::new(job);
        let statement = Statement::new(&[&job], None);
        let rows = self.query_typed(statement.text(), &statement.values()).await;
        let pushed =
            rows.and_then(|rows| Statement::read(&rows)).map_err(|error| explained(&error))?;
        pushed.first().copied().ok_or_else(|| failed_with("no result for the job"))
    }

    async fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        _now: Timestamp,
    ) -> Result<bool, EngineError> {
        let (id, claim) = claim_of(held);
        let values = [(&owner as _, Type::TEXT), (&id as _, Type::INT8), (&claim as _, Type::INT8)];
        let row = self.query_typed_one(complete(keeps_copy), &values).await;
        row.and_then(|row| row.try_get(0)).map_err(|error| explained(&error))
    }
}
