//! The database file: its contents, other writers, and files that the engine refuses.

use std::collections::HashSet;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tina4_service_queue::{
    BoundQueue, Engine as _, EngineError, NewJob, Pop, Push, Queue, Queues, Reject, RetryPolicy,
    Timestamp, Want,
};
use tina4_service_sqlite::SqliteEngine;

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// A directory with the path of a file that does not exist yet.
fn new_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jobs.db");
    (directory, path)
}

fn open(path: &PathBuf) -> BoundQueue<u32> {
    NUMBERS.on(&Queues::new(SqliteEngine::open(path).unwrap()))
}

#[test]
fn rule_130_jobs_survive_the_end_of_the_program() {
    let (_directory, path) = new_file();
    for number in 0..3 {
        open(&path).push(&number).unwrap();
    }
    let numbers = open(&path);
    for expected in 0..3 {
        let job = numbers.pop().unwrap().expect("it is there");
        assert_eq!(*job, expected);
        job.complete().unwrap();
    }
    assert!(open(&path).pop().unwrap().is_none());
}

#[test]
fn rule_131_everything_about_a_job_survives() {
    let (_directory, path) = new_file();
    open(&path).push_with(&1, &Push::new().priority(3).unique("k")).unwrap();
    let pop = Pop::new().policy(RetryPolicy { backoff: Duration::ZERO, ..RetryPolicy::DEFAULT });
    open(&path).pop_with(&pop).unwrap().expect("it is there").fail("first").unwrap();
    assert!(!open(&path).push_with(&2, &Push::new().unique("k")).unwrap().is_new());
    let job = open(&path).pop_with(&pop).unwrap().expect("it is there");
    assert_eq!((*job, job.attempt(), job.last_error(), job.fence()), (1, 2, Some("first"), 2));
    job.fail(Reject::new("second")).unwrap();
    let dead = open(&path).dead(None, 9).unwrap();
    assert_eq!((dead.len(), dead[0].attempts, &*dead[0].error), (1, 2, "second"));
}

#[test]
fn rule_130_a_row_with_a_queue_and_a_payload_is_a_job() {
    let (_directory, path) = new_file();
    let numbers = open(&path);
    let other = Connection::open(&path).unwrap();
    other.execute("insert into tina4_job(queue, payload) values ('numbers', '42')", []).unwrap();
    let age = numbers.stats().unwrap().backlog.oldest_ready.expect("it is ready");
    assert!(age.as_secs() < 60, "it is due now, not {age:?} ago");
    let job = numbers.pop().unwrap().expect("it is ready");
    assert_eq!((*job, job.attempt()), (42, 1));
    job.complete().unwrap();
}

#[test]
fn rule_138_a_row_that_is_not_a_job_is_refused() {
    let (_directory, path) = new_file();
    open(&path);
    let other = Connection::open(&path).unwrap();
    for values in [
        "(queue, payload) values ('', '1')",
        "(queue) values ('numbers')",
        "(queue, payload, priority) values ('numbers', '1', 10)",
        "(queue, payload, state) values ('numbers', '1', 3)",
        "(queue, payload, due) values ('numbers', '1', 'soon')",
    ] {
        other.execute(&format!("insert into tina4_job{values}"), []).unwrap_err();
    }
}

#[test]
fn rule_138_tables_of_a_newer_version_are_refused() {
    let (_directory, path) = new_file();
    open(&path).push(&1).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute("update tina4_meta set version = 3", []).unwrap();
    let error = SqliteEngine::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store of the engine `sqlite` cannot be used: its tables have version 3, and this program knows 2; \
         update the program"
    );
}

#[test]
fn tables_of_version_1_get_what_they_lack() {
    let (_directory, path) = new_file();
    open(&path).push(&1).unwrap();
    let other = Connection::open(&path).unwrap();
    let older =
        "drop table tina4_done; update tina4_meta set version = 1, steps = '29f96f45347fc590'";
    other.execute_batch(older).unwrap();
    let engines: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> =
            (0..4).map(|_| scope.spawn(|| SqliteEngine::open(&path).unwrap())).collect();
        opening.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let version: i64 =
        other.query_row("select version from tina4_meta", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    for engine in engines {
        engine.check().unwrap();
    }
    let numbers = open(&path);
    let job = numbers.pop_with(&Pop::new().keep_done()).unwrap().expect("it is still there");
    job.complete().unwrap();
    assert_eq!(numbers.done(None, 9).unwrap()[0].payload, "1");
}

/// They look like tables of this version.
#[test]
fn rule_138_tables_of_an_unreleased_version_are_refused() {
    let (_directory, path) = new_file();
    let engine = SqliteEngine::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    for change in [
        "update tina4_meta set steps = 'another one'",
        "update tina4_meta set version = 1",
        "alter table tina4_meta drop column steps",
    ] {
        other.execute_batch(change).unwrap();
        for error in [SqliteEngine::open(&path).map(drop), engine.check().map(drop)] {
            assert_eq!(
                error.unwrap_err().to_string(),
                "the store of the engine `sqlite` cannot be used: its tables were made by an unreleased version of this program, \
                 and differ from those of this one; finish their jobs with the program that made them, then drop the tables \
                 whose names begin with `tina4_`, and open the engine again",
                "{change}"
            );
        }
    }
    let drop = "drop table tina4_meta; drop table tina4_job; drop table tina4_key; drop table tina4_dead; drop table tina4_done";
    other.execute_batch(drop).unwrap();
    SqliteEngine::open(&path).unwrap().check().unwrap();
}

#[test]
fn rule_138_a_file_that_is_not_a_database_is_refused() {
    let (_directory, path) = new_file();
    std::fs::write(&path, "a text that is long enough not to be taken for an empty database")
        .unwrap();
    let error = SqliteEngine::open(&path).unwrap_err();
    assert!(matches!(error, EngineError::Failed { engine: "sqlite", .. }), "{error}");
    assert!(SqliteEngine::open(path.join("below")).is_err());
}

#[test]
fn a_file_of_the_program_keeps_its_own_tables() {
    let (_directory, path) = new_file();
    let shop = Connection::open(&path).unwrap();
    shop.execute_batch("create table orders(id integer); insert into orders values (7)").unwrap();
    open(&path).push(&1).unwrap();
    let order: i64 = shop.query_row("select id from orders", [], |row| row.get(0)).unwrap();
    assert_eq!(order, 7);
}

#[test]
fn a_new_file_can_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let (_directory, path) = new_file();
        thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || open(path).push(&number).unwrap());
            }
        });
        let numbers = open(&path);
        let mut found = HashSet::new();
        while let Some(job) = numbers.pop().unwrap() {
            found.insert(*job);
            job.complete().unwrap();
        }
        assert_eq!(found.len(), 8);
    }
}

