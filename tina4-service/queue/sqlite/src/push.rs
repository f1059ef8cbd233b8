//! Pushes: [`OwnedJob`] and the statements that store it.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use tina4_service_queue::{NewJob, Pushed, Timestamp, Unique};

use crate::numbers::{after, id_of};

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

    pub(crate) fn borrow(&self) -> NewJob<'_> {
        let unique = self.unique.as_ref();
        NewJob {
            queue: &self.queue,
            payload: &self.payload,
            delay: self.delay,
            priority: self.priority,
            unique: unique.map(|(key, window)| Unique { key, window: *window }),
        }
    }
}

/// Stores a job that was checked, in the current transaction.
pub(crate) fn push(
    connection: &Connection,
    job: &NewJob<'_>,
    now: Timestamp,
) -> rusqlite::Result<Pushed> {
    if let Some(unique) = &job.unique
        && let Some(row) = known(connection, job.queue, unique.key, now)?
    {
        return Ok(Pushed::Known(id_of(row)));
    }
    let live_key = job.unique.filter(|unique| unique.window.is_none()).map(|unique| unique.key);
    let mut insert = connection.prepare_cached(
        "insert into tina4_job(queue, payload, state, priority, due, key, created)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let row = insert.insert(params![
        job.queue,
        job.payload,
        i64::from(!job.delay.is_zero()),
        job.priority,
        after(now, job.delay),
        live_key,
        now.as_millis(),
    ])?;
    if let Some(Unique { key, window: Some(window) }) = job.unique {
        take_for(connection, job.queue, key, row, after(now, window), now)?;
    }
    Ok(Pushed::New(id_of(row)))
}

/// The job that has this key.
fn known(
    connection: &Connection,
    queue: &str,
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached(
        "select id from tina4_job where queue = ?1 and key = ?2
         union all select job from tina4_key where queue = ?1 and key = ?2 and until > ?3
         limit 1",
    )?;
    select.query_row(params![queue, key, now.as_millis()], |row| row.get(0)).optional()
}

/// Takes a key for a time, and deletes some keys whose time has passed.
fn take_for(
    connection: &Connection,
    queue: &str,
    key: &str,
    row: i64,
    until: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "delete from tina4_key where (queue, key) in
             (select queue, key from tina4_key where until <= ?1 order by until limit 16)",
        )?
        .execute([now.as_millis()])?;
    connection
        .prepare_cached(
            "insert or replace into tina4_key(queue, key, job, until) values (?1, ?2, ?3, ?4)",
        )?
        .execute(params![queue, key, row, until])?;
    Ok(())
}
