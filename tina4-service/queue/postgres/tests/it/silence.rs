//! Servers that do not answer, and tables that somebody has locked.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tina4_service_postgres::{PostgresBuilder, PostgresEngine};
use tina4_service_queue::contract::{Proxy, Silence};
use tina4_service_queue::{
    DeadSelection, End, Ended, Engine as _, EngineError, Held, NewJob, RetryPolicy, Timestamp,
    Unique, Want,
};

use crate::servers::{Database, Via};

/// A database behind a proxy.
fn proxied(database: &Database) -> (Proxy, PostgresBuilder) {
    let (_, server) = database.direct.split_once('@').expect("a user");
    let (server, name) = server.split_once('/').expect("a database");
    let proxy = Proxy::to(server).unwrap();
    let address = format!("postgres://postgres@{}/{name}", proxy.address());
    (proxy, PostgresBuilder::new(&address).unwrap())
}

fn want() -> Want<'static> {
    let policy = &RetryPolicy::DEFAULT;
    Want { queue: "numbers", count: 1, lease: Duration::from_secs(60), policy }
}

fn push(engine: &PostgresEngine, unique: Option<Unique<'_>>) -> Result<(), EngineError> {
    let job = NewJob { unique, ..NewJob::new("numbers", "1") };
    engine.push(&[job], Timestamp::default()).map(drop)
}

type Call = fn(&PostgresEngine) -> Result<(), EngineError>;

type LimitedCall = fn(&PostgresEngine, Duration, Held) -> Result<(), EngineError>;

/// One for each connection, and one that does without the check of an idle connection.
const CALLS: [Call; 5] = [
    |engine| push(engine, None),
    |engine| push(engine, Some(Unique { key: "k", window: None })),
    |engine| engine.turn(&[], &[want()], Timestamp::default()).map(drop),
    |engine| engine.backlog("numbers", Timestamp::default()).map(drop),
    |engine| engine.next_due(&["numbers"], Timestamp::default()).map(drop),
];

#[test]
fn rule_137_a_call_ends_when_the_server_does_not_answer() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    let limit = Duration::from_secs(2);
    Silence::new(&proxy, builder.timeout(limit).open().unwrap()).assert_calls_end(limit);
}

/// Jobs that are claimed for a caller that has left are given back, with their attempts.
#[test]
fn rule_137_a_call_is_not_longer_than_its_caller_waits() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    let engine = Arc::new(builder.timeout(Duration::from_secs(600)).open().unwrap());
    let limit = Duration::from_millis(200);
    for _ in 0..2 {
        push(&engine, None).unwrap();
    }
    let held = engine.turn(&[], &[want()], Timestamp::default()).unwrap().claims[0].held;
    proxy.freeze();
    let calls: [LimitedCall; 6] = [
        |engine, limit, _| {
            engine.turn_within(limit, &[], &[want()], Timestamp::default()).map(drop)
        },
        |engine, limit, _| {
            engine.next_due_within(limit, &["numbers"], Timestamp::default()).map(drop)
        },
        // The next two are not sent, because the first one still waits for its answer.
        |engine, limit, held| {
            let ended = Ended { held, end: End::Done };
            engine.turn_within(limit, &[ended], &[], Timestamp::default()).map(drop)
        },
        |engine, limit, held| {
            let lease = Duration::from_secs(60);
            engine.renew_within(limit, &[held], lease, Timestamp::default()).map(drop)
        },
        |engine, limit, _| {
            let all = DeadSelection::OlderThan(Duration::ZERO);
            engine.purge_within(limit, "numbers", all, Timestamp::default()).map(drop)
        },
        |engine, limit, _| {
            let now = Timestamp::default();
            engine.purge_done_within(limit, "numbers", Duration::ZERO, now).map(drop)
        },
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let engine = Arc::clone(&engine);
        let error = Silence::ends(move || call(&engine, limit, held)).unwrap_err();
        assert!(number > 3 || error.is_unchanged() == (number >= 2), "{error:?}");
        let error = error.to_string();
        assert!(error.contains("has not answered within 200ms (see whether"), "{error}");
    }
    proxy.thaw();
    let held = [Ended { held, end: End::Done }];
    assert_eq!(engine.turn(&held, &[], Timestamp::default()).unwrap().stale, []);
    let claims = engine.turn(&[], &[want()], Timestamp::default()).unwrap().claims;
    assert_eq!(claims.iter().map(|claim| claim.attempt).collect::<Vec<_>>(), [1]);
}

/// A connection that was idle is checked for a second, not for the whole trip, so that there is time for a new one: it
/// may be dead although nobody has closed it.
#[test]
fn rule_137_an_idle_connection_that_is_dead_is_replaced_within_the_trip() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    // The usual limit is longer than this test.
    let engine = builder.timeout(Duration::from_secs(600)).open().unwrap();
    Silence::new(&proxy, engine).assert_dead_connections_are_replaced();
}

#[test]
fn a_limit_that_is_no_limit_is_no_error() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    Silence::new(&proxy, builder.timeout(Duration::MAX).open().unwrap()).assert_works();
}

#[test]
fn an_engine_whose_server_does_not_answer_is_dropped_at_once() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    // The usual limit is longer than this test.
    let silence = Silence::new(&proxy, builder.timeout(Duration::from_secs(600)).open().unwrap());
    silence.assert_works();
    silence.assert_drop_ends();
}

