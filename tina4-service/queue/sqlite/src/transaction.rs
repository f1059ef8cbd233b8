//! [`Sqlite`]: transactions of the caller.

use rusqlite::{Connection, Savepoint, Transaction};
use tina4_service_queue::{EngineError, Executor, Held, NewJob, Pushed, Timestamp};

use crate::engine::SqliteEngine;
use crate::error::{NAME, failed, unusable};
use crate::{done, push, turn};

/// Marks transactions of `rusqlite` as those of this engine.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Executor<Sqlite> for Transaction<'_> {
    const ENGINE: &'static str = NAME;

    fn push(&mut self, job: &NewJob<'_>, now: Timestamp) -> Result<Pushed, EngineError> {
        push_in(self, job, now)
    }

    fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        complete_in(self, held, owner, keeps_copy, now)
    }
}

impl Executor<Sqlite> for Savepoint<'_> {
    const ENGINE: &'static str = NAME;

    fn push(&mut self, job: &NewJob<'_>, now: Timestamp) -> Result<Pushed, EngineError> {
        push_in(self, job, now)
    }

    fn complete(
        &mut self,
        held: Held,
        owner: &str,
        keeps_copy: bool,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        complete_in(self, held, owner, keeps_copy, now)
    }
}

fn push_in(
    connection: &Connection,
    job: &NewJob<'_>,
    now: Timestamp,
) -> Result<Pushed, EngineError> {
    job.check(NAME, SqliteEngine::CAPABILITIES)?;
    push::push(connection, job, now).map_err(|error| explained(connection, error))
}

fn complete_in(
    connection: &Connection,
    held: Held,
    owner: &str,
    keeps_copy: bool,
    now: Timestamp,
) -> Result<bool, EngineError> {
    let complete = if keeps_copy { done::keep } else { turn::complete };
    complete(connection, held, owner, now).map_err(|error| explained(connection, error))
}

/// An error, with the usual reason if the tables are missing.
fn explained(connection: &Connection, error: rusqlite::Error) -> EngineError {
    match connection.table_exists(None, "tina4_job") {
        Ok(false) => unusable(format!(
            "the transaction is in `{}`, which has no queues; use a connection to the file that `SqliteEngine::open` opened",
            connection.path().unwrap_or_default()
        )),
        Ok(true) | Err(_) => failed(error),
    }
}
