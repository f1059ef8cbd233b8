//! Conversions of errors.

use tina4_service_queue::EngineError;

/// The name of the engine.
pub(crate) const NAME: &str = "sqlite";

/// An error of SQLite.
pub(crate) fn failed(source: rusqlite::Error) -> EngineError {
    EngineError::Failed { engine: NAME, source: source.into() }
}

/// A file that cannot be used.
pub(crate) fn unusable(problem: String) -> EngineError {
    EngineError::Unusable { engine: NAME, problem }
}
