//! Pushes: [`OwnedJob`], the statement that stores it, and the lane of pushes.

use std::collections::BTreeSet;
use std::time::Duration;

use tina4_service_queue::{EngineError, NewJob, Pushed};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use crate::error::failed_with;
use crate::lane::Work;
use crate::numbers::{id_of, micros};
use crate::session::{Failure, Session};

/// A [`NewJob`] that can be stored by another thread.
#[derive(Clone, Debug)]
pub(crate) struct OwnedJob {
    queue: String,
    payload: String,
    delay: Duration,
    priority: i8,
    unique: Option<(String, Option<Duration>)>,
}

impl OwnedJob {
    pub(crate) fn new(job: &NewJob<'_>) -> Self {
        Self {
            queue: job.queue.to_owned(),
            payload: job.payload.to_owned(),
            delay: job.delay,
            priority: job.priority,
            unique: job.unique.map(|unique| (unique.key.to_owned(), unique.window)),
        }
    }
}

/// Refuses what PostgreSQL cannot store.
pub(crate) fn check(job: &NewJob<'_>) -> Result<(), EngineError> {
    if job.unique.is_some_and(|unique| unique.key.contains('\0')) {
        return Err(failed_with(
            "PostgreSQL cannot store the NUL character of a unique key (use another key)",
        ));
    }
    Ok(())
}

/// The statement that stores jobs.
const PUSH: &str = "select id, is_new from tina4.push_jobs($1, $2, $3, $4, $5, $6, $7)";

/// The same for a transaction of the program, which other programs are told of when it commits.
const PUSH_AND_NOTIFY: &str =
    "select id, is_new, tina4.notify($1[1]) from tina4.push_jobs($1, $2, $3, $4, $5, $6, $7)";

/// The statement that stores jobs, with its values.
pub(crate) struct Statement<'a> {
    pub(crate) queues: Vec<&'a str>,
    pub(crate) payloads: Vec<&'a str>,
    pub(crate) delays: Vec<i64>,
    pub(crate) priorities: Vec<i16>,
    pub(crate) keys: Vec<Option<&'a str>>,
    pub(crate) windows: Vec<Option<i64>>,
    pub(crate) patience: Option<i32>,
}

impl<'a> Statement<'a> {
    /// `patience`: for how long to wait for a lock, in milliseconds, and with a durable commit; `None`: in a
    /// transaction of the program, which decides both.
    pub(crate) fn new(jobs: &[&'a OwnedJob], patience: Option<i32>) -> Self {
        let uniques = || jobs.iter().map(|job| job.unique.as_ref());
        Self {
            queues: jobs.iter().map(|job| &*job.queue).collect(),
            payloads: jobs.iter().map(|job| &*job.payload).collect(),
            delays: jobs.iter().map(|job| micros(job.delay)).collect(),
            priorities: jobs.iter().map(|job| i16::from(job.priority)).collect(),
            keys: uniques().map(|unique| unique.map(|(key, _)| &**key)).collect(),
            windows: uniques()
                .map(|unique| unique.and_then(|(_, window)| window.map(micros)))
                .collect(),
            patience,
        }
    }

    pub(crate) fn text(&self) -> &'static str {
        if self.patience.is_some() { PUSH } else { PUSH_AND_NOTIFY }
    }

    pub(crate) fn values(&self) -> [(&(dyn ToSql + Sync), Type); 7] {
        [
            (&self.queues, Type::TEXT_ARRAY),
            (&self.payloads, Type::TEXT_ARRAY),
            (&self.delays, Type::INT8_ARRAY),
            (&self.priorities, Type::INT2_ARRAY),
            (&self.keys, Type::TEXT_ARRAY),
            (&self.windows, Type::INT8_ARRAY),
            (&self.patience, Type::INT4),
        ]
    }

