//! The tables: pushes of other programs, settings of the server, and databases that the engine refuses.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tina4_service_postgres::PostgresEngine;
use tina4_service_queue::{
    BoundQueue, Engine as _, NewJob, Pop, Push, Queue, Queues, Reject, RetryPolicy, Timestamp,
};

use crate::servers::{Database, Via, connect, variable};

const NUMBERS: Queue<u32> = Queue::new("numbers");

fn numbers(database: &Database) -> BoundQueue<u32> {
    NUMBERS.on(&Queues::new(database.open()))
}

#[test]
fn rule_130_a_row_with_a_queue_and_a_payload_is_a_job() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = numbers(&database);
    let mut other = database.connect();
    other.execute("insert into tina4.job(queue, payload) values ('numbers', '42')", &[]).unwrap();
    let age = numbers.stats().unwrap().backlog.oldest_ready.expect("it is ready");
    assert!(age.as_secs() < 60, "it is due now, not {age:?} ago");
    let job = numbers.pop().unwrap().expect("it is ready");
    assert_eq!((*job, job.attempt()), (42, 1));
    job.complete().unwrap();
}

#[test]
fn rule_130_a_push_in_sql_has_all_options() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = numbers(&database);
    let mut other = database.connect();
    let mut push = |values: &str| -> i64 {
        other.query_one(&format!("select tina4.push('numbers', {values})"), &[]).unwrap().get(0)
    };
    push("'1'");
    push("'2', priority => 5");
    push("'3', delay => '1 hour'");
    let first = push("'4', key => 'k'");
    assert_eq!(push("'5', key => 'k'"), first, "its key is taken");
    let known = numbers.push_with(&6, &Push::new().unique("k")).unwrap();
    assert_eq!(known.id().to_string(), first.to_string());
    let jobs: Vec<_> = std::iter::from_fn(|| numbers.pop().unwrap()).collect();
    assert_eq!(jobs.iter().map(|job| **job).collect::<Vec<_>>(), [2, 1, 4]);
    assert_eq!(numbers.stats().unwrap().backlog.delayed, 1);
}

#[test]
fn rule_138_a_row_that_is_not_a_job_is_refused() {
    let Some(database) = Database::new(Via::Server) else { return };
    drop(database.open());
    let mut other = database.connect();
    for values in [
        "(queue, payload) values ('', '1')",
        "(queue) values ('numbers')",
        "(queue, payload) values ('numbers', 'not JSON')",
        "(queue, payload, priority) values ('numbers', '1', 10)",
        "(queue, payload, state) values ('numbers', '1', 3)",
        "(queue, payload, state) values ('numbers', '1', 2)",
        "(queue, payload, due) values ('numbers', '1', 'soon')",
    ] {
        let insert = format!("insert into tina4.job{values}");
        assert!(other.batch_execute(&insert).is_err(), "{values}");
    }
}

#[test]
fn rule_138_tables_of_a_newer_version_are_refused() {
    let Some(database) = Database::new(Via::Server) else { return };
    drop(database.open());
    database.connect().batch_execute("update tina4.meta set version = 3").unwrap();
    let error = PostgresEngine::open(&database.address).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store of the engine `postgres` cannot be used: its tables have version 3, and this program knows 2; \
         update the program"
    );
}

#[test]
fn tables_of_version_1_get_what_they_lack() {
    let Some(database) = Database::new(Via::Server) else { return };
    numbers(&database).push(&1).unwrap();
    let older =
        "drop table tina4.done; drop function tina4.keep_done; drop function tina4.done_jobs;
                 drop function tina4.purge_done; update tina4.meta set version = 1, steps = '9a5fc271ad7d49a8'";
    database.connect().batch_execute(older).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| database.open().check().unwrap());
        }
    });
    let rows = database.connect().query("select version from tina4.meta", &[]).unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), [2]);
    let numbers = numbers(&database);
    let job = numbers.pop_with(&Pop::new().keep_done()).unwrap().expect("it is still there");
    job.complete().unwrap();
    assert_eq!(numbers.done(None, 9).unwrap()[0].payload, "1");
}

