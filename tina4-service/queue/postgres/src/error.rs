//! Conversions of errors.

use std::error::Error;
use std::iter;
use std::time::Duration;

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::rounded;
use tokio_postgres::error::SqlState;

/// The name of the engine.
pub(crate) const NAME: &str = "postgres";

/// An error of the client, with the texts of its causes: its own text is only `db error`.
pub(crate) fn failed(source: &tokio_postgres::Error) -> EngineError {
    failed_with(text(source))
}

/// A failure of the store.
pub(crate) fn failed_with(text: impl Into<String>) -> EngineError {
    EngineError::Failed { engine: NAME, source: text.into().into() }
}

/// A failure before anything was changed.
pub(crate) fn unchanged_with(text: impl Into<String>) -> EngineError {
    EngineError::Unchanged { engine: NAME, source: text.into().into() }
}

/// The text of a failure because the time was over.
pub(crate) fn no_answer(limit: Duration) -> String {
    let limit = rounded(limit);
    format!(
        "the server has not answered within {limit:?} (see whether it is stopped or overloaded, and whether `pg_locks` shows a lock of a table of the schema `tina4`)"
    )
}

/// A store that cannot be used as it is.
pub(crate) fn unusable(problem: String) -> EngineError {
    EngineError::Unusable { engine: NAME, problem }
}

/// The texts of an error and its causes, on one line.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    let chain = iter::successors(Some(error as &dyn Error), |error| (*error).source());
    let texts: Vec<_> = chain.map(|error| error.to_string().replace('\n', ", ")).collect();
    let text = texts.join(": ");
    if !is_locked(error) {
        return text;
    }
    format!(
        "{text} (another transaction has locked a table of the schema `tina4`, a row of it, or a unique key for long; end it: `pg_locks` shows which it is)"
    )
}

/// Whether a server refused a statement because it waited for a lock for too long.
pub(crate) fn is_locked(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether a server refused a statement, and the connection works.
pub(crate) fn is_of_statement(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        !matches!(error.severity(), "FATAL" | "PANIC")
            // After a failover the old server only reads: look for the new one.
            && *error.code() != SqlState::READ_ONLY_SQL_TRANSACTION
    })
}
