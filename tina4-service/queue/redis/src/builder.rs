//! [`RedisBuilder`].

use std::time::Duration;

use tina4_service_queue::EngineError;

use crate::connector::Connector;
use crate::engine::RedisEngine;
use crate::keys;

/// The settings of a [`RedisEngine`].
///
/// ```no_run
/// use tina4_service_redis::RedisBuilder;
///
/// let engine = RedisBuilder::new("redis://localhost/")?.prefix("shop-test").open()?;
/// # Ok::<(), tina4_service_queue::EngineError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedisBuilder {
    connector: Connector,
    prefix: String,
    listens: bool,
}

impl RedisBuilder {
    /// The usual settings: the prefix `tina4`, and messages about jobs of other processes.
    ///
    /// # Errors
    ///
    /// If the address cannot be read.
    pub fn new(address: &str) -> Result<Self, EngineError> {
        let connector = Connector::parse(address)?;
        Ok(Self { connector, prefix: keys::PREFIX.to_owned(), listens: true })
    }

    /// The prefix of all keys; `tina4` by default. Engines with different prefixes share nothing.
    ///
    /// It has 1 to 128 ASCII characters, without braces and spaces: [`open`](Self::open) refuses others.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// How long a trip to the server may take, 15 s by default: if there is no answer, the connection is closed.
    ///
    /// A call waits for at most two trips, the one in progress and its own, and up to a second between attempts to
    /// connect.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { connector: self.connector.with_timeout(timeout), ..self }
    }

    /// Never listens for messages: jobs of other processes are found by polling. This saves a connection.
    #[must_use]
    pub fn poll_only(self) -> Self {
        Self { listens: false, ..self }
    }

    /// Connects to the server.
    ///
    /// # Errors
    ///
    /// As [`RedisEngine::open`], and if the prefix is not valid.
    pub fn open(self) -> Result<RedisEngine, EngineError> {
        RedisEngine::with(&self.connector, &self.prefix, self.listens)
    }
}