/// They look like tables of this version.
#[test]
fn rule_138_tables_of_an_unreleased_version_are_refused() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let mut other = database.connect();
    for change in [
        "update tina4.meta set steps = 'another one'",
        "update tina4.meta set version = 1",
        "alter table tina4.meta drop column steps",
    ] {
        other.batch_execute(change).unwrap();
        for error in [PostgresEngine::open(&database.address).map(drop), engine.check().map(drop)] {
            assert_eq!(
                error.unwrap_err().to_string(),
                "the store of the engine `postgres` cannot be used: its tables were made by an unreleased version of this program, \
                 and differ from those of this one; finish their jobs with the program that made them, then run \
                 `drop schema tina4 cascade`, and open the engine again",
                "{change}"
            );
        }
    }
    other.batch_execute("drop schema tina4 cascade").unwrap();
    numbers(&database).push(&1).unwrap();
}

#[test]
fn rule_138_the_check_finds_tables_that_are_newer_or_gone() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
    let mut other = database.connect();
    for (change, expected) in [
        ("update tina4.meta set version = 3", "and this program knows 2; update the program"),
        ("drop schema tina4 cascade", "restore it, or open the engine again, which creates it"),
    ] {
        other.batch_execute(change).unwrap();
        let error = engine.check().unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn rule_138_a_database_in_another_encoding_is_refused() {
    let Some(server) = variable("TINA4_TEST_POSTGRES") else { return };
    let Some(database) = Database::new(Via::Server) else { return };
    let mut client = connect(&server);
    let name = &database.name;
    client.batch_execute(&format!("drop database {name}")).unwrap();
    let create = format!("create database {name} template template0 encoding 'LATIN1'");
    client.batch_execute(&create).unwrap();
    let error = PostgresEngine::open(&database.address).unwrap_err();
    assert!(error.to_string().ends_with("create it with the encoding `UTF8`"), "{error}");
}

#[test]
fn rule_138_a_server_that_is_not_there_is_an_error() {
    let error = PostgresEngine::open("postgres://nobody@127.0.0.1:1/none").unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the engine `postgres` failed: error connecting to server"), "{text}");
    assert!(text.ends_with("; nothing was changed, so try again when its store works"), "{text}");
}

#[test]
fn a_new_database_can_be_opened_by_many_at_once() {
    let Some(database) = Database::new(Via::Pooler) else { return };
    thread::scope(|scope| {
        for number in 0..8 {
            let database = &database;
            scope.spawn(move || numbers(database).push(&number).unwrap());
        }
    });
    let numbers = numbers(&database);
    let mut found = HashSet::new();
    while let Some(job) = numbers.pop().unwrap() {
        found.insert(*job);
        job.complete().unwrap();
    }
    assert_eq!(found.len(), 8);
}

#[test]
fn rule_130_a_push_that_fails_does_not_take_others_with_it() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = numbers(&database);
    // A constraint of somebody else refuses one of the payloads.
    database
        .connect()
        .batch_execute("alter table tina4.job add constraint planted check (payload::text <> '13')")
        .unwrap();
    thread::scope(|scope| {
        for number in 0..20 {
            let numbers = &numbers;
            scope.spawn(move || assert_eq!(numbers.push(&number).is_ok(), number != 13));
        }
    });
    assert_eq!(numbers.stats().unwrap().backlog.ready, 19);
}

#[test]
fn rule_131_everything_about_a_job_survives() {
    let Some(database) = Database::new(Via::Server) else { return };
    let open = || numbers(&database);
    open().push_with(&1, &Push::new().priority(3).unique("k")).unwrap();
    let pop = Pop::new().policy(RetryPolicy { backoff: Duration::ZERO, ..RetryPolicy::DEFAULT });
    let job = open().pop_with(&pop).unwrap().expect("it is there");
    let first = job.fence();
    job.fail("first\0").unwrap();
    assert!(!open().push_with(&2, &Push::new().unique("k")).unwrap().is_new());
    let job = open().pop_with(&pop).unwrap().expect("it is there");
    assert_eq!((*job, job.attempt(), job.last_error()), (1, 2, Some("first\u{fffd}")));
    assert!(job.fence() > first);
    job.fail(Reject::new("second")).unwrap();
    let dead = open().dead(None, 9).unwrap();
    assert_eq!((dead.len(), dead[0].attempts, &*dead[0].error), (1, 2, "second"));
}

