//! [`Connector`]: how connections to the server are made.

use std::fmt;
use std::time::Duration;

use redis::{
    Client, ConnectionInfo, ConnectionLike, IntoConnectionInfo as _, ProtocolVersion, RedisError,
    cmd,
};
use tina4_service_queue::EngineError;

use crate::connection::Connection;
use crate::error::{text, unusable};

/// How long a trip to the server may take, unless [`RedisBuilder::timeout`](crate::RedisBuilder::timeout) says
/// otherwise.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Makes connections to one server.
#[derive(Clone)]
pub(crate) struct Connector {
    client: Client,
    /// What the server calls the connections, as in `CLIENT LIST`.
    name: String,
    /// How long a trip to the server may take.
    pub(crate) timeout: Duration,
}

impl Connector {
    /// Reads an address.
    pub(crate) fn parse(address: &str) -> Result<Self, EngineError> {
        let client = connection_info(address).and_then(Client::open);
        let client = client.map_err(|error| {
            // The client does not repeat the address, which may have a password.
            unusable(format!(
                "its address cannot be read ({}); write it as `redis://user:password@host:6379/0`, and for `rediss://` enable a TLS feature of the crate `redis`",
                text(&error)
            ))
        })?;
        Ok(Self { client, name: "tina4-service".to_owned(), timeout: TIMEOUT })
    }

    /// The same server, for the keys with this prefix.
    pub(crate) fn with_prefix(self, prefix: &str) -> Self {
        Self { name: format!("tina4-service:{prefix}"), ..self }
    }

    /// The same server, with another limit of the time of a trip.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes a connection within this time, and asks whether the server can be used: after a start it reads its
    /// files.
    pub(crate) fn connect(&self, timeout: Duration) -> Result<Connection, RedisError> {
        let mut connection = Connection::open(&self.client, timeout)?;
        connection.limit(timeout)?;
        self.introduce(&mut connection)?;
        Ok(connection)
    }

    /// The same, but for a connection of the client, which can subscribe. A pause of the process may break it.
    pub(crate) fn connect_to_subscribe(
        &self,
        timeout: Duration,
    ) -> Result<redis::Connection, RedisError> {
        let mut connection = self.client.get_connection_with_timeout(timeout)?;
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        self.introduce(&mut connection)?;
        Ok(connection)
    }

    fn introduce(&self, connection: &mut dyn ConnectionLike) -> Result<(), RedisError> {
        // For people who look at the server; a user may not be allowed to.
        let named = cmd("CLIENT").arg("SETNAME").arg(&self.name).exec(connection);
        named.or_else(|error| if error.code().is_some() { Ok(()) } else { Err(error) })?;
        cmd("PING").exec(connection)
    }
}

fn connection_info(address: &str) -> Result<ConnectionInfo, RedisError> {
    let info = address.into_connection_info()?;
    // Requests are small and wait for their answers.
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    // Scripts return the same by both protocols, but a subscription has an answer by this one only.
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Ok(info.set_tcp_settings(tcp).set_redis_settings(redis))
}

/// Without the password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.client.get_connection_info().addr().to_string();
        f.debug_struct("Connector").field("address", &address).field("name", &self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_138_an_address_that_is_not_valid_is_refused() {
        for address in ["redis://:secret@host:port/", "http://secret@host", "", "redis://host/x"] {
            let error = Connector::parse(address).unwrap_err().to_string();
            let expected =
                "the store of the engine `redis` cannot be used: its address cannot be read";
            assert!(error.starts_with(expected), "{error}");
            assert!(error.contains("`redis://user:password@host:6379/0`"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        Connector::parse("redis://user:secret@host:7000/3?protocol=resp3").unwrap();
    }

    #[test]
    fn passwords_are_not_shown() {
        let connector = Connector::parse("redis://user:hidden@host/").unwrap();
        assert!(!format!("{connector:?}").contains("hidden"));
    }
}
