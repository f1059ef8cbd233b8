//! Turns do not look before their marks, which the server gives them, and yet see every job.

use std::time::Duration;

use postgres::Transaction;
use tina4_service_postgres::PostgresEngine;
use tina4_service_queue::{
    End, Ended, Engine as _, Held, JobId, NewJob, RetryPolicy, Timestamp, Turn, Want,
};

use crate::servers::{Database, Via};

const LEASE: Duration = Duration::from_secs(60);

fn turn_of(engine: &PostgresEngine, count: usize, lease: Duration, ended: &[Ended]) -> Turn {
    let policy = RetryPolicy::DEFAULT;
    let want = Want { queue: "numbers", count, lease, policy: &policy };
    engine.turn(ended, &[want], Timestamp::default()).unwrap()
}

/// The payloads of all jobs that can be claimed, which are done with the next turn.
fn claim_all(engine: &PostgresEngine) -> Vec<String> {
    let turn = turn_of(engine, 100, LEASE, &[]);
    let done = |held: Held| Ended { held, end: End::Done };
    let ended: Vec<_> = turn.claims.iter().map(|claim| done(claim.held)).collect();
    assert_eq!(turn_of(engine, 0, LEASE, &ended).stale, []);
    turn.claims.into_iter().map(|claim| claim.payload).collect()
}

fn push(engine: &PostgresEngine, payload: &str) -> JobId {
    engine.push(&[NewJob::new("numbers", payload)], Timestamp::default()).unwrap()[0].id()
}

/// Moves the marks: a job that is pushed now is claimed and done.
fn pass(engine: &PostgresEngine) {
    push(engine, "0");
    assert_eq!(claim_all(engine), ["0"]);
    assert_eq!(claim_all(engine), [] as [String; 0]);
}

#[test]
fn rule_133_a_job_whose_transaction_commits_late_is_claimed() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    pass(&engine);
    let (mut early, mut late) = (database.connect(), database.connect());
    let insert = "insert into tina4.job(queue, payload, state, due) values
        ('numbers', '1', 0, now()), ('numbers', '2', 1, now())";
    let mut transaction = early.transaction().unwrap();
    transaction.batch_execute(insert).unwrap();
    pass(&engine);
    // One whose number is higher, and which is over before.
    late.batch_execute("insert into tina4.job(queue, payload) values ('numbers', '3')").unwrap();
    assert_eq!(claim_all(&engine), ["3"]);
    pass(&engine);
    transaction.commit().unwrap();
    assert_eq!(claim_all(&engine), ["1", "2"]);
    assert_eq!(claim_all(&engine), [] as [String; 0]);
}

#[test]
fn rule_133_a_job_of_a_subtransaction_is_claimed() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let mut client = database.connect();
    let mut transaction = client.transaction().unwrap();
    pass(&engine);
    let mut savepoint = transaction.savepoint("s").unwrap();
    savepoint
        .batch_execute("insert into tina4.job(queue, payload) values ('numbers', '1')")
        .unwrap();
    pass(&engine);
    savepoint.commit().unwrap();
    pass(&engine);
    transaction.commit().unwrap();
    assert_eq!(claim_all(&engine), ["1"]);
}

/// A locked job stays ready if its transaction is rolled back.
#[test]
fn rule_132_a_job_whose_claim_is_rolled_back_is_claimed() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    pass(&engine);
    push(&engine, "1");
    push(&engine, "2");
    let mut other = database.connect();
    let mut transaction = other.transaction().unwrap();
    assert_eq!(Marks::default().turn(&mut transaction, "numbers", 1).claimed, 1);
    assert_eq!(claim_all(&engine), ["2"]);
    pass(&engine);
    transaction.rollback().unwrap();
    assert_eq!(claim_all(&engine), ["1"]);
}

#[test]
fn rule_132_claims_that_others_made_or_renewed_are_found_when_they_are_lost() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (engine, other) = (database.open(), database.open());
    pass(&engine);
    let mut client = database.connect();
    for (round, renews) in [(1, false), (2, true)] {
        push(&engine, "1");
        let lease = if renews { 10 * LEASE } else { LEASE };
        let claim = turn_of(&other, 1, lease, &[]).claims.remove(0);
        let seen = turn_of(&engine, 1, LEASE, &[]);
        assert_eq!((seen.claims.len(), seen.lost), (0, 0));
        if renews {
            // To less than its lease was.
            assert_eq!(other.renew(&[claim.held], LEASE, Timestamp::default()).unwrap(), []);
        }
        let two_minutes_later = format!(
            "create or replace function tina4.clock() returns timestamptz language sql volatile
             as $$select clock_timestamp() + {round} * interval '2 minutes'$$"
        );
        client.batch_execute(&two_minutes_later).unwrap();
        let found = turn_of(&engine, 1, LEASE, &[]);
        assert_eq!((found.claims.len(), found.lost), (1, 1));
        let ended = Ended { held: found.claims[0].held, end: End::Done };
        assert_eq!(turn_of(&engine, 0, LEASE, &[ended]).stale, []);
    }
}

#[test]
fn rule_134_a_job_that_another_process_gives_back_is_claimed() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (engine, other) = (database.open(), database.open());
    push(&engine, "1");
    let claim = turn_of(&other, 1, LEASE, &[]).claims.remove(0);
    pass(&engine);
    let back = Ended { held: claim.held, end: End::Back };
    assert_eq!(other.turn(&[back], &[], Timestamp::default()).unwrap().stale, []);
    assert_eq!(claim_all(&engine), ["1"]);
}

