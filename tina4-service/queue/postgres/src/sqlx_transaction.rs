//! Transactions of `sqlx`.

use std::error::Error;
use std::iter;

use sqlx::{Row as _, Transaction};
use tina4_service_queue::{AsyncExecutor, EngineError, Held, NewJob, Pushed, Timestamp};

use crate::engine::PostgresEngine;
use crate::error::{NAME, failed_with};
use crate::numbers::claim_of;
use crate::push::{self, OwnedJob, Statement};
use crate::transaction::{Postgres, complete, is_missing, without_queues};

/// Also a savepoint, which is of the same type. Its statements have no names, as a pooler in transaction mode needs
/// it (`persistent(false)`).
impl AsyncExecutor<Postgres> for Transaction<'_, sqlx::Postgres> {
    const ENGINE: &'static str = NAME;

    async fn push(&mut self, job: &NewJob<'_>, _now: Timestamp) -> Result<Pushed, EngineError> {
        job.check(NAME, PostgresEngine::CAPABILITIES)?;
        push::check(job)?;
        let job = OwnedJob::new(job);
        let statement = Statement::new(&[&job], None);
        let text = statement.text();
        let Statement { queues, payloads, delays, priorities, keys, windows, patience } = statement;
        let statement = sqlx::query(text)
            .bind(queues)
            .bind(payloads)
            .bind(delays)
            .bind(priorities)
            .bind(keys)
            .bind(windows)
            .bind(patience)
            .persistent(false);
        let row = statement.fetch_one(&mut **self).await;
        let pushed = row.and_then(|row| Ok(Statement::result(row.try_get(0)?, row.try_get(1)?)));
        pushed.map_err(|error| explained(&error))
    }

    async fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        _now: Timestamp,
    ) -> Result<bool, EngineError> {
        let (id, claim) = claim_of(held);
        let statement =
            sqlx::query(complete(keeps_copy)).bind(owner).bind(id).bind(claim).persistent(false);
        let row = statement.fetch_one(&mut **self).await;
        row.and_then(|row| row.try_get(0)).map_err(|error| explained(&error))
    }
}

/// An error, with the usual reason if the tables are missing.
fn explained(error: &sqlx::Error) -> EngineError {
    let code = error.as_database_error().and_then(|error| error.code());
    if code.is_some_and(|code| is_missing(&code)) {
        return without_queues();
    }
    let causes = iter::successors(error.source(), |error| (*error).source());
    let texts = iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    failed_with(texts.collect::<Vec<_>>().join(": ").replace('\n', ", "))
}
