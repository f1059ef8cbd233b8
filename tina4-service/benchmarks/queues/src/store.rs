//! [`Store`]: where the jobs are.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::durability::Durability;
use crate::metric::Metric;
use crate::peer;
use crate::program::succeed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
    Redis,
}

/// A new and empty store, which is removed at the end.
pub(crate) enum Place {
    File { folder: PathBuf },
    Database { server: String, name: String },
    Redis { server: String },
}

/// The number of the next store.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Store {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Redis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }

    /// Creates an empty store.
    ///
    /// # Errors
    ///
    /// If its server is not there, or a command fails.
    pub(crate) fn create(self, durability: Durability, metric: Metric) -> Result<Place, String> {
        let name = format!("queues_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        match self {
            Self::Sqlite => {
                let folder = peer::target()?.join("queues-data").join(name);
                fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
                Ok(Place::File { folder })
            }
            Self::Postgres => {
                let server = server("TINA4_TEST_POSTGRES")?;
                sql(&server, &format!("create database {name}"))?;
                if durability == Durability::Equal && metric.is_drain() {
                    // As our claims and finishes.
                    sql(&server, &format!("alter database {name} set synchronous_commit = off"))?;
                }
                Ok(Place::Database { server, name })
            }
            Self::Redis => {
                let server = server("TINA4_TEST_REDIS")?;
                redis(&server, &["flushall"])?;
                let appends = match durability {
                    Durability::Equal => "yes",
                    Durability::Shipped => "no",
                };
                // `appendfsync always` is set by `.ci/servers`.
                redis(&server, &["config", "set", "appendonly", appends])?;
                Ok(Place::Redis { server })
            }
        }
    }
}

impl Place {
    pub(crate) fn address(&self) -> String {
        match self {
            Self::File { folder } => folder.join("jobs.db").display().to_string(),
            Self::Database { server, name } => {
                let end = server.rfind('/').unwrap_or(server.len());
                format!("{}/{name}", &server[..end])
            }
            Self::Redis { server } => server.clone(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What remains ends with the servers, or is overwritten by a later run.
        match self {
            Self::File { folder } => drop(fs::remove_dir_all(folder)),
            Self::Database { server, name } => {
                drop(sql(server, &format!("drop database if exists {name} with (force)")));
            }
            Self::Redis { server } => drop(redis(server, &["flushall"])),
        }
    }
}

fn server(variable: &str) -> Result<String, String> {
    env::var(variable).map_err(|_| {
        format!("`{variable}` is not set (start this program with `.ci/servers`, or name the stores to measure)")
    })
}

fn sql(server: &str, statement: &str) -> Result<String, String> {
    let mut command = Command::new("psql");
    command.args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--command", statement]);
    command.arg(server);
    succeed(command)
}

fn redis(server: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("redis-cli");
    command.args(["-u", server]).args(arguments);
    succeed(command)
}