/// An operator may repair rows by hand.
#[test]
fn rows_that_are_changed_by_hand_are_found() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let mut other = database.connect();
    push(&engine, "1");
    assert_eq!(turn_of(&engine, 1, LEASE, &[]).claims.len(), 1);
    let delayed = NewJob { delay: 60 * LEASE, ..NewJob::new("numbers", "2") };
    engine.push(&[delayed], Timestamp::default()).unwrap();
    pass(&engine);
    let free = "update tina4.job set state = 0, owner = null, lease = null where state = 2";
    other.batch_execute(free).unwrap();
    assert_eq!(claim_all(&engine), ["1"]);
    let now = "update tina4.job set due = now() - interval '1 hour', priority = 9 where state = 1";
    other.batch_execute(now).unwrap();
    assert_eq!(claim_all(&engine), ["2"]);
}

/// After a crash, the number of a transaction can be given to another one.
#[test]
fn rule_130_after_a_crash_of_the_server_everything_is_looked_at() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    pass(&engine);
    let mut other = database.connect();
    // As if its number had been given before.
    let insert = "insert into tina4.job(queue, payload, due, born)
        values ('numbers', '1', now() - interval '1 hour', 3)";
    other.batch_execute(insert).unwrap();
    assert_eq!(claim_all(&engine), [] as [String; 0], "or the rest shows nothing");
    // A crash empties this table.
    other.batch_execute("truncate tina4.generation").unwrap();
    assert_eq!(claim_all(&engine), ["1"]);
    let generations = "select count(*) from tina4.generation";
    assert_eq!(other.query_one(generations, &[]).unwrap().get::<_, i64>(0), 1);
}

/// The marks of a caller of the SQL function.
#[derive(Default)]
struct Marks(Option<String>);

struct Seen {
    claimed: usize,
    /// How many entries of indexes the turn has read.
    entries: i64,
}

impl Marks {
    /// A turn that ends the claims of the last one.
    fn turn(&mut self, transaction: &mut Transaction<'_>, queue: &str, count: i64) -> Seen {
        let read = "select sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint from pg_index
            where indrelid in ('tina4.job'::regclass, 'tina4.dead'::regclass)";
        let ended = "select coalesce(array_agg(id), '{}'), coalesce(array_agg(claim), '{}'),
            coalesce(array_agg(0::smallint), '{}'), coalesce(array_agg(0::bigint), '{}'),
            coalesce(array_agg(null::text), '{}') from tina4.job where owner = 'me'";
        let row = transaction.query_one(ended, &[]).unwrap();
        let (ids, claims): (Vec<i64>, Vec<i64>) = (row.get(0), row.get(1));
        let (ends, delays): (Vec<i16>, Vec<i64>) = (row.get(2), row.get(3));
        let errors: Vec<Option<String>> = row.get(4);
        let before: i64 = transaction.query_one(read, &[]).unwrap().get(0);
        let turn = "select kind, payload from tina4.turn('me', $1, $2, $3, $4, $5, array[$6], array[$7::bigint],
            '{60000000}', '{10}', '{1}', '{1}', array[$8], null)";
        let rows = transaction
            .query(turn, &[&ids, &claims, &ends, &delays, &errors, &queue, &count, &self.0])
            .unwrap();
        let entries = transaction.query_one(read, &[]).unwrap().get::<_, i64>(0) - before;
        self.0 = rows.iter().find(|row| row.get::<_, i32>(0) == 7).map(|row| row.get(1));
        let claimed = rows.iter().filter(|row| row.get::<_, i32>(0) == 3).count();
        Seen { claimed, entries }
    }
}

/// While another transaction is open, the server keeps the entries of all jobs that are finished.
#[test]
fn a_turn_does_not_step_over_the_jobs_that_were_finished_beside_an_open_transaction() {
    let Some(database) = Database::new(Via::Server) else { return };
    drop(database.open());
    let (mut client, mut open) = (database.connect(), database.connect());
    let begin = "begin isolation level repeatable read; select count(*) from tina4.job";
    open.batch_execute(begin).unwrap();
    // Of what the planner knows, most are delayed, and few are claimed.
    let delayed = "insert into tina4.job(queue, payload, state, due)
        select 'numbers', '1', 1, now() + interval '1 hour' from generate_series(1, 5000)";
    client.batch_execute(delayed).unwrap();
    let mut marks = Marks::default();
    let mut entries = Vec::new();
    for round in 0..40 {
        if round == 20 {
            client.batch_execute("analyze tina4.job").unwrap();
        }
        let push = "insert into tina4.job(queue, payload, priority, state)
            select 'numbers', '1', n % 3, (n % 10 = 0)::int from generate_series(1, 100) n";
        client.batch_execute(push).unwrap();
        let mut transaction = client.transaction().unwrap();
        let seen = marks.turn(&mut transaction, "numbers", 100);
        transaction.commit().unwrap();
        assert_eq!(seen.claimed, 100, "round {round}");
        entries.push(seen.entries);
    }
    let mut transaction = client.transaction().unwrap();
    let all = Marks::default().turn(&mut transaction, "numbers", 100).entries;
    assert!(all > 10_000, "{all} entries without marks, or the rest shows nothing");
    let (early, late) = (&entries[1..10], &entries[30..]);
    let (early, late) = (early.iter().max().unwrap(), late.iter().max().unwrap());
    assert!(late <= &(early + early / 10), "{entries:?}");
}
