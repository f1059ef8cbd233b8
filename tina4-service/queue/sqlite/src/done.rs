//! Copies of done jobs.

use std::time::Duration;

use rusqlite::{Connection, Row, params};
use tina4_service_queue::{DoneJob, Held, JobId, Timestamp};

use crate::numbers::{claim_of, id_of, limit, row_of, small};

/// How many copies are deleted by one transaction, so that others can write in between.
const PAGE: usize = 1_000;

/// Ends a claim as done, and keeps a copy of the job. Returns whether it was held.
pub(crate) fn keep(
    connection: &Connection,
    held: Held,
    owner: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some((row, claim)) = claim_of(held) else { return Ok(false) };
    // A row that another program has inserted may have an id that was used before.
    let mut copy = connection.prepare_cached(
        "insert or replace into tina4_done(queue, id, payload, attempt, created, done)
         select queue, id, payload, attempt, created, ?4 from tina4_job
         where id = ?1 and claim = ?2 and owner = ?3 and state = 2 and lease > ?4",
    )?;
    if copy.execute(params![row, claim, owner, now.as_millis()])? == 0 {
        return Ok(false);
    }
    connection.prepare_cached("delete from tina4_job where id = ?1")?.execute([row])?;
    Ok(true)
}

/// Lists copies.
pub(crate) fn list(
    connection: &Connection,
    queue: &str,
    after: Option<JobId>,
    most: usize,
) -> rusqlite::Result<Vec<DoneJob>> {
    let after = after.map_or(0, |after| row_of(after).unwrap_or(i64::MAX));
    connection
        .prepare_cached(
            "select id, payload, attempt, created, done from tina4_done
             where queue = ?1 and id > ?2 order by id limit ?3",
        )?
        .query_map(params![queue, after, limit(most)], done_job)?
        .collect()
}

/// Deletes copies of jobs that were done this long ago or longer, in the current transaction. Returns their number,
/// and whether there may be more.
pub(crate) fn purge(
    connection: &Connection,
    queue: &str,
    age: Duration,
    now: Timestamp,
) -> rusqlite::Result<(u64, bool)> {
    let deleted = connection
        .prepare_cached(
            "delete from tina4_done where rowid in (
               select rowid from tina4_done where queue = ?1 and done <= ?2 order by done limit ?3)",
        )?
        .execute(params![queue, now.minus(age).as_millis(), limit(PAGE)])?;
    Ok((deleted as u64, deleted == PAGE))
}

fn done_job(row: &Row<'_>) -> rusqlite::Result<DoneJob> {
    Ok(DoneJob {
        id: id_of(row.get(0)?),
        payload: row.get(1)?,
        attempts: small(row.get(2)?),
        pushed_at: Timestamp::from_millis(row.get(3)?),
        done_at: Timestamp::from_millis(row.get(4)?),
    })
}
