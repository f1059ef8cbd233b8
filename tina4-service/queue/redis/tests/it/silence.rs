//! Servers that do not answer, and clocks of machines that are wrong.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tina4_service_queue::contract::{Proxy, Silence};
use tina4_service_queue::{
    DeadSelection, End, Ended, Engine as _, EngineError, Held, NewJob, RetryPolicy, Timestamp,
    Turn, Want,
};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::servers::Space;

/// A prefix behind a proxy.
fn proxied(space: &Space) -> (Proxy, RedisBuilder) {
    let server = space.address.strip_prefix("redis://").expect("an address").trim_end_matches('/');
    let proxy = Proxy::to(server).unwrap();
    let builder = RedisBuilder::new(&format!("redis://{}/", proxy.address())).unwrap();
    (proxy, builder.prefix(&space.prefix))
}

fn turn(engine: &RedisEngine, lease: Duration, policy: &RetryPolicy) -> Result<Turn, EngineError> {
    let want = Want { queue: "numbers", count: 1, lease, policy };
    engine.turn(&[], &[want], Timestamp::default())
}

type LimitedCall = fn(&RedisEngine, Duration, Held) -> Result<(), EngineError>;

#[test]
fn rule_137_a_call_is_not_longer_than_its_caller_waits() {
    let Some(space) = Space::new() else { return };
    let (proxy, builder) = proxied(&space);
    let engine = Arc::new(builder.timeout(Duration::from_secs(600)).open().unwrap());
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
        let error = Silence::ends(move || call(&engine, limit, held));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("has not answered within 200ms (see whether"), "{error}");
    }
    proxy.thaw();
    turn(&engine, lease, &policy).expect("it works again");
}

#[test]
fn rule_137_a_call_ends_when_the_server_does_not_answer() {
    let Some(space) = Space::new() else { return };
    let (proxy, builder) = proxied(&space);
    let limit = Duration::from_secs(2);
    Silence::new(&proxy, builder.timeout(limit).open().unwrap()).assert_calls_end(limit);
}

/// A connection that was idle is checked for a second, not for the whole trip, so that there is time for a new one: it
/// may be dead although nobody has closed it.
#[test]
fn rule_137_an_idle_connection_that_is_dead_is_replaced_within_the_trip() {
    let Some(space) = Space::new() else { return };
    let (proxy, builder) = proxied(&space);
    // The usual limit is longer than this test.
    let engine = builder.timeout(Duration::from_secs(600)).open().unwrap();
    Silence::new(&proxy, engine).assert_dead_connections_are_replaced();
}

#[test]
fn a_limit_that_is_no_limit_is_no_error() {
    let Some(space) = Space::new() else { return };
    let (proxy, builder) = proxied(&space);
    Silence::new(&proxy, builder.timeout(Duration::MAX).open().unwrap()).assert_works();
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
    let (proxy, builder) = proxied(&space);
    let engine = builder.open().unwrap();
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