#[test]
fn rule_138_a_key_that_cannot_be_stored_is_refused() {
    let Some(database) = Database::new(Via::Server) else { return };
    let error = numbers(&database).push_with(&1, &Push::new().unique("a\0b")).unwrap_err();
    assert!(error.to_string().contains("NUL character of a unique key"), "{error}");
}

/// What the server would answer to `show synchronous_commit` at the time of each insert.
#[test]
fn rule_130_a_push_is_synced_although_the_server_does_not_by_default() {
    let Some(database) = Database::new(Via::Server) else { return };
    drop(database.open());
    let mut other = database.connect();
    let name = &database.name;
    other
        .batch_execute(&format!(
            "alter database {name} set synchronous_commit = off;
             create table settings(value text);
             create function note() returns trigger language plpgsql as $$ begin
               insert into public.settings values (current_setting('synchronous_commit')); return new; end $$;
             create trigger note before insert or update on tina4.job for each row execute function note()"
        ))
        .unwrap();
    let engine = database.open();
    let remarks = engine.check().unwrap();
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].contains("`synchronous_commit = off`"), "{remarks:?}");
    let numbers = NUMBERS.on(&Queues::new(engine));
    numbers.push(&1).unwrap();
    drop(numbers.pop().unwrap().expect("it is there"));
    let rows = other.query("select value from settings", &[]).unwrap();
    let values: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(values, ["on", "off", "off"], "a push, a claim, a release");
}

#[test]
fn rule_130_the_usual_settings_of_a_server_give_no_remark() {
    let Some(database) = Database::new(Via::Server) else { return };
    assert_eq!(database.open().check().unwrap(), [] as [String; 0]);
}

/// Of what several threads ask for at once, each gets its own.
#[test]
fn rule_132_turns_that_wait_together_get_what_they_asked_for() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = numbers(&database);
    let engine = database.open();
    let payloads: Vec<_> = (0..400).map(|number: u32| number.to_string()).collect();
    let jobs: Vec<_> = payloads.iter().map(|payload| NewJob::new("numbers", payload)).collect();
    engine.push(&jobs, Timestamp::default()).unwrap();
    let done = Mutex::new(HashSet::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(job) = numbers.pop().unwrap() {
                    assert_eq!(job.attempt(), 1);
                    assert!(done.lock().unwrap().insert(*job));
                    job.complete().unwrap();
                }
            });
        }
    });
    assert_eq!(done.into_inner().unwrap().len(), 400);
    assert_eq!(numbers.stats().unwrap().backlog.claimed, 0);
}

/// A paused or slow process must not keep others from cleaning up.
#[test]
fn no_transaction_stays_open() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = numbers(&database);
    numbers.push_with(&1, &Push::new().unique("k")).unwrap();
    let job = numbers.pop().unwrap().expect("it is there");
    numbers.stats().unwrap();
    let open: i64 = database
        .connect()
        .query_one(
            "select count(*) from pg_stat_activity
             where datname = current_database() and state like 'idle in transaction%'",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(open, 0);
    job.complete().unwrap();
}

#[test]
fn an_empty_queue_writes_nothing() {
    let Some(database) = Database::new(Via::Server) else { return };
    drop(database.open());
    let mut other = database.connect();
    let mut transaction = other.transaction().unwrap();
    let turn = "select from tina4.turn('me', '{}', '{}', '{}', '{}', '{}', '{numbers}', '{9}', '{1}', '{3}', '{1}', '{1}', '{null}', null)";
    assert_eq!(transaction.query(turn, &[]).unwrap().len(), 1, "the marks");
    let has_written = "select pg_current_xact_id_if_assigned() is not null";
    let mut has_written = || -> bool { transaction.query_one(has_written, &[]).unwrap().get(0) };
    assert!(!has_written());
}