    /// Reads what the statement has returned.
    pub(crate) fn read(rows: &[Row]) -> Result<Vec<Pushed>, Error> {
        rows.iter().map(|row| Ok(Self::result(row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The result for the job in this row.
    pub(crate) fn result(row: i64, is_new: bool) -> Pushed {
        let id = id_of(row);
        if is_new { Pushed::New(id) } else { Pushed::Known(id) }
    }
}

/// For how long a push waits for a lock, in milliseconds. All of it is within the time of a trip, unless many locks are held
/// at once.
#[derive(Clone, Copy, Debug)]
struct Patience {
    alone: i32,
    together: i32,
    /// Alone, because those together were refused.
    again: i32,
}

/// The work of a lane of pushes: each batch has one durable commit.
#[derive(Debug)]
pub(crate) struct Pushes(Patience);

/// What became of a push.
#[derive(Debug)]
pub(crate) enum Pushing {
    Stored(Vec<Pushed>),
    /// Nothing was stored, because another transaction has locked a key: with the error for those who do not wait longer.
    Locked(EngineError),
}

impl Pushes {
    /// For those that hold up others while they wait.
    pub(crate) fn quick() -> Self {
        Self(Patience { alone: 100, together: 100, again: 100 })
    }

    /// For those that have to wait for a lock.
    pub(crate) fn patient() -> Self {
        Self(Patience { alone: 10_000, together: 1_000, again: 2_000 })
    }

    fn result(stored: Result<Vec<Pushed>, Failure>) -> Result<Pushing, EngineError> {
        match stored {
            Ok(pushed) => Ok(Pushing::Stored(pushed)),
            Err(failure) if failure.is_locked => Ok(Pushing::Locked(failure.error())),
            Err(failure) => Err(failure.error()),
        }
    }

    fn store(
        session: &mut Session,
        requests: &[&Vec<OwnedJob>],
        patience: i32,
    ) -> Result<Vec<Pushed>, Failure> {
        let jobs: Vec<_> = requests.iter().copied().flatten().collect();
        let statement = Statement::new(&jobs, Some(patience));
        session.call(async |client| {
            let rows = client.query_typed(statement.text(), &statement.values()).await?;
            Statement::read(&rows)
        })
    }
}

impl Work for Pushes {
    type Request = Vec<OwnedJob>;
    type Answer = Pushing;

    /// If the statement is refused, each push gets a commit of its own, so that none fails because of
    /// another. If the connection is lost, all fail: the jobs may have been stored, and a second attempt could
    /// store them twice.
    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Vec<OwnedJob>>,
    ) -> Vec<Result<Pushing, EngineError>> {
        let all: Vec<_> = requests.iter().collect();
        let Patience { alone, together, again } = self.0;
        match Self::store(session, &all, if all.len() == 1 { alone } else { together }) {
            Ok(pushed) => {
                let mut pushed = pushed.into_iter();
                let mut of =
                    |jobs: &&Vec<OwnedJob>| pushed.by_ref().take(jobs.len()).collect::<Vec<_>>();
                all.iter().map(|jobs| Ok(Pushing::Stored(of(jobs)))).collect()
            }
            Err(failure) if all.len() == 1 => vec![Self::result(Err(failure))],
            Err(failure) if failure.is_of_statement => {
                all.iter().map(|jobs| Self::result(Self::store(session, &[*jobs], again))).collect()
            }
            Err(failure) => all.iter().map(|_| Err(failure.error())).collect(),
        }
    }

    /// Wakes other programs. Not in the commit of the jobs: a notification takes a lock of the whole server
    /// until its transaction has been synced.
    fn afterwards(&self, session: &mut Session, requests: &[Vec<OwnedJob>]) {
        let ready = requests.iter().flatten().filter(|job| job.delay.is_zero());
        let queues: BTreeSet<_> = ready.map(|job| &*job.queue).collect();
        if queues.is_empty() || session.pause().is_some() {
            return;
        }
        let queues: Vec<_> = queues.into_iter().collect();
        // A hint that is lost is made up for by polling.
        let _ = session.call(async |client| {
            let statement =
                "select set_config('synchronous_commit', 'off', true), tina4.notify(x.queue)
                 from unnest($1) x(queue)";
            client.query_typed(statement, &[(&queues, Type::TEXT_ARRAY)]).await
        });
    }
}
