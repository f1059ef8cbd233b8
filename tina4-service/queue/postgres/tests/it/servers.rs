//! The servers that `.ci/servers` starts, and databases on them.

use std::io::{self, Write as _};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use tina4_service_postgres::PostgresEngine;

/// The value of a variable of `.ci/servers`; `None` if it is not set and servers are not required.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        let required = std::env::var("TINA4_TEST_SERVERS").is_ok();
        assert!(
            !required,
            "servers are required, and `{name}` is not set; run `.ci/servers cargo test`"
        );
        // Not with `eprintln!`, whose output is shown for failed tests only.
        let _ = writeln!(
            io::stderr(),
            "left out: tests of the engine `postgres`, because `{name}` is not set; run `.ci/servers cargo test`"
        );
    }
    value
}

/// How the engine reaches the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    Server,
    Pooler,
}

/// An empty database, which is removed at the end.
pub(crate) struct Database {
    pub(crate) name: String,
    /// The address for the engine.
    pub(crate) address: String,
    /// The address of the server itself.
    pub(crate) direct: String,
}

impl Database {
    /// A database on the usual server.
    pub(crate) fn new(via: Via) -> Option<Self> {
        let direct = variable("TINA4_TEST_POSTGRES")?;
        let address = match via {
            Via::Server => direct.clone(),
            Via::Pooler => variable("TINA4_TEST_PGBOUNCER")?,
        };
        Some(Self::at(&direct, &address))
    }

    /// A database on a server.
    pub(crate) fn at(direct: &str, address: &str) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("tina4_{}_{number}", process::id());
        let create = format!("create database {name} template template0");
        connect(direct).batch_execute(&create).expect("the database can be created");
        let within = |address: &str| {
            let server = address.strip_suffix("/postgres").expect("the address of a server");
            format!("{server}/{name}")
        };
        Self { address: within(address), direct: within(direct), name }
    }

    /// Another engine on it, as another process has.
    pub(crate) fn open(&self) -> PostgresEngine {
        PostgresEngine::open(&self.address).expect("the engine opens")
    }

    /// A connection of the program itself.
    pub(crate) fn connect(&self) -> Client {
        connect(&self.direct)
    }

    /// Closes the connections of all others to it.
    pub(crate) fn cut(&self, client: &mut Client) {
        client
            .batch_execute(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .expect("connections can be cut");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = self.direct.replace(&self.name, "postgres");
        if let Ok(mut client) = Client::connect(&server, NoTls) {
            let _ = client
                .batch_execute(&format!("drop database if exists {} with (force)", self.name));
        }
    }
}

pub(crate) fn connect(address: &str) -> Client {
    Client::connect(address, NoTls).expect("the server can be reached")
}
