//! Conversions of errors.

use std::time::Duration;

use redis::RedisError;
use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::rounded;

/// The name of the engine.
pub(crate) const NAME: &str = "redis";

/// The text of a failure because the time was over.
pub(crate) fn no_answer(limit: Duration) -> String {
    let limit = rounded(limit);
    format!(
        "the server has not answered within {limit:?} (see whether it is stopped or overloaded, and what `SLOWLOG GET` and `LATENCY LATEST` show)"
    )
}

/// A failure of the store.
pub(crate) fn failed_with(text: impl Into<String>) -> EngineError {
    EngineError::Failed { engine: NAME, source: text.into().into() }
}

/// A failure before anything was changed.
pub(crate) fn unchanged_with(text: impl Into<String>) -> EngineError {
    EngineError::Unchanged { engine: NAME, source: text.into().into() }
}

/// A store that cannot be used as it is.
pub(crate) fn unusable(problem: impl Into<String>) -> EngineError {
    EngineError::Unusable { engine: NAME, problem: problem.into() }
}

/// The text of an error, on one line.
pub(crate) fn text(error: &RedisError) -> String {
    error.to_string().replace(['\r', '\n'], " ")
}

/// Whether the server has answered with an error, and not the connection failed.
pub(crate) fn is_answer(error: &RedisError) -> bool {
    error.code().is_some()
}
