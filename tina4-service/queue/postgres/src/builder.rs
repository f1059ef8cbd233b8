//! [`PostgresBuilder`].

use std::time::Duration;

use postgres::Socket;
use postgres::tls::{MakeTlsConnect, TlsConnect};
use tina4_service_queue::EngineError;

use crate::connector::Connector;
use crate::engine::PostgresEngine;

/// The settings of a [`PostgresEngine`].
///
/// ```no_run
/// use tina4_service_postgres::PostgresBuilder;
///
/// let engine = PostgresBuilder::new("postgres://shop@pooler:6432/shop")?
///     .listen_at("postgres://shop@db:5432/shop")?
///     .open()?;
/// # Ok::<(), tina4_service_queue::EngineError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PostgresBuilder {
    usual: Connector,
    direct: Option<Connector>,
    listens: bool,
}

impl PostgresBuilder {
    /// The usual settings: no TLS, and notifications at the same address.
    ///
    /// # Errors
    ///
    /// If the address cannot be read.
    pub fn new(address: &str) -> Result<Self, EngineError> {
        Ok(Self { usual: Connector::parse(address)?, direct: None, listens: true })
    }

    /// Encrypts connections with a connector, such as `postgres_native_tls::MakeTlsConnector` or
    /// `tokio_postgres_rustls::MakeRustlsConnect`.
    ///
    /// `sslmode` in the address says whether a server without TLS is refused: write `sslmode=require`.
    #[must_use]
    pub fn tls<T>(self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let direct = self.direct.map(|direct| direct.with_tls(tls.clone()));
        Self { usual: self.usual.with_tls(tls), direct, ..self }
    }

    /// Listens for notifications at another address: one that does not lead through a pooler in transaction
    /// mode, which does not pass them on.
    ///
    /// # Errors
    ///
    /// If the address cannot be read.
    pub fn listen_at(self, address: &str) -> Result<Self, EngineError> {
        let direct = Some(self.usual.at(address)?);
        Ok(Self { direct, ..self })
    }

    /// How long a trip to the server may take, 15 s by default: if there is no answer, the connection is closed.
    ///
    /// A call waits for at most two trips, the one in progress and its own, and up to a second between attempts to
    /// connect.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        let direct = self.direct.map(|direct| direct.with_timeout(timeout));
        Self { usual: self.usual.with_timeout(timeout), direct, ..self }
    }

    /// Never listens for notifications: jobs of other processes are found by polling.
    ///
    /// This saves a connection. To spare the server the notifications, too, disable them for the database:
    /// `alter database .. set tina4.notify = 'off'`.
    #[must_use]
    pub fn poll_only(self) -> Self {
        Self { listens: false, ..self }
    }

    /// Connects to the server, and creates the schema `tina4` if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`PostgresEngine::open`]; an address may demand TLS if there is a connector.
    pub fn open(self) -> Result<PostgresEngine, EngineError> {
        let direct = self.direct.unwrap_or_else(|| self.usual.clone());
        PostgresEngine::with(&self.usual, self.listens.then_some(direct))
    }
}
