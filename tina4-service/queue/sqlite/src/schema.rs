//! The tables, and their version.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};
use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::fingerprint;

use crate::error::{failed, unusable};

/// What each version of the tables adds to the one before, the first included.
const STEPS: [&str; 2] = [TABLES, DONE];

/// The version of the tables. Changes only add to them.
const VERSION: i64 = STEPS.len() as i64;

/// The tables of version 1.
///
/// `autoincrement`: the id of a finished job is never used again, or an old claim could match a new job.
/// The default values make a row with a queue and a payload a valid job.
const TABLES: &str = "
create table tina4_job(
  id integer primary key autoincrement,
  queue text not null check(length(queue) between 1 and 64),
  payload text not null,
  -- 0 ready, 1 later (delayed, or waiting for another attempt), 2 claimed
  state integer not null default 0 check(state between 0 and 2),
  priority integer not null default 0 check(priority between -9 and 9),
  due integer not null default (cast((julianday('now') - 2440587.5) * 86400000 as integer)),
  attempt integer not null default 0,
  claim integer not null default 0,
  lost integer not null default 0,
  owner text,
  lease integer,
  error text,
  key text,
  created integer not null default (cast((julianday('now') - 2440587.5) * 86400000 as integer))
) strict;
create index tina4_job_ready on tina4_job(queue, priority desc, due, id) where state = 0;
create index tina4_job_later on tina4_job(queue, due) where state = 1;
create index tina4_job_claimed on tina4_job(queue, lease) where state = 2;
create unique index tina4_job_key on tina4_job(queue, key) where key is not null;
create table tina4_key(
  queue text not null,
  key text not null,
  job integer not null,
  until integer not null,
  primary key(queue, key)
) strict, without rowid;
create index tina4_key_until on tina4_key(until);
create table tina4_dead(
  id integer primary key,
  queue text not null,
  payload text not null,
  priority integer not null,
  attempt integer not null,
  claim integer not null,
  error text not null,
  created integer not null,
  died integer not null
) strict;
create index tina4_dead_queue on tina4_dead(queue, id);
-- The version, and a hash of the texts that have made the tables.
create table tina4_meta(version integer not null, steps text not null default '') strict;
insert into tina4_meta(version) values (0);
";

/// What version 2 adds: copies of done jobs. An id can be used again by a program that inserts rows with ids.
const DONE: &str = "
create table tina4_done(
  queue text not null,
  id integer not null,
  payload text not null,
  attempt integer not null,
  created integer not null,
  done integer not null,
  primary key(queue, id)
) strict;
create index tina4_done_at on tina4_done(queue, done);
";

/// Creates the tables unless they are there, or adds to those of an earlier version.
///
/// # Errors
///
/// If they are of a newer version, or SQLite fails.
pub(crate) fn create(connection: &mut Connection) -> Result<(), EngineError> {
    // Usually they are there, and no lock is needed to see that.
    if missing_steps(known(connection).map_err(failed)?.as_ref())?.is_empty() {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been faster.
    for step in missing_steps(known(&transaction).map_err(failed)?.as_ref())? {
        transaction.execute_batch(step).map_err(failed)?;
    }
    let update = "update tina4_meta set version = ?1, steps = ?2";
    transaction.execute(update, (VERSION, fingerprint(&STEPS))).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Refuses a file whose tables are gone, or of another version.
pub(crate) fn check_file(connection: &Connection) -> Result<(), EngineError> {
    let missing = || {
        unusable("its tables are missing; restore the file, or open the engine again, which creates them".to_owned())
    };
    let known = known(connection).map_err(failed)?.ok_or_else(missing)?;
    if missing_steps(Some(&known))?.is_empty() { Ok(()) } else { Err(missing()) }
}

/// What made the tables.
struct Known {
    version: i64,
    /// `None` if unreleased versions did that kept no hash.
    steps: Option<String>,
}

/// What made the tables in the file, if there are any.
fn known(connection: &Connection) -> rusqlite::Result<Option<Known>> {
    let column = |name| {
        let exists = "select exists(select 1 from pragma_table_info('tina4_meta') where name = ?1)";
        connection.query_row(exists, [name], |row| row.get::<_, bool>(0))
    };
    if !column("version")? {
        return Ok(None);
    }
    let select = if column("steps")? {
        "select version, steps from tina4_meta"
    } else {
        "select version, null from tina4_meta"
    };
    let read = |row: &Row<'_>| Ok(Known { version: row.get(0)?, steps: row.get(1)? });
    connection.query_row(select, [], read).optional()
}

/// The steps that tables lack; `None`: there are no tables.
fn missing_steps(known: Option<&Known>) -> Result<&'static [&'static str], EngineError> {
    let Some(Known { version, steps }) = known else { return Ok(&STEPS) };
    let split = usize::try_from(*version).ok().and_then(|version| STEPS.split_at_checked(version));
    let (made, missing) = split.ok_or_else(|| {
        unusable(format!(
            "its tables have version {version}, and this program knows {VERSION}; update the program"
        ))
    })?;
    if steps.as_deref() != Some(&*fingerprint(made)) {
        return Err(unusable(
            "its tables were made by an unreleased version of this program, and differ from those of this one; finish their jobs with the program that made them, then drop the tables whose names begin with `tina4_`, and open the engine again"
                .to_owned(),
        ));
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of users have the tables of these texts.
    #[test]
    fn rule_138_the_steps_of_released_versions_do_not_change() {
        let versions: Vec<_> =
            (1..=STEPS.len()).map(|count| fingerprint(&STEPS[..count])).collect();
        // Until the first release, put the new ones here (and the first one into the test of tables of version 1).
        assert_eq!(versions, ["29f96f45347fc590", "c9c3e5b2675b4bd3"], "add a step instead");
    }
}
