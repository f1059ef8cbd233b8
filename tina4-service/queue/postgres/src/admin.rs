//! Counts, dead jobs and cancelled jobs: one statement each, so that no transaction stays open while the program
//! is paused.

use std::time::Duration;

use tina4_service_queue::{Backlog, Cancelled, DeadJob, DeadSelection, EngineError, JobId};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use crate::lane::Work;
use crate::numbers::{count, duration, limit, micros, row_of};
use crate::session::Session;
use crate::trip::dead_job;

/// How many dead jobs are put back or deleted by one statement, so that it ends soon.
const PAGE: i64 = 10_000;

/// The work of the lane for everything that is neither a push nor a turn.
#[derive(Debug)]
pub(crate) struct Admin;

/// A task, which answers its caller itself.
pub(crate) type Task = Box<dyn FnOnce(&mut Session) + Send>;

impl Work for Admin {
    type Request = Task;
    type Answer = ();

    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Task>,
    ) -> Vec<Result<(), EngineError>> {
        let run = |task: Task| {
            session.begin_trip();
            task(session);
            Ok(())
        };
        requests.drain(..).map(run).collect()
    }
}

/// Counts the jobs of a queue.
pub(crate) async fn backlog(client: &Client, queue: &str) -> Result<Backlog, Error> {
    let statement = "select ready, delayed, claimed, dead, oldest from tina4.backlog($1)";
    let row = client.query_typed_one(statement, &[(&queue, Type::TEXT)]).await?;
    Ok(Backlog {
        ready: count(row.try_get(0)?),
        delayed: count(row.try_get(1)?),
        claimed: count(row.try_get(2)?),
        dead: count(row.try_get(3)?),
        oldest_ready: row.try_get::<_, Option<i64>>(4)?.map(duration),
    })
}

/// How long from now a turn of each queue has something to do.
pub(crate) async fn next_due(
    client: &Client,
    queues: &[String],
) -> Result<Vec<Option<Duration>>, Error> {
    let statement = "select wait from tina4.next_due($1) order by place";
    let rows = client.query_typed(statement, &[(&queues, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| Ok(row.try_get::<_, Option<i64>>(0)?.map(duration))).collect()
}

/// Deletes a job that waits.
pub(crate) async fn cancel(client: &Client, queue: &str, id: JobId) -> Result<Cancelled, Error> {
    let statement = "select is_deleted, is_claimed from tina4.cancel($1, $2)";
    let id = row_of(id);
    let values = [(&queue as _, Type::TEXT), (&id as _, Type::INT8)];
    let row = client.query_typed_one(statement, &values).await?;
    Ok(match (row.try_get(0)?, row.try_get(1)?) {
        (true, _) => Cancelled::Deleted,
        (false, true) => Cancelled::Claimed,
        (false, false) => Cancelled::Unknown,
    })
}

/// Lists dead jobs.
pub(crate) async fn dead(
    client: &Client,
    queue: &str,
    after: Option<JobId>,
    most: usize,
) -> Result<Vec<DeadJob>, Error> {
    let after = after.map_or(-1, |after| i64::try_from(after.get()).unwrap_or(i64::MAX));
    let statement =
        "select id, payload, attempt, error, created, died from tina4.dead_jobs($1, $2, $3)";
    let most = limit(most);
    let values = [(&queue as _, Type::TEXT), (&after as _, Type::INT8), (&most as _, Type::INT8)];
    client.query_typed(statement, &values).await?.iter().map(dead_job).collect()
}

/// Which dead jobs to put back or to delete: a page after the other.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    queue: String,
    is_redrive: bool,
    one: Option<i64>,
    before: Option<i64>,
    age: Option<i64>,
    after: i64,
}

impl Page {
    /// The first page.
    pub(crate) fn first(queue: String, which: DeadSelection, is_redrive: bool) -> Self {
        let (one, before, age) = match which {
            DeadSelection::All => (None, None, None),
            DeadSelection::One(id) => (Some(row_of(id)), None, None),
            DeadSelection::DiedBefore(limit) => (None, Some(limit.as_millis()), None),
            DeadSelection::OlderThan(age) => (None, None, Some(micros(age))),
        };
        Self { queue, is_redrive, one, before, age, after: -1 }
    }

    /// Puts back or deletes the jobs of this page. Returns their number, and the next page if there may be one.
    pub(crate) async fn take(mut self, client: &Client) -> Result<(u64, Option<Self>), Error> {
        let statement = "select taken, last from tina4.take_dead($1, $2, $3, $4, $5, $6, $7)";
        let values: [(&(dyn ToSql + Sync), Type); 7] = [
            (&self.queue, Type::TEXT),
            (&self.one, Type::INT8),
            (&self.before, Type::INT8),
            (&self.age, Type::INT8),
            (&self.after, Type::INT8),
            (&PAGE, Type::INT8),
            (&self.is_redrive, Type::BOOL),
        ];
        let row = client.query_typed_one(statement, &values).await?;
        let (taken, last): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        let Some(last) = last else { return Ok((count(taken), None)) };
        self.after = last;
        Ok((count(taken), Some(self)))
    }
}
