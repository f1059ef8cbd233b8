//! [`SqliteEngine`].

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tina4_service_queue::engine_parts::Owner;
use tina4_service_queue::{
    Backlog, Cancelled, Capabilities, DeadJob, DeadSelection, DoneJob, Ended, Engine, EngineError,
    Held, JobId, NewJob, Pushed, Timestamp, Turn, Want,
};

use crate::connections::{self, Connections};
use crate::error::{NAME, failed, unusable};
use crate::group_commit::GroupCommit;
use crate::liveness::Liveness;
use crate::news::News;
use crate::push::{self, OwnedJob};
use crate::write_transaction::WriteTransaction;
use crate::{admin, done, schema, turn, version};

/// How long a push waits for others that are likely to follow. Much less than a sync of a disk.
const PATIENCE: Duration = Duration::from_micros(100);

/// Jobs of one push, and the time of it.
type Request = (Vec<OwnedJob>, Timestamp);

/// Keeps jobs in a SQLite file, which any number of processes of one machine can share.
///
/// See the documentation of the crate for what is stored and how durable it is.
///
/// ```
/// use tina4_service_queue::Engine as _;
/// use tina4_service_sqlite::SqliteEngine;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("jobs.db");
/// let engine = SqliteEngine::open(&path)?;
/// assert_eq!(engine.name(), "sqlite");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteEngine {
    path: PathBuf,
    owner: String,
    writers: Mutex<Connections>,
    reader: Mutex<Connection>,
    liveness: Liveness,
    news: News,
    pushes: GroupCommit<Request, Result<Vec<Pushed>, EngineError>>,
}

impl SqliteEngine {
    /// What it can do: everything.
    pub(crate) const CAPABILITIES: Capabilities = Capabilities::ALL;

    /// Opens a file, and creates it and the tables in it if they do not exist.
    ///
    /// The file may have other tables. It is switched to WAL mode.
    ///
    /// # Errors
    ///
    /// If SQLite is older than 3.51.3, the tables are of a newer version of this crate, the file cannot be
    /// in WAL mode, or it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        version::check(rusqlite::version_number(), rusqlite::version())?;
        let path = path.as_ref().to_owned();
        let mut writers = Connections::open(&path)?;
        let reader = connections::open_reader(&path)?;
        let owner = Owner::random().name().to_owned();
        let liveness = register(&mut writers.fast, &path, &owner)?;
        Ok(Self {
            path,
            owner,
            writers: Mutex::new(writers),
            reader: Mutex::new(reader),
            liveness,
            news: News::default(),
            pushes: GroupCommit::new(PATIENCE),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A panic rolls the transaction back, so the connections are as before.
    fn writers(&self) -> MutexGuard<'_, Connections> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        read(&self.reader()).map_err(failed)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction whose commit is not synced.
    fn write<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        transaction(&mut self.writers().fast, write).map_err(failed)
    }

    /// Runs a transaction whose commit is synced.
    fn write_durably<T>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        transaction(&mut self.writers().durable, write).map_err(failed)
    }

    /// The owners that hold claims but are gone, as of a tenth of a second ago.
    fn gone_owners(&self, now: Timestamp) -> Result<Vec<String>, EngineError> {
        if !self.liveness.is_check_due(now) {
            return Ok(self.liveness.known_gone().clone());
        }
        let others = self.read(|reader| turn::other_owners(reader, &self.owner))?;
        Ok(self.liveness.gone(others))
    }

    /// Stores the jobs of several pushes with one commit.
    ///
    /// If a statement fails, each push gets a commit of its own, so that none fails because of
    /// another. If the commit itself fails, so do all: it may have reached the disk, and a second one
    /// could store the jobs twice.
    fn commit(&self, requests: &[Request]) -> Vec<Result<Vec<Pushed>, EngineError>> {
        let mut is_statement = false;
        let stored = self.write_durably(|transaction| {
            let stored: rusqlite::Result<Vec<_>> =
                requests.iter().map(|request| store(transaction, request)).collect();
            stored.inspect_err(|_| is_statement = true)
        });
        match stored {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            Err(error) if requests.len() == 1 => vec![Err(error)],
            Err(_) if is_statement => requests
                .iter()
                .map(|request| self.write_durably(|transaction| store(transaction, request)))
                .collect(),
            Err(error) => {
                let error = error.to_string();
                let failed =
                    |_| Err(EngineError::Failed { engine: NAME, source: error.clone().into() });
                requests.iter().map(failed).collect()
            }
        }
    }
}

/// Registers an owner while no other process can.
fn register(
    connection: &mut Connection,
    path: &Path,
    owner: &str,
) -> Result<Liveness, EngineError> {
    let lock =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let liveness = Liveness::register(path, owner)?;
    lock.rollback().map_err(failed)?;
    Ok(liveness)
}

