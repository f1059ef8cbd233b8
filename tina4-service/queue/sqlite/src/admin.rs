//! Counts, dead jobs and cancelled jobs.

use rusqlite::{Connection, OptionalExtension as _, params};
use tina4_service_queue::{Backlog, Cancelled, DeadJob, DeadSelection, JobId, Timestamp};

use crate::numbers::{count, limit, row_of};
use crate::turn::dead_job;

/// Counts the jobs of a queue, in one statement, so that all counts are of one instant.
pub(crate) fn backlog(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
) -> rusqlite::Result<Backlog> {
    let mut select = connection.prepare_cached(
        "select r.n + d.n, l.n - d.n, c.n, x.n, min(ifnull(r.oldest, d.oldest), ifnull(d.oldest, r.oldest))
         from (select count(*) n, min(due) oldest from tina4_job where state = 0 and queue = ?1) r,
              (select count(*) n, min(due) oldest from tina4_job where state = 1 and queue = ?1 and due <= ?2) d,
              (select count(*) n from tina4_job where state = 1 and queue = ?1) l,
              (select count(*) n from tina4_job where state = 2 and queue = ?1) c,
              (select count(*) n from tina4_dead where queue = ?1) x",
    )?;
    select.query_row(params![queue, now.as_millis()], |row| {
        let oldest: Option<i64> = row.get(4)?;
        Ok(Backlog {
            ready: count(row.get(0)?),
            delayed: count(row.get(1)?),
            claimed: count(row.get(2)?),
            dead: count(row.get(3)?),
            oldest_ready: oldest.map(|oldest| now.since(Timestamp::from_millis(oldest))),
        })
    })
}

/// Deletes a job that waits, in the current transaction.
pub(crate) fn cancel(
    connection: &Connection,
    queue: &str,
    id: JobId,
) -> rusqlite::Result<Cancelled> {
    let Some(row) = row_of(id) else { return Ok(Cancelled::Unknown) };
    let state: Option<i64> = connection
        .prepare_cached("select state from tina4_job where id = ?1 and queue = ?2")?
        .query_row(params![row, queue], |row| row.get(0))
        .optional()?;
    Ok(match state {
        None => Cancelled::Unknown,
        Some(2) => Cancelled::Claimed,
        Some(_) => {
            connection.prepare_cached("delete from tina4_job where id = ?1")?.execute([row])?;
            Cancelled::Deleted
        }
    })
}

/// Lists dead jobs.
pub(crate) fn dead(
    connection: &Connection,
    queue: &str,
    after: Option<JobId>,
    most: usize,
) -> rusqlite::Result<Vec<DeadJob>> {
    let after = after.map_or(0, |after| row_of(after).unwrap_or(i64::MAX));
    connection
        .prepare_cached(
            "select id, payload, attempt, error, created, died from tina4_dead
             where queue = ?1 and id > ?2 order by id limit ?3",
        )?
        .query_map(params![queue, after, limit(most)], dead_job)?
        .collect()
}

/// Puts dead jobs back, in the current transaction.
pub(crate) fn redrive(
    connection: &Connection,
    queue: &str,
    which: DeadSelection,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let (one, before) = selection(which, now);
    connection
        .prepare_cached(
            "insert into tina4_job(id, queue, payload, priority, due, claim, error, created)
             select id, queue, payload, priority, ?4, claim, error, created from tina4_dead
             where queue = ?1 and (?2 is null or id = ?2) and (?3 is null or died < ?3)",
        )?
        .execute(params![queue, one, before, now.as_millis()])?;
    purge(connection, queue, which, now)
}

/// Deletes dead jobs, in the current transaction.
pub(crate) fn purge(
    connection: &Connection,
    queue: &str,
    which: DeadSelection,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let (one, before) = selection(which, now);
    let deleted = connection
        .prepare_cached(
            "delete from tina4_dead
             where queue = ?1 and (?2 is null or id = ?2) and (?3 is null or died < ?3)",
        )?
        .execute(params![queue, one, before])?;
    Ok(deleted as u64)
}

/// The id, or the limit of the time of death.
fn selection(which: DeadSelection, now: Timestamp) -> (Option<i64>, Option<i64>) {
    match which {
        DeadSelection::All => (None, None),
        // No row has the id -1.
        DeadSelection::One(id) => (Some(row_of(id).unwrap_or(-1)), None),
        DeadSelection::DiedBefore(limit) => (None, Some(limit.as_millis())),
        DeadSelection::OlderThan(age) => (None, Some(now.minus(age).as_millis().saturating_add(1))),
    }
}