#[test]
fn rule_130_a_push_that_fails_does_not_take_others_with_it() {
    let (_directory, path) = new_file();
    let numbers = open(&path);
    // A constraint of somebody else refuses one of the payloads.
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "create trigger refuse before insert on tina4_job when new.payload = '13'
             begin select raise(abort, 'planted'); end",
        )
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
fn an_empty_queue_writes_nothing() {
    let (_directory, path) = new_file();
    let numbers = open(&path);
    let other = Connection::open(&path).unwrap();
    let version =
        || -> i64 { other.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap() };
    let before = version();
    for _ in 0..10 {
        assert!(numbers.pop().unwrap().is_none());
    }
    assert_eq!(version(), before, "no other connection has committed");
    numbers.push(&1).unwrap();
    assert_ne!(version(), before);
}

#[test]
fn rule_132_the_jobs_of_an_engine_that_is_gone_come_back_before_their_leases_end() {
    const OTHER: Queue<u32> = Queue::new("other");
    let (_directory, path) = new_file();
    let engine = SqliteEngine::open(&path).unwrap();
    let now = Timestamp::from_millis(1_000_000);
    let jobs = [NewJob::new("numbers", "1"), NewJob::new("other", "2")];
    engine.push(&jobs, now).unwrap();
    let lease = Duration::from_secs(3_600);
    let policy = &RetryPolicy::DEFAULT;
    let want = |queue| Want { queue, count: 9, lease, policy };
    assert_eq!(engine.turn(&[], &[want("numbers"), want("other")], now).unwrap().claims.len(), 2);
    drop(engine);
    let numbers = open(&path);
    let job = numbers.pop().unwrap().expect("it is back");
    assert_eq!((*job, job.attempt()), (1, 2));
    assert_eq!(
        numbers.stats().unwrap().counters.lost,
        1,
        "only that of the queue that is asked for"
    );
    let other = OTHER.on(&Queues::new(SqliteEngine::open(&path).unwrap()));
    assert_eq!(*other.pop().unwrap().expect("it is back"), 2);
    assert!(open(&path).pop().unwrap().is_none(), "the first one is held by an engine that exists");
}

#[test]
fn rule_138_the_check_finds_tables_that_are_newer_or_gone_and_a_file_that_was_removed() {
    let (_directory, path) = new_file();
    let engine = SqliteEngine::open(&path).unwrap();
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
    let other = Connection::open(&path).unwrap();
    let refused = |expected: &str| {
        let error = engine.check().unwrap_err();
        assert!(matches!(error, EngineError::Unusable { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    other.execute("update tina4_meta set version = 3", []).unwrap();
    refused("its tables have version 3, and this program knows 2; update the program");
    other.execute_batch("drop table tina4_meta").unwrap();
    refused("restore the file, or open the engine again, which creates them");
    drop(other);
    // Windows does not remove a file that is open.
    if !cfg!(windows) {
        std::fs::remove_file(&path).unwrap();
        refused("do not remove it, and open the engine again");
    }
}

/// The process that has found it need not be the one that is asked next, and it is not found again at once.
#[test]
fn rule_132_a_queue_with_a_claim_of_a_process_that_is_gone_is_due_now() {
    let (_directory, path) = new_file();
    let engine = SqliteEngine::open(&path).unwrap();
    let time = Timestamp::from_millis(1_000_000);
    let next_due = |engine: &SqliteEngine| engine.next_due(&["empty", "numbers"], time).unwrap();
    assert_eq!(next_due(&engine), [None, None]);
    let (lease, policy) = (Duration::from_secs(600), &RetryPolicy::DEFAULT);
    let want = Want { queue: "numbers", count: 1, lease, policy };
    let killed = SqliteEngine::open(&path).unwrap();
    killed.push(&[NewJob::new("numbers", "1")], time).unwrap();
    assert_eq!(next_due(&engine), [None, Some(Duration::ZERO)]);
    assert_eq!(killed.turn(&[], &[want], time).unwrap().claims.len(), 1);
    assert_eq!(next_due(&engine), [None, Some(lease)]);
    drop(killed);
    // Owners are checked ten times a second.
    let later = time.plus(Duration::from_millis(100));
    let next = engine.next_due(&["empty", "numbers"], later).unwrap();
    assert_eq!(next, [None, Some(Duration::ZERO)]);
    let turn = engine.turn(&[], &[want], later).unwrap();
    assert_eq!((turn.lost, turn.claims.len()), (1, 1));
}