/// Runs a transaction.
fn transaction<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = WriteTransaction::begin(connection)?;
    let result = write(transaction.connection())?;
    transaction.commit()?;
    Ok(result)
}

/// Stores the jobs of one push, in the current transaction.
fn store(connection: &Connection, (jobs, now): &Request) -> rusqlite::Result<Vec<Pushed>> {
    jobs.iter().map(|job| push::push(connection, &job.borrow(), *now)).collect()
}

impl Engine for SqliteEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    fn owner(&self) -> &str {
        &self.owner
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        for job in jobs {
            job.check(NAME, Self::CAPABILITIES)?;
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let request = (jobs.iter().map(OwnedJob::new).collect(), now);
        let stored = self.pushes.submit(request, |requests| self.commit(&requests));
        let stored = stored.unwrap_or_else(|| {
            let source = "a push that shared its commit panicked".into();
            Err(EngineError::Failed { engine: NAME, source })
        })?;
        // Before the caller tells anybody of them.
        for job in jobs.iter().filter(|job| job.delay.is_zero()) {
            self.news.add(job.queue);
        }
        Ok(stored)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let gone = if wants.is_empty() { Vec::new() } else { self.gone_owners(now)? };
        // A queue where nothing happens costs no write.
        let is_certain = !ended.is_empty() || self.news.take(wants);
        if !is_certain && !self.read(|reader| turn::has_work(reader, wants, &gone, now))? {
            let next = self.read(|reader| turn::next_change(reader, wants, now))?;
            return Ok(Turn { next, ..Turn::default() });
        }
        self.write(|writer| turn::turn(writer, ended, wants, &gone, &self.owner, now))
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let gone = self.gone_owners(now)?;
        self.read(|reader| turn::next_due(reader, queues, &gone, now))
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|writer| {
            let mut lost = Vec::new();
            for held in held {
                if !turn::renew(writer, *held, &self.owner, lease, now)? {
                    lost.push(*held);
                }
            }
            Ok(lost)
        })
    }

    fn check(&self) -> Result<Vec<String>, EngineError> {
        if !self.path.exists() {
            return Err(unusable(format!(
                "`{}` was removed while it is open, so all jobs in it will be lost; do not remove it, and open the engine again",
                self.path.display()
            )));
        }
        schema::check_file(&self.reader())?;
        // Another program may hold the lock, or the file be read-only.
        let mut writers = self.writers();
        let lock = writers.fast.transaction_with_behavior(TransactionBehavior::Immediate);
        lock.and_then(Transaction::rollback).map_err(failed)?;
        Ok(Vec::new())
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.read(|reader| admin::backlog(reader, queue, now))
    }

    fn cancel(&self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        self.write_durably(|writer| admin::cancel(writer, queue, id))
    }

    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        self.read(|reader| admin::dead(reader, queue, after, limit))
    }

    fn redrive(
        &self,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        self.write_durably(|writer| admin::redrive(writer, queue, which, now))
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.write_durably(|writer| admin::purge(writer, queue, which, now))
    }

    fn done(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DoneJob>, EngineError> {
        self.read(|reader| done::list(reader, queue, after, limit))
    }

    /// Not synced: a purge that a power cut undoes is repeated.
    fn purge_done(&self, queue: &str, age: Duration, now: Timestamp) -> Result<u64, EngineError> {
        let mut all = 0;
        loop {
            let (deleted, is_more) = self.write(|writer| done::purge(writer, queue, age, now))?;
            all += deleted;
            if !is_more {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use tina4_service_queue::RetryPolicy;

    use super::*;

    /// Otherwise each push would start its job later, by the time of a read transaction.
    #[test]
    fn a_turn_after_a_push_does_not_look_first_whether_there_is_a_job() {
        let directory = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(directory.path().join("jobs.db")).unwrap();
        let lease = Duration::from_secs(30);
        let want = Want { queue: "mails", count: 1, lease, policy: &RetryPolicy::DEFAULT };
        // Also looks for owners that are gone, which it does not at the same time again.
        let now = Timestamp::from_millis(1_000);
        assert_eq!(engine.turn(&[], &[want], now).unwrap().claims, []);
        engine.push(&[NewJob::new("mails", "1")], now).unwrap();
        let reader = engine.reader();
        thread::scope(|scope| {
            let (done, is_done) = channel();
            let engine = &engine;
            scope.spawn(move || done.send(engine.turn(&[], &[want], now).unwrap()).unwrap());
            let turn = is_done.recv_timeout(Duration::from_secs(60));
            drop(reader);
            assert_eq!(turn.expect("it waits for the reader").claims.len(), 1);
        });
        let turn = engine.turn(&[], &[want], now).unwrap();
        assert_eq!((turn.claims, turn.next), (Vec::new(), Some(lease)));
    }
}
