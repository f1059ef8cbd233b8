//! [`Peer`]: a library that is measured.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{self, Program};
use crate::store::Store;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Tina4,
    /// The same, with an engine for the pushes and another for the consumer.
    Tina4Across,
    ApalisSqlite,
    Honker,
    Huey,
    Awa,
    GraphileWorker,
    PgBoss,
    Procrastinate,
    Oxana,
    BullMq,
}

impl Peer {
    pub(crate) const ALL: [Self; 11] = [
        Self::Tina4,
        Self::Tina4Across,
        Self::ApalisSqlite,
        Self::Honker,
        Self::Huey,
        Self::Awa,
        Self::GraphileWorker,
        Self::PgBoss,
        Self::Procrastinate,
        Self::Oxana,
        Self::BullMq,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tina4 => "tina4-service",
            Self::Tina4Across => "tina4-service, two engines",
            Self::ApalisSqlite => "apalis-sqlite",
            Self::Honker => "honker-core",
            Self::Huey => "huey",
            Self::Awa => "awa",
            Self::GraphileWorker => "graphile_worker",
            Self::PgBoss => "pg-boss",
            Self::Procrastinate => "procrastinate",
            Self::Oxana => "oxana",
            Self::BullMq => "bullmq",
        }
    }

    pub(crate) fn stores(self) -> &'static [Store] {
        match self {
            Self::Tina4 => &Store::ALL,
            // With SQLite, jobs of other processes are found by polling only.
            Self::Tina4Across => &[Store::Postgres, Store::Redis],
            Self::ApalisSqlite | Self::Honker | Self::Huey => &[Store::Sqlite],
            Self::Awa | Self::GraphileWorker | Self::PgBoss | Self::Procrastinate => {
                &[Store::Postgres]
            }
            Self::Oxana | Self::BullMq => &[Store::Redis],
        }
    }

    /// Builds or installs it.
    ///
    /// # Errors
    ///
    /// Why it cannot be measured here.
    pub(crate) fn prepare(self) -> Result<Program, String> {
        match self {
            Self::Tina4 => cargo("tina4"),
            Self::Tina4Across => Ok(cargo("tina4")?.only_latency("QUEUE_ACROSS")),
            Self::ApalisSqlite => cargo("apalis-sqlite"),
            Self::Honker => cargo("honker"),
            Self::Huey => python("huey_peer.py"),
            Self::Awa => cargo("awa"),
            Self::GraphileWorker => cargo("graphile-worker"),
            Self::PgBoss => node("pg-boss.mjs"),
            Self::Procrastinate => python("procrastinate_peer.py"),
            Self::Oxana => cargo("oxana"),
            Self::BullMq => node("bullmq.mjs"),
        }
    }
}

/// The folder of this package.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with everything that is built: this program is in `target/release`.
pub(crate) fn target() -> Result<PathBuf, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let target = program.ancestors().nth(2);
    target.map(Path::to_owned).ok_or_else(|| "this program is in no target folder".to_owned())
}

fn cargo(name: &str) -> Result<Program, String> {
    let target = target()?;
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--release", "--quiet", "--manifest-path"]);
    build.arg(folder().join(name).join("Cargo.toml")).arg("--target-dir").arg(&target);
    program::succeed(build)?;
    Ok(Program::new(target.join("release").join(format!("queue-{name}")), &[]))
}

fn node(script: &str) -> Result<Program, String> {
    let folder = folder().join("node");
    if !folder.join("node_modules").exists() {
        let mut install = Command::new("npm");
        install.args(["ci", "--silent"]).current_dir(&folder);
        program::succeed(install)?;
    }
    Ok(Program::new("node", &[&folder.join(script)]))
}

fn python(script: &str) -> Result<Program, String> {
    let (environment, folder) = (target()?.join("queues-python"), folder().join("python"));
    let interpreter = environment.join("bin/python");
    if !interpreter.exists() {
        let mut create = Command::new("python3");
        create.args(["-m", "venv"]).arg(&environment);
        program::succeed(create)?;
        let mut install = Command::new(&interpreter);
        install.args(["-m", "pip", "install", "--quiet", "--requirement"]);
        install.arg(folder.join("requirements.txt"));
        program::succeed(install)?;
    }
    Ok(Program::new(interpreter, &[&folder.join(script)]))
}
