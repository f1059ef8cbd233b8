//! The tables, their version, and what the server must be.

use tina4_service_queue::EngineError;
use tina4_service_queue::engine_parts::fingerprint;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, GenericClient, Row};

use crate::error::unusable;

/// The version of the tables and functions. Changes only add to them.
const VERSION: i32 = STEPS.len() as i32;

/// What each version adds to the one before, the first included.
const STEPS: [&[&str]; 2] = [&TABLES, &[include_str!("schema/done.sql")]];

/// The tables and functions of version 1.
const TABLES: [&str; 5] = [
    include_str!("schema/tables.sql"),
    include_str!("schema/push.sql"),
    include_str!("schema/turn.sql"),
    include_str!("schema/claims.sql"),
    include_str!("schema/admin.sql"),
];

/// The number of the lock that programs take while they create the tables.
const LOCK: i64 = 0x7469_6e61_3400;

/// The oldest version of PostgreSQL, as it numbers them: `materialized` is of this one.
const OLDEST: i32 = 120_000;

/// Checks the server, and creates the tables unless they are there, or adds to those of an earlier version.
///
/// # Errors
///
/// If the server cannot be used, the tables are of a newer version, or the server fails.
pub(crate) async fn prepare(client: &mut Client) -> Result<Result<(), EngineError>, Error> {
    if let Err(error) = check_server(&server(client).await?) {
        return Ok(Err(error));
    }
    // Usually they are there, and no lock is needed to see that.
    match missing_steps(known(client).await?.as_ref()) {
        Ok(steps) if !steps.is_empty() => {}
        known => return Ok(known.map(drop)),
    }
    let transaction = client.transaction().await?;
    // Of the transaction, because behind a pooler a session is not ours.
    transaction.query_typed("select pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
    // Another program may have been faster.
    let steps = match missing_steps(known(&transaction).await?.as_ref()) {
        Ok(steps) if !steps.is_empty() => steps.concat(),
        known => return Ok(known.map(drop)),
    };
    transaction.batch_execute(&steps.join("\n")).await?;
    let update = "update tina4.meta set version = $1, steps = $2";
    let values = [(&VERSION as _, Type::INT4), (&fingerprint_of(&STEPS) as _, Type::TEXT)];
    transaction.execute_typed(update, &values).await?;
    transaction.commit().await?;
    Ok(Ok(()))
}

/// Checks the server and the tables. Returns remarks.
pub(crate) async fn check(client: &mut Client) -> Result<Result<Vec<String>, EngineError>, Error> {
    let server = server(client).await?;
    let known = known(client).await?;
    Ok(check_server(&server).and_then(|()| {
        if known.is_none() || !missing_steps(known.as_ref())?.is_empty() {
            return Err(unusable(
                "the database has no schema `tina4` with the tables; restore it, or open the engine again, which creates it"
                    .to_owned(),
            ));
        }
        Ok(remarks(&server))
    }))
}

/// What made the tables.
struct Known {
    version: i32,
    /// `None` if unreleased versions did that kept no hash.
    steps: Option<String>,
}

/// The hash of the texts of these steps.
fn fingerprint_of(steps: &[&[&str]]) -> String {
    fingerprint(&steps.concat())
}

/// What made the tables, if there are any.
async fn known(client: &impl GenericClient) -> Result<Option<Known>, Error> {
    // Not `to_regclass`: a transaction that has waited for the lock remembers that there was no schema.
    let table = "select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = 'tina4' and c.relname = 'meta'";
    if client.query_typed(table, &[]).await?.is_empty() {
        return Ok(None);
    }
    // Also without the column.
    let select = "select version, to_jsonb(m) ->> 'steps' from tina4.meta m";
    let rows = client.query_typed(select, &[]).await?;
    let read = |row: &Row| Ok(Known { version: row.try_get(0)?, steps: row.try_get(1)? });
    rows.first().map(read).transpose()
}

/// The steps that tables lack; `None`: there are no tables.
fn missing_steps(known: Option<&Known>) -> Result<&'static [&'static [&'static str]], EngineError> {
    let Some(Known { version, steps }) = known else { return Ok(&STEPS) };
    let split = usize::try_from(*version).ok().and_then(|version| STEPS.split_at_checked(version));
    let (made, missing) = split.ok_or_else(|| {
        unusable(format!(
            "its tables have version {version}, and this program knows {VERSION}; update the program"
        ))
    })?;
    if steps.as_deref() != Some(&*fingerprint_of(made)) {
        return Err(unusable(
            "its tables were made by an unreleased version of this program, and differ from those of this one; finish their jobs with the program that made them, then run `drop schema tina4 cascade`, and open the engine again"
                .to_owned(),
        ));
    }
    Ok(missing)
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    version: i32,
    encoding: String,
    is_standby: bool,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
}

/// Asks the server.
async fn server(client: &mut Client) -> Result<Server, Error> {
    let row = client.query_typed_one(
        "select current_setting('server_version_num')::integer, current_setting('server_encoding'),
         pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'),
         current_setting('synchronous_commit')",
        &[],
    );
    read_server(&row.await?)
}

fn read_server(row: &Row) -> Result<Server, Error> {
    Ok(Server {
        version: row.try_get(0)?,
        encoding: row.try_get(1)?,
        is_standby: row.try_get(2)?,
        fsync: row.try_get(3)?,
        full_page_writes: row.try_get(4)?,
        synchronous_commit: row.try_get(5)?,
    })
}

/// Refuses a server that cannot hold jobs.
fn check_server(server: &Server) -> Result<(), EngineError> {
    if server.version < OLDEST {
        let (major, oldest) = (server.version / 10_000, OLDEST / 10_000);
        return Err(unusable(format!("the server is PostgreSQL {major}; use {oldest} or newer")));
    }
    if server.encoding != "UTF8" {
        return Err(unusable(format!(
            "the database has the encoding `{}`; create it with the encoding `UTF8`",
            server.encoding
        )));
    }
    if server.is_standby {
        return Err(unusable(
            "the server is a standby, which only reads; connect to the primary server (`target_session_attrs=read-write` finds it)"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Under which settings of the server less is promised.
fn remarks(server: &Server) -> Vec<String> {
    let mut remarks = Vec::new();
    for (name, value) in [("fsync", &server.fsync), ("full_page_writes", &server.full_page_writes)]
    {
        if value == "off" {
            remarks.push(format!(
                "the PostgreSQL server has `{name} = off`, so a power cut can lose jobs and destroy the database; set it to `on`"
            ));
        }
    }
    if server.synchronous_commit == "off" {
        remarks.push(
            "the PostgreSQL server has `synchronous_commit = off`, so a power cut can lose jobs that were pushed in a transaction of the program (other pushes are synced nevertheless); set it to `on`"
                .to_owned(),
        );
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Server {
        Server {
            version: 150_018,
            encoding: "UTF8".to_owned(),
            is_standby: false,
            fsync: "on".to_owned(),
            full_page_writes: "on".to_owned(),
            synchronous_commit: "on".to_owned(),
        }
    }

    #[test]
    fn rule_138_servers_that_cannot_hold_jobs_are_refused() {
        check_server(&usual()).unwrap();
        let latin = Server { encoding: "LATIN1".to_owned(), ..usual() };
        for (server, expected) in [
            (
                Server { version: 110_022, ..usual() },
                "the server is PostgreSQL 11; use 12 or newer",
            ),
            (latin, "the database has the encoding `LATIN1`; create it with the encoding `UTF8`"),
            (Server { is_standby: true, ..usual() }, "finds it)"),
        ] {
            let error = check_server(&server).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn rule_130_settings_under_which_a_power_cut_loses_jobs_are_told() {
        assert_eq!(remarks(&usual()), [] as [String; 0]);
        let off = || "off".to_owned();
        for (server, name) in [
            (Server { fsync: off(), ..usual() }, "`fsync = off`"),
            (Server { full_page_writes: off(), ..usual() }, "`full_page_writes = off`"),
            (Server { synchronous_commit: off(), ..usual() }, "`synchronous_commit = off`"),
        ] {
            let remarks = remarks(&server);
            assert_eq!(remarks.len(), 1);
            assert!(remarks[0].contains(name), "{remarks:?}");
        }
    }

    /// The databases of users have the tables of these texts.
    #[test]
    fn rule_138_the_steps_of_released_versions_do_not_change() {
        let versions: Vec<_> =
            (1..=STEPS.len()).map(|count| fingerprint_of(&STEPS[..count])).collect();
        // Until the first release, put the new ones here (and the first one into the test of tables of version 1).
        assert_eq!(versions, ["9a5fc271ad7d49a8", "30525eae24b31305"], "add a step instead");
    }
}
