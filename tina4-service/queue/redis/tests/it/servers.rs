//! The servers that `.ci/servers` starts, and prefixes on them.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::{Client, Connection, cmd};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::variable::variable;

/// A prefix that nothing uses. Its keys are removed at the end.
pub(crate) struct Space {
    pub(crate) address: String,
    pub(crate) prefix: String,
}

impl Space {
    /// A prefix on the usual server.
    pub(crate) fn new() -> Option<Self> {
        Some(Self::at(&variable("TINA4_TEST_REDIS")?))
    }

    /// A prefix on a server.
    pub(crate) fn at(address: &str) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("test-{}-{number}", process::id());
        Self { address: address.to_owned(), prefix }
    }

    /// Another engine on it, as another process has.
    pub(crate) fn open(&self) -> RedisEngine {
        let builder = RedisBuilder::new(&self.address).expect("the address is valid");
        builder.prefix(&self.prefix).open().expect("the engine opens")
    }

    /// A connection of the program itself.
    pub(crate) fn connect(&self) -> Connection {
        let client = Client::open(&*self.address).expect("the address is valid");
        client.get_connection().expect("the server can be reached")
    }

    /// The name of a key.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }

    /// All keys that are there.
    pub(crate) fn keys(&self, connection: &mut Connection) -> Vec<String> {
        cmd("KEYS").arg(self.key("*")).query(connection).expect("the keys can be listed")
    }

    /// Closes the connections of all engines on it. Returns how many.
    pub(crate) fn cut(&self, connection: &mut Connection) -> usize {
        let name = format!("name=tina4-service:{} ", self.prefix);
        let list: String = cmd("CLIENT").arg("LIST").query(connection).expect("they can be listed");
        let ids = list
            .lines()
            .filter(|line| line.contains(&name))
            .filter_map(|line| line.split(' ').next().and_then(|field| field.strip_prefix("id=")));
        // One may have been closed meanwhile.
        ids.filter(|id| {
            let killed = cmd("CLIENT").arg("KILL").arg("ID").arg(id).query::<u32>(connection);
            killed.expect("connections can be cut") == 1
        })
        .count()
    }
}

/// Waits by the clock of the server.
pub(crate) fn pause(connection: &mut Connection, millis: u64) {
    let key = ["nothing-is-ever-pushed-here"];
    let seconds = Duration::from_millis(millis).as_secs_f64();
    let none: Option<(String, String)> =
        cmd("BLPOP").arg(&key).arg(seconds).query(connection).unwrap();
    assert_eq!(none, None);
}

impl Drop for Space {
    fn drop(&mut self) {
        let client = Client::open(&*self.address).and_then(|client| client.get_connection());
        if let Ok(mut connection) = client {
            let keys: Vec<String> =
                cmd("KEYS").arg(self.key("*")).query(&mut connection).unwrap_or_default();
            if !keys.is_empty() {
                let _ = cmd("DEL").arg(keys).exec(&mut connection);
            }
        }
    }
}
