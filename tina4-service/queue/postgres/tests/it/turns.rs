//! Turns beside transactions of others, and clocks of machines that are wrong.

use std::thread;
use std::time::Duration;

use tina4_service_queue::consumer::{Consumer, ConsumerSettings};
use tina4_service_queue::{
    DeadSelection, End, Ended, Engine as _, Held, NewJob, Queues, RetryPolicy, Timestamp, Turn,
    Want,
};

use crate::servers::{Database, Via};
use tina4_service_postgres::PostgresEngine;

const LEASE: Duration = Duration::from_secs(60);

const POLICY: RetryPolicy = RetryPolicy { attempts: 1, ..RetryPolicy::DEFAULT };

fn turn(engine: &PostgresEngine, count: usize, lease: Duration, policy: &RetryPolicy) -> Turn {
    let want = Want { queue: "numbers", count, lease, policy };
    engine.turn(&[], &[want], Timestamp::default()).unwrap()
}

/// Such as by the transaction that finishes the job.
#[test]
fn rule_132_a_lost_claim_that_is_locked_is_looked_at_again_a_second_later() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let push = |delay| {
        let job = NewJob { delay, ..NewJob::new("numbers", "1") };
        engine.push(&[job], Timestamp::default()).unwrap();
    };
    let policy = RetryPolicy::DEFAULT;
    let lease = Duration::from_millis(20);
    push(Duration::ZERO);
    assert_eq!(turn(&engine, 1, lease, &policy).claims.len(), 1);
    push(Duration::from_millis(20));
    push(Duration::from_secs(60));
    let mut other = database.connect();
    other.batch_execute("select pg_sleep(0.05)").unwrap();
    // Makes the third job due so much later, locks all, and returns when the next turn is to follow.
    let mut locked_turn = |later: &str| {
        let update = format!(
            "update tina4.job set due = tina4.clock() + interval '{later}'
             where id = (select max(id) from tina4.job)"
        );
        other.batch_execute(&update).unwrap();
        let mut transaction = other.transaction().unwrap();
        transaction.query("select from tina4.job for update", &[]).unwrap();
        let found = turn(&engine, 1, lease, &policy);
        assert_eq!((found.claims.len(), found.lost), (0, 0), "they are locked");
        let next = found.next.expect("there are jobs").as_millis();
        assert!(next <= 1_000, "{next} ms");
        transaction.rollback().unwrap();
        next
    };
    // On a busy machine, time passes before the turn, and before its answer.
    let until_the_third_is_due = |next: u128| (100..=600).contains(&next);
    assert!((0..10).any(|_| until_the_third_is_due(locked_turn("600 ms"))));
    // Nobody tells when they are unlocked.
    assert!((0..10).any(|_| (900..=1_000).contains(&locked_turn("0 ms"))));
    let found = turn(&engine, 3, Duration::from_secs(60), &policy);
    assert_eq!((found.claims.len(), found.lost), (3, 1));
}

fn claim(engine: &PostgresEngine, queue: &str) -> Held {
    engine.push(&[NewJob::new(queue, "1")], Timestamp::default()).unwrap();
    let want = Want { queue, count: 1, lease: LEASE, policy: &RetryPolicy::DEFAULT };
    engine.turn(&[], &[want], Timestamp::default()).unwrap().claims[0].held
}

fn done(held: Held) -> Ended {
    Ended { held, end: End::Done }
}

fn left(other: &mut postgres::Client) -> i64 {
    other.query_one("select count(*) from tina4.job", &[]).unwrap().get(0)
}

