//! Copies of done jobs: how they are listed and deleted.

use std::time::Duration;

use tina4_service_queue::{DoneJob, JobId};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use crate::numbers::{count, id_of, instant, limit, micros, small};

/// How many copies are deleted by one statement, so that it ends soon.
const PAGE: i64 = 1_000;

/// Lists copies.
pub(crate) async fn list(
    client: &Client,
    queue: &str,
    after: Option<JobId>,
    most: usize,
) -> Result<Vec<DoneJob>, Error> {
    let after = after.map_or(-1, |after| i64::try_from(after.get()).unwrap_or(i64::MAX));
    let statement = "select id, payload, attempt, created, done from tina4.done_jobs($1, $2, $3)";
    let most = limit(most);
    let values = [(&queue as _, Type::TEXT), (&after as _, Type::INT8), (&most as _, Type::INT8)];
    client.query_typed(statement, &values).await?.iter().map(done_job).collect()
}

/// Deletes a page of the copies of jobs that were done this long ago or longer. Returns their number, and whether
/// there may be more.
pub(crate) async fn purge(
    client: &Client,
    queue: &str,
    age: Duration,
) -> Result<(u64, bool), Error> {
    let age = micros(age);
    let values = [(&queue as _, Type::TEXT), (&age as _, Type::INT8), (&PAGE as _, Type::INT8)];
    let row = client.query_typed_one("select tina4.purge_done($1, $2, $3)", &values).await?;
    let deleted: i64 = row.try_get(0)?;
    Ok((count(deleted), deleted == PAGE))
}

fn done_job(row: &Row) -> Result<DoneJob, Error> {
    Ok(DoneJob {
        id: id_of(row.try_get("id")?),
        payload: row.try_get("payload")?,
        attempts: small(row.try_get("attempt")?),
        pushed_at: instant(row.try_get("created")?),
        done_at: instant(row.try_get("done")?),
    })
}
