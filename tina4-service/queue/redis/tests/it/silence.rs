//! Servers that do not answer, and clocks of machines that are wrong.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tina4_service_queue::contract::Proxy;
use tina4_service_queue::{
    DeadSelection, End, Ended, Engine as _, EngineError, Held, NewJob, RetryPolicy, Timestamp,
    Turn, Want, engine_parts,
};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::servers::Space;

/// Within which a call must end that has less time than this: for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does something that must end soon.
fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, ended) = channel();
    let work = move || drop(sender.send(work()));
    engine_parts::spawn("test", work).expect("there are threads");
    ended.recv_timeout(PATIENCE).expect("it ends in time")
}

fn turn(engine: &RedisEngine, lease: Duration, policy: &RetryPolicy) -> Result<Turn, EngineError> {
    let want = Want { queue: "numbers", count: 1, lease, policy };
    engine.turn(&[], &[want], Timestamp::default())
}

type Call = fn(&RedisEngine) -> Result<(), EngineError>;

type LimitedCall = fn(&RedisEngine, Duration, Held) -> Result<(), EngineError>;

/// One for each connection, and one that does without the check of an idle connection.
const CALLS: [Call; 4] = [
    |engine| engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).map(drop),
    |engine| turn(engine, Duration::from_secs(60), &RetryPolicy::DEFAULT).map(drop),
    |engine| engine.backlog("numbers", Timestamp::default()).map(drop),
    |engine| engine.next_due(&["numbers"], Timestamp::default()).map(drop),
];

#[test]
fn rule_137_a_call_is_not_longer_than_its_caller_waits() {
    let Some(space) = Space::new() else { return };
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let builder = RedisBuilder::new(&format!("redis://{}/", proxy.address())).unwrap();
    let builder = builder.prefix(&space.prefix).timeout(Duration::from_secs(600));
    let engine = Arc::new(builder.open().unwrap());
    let (lease, policy) = (Duration::from_secs(60), RetryPolicy::DEFAULT);
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    let held = turn(&engine, lease, &policy).unwrap().claims[0].held;
    let limit = Duration::from_millis(200);
    proxy.freeze();
    // On a connection that is there, and on a new one.
    let calls: [LimitedCall; 6] = [
        |engine, limit, held| {
            let ended = Ended { held, end: End::Back };
            engine.turn_within(limit, &[ended], &[], Timestamp::default()).map(drop)
        },
        |engine, limit, held| {
            let lease = Duration::from_secs(60);
            engine.renew_within(limit, &[held], lease, Timestamp::default()).map(drop)
        },
        |engine, limit, held| {
            let ended = Ended { held, end: End::Back };
            engine.turn_within(limit, &[ended], &[], Timestamp::default()).map(drop)
        },
        |engine, limit, _| {
            engine.next_due_within(limit, &["numbers"], Timestamp::default()).map(drop)
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
    for call in calls {
        let engine = Arc::clone(&engine);
        let error = within(move || call(&engine, limit, held));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("has not answered within 200ms (see whether"), "{error}");
    }
    proxy.thaw();
    turn(&engine, lease, &policy).expect("it works again");
}

#[test]
fn rule_137_a_call_ends_when_the_server_does_not_answer() {
    let Some(space) = Space::new() else { return };
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let builder = RedisBuilder::new(&format!("redis://{}/", proxy.address())).unwrap();
    let builder = builder.prefix(&space.prefix).timeout(Duration::from_secs(2));
    let engine = Arc::new(builder.open().unwrap());
    engine.watch(Box::new(|_| {}));
    for call in CALLS {
        call(&engine).unwrap();
    }
    proxy.freeze();
    // On connections that are there, and on new ones.
    for _ in 0..2 {
        thread::scope(|scope| {
            for call in CALLS {
                let engine = Arc::clone(&engine);
                scope.spawn(move || {
                    let error = within(move || call(&engine)).unwrap_err().to_string();
                    assert!(error.contains("has not answered within 2s (see whether"), "{error}");
                });
            }
        });
    }
    proxy.thaw();
    for call in CALLS {
        call(&engine).expect("it works again");
    }
    proxy.freeze();
    within(move || drop(engine));
}

/// A connection that was idle is checked for a second, not for the whole trip, so that there is time for a new one: it
/// may be dead although nobody has closed it.
#[test]
fn rule_137_an_idle_connection_that_is_dead_is_replaced_within_the_trip() {
    let Some(space) = Space::new() else { return };
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let builder = RedisBuilder::new(&format!("redis://{}/", proxy.address())).unwrap();
    let builder = builder.prefix(&space.prefix);
    // The usual limit is longer than this test.
    let engine = Arc::new(builder.timeout(Duration::from_secs(600)).open().unwrap());
    for call in CALLS {
        call(&engine).unwrap();
    }
    // Many times as long as after what a connection counts as idle.
    let (_open, nothing) = channel::<()>();
    assert!(nothing.recv_timeout(Duration::from_secs(1)).is_err());
    proxy.abandon();
    thread::scope(|scope| {
        for call in CALLS {
            let engine = Arc::clone(&engine);
            scope.spawn(move || {
                let result = within(move || call(&engine));
                result.expect("it works on a new connection");
            });
        }
    });
}

#[test]
fn a_limit_that_is_no_limit_is_no_error() {
    let Some(space) = Space::new() else { return };
    let builder = RedisBuilder::new(&space.address).unwrap().prefix(&space.prefix);
    let engine = builder.timeout(Duration::MAX).open().unwrap();
    for call in CALLS {
        call(&engine).unwrap();
    }
}

#[test]
fn the_age_of_a_dead_job_is_by_the_clock_of_the_server() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    let policy = RetryPolicy { attempts: 1, ..RetryPolicy::DEFAULT };
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    assert_eq!(turn(&engine, Duration::ZERO, &policy).unwrap().claims.len(), 1);
    assert_eq!(turn(&engine, Duration::ZERO, &policy).unwrap().dead.len(), 1);
    let next_century = Timestamp::from_millis(4_102_444_800_000);
    let hour = DeadSelection::OlderThan(Duration::from_secs(3600));
    assert_eq!(engine.purge("numbers", hour, next_century).unwrap(), 0);
    let all = DeadSelection::OlderThan(Duration::ZERO);
    assert_eq!(engine.purge("numbers", all, Timestamp::default()).unwrap(), 1);
}

/// The server has claimed jobs, and the connection is cut before its answer arrives.
#[test]
fn rule_131_claims_whose_answer_was_lost_are_given_back_with_their_attempts() {
    let Some(space) = Space::new() else { return };
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let builder = RedisBuilder::new(&format!("redis://{}/", proxy.address())).unwrap();
    let engine = builder.prefix(&space.prefix).open().unwrap();
    let other = space.open();
    let claimed = || other.backlog("numbers", Timestamp::default()).unwrap().claimed;
    let jobs = [NewJob::new("numbers", "1"); 3];
    engine.push(&jobs, Timestamp::default()).unwrap();
    let turn = || turn(&engine, Duration::from_secs(60), &RetryPolicy::DEFAULT);
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
