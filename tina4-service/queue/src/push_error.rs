//! [`PushError`].

use std::error::Error;
use std::fmt;

use crate::engine_error::EngineError;

/// Why a push failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PushError {
    /// The payload cannot be written as JSON. Nothing has been stored.
    Payload {
        /// The name of the queue.
        queue: &'static str,
        /// The error of the serializer.
        source: serde_json::Error,
    },
    /// The transaction is one of another engine. Nothing has been stored.
    WrongEngine {
        /// The name of the queue.
        queue: &'static str,
        /// The engine of the queue.
        engine: &'static str,
        /// The engine of the transaction.
        transaction: &'static str,
    },
    /// No engine was provided to the global runner. Nothing has been stored.
    NoQueues {
        /// The name of the queue.
        queue: &'static str,
    },
    /// The thread of an asynchronous push is gone: it panicked, or its runtime has shut down. The job may
    /// have been stored.
    Interrupted {
        /// The name of the queue.
        queue: &'static str,
    },
    /// The engine refused or failed.
    Engine(EngineError),
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload { queue, source } => write!(
                f,
                "the payload for the queue `{queue}` cannot be written as JSON: {source}; change its type, or how it is serialized"
            ),
            Self::WrongEngine { queue, engine, transaction } => write!(
                f,
                "the queue `{queue}` is on the engine `{engine}`, and the transaction belongs to `{transaction}`; use a transaction of the queue's own store"
            ),
            Self::NoQueues { queue } => write!(
                f,
                "the queue `{queue}` has no engine; call `provide(Queues::new(..))` before the push, or use `Queue::on`"
            ),
            Self::Interrupted { queue } => write!(
                f,
                "the push to the queue `{queue}` was interrupted; push again, with a unique key"
            ),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl Error for PushError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Payload { .. }
            | Self::WrongEngine { .. }
            | Self::NoQueues { .. }
            | Self::Interrupted { .. } => None,
            // `Display` has the text of the error already.
            Self::Engine(error) => error.source(),
        }
    }
}

impl From<EngineError> for PushError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