/// Such as by a transaction that is about to finish the job.
#[test]
fn rule_137_a_locked_job_holds_up_no_other_one() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let (locked, free) = (claim(&engine, "numbers"), claim(&engine, "letters"));
    engine.push(&[NewJob::new("letters", "2")], Timestamp::default()).unwrap();
    let (mut client, mut other) = (database.connect(), database.connect());
    let mut transaction = client.transaction().unwrap();
    transaction.query("select from tina4.job where queue = 'numbers' for update", &[]).unwrap();
    let want = Want { queue: "letters", count: 1, lease: LEASE, policy: &RetryPolicy::DEFAULT };
    let ended = [done(locked), done(free)];
    let turn =
        engine.turn_within(Duration::from_secs(60), &ended, &[want], Timestamp::default()).unwrap();
    assert_eq!((&*turn.locked, &*turn.stale), (&[locked][..], &[][..]));
    assert_eq!(turn.claims.len(), 1, "the rest is done");
    assert_eq!(left(&mut other), 2);
    transaction.rollback().unwrap();
    let again = [done(locked), done(free)];
    let turn = engine.turn(&again, &[], Timestamp::default()).unwrap();
    assert_eq!((&*turn.locked, &*turn.stale), (&[][..], &[free][..]));
}

#[test]
fn rule_137_a_turn_without_a_limit_waits_for_a_lock_and_holds_up_nobody() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let free = claim(&engine, "letters");
    let (mut client, mut other) = (database.connect(), database.connect());
    for is_unlocked in [false, true] {
        let locked = [claim(&engine, "numbers"), claim(&engine, "numbers")];
        let mut transaction = client.transaction().unwrap();
        let lock = "select from tina4.job where queue = 'numbers' for update";
        transaction.query(lock, &[]).unwrap();
        thread::scope(|scope| {
            let engine = &engine;
            // They do not wait for each other either.
            let waiting = locked.map(|held| {
                scope.spawn(move || engine.turn(&[done(held)], &[], Timestamp::default()))
            });
            assert_eq!(engine.renew(&[free], LEASE, Timestamp::default()).unwrap(), []);
            let next = claim(engine, "digits");
            assert_eq!(engine.turn(&[done(next)], &[], Timestamp::default()).unwrap().stale, []);
            assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "nobody was delayed");
            if is_unlocked {
                transaction.rollback().unwrap();
            }
            for (held, waiting) in locked.into_iter().zip(waiting) {
                let turn = waiting.join().unwrap().unwrap();
                assert_eq!(turn.locked, if is_unlocked { vec![] } else { vec![held] });
                assert_eq!(turn.stale, []);
            }
        });
    }
    assert_eq!(engine.turn(&[done(free)], &[], Timestamp::default()).unwrap().stale, []);
    assert_eq!(left(&mut other), 2, "those that stayed locked");
}

/// The connection is cut when the engine asks again for the end whose job was locked.
#[test]
fn rule_137_a_turn_that_waited_for_a_lock_says_that_it_is_unknown_whether_its_end_was_made() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let held = claim(&engine, "numbers");
    engine.push(&[NewJob::new("letters", "2")], Timestamp::default()).unwrap();
    let want = || Want { queue: "letters", count: 1, lease: LEASE, policy: &RetryPolicy::DEFAULT };
    let (mut client, mut other) = (database.connect(), database.connect());
    let cut = "create function public.cut() returns trigger language plpgsql as
            'begin perform pg_terminate_backend(pg_backend_pid()); return old; end';
        create trigger cut before delete on tina4.job for each row execute function public.cut()";
    client.batch_execute(cut).unwrap();
    let mut transaction = client.transaction().unwrap();
    transaction.query("select from tina4.job where queue = 'numbers' for update", &[]).unwrap();
    thread::scope(|scope| {
        let ended = [done(held)];
        let engine = &engine;
        let turn = scope.spawn(move || engine.turn(&ended, &[want()], Timestamp::default()));
        let claimed = "select count(*) from tina4.job where queue = 'letters' and state = 2";
        while other.query_one(claimed, &[]).unwrap().get::<_, i64>(0) == 0 {}
        transaction.rollback().unwrap();
        let error = turn.join().unwrap().unwrap_err();
        assert!(!error.is_unchanged(), "{error:?}");
    });
    // The caller has not got the claim, so it is given back, with its attempt.
    client.batch_execute("drop trigger cut on tina4.job").unwrap();
    engine.turn(&[], &[], Timestamp::default()).unwrap();
    let turn = engine.turn(&[done(held)], &[want()], Timestamp::default()).unwrap();
    assert_eq!((&*turn.stale, turn.claims.len()), (&[][..], 1));
    assert_eq!(turn.claims[0].attempt, 1);
}

