//! [`Connector`]: how connections to the server are made.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tina4_service_queue::EngineError;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use crate::error::{text, unusable};
use crate::link::Link;

/// After how long the system takes a server to be gone that does not acknowledge anything.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// How long a trip to the server may take, unless [`PostgresBuilder::timeout`](crate::PostgresBuilder::timeout)
/// says otherwise.
const TIMEOUT: Duration = Duration::from_secs(15);

type Connecting = Pin<Box<dyn Future<Output = Result<Link, tokio_postgres::Error>>>>;
type Connect = dyn Fn(Config) -> Connecting + Send + Sync;

/// Makes connections with the settings of the program, and with or without TLS.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    connect: Arc<Connect>,
    has_tls: bool,
    /// How long a trip to the server may take.
    pub(crate) timeout: Duration,
}

impl Connector {
    /// Reads an address. Settings that are not in it get values with which dead connections are noticed.
    pub(crate) fn parse(address: &str) -> Result<Self, EngineError> {
        let mut config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
            unusable(format!(
                "its address cannot be read ({}); write it as `postgres://user:password@host:5432/database`",
                text(&error)
            ))
        })?;
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_TIMEOUT);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_idle(SILENCE_TIMEOUT).keepalives_interval(PROBE_INTERVAL);
            config.keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("tina4-service");
        }
        Ok(Self { config, connect: connect_with(NoTls), has_tls: false, timeout: TIMEOUT })
    }

    /// The same address, with TLS.
    pub(crate) fn with_tls<T>(self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::TlsConnect: Send,
        T::Stream: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self { connect: connect_with(tls), has_tls: true, ..self }
    }

    /// The same address, with another limit of the time of a trip.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Another address, with the same TLS.
    pub(crate) fn at(&self, address: &str) -> Result<Self, EngineError> {
        let Self { config, .. } = Self::parse(address)?;
        Ok(Self { config, ..self.clone() })
    }

    /// Refuses an address that demands TLS if there is none.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.config.get_ssl_mode() == SslMode::Require && !self.has_tls {
            return Err(unusable(
                "its address demands TLS (`sslmode=require`); pass a connector with `PostgresBuilder::tls`"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes a connection.
    pub(crate) fn connect(&self) -> Connecting {
        (self.connect)(self.config.clone())
    }
}

fn connect_with<T>(tls: T) -> Arc<Connect>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::TlsConnect: Send,
    T::Stream: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    Arc::new(move |config| {
        let tls = tls.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            Ok(Link::new(client, connection))
        })
    })
}

/// Without the password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts();
        f.debug_struct("Connector")
            .field("hosts", &hosts)
            .field("dbname", &self.config.get_dbname())
            .field("has_tls", &self.has_tls)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_138_an_address_that_is_not_valid_is_refused() {
        let error = Connector::parse("postgres://secret@host:port/").unwrap_err().to_string();
        assert!(
            error.starts_with("the store of the engine `postgres` cannot be used: its address"),
            "{error}"
        );
        assert!(
            error.ends_with("write it as `postgres://user:password@host:5432/database`"),
            "{error}"
        );
    }

    #[test]
    fn rule_138_tls_that_is_demanded_needs_a_connector() {
        let connector = Connector::parse("postgres://user@host/database?sslmode=require").unwrap();
        let error = connector.check().unwrap_err().to_string();
        assert!(error.contains("`PostgresBuilder::tls`"), "{error}");
        connector.with_tls(NoTls).check().unwrap();
        Connector::parse("postgres://user@host/database").unwrap().check().unwrap();
    }

    #[test]
    fn passwords_are_not_shown() {
        let connector = Connector::parse("postgres://user:hidden@host/database").unwrap();
        assert!(!format!("{connector:?}").contains("hidden"));
    }
}