/// When the engine is dropped, the notification after a push is in progress.
#[test]
fn an_engine_that_is_dropped_does_not_wait_for_the_server() {
    let Some(database) = Database::new(Via::Server) else { return };
    let builder = PostgresBuilder::new(&database.address).unwrap();
    let engine = builder.timeout(Duration::from_secs(600)).open().unwrap();
    let slow = "create or replace function tina4.notify(queue text) returns void language sql
        as 'select pg_sleep(600)'";
    let mut other = database.connect();
    other.batch_execute(slow).unwrap();
    push(&engine, None).unwrap();
    let notifying = "select count(*) from pg_stat_activity
        where datname = current_database() and state = 'active' and query like '%notify(x.queue)%'
        and pid <> pg_backend_pid()";
    while other.query_one(notifying, &[]).unwrap().get::<_, i64>(0) == 0 {}
    Silence::ends(move || drop(engine));
}

/// The server itself ends the wait, so that it does not do later what nobody waits for any more.
#[test]
fn rule_137_a_call_ends_when_a_table_is_locked() {
    let Some(database) = Database::new(Via::Server) else { return };
    let engine = Arc::new(database.open());
    for call in CALLS {
        call(&engine).unwrap();
    }
    let mut other = database.connect();
    let mut transaction = other.transaction().unwrap();
    transaction.batch_execute("lock table tina4.job, tina4.dead in access exclusive mode").unwrap();
    thread::scope(|scope| {
        for call in CALLS {
            let engine = Arc::clone(&engine);
            scope.spawn(move || {
                let error = Silence::ends(move || call(&engine)).unwrap_err().to_string();
                assert!(error.contains("lock timeout (another transaction has locked"), "{error}");
            });
        }
    });
    let waiting =
        "select count(*) from pg_locks where not granted and relation = 'tina4.job'::regclass";
    assert_eq!(transaction.query_one(waiting, &[]).unwrap().get::<_, i64>(0), 0);
    transaction.rollback().unwrap();
    for call in CALLS {
        call(&engine).expect("it works again");
    }
}

/// When the claim is to be given back whose caller has left, another transaction has locked its job. Nobody calls the engine
/// after that.
#[test]
fn rule_132_a_claim_of_a_caller_that_has_left_is_given_back_when_its_job_is_not_locked_any_more() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    let engine = builder.timeout(Duration::from_secs(600)).open().unwrap();
    push(&engine, None).unwrap();
    let (mut other, mut observer) = (database.connect(), database.connect());
    let mut state = move || -> (i16, i32) {
        let row = observer.query_one("select state, attempt from tina4.job", &[]).unwrap();
        (row.get(0), row.get(1))
    };
    let (claimed, ready) = ((2, 1), (0, 0));
    loop {
        // A connection that was just used is not checked first.
        engine.turn(&[], &[], Timestamp::default()).unwrap();
        proxy.mute();
        let limit = Duration::from_secs(1);
        thread::scope(|scope| {
            let leaves = scope.spawn(|| {
                engine.turn_within(limit, &[], &[want()], Timestamp::default()).unwrap_err()
            });
            while state() != claimed && !leaves.is_finished() {}
        });
        if state() == claimed {
            break;
        }
        // The machine was too slow.
        proxy.thaw();
    }
    let mut transaction = other.transaction().unwrap();
    transaction.execute("select from tina4.job for update", &[]).unwrap();
    proxy.thaw();
    // The claim is given back by this trip, or by the next one.
    engine.turn(&[], &[], Timestamp::default()).unwrap();
    engine.turn(&[], &[], Timestamp::default()).unwrap();
    assert_eq!(state(), claimed, "it is locked");
    transaction.rollback().unwrap();
    Silence::ends(move || while state() != ready {});
}

/// The server has claimed jobs, and the connection is cut before its answer arrives.
#[test]
fn rule_131_claims_whose_answer_was_lost_are_given_back_with_their_attempts() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (proxy, builder) = proxied(&database);
    let engine = builder.open().unwrap();
    let mut other = database.connect();
    let mut claimed = move || -> i64 {
        other.query_one("select count(*) from tina4.job where state = 2", &[]).unwrap().get(0)
    };
    for _ in 0..3 {
        push(&engine, None).unwrap();
    }
    let turn = || engine.turn(&[], &[want()], Timestamp::default());
    let held = turn().unwrap().claims[0].held;
    proxy.mute();
    thread::scope(|scope| {
        let lost = scope.spawn(turn);
        while claimed() < 2 {}
        proxy.cut();
        let error = lost.join().unwrap().unwrap_err();
        assert!(!error.is_unchanged(), "{error:?}");
    });
    proxy.thaw();
    // The next turn gives it back, and may claim it itself. The one that was received stays.
    let attempts: Vec<_> = (0..2).map(|_| turn().unwrap().claims[0].attempt).collect();
    assert_eq!(attempts, [1, 1]);
    assert_eq!(claimed(), 3);
    let ended = [Ended { held, end: End::Done }];
    assert_eq!(engine.turn(&ended, &[], Timestamp::default()).unwrap().stale, []);
}
