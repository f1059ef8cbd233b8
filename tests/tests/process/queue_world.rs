//! [`World`]: a store of jobs, and the processes that share it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postgres::{Client, NoTls};
use tests::{Child, queue_store};
use tina4_service_queue::{BoundQueue, Counters, Queue, Queues};

/// The queue of all these tests.
pub(crate) const JOBS: Queue<String> = Queue::new("jobs");

/// The lease in `src/bin/queue_service.rs` on a server, where only its end shows that a process is gone.
pub(crate) const SERVER_LEASE: Duration = Duration::from_secs(2);

/// An engine with a store that processes can share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
    Redis,
}

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }

    /// The variable of `.ci/servers` with the address.
    fn variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("TINA4_TEST_POSTGRES"),
            Self::Redis => Some("TINA4_TEST_REDIS"),
        }
    }

    /// The address of the server; `None` if there is none and none is required, which is said.
    fn server(self, variable: &str) -> Option<String> {
        if let Ok(address) = std::env::var(variable) {
            return Some(address);
        }
        let required = std::env::var("TINA4_TEST_SERVERS").is_ok();
        assert!(
            !required,
            "servers are required, and `{variable}` is not set; run `.ci/servers cargo test`"
        );
        // Not with `eprintln!`, whose output is shown for failed tests only.
        let _ = writeln!(
            io::stderr(),
            "left out: tests of the engine `{}`, because `{variable}` is not set; run `.ci/servers cargo test`",
            self.name()
        );
        None
    }
}

/// Makes three tests of each case: one for each engine. A case takes a [`Store`].
macro_rules! on_each_engine {
    ($($(#[$attribute:meta])* $case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                $(#[$attribute])*
                #[test]
                fn $case() {
                    super::$case($crate::queue_world::Store::Sqlite);
                }
            )+
        }

        mod on_postgres {
            $(
                $(#[$attribute])*
                #[test]
                fn $case() {
                    super::$case($crate::queue_world::Store::Postgres);
                }
            )+
        }

        mod on_redis {
            $(
                $(#[$attribute])*
                #[test]
                fn $case() {
                    super::$case($crate::queue_world::Store::Redis);
                }
            )+
        }
    };
}
pub(crate) use on_each_engine;

/// A new store, and a directory for ledgers. Both are removed at the end.
pub(crate) struct World {
    pub(crate) store: Store,
    /// What `queue_store::open` takes.
    pub(crate) address: String,
    directory: PathBuf,
    /// The address of the server, and the name of the database or the prefix of all keys there.
    on_server: Option<(String, String)>,
}

impl World {
    /// `None` if the engine needs a server that there is not.
    pub(crate) fn new(store: Store, test: &str) -> Option<Self> {
        let mut on_server = None;
        if let Some(variable) = store.variable() {
            let name = format!("tina4_{}_{}", std::process::id(), test.replace('-', "_"));
            on_server = Some((store.server(variable)?, name));
        }
        let name = format!("queue-{}-{test}", store.name());
        // Two tests at once would remove each other's files.
        static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let is_new = NAMES.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        assert!(is_new, "another test uses the name `{name}`");
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("the directory can be created");
        let mut world = Self { store, address: String::new(), directory, on_server };
        world.address = match &world.on_server {
            None => world.path("jobs.db"),
            Some((server, name)) if store == Store::Postgres => {
                let mut client = Client::connect(server, NoTls).expect("the server is there");
                let create = format!("create database {name} template template0");
                client.batch_execute(&create).expect("the database can be created");
                let server = server.strip_suffix("/postgres").expect("the address of a server");
                format!("{server}/{name}")
            }
            Some((server, name)) => format!("{server}#{name}"),
        };
        Some(world)
    }

    pub(crate) fn queues(&self) -> Queues {
        queue_store::open(&self.address)
    }

    pub(crate) fn open(&self) -> BoundQueue<String> {
        JOBS.on(&self.queues())
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.directory.join(file).to_str().expect("the path is text").to_owned()
    }

    /// Starts `src/bin/queue_worker.rs`; `file` is its ledger, or the file that it waits for.
    pub(crate) fn start(&self, action: &str, file: &str) -> Child {
        self.start_as("only", action, file)
    }

    /// Starts it with this name in its ledger.
    pub(crate) fn start_as(&self, name: &str, action: &str, file: &str) -> Child {
        let arguments = [&*self.address, action, &self.path(file), name];
        Child::start(env!("CARGO_BIN_EXE_queue_worker"), &arguments)
    }

    /// Starts it with this name and a lease of so many seconds.
    #[cfg(unix)]
    pub(crate) fn start_with_lease(
        &self,
        name: &str,
        action: &str,
        file: &str,
        lease: u64,
    ) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue_worker"));
        command.args([&*self.address, action, &self.path(file), name]);
        Child::run(command.env("QUEUE_WORKER_LEASE", format!("{lease}s")))
    }

    /// Starts `src/bin/queue_service.rs`. Without a server, no lease ends during a test.
    pub(crate) fn start_service(&self, action: &str) -> Child {
        let on_server = format!("{}s", SERVER_LEASE.as_secs());
        let lease = if self.on_server.is_some() { &*on_server } else { "1h" };
        self.start_service_with(action, &[("TINA4_SERVICES__WORK__LEASE", lease)])
    }

    /// Starts it with these variables.
    pub(crate) fn start_service_with(&self, action: &str, variables: &[(&str, &str)]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue_service"));
        command.args([&*self.address, action]).envs(variables.iter().copied());
        Child::run(&mut command)
    }

    /// The lines of a ledger that begin with `word`, without it. With those of `<ledger>-<number>`, which belong to
    /// one process each: not every system appends the lines of several processes without losing any.
    pub(crate) fn lines(&self, ledger: &str, word: &str) -> Vec<String> {
        let files = fs::read_dir(&self.directory).expect("the directory exists");
        let is_part = |name: &str| {
            name.strip_prefix(ledger).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let parts = files
            .map(|file| file.expect("it can be listed").path())
            .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_part));
        let text: String = parts.map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
        let lines = text.lines().filter_map(|line| line.strip_prefix(word));
        lines.map(|line| line.trim().to_owned()).collect()
    }

    /// Leaves the ledgers, and a SQLite file, for those who look for a fault.
    pub(crate) fn keep_files(mut self) -> PathBuf {
        std::mem::take(&mut self.directory)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.directory.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.directory);
        }
        match (self.store, &self.on_server) {
            (Store::Postgres, Some((server, name))) => {
                if let Ok(mut client) = Client::connect(server, NoTls) {
                    let drop = format!("drop database if exists {name} with (force)");
                    let _ = client.batch_execute(&drop);
                }
            }
            (Store::Redis, Some((server, name))) => {
                let _ = remove_keys(server, name);
            }
            (Store::Sqlite | Store::Postgres | Store::Redis, _) => {}
        }
    }
}

fn remove_keys(server: &str, prefix: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(server)?.get_connection()?;
    let pattern = format!("{{{prefix}}}:*");
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection)?;
    redis::cmd("DEL").arg(keys).exec(&mut connection)
}

/// What this process has done with the queue.
pub(crate) fn counters(jobs: &BoundQueue<String>) -> Counters {
    jobs.stats().expect("the jobs can be counted").counters
}

/// How many jobs of the queue are neither done nor dead.
pub(crate) fn left(jobs: &BoundQueue<String>) -> u64 {
    let backlog = jobs.stats().expect("the jobs can be counted").backlog;
    backlog.ready + backlog.delayed + backlog.claimed
}