/// The end of the locked job is not done without its copy, or twice.
#[test]
fn rule_137_a_locked_job_that_leaves_a_copy_leaves_it_when_it_ends() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let jobs = [NewJob::new("numbers", "1"), NewJob::new("numbers", "2")];
    engine.push(&jobs, Timestamp::default()).unwrap();
    let claims = turn(&engine, 2, LEASE, &RetryPolicy::DEFAULT).claims;
    let ended: Vec<_> =
        claims.iter().map(|claim| Ended { held: claim.held, end: End::Kept }).collect();
    let (mut client, mut other) = (database.connect(), database.connect());
    let mut transaction = client.transaction().unwrap();
    let lock = "select from tina4.job where payload::text = '1' for update";
    assert_eq!(transaction.query(lock, &[]).unwrap().len(), 1);
    let limit = Duration::from_secs(60);
    let turn = engine.turn_within(limit, &ended, &[], Timestamp::default()).unwrap();
    assert_eq!((&*turn.locked, &*turn.stale), (&[ended[0].held][..], &[][..]));
    let copies = || -> Vec<String> {
        engine.done("numbers", None, 9).unwrap().into_iter().map(|done| done.payload).collect()
    };
    assert_eq!(copies(), ["2"]);
    assert_eq!(left(&mut other), 1);
    transaction.rollback().unwrap();
    let turn = engine.turn_within(limit, &ended[..1], &[], Timestamp::default()).unwrap();
    assert_eq!((&*turn.locked, &*turn.stale), (&[][..], &[][..]));
    assert_eq!(copies(), ["1", "2"]);
    assert_eq!(left(&mut other), 0);
}

#[test]
fn rule_132_more_lost_claims_than_a_turn_takes_are_taken_at_once() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let insert = "insert into tina4.job(queue, payload, state, owner, lease)
        select 'numbers', '1', 2, 'gone', now() from generate_series(1, 10001)";
    database.connect().batch_execute(insert).unwrap();
    let found = turn(&engine, 1, Duration::from_secs(60), &RetryPolicy::DEFAULT);
    assert_eq!((found.lost, found.next), (10_000, Some(Duration::ZERO)));
}

/// A job that is dead, and how many are left after each step.
fn dead(engine: &PostgresEngine) -> impl Fn() -> usize {
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    assert_eq!(turn(engine, 1, Duration::ZERO, &POLICY).claims.len(), 1);
    assert_eq!(turn(engine, 1, Duration::ZERO, &POLICY).dead.len(), 1);
    || engine.dead("numbers", None, 9).unwrap().len()
}

#[test]
fn the_age_of_a_dead_job_is_by_the_clock_of_the_server() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let left = dead(&engine);
    let next_century = Timestamp::from_millis(4_102_444_800_000);
    let hour = DeadSelection::OlderThan(Duration::from_secs(3600));
    assert_eq!(engine.purge("numbers", hour, next_century).unwrap(), 0);
    assert_eq!(left(), 1);
    let all = DeadSelection::OlderThan(Duration::ZERO);
    assert_eq!(engine.purge("numbers", all, Timestamp::default()).unwrap(), 1);
    assert_eq!(left(), 0);
}

#[test]
fn a_service_on_a_machine_with_a_wrong_clock_keeps_dead_jobs_as_long_as_it_is_told() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = database.open();
    let left = dead(&engine);
    let next_century = || Timestamp::from_millis(4_102_444_800_000);
    let queues = Queues::with_clock(database.open(), next_century);
    let settings = ConsumerSettings {
        queue: "numbers",
        concurrency: 1,
        lease: Duration::from_secs(60),
        policy: POLICY,
        poll: Duration::from_secs(1),
        keep_dead: Some(Duration::from_secs(3600)),
        keep_done: None,
        reports_dead: false,
    };
    Consumer::new(queues, settings).turn(Duration::ZERO, true).unwrap();
    assert_eq!(left(), 1);
}
