//! More jobs than a script looks at in one call.

use std::collections::HashSet;
use std::time::Duration;

use redis::cmd;
use tina4_service_queue::{
    DeadSelection, End, Ended, Engine as _, NewJob, RetryPolicy, Timestamp, Turn, Want,
};
use tina4_service_redis::RedisEngine;

use crate::servers::{Space, pause};

const NOW: Timestamp = Timestamp::from_millis(0);

fn push(engine: &RedisEngine, count: usize, delay: Duration) {
    let job = NewJob { delay, ..NewJob::new("numbers", "1") };
    assert_eq!(engine.push(&vec![job; count], NOW).unwrap().len(), count);
}

fn claim(engine: &RedisEngine, lease: Duration) -> Turn {
    let want = Want { queue: "numbers", count: 5000, lease, policy: &RetryPolicy::DEFAULT };
    engine.turn(&[], &[want], NOW).unwrap()
}

fn kill(engine: &RedisEngine, turn: &Turn) {
    let dead = |held| Ended { held, end: End::Dead { error: "no".to_owned() } };
    let ended: Vec<_> = turn.claims.iter().map(|claim| dead(claim.held)).collect();
    assert_eq!(engine.turn(&ended, &[], NOW).unwrap().stale, []);
}

#[test]
fn rule_131_more_dead_jobs_than_a_page() {
    const COUNT: usize = 1203;
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    push(&engine, COUNT, Duration::ZERO);
    kill(&engine, &claim(&engine, Duration::from_secs(30)));
    let dead = engine.dead("numbers", None, 5000).unwrap();
    assert_eq!(dead.len(), COUNT);
    assert!(dead.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(engine.dead("numbers", None, 700).unwrap(), dead[..700]);
    assert_eq!(engine.dead("numbers", Some(dead[699].id), 700).unwrap(), dead[700..]);
    let early = DeadSelection::DiedBefore(dead[0].died_at);
    assert_eq!(engine.redrive("numbers", early, NOW).unwrap(), 0);
    assert_eq!(engine.redrive("numbers", DeadSelection::All, NOW).unwrap(), COUNT as u64);
    let again = claim(&engine, Duration::from_secs(30));
    assert_eq!(again.claims.len(), COUNT);
    kill(&engine, &again);
    assert_eq!(
        engine.purge("numbers", DeadSelection::One(dead[7].id), Timestamp::default()).unwrap(),
        1
    );
    assert_eq!(
        engine.purge("numbers", DeadSelection::All, Timestamp::default()).unwrap(),
        COUNT as u64 - 1
    );
    assert_eq!(engine.dead("numbers", None, 5000).unwrap(), []);
}

/// The second page cannot be read.
#[test]
fn rule_137_an_error_after_the_first_page_does_not_say_that_nothing_was_changed() {
    /// How many dead jobs a script looks at.
    const PAGE: usize = 500;
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    let mut connection = space.connect();
    let rows = space.key("dead-rows");
    for is_redrive in [false, true] {
        let call = || {
            let (queue, all) = ("numbers", DeadSelection::All);
            if is_redrive { engine.redrive(queue, all, NOW) } else { engine.purge(queue, all, NOW) }
        };
        push(&engine, PAGE + 5, Duration::ZERO);
        kill(&engine, &claim(&engine, Duration::from_secs(30)));
        let mut ids: Vec<String> = cmd("HKEYS").arg(&rows).query(&mut connection).unwrap();
        ids.sort();
        let id = &ids[PAGE];
        let row: Vec<u8> = cmd("HGET").arg(&rows).arg(id).query(&mut connection).unwrap();
        cmd("HSET").arg(&rows).arg(id).arg("no row").exec(&mut connection).unwrap();
        for changes in [true, false] {
            let error = call().unwrap_err();
            assert_eq!(error.is_unchanged(), !changes, "{error:?}");
            assert_eq!(engine.backlog("numbers", NOW).unwrap().dead, 5);
        }
        cmd("HSET").arg(&rows).arg(id).arg(row).exec(&mut connection).unwrap();
        assert_eq!(engine.purge("numbers", DeadSelection::All, NOW).unwrap(), 5);
        // Those that were put back.
        claim(&engine, Duration::from_secs(30));
    }
}

#[test]
fn rule_131_a_flood_of_due_and_lost_jobs_takes_several_turns() {
    // A lease that ends during the turns of the first time was too short for the machine.
    assert!([2, 10, 40].into_iter().any(flood));
}

/// Claims all jobs twice, the second time because all leases have ended, which last so many seconds. `false`: one of
/// them has ended before.
fn flood(lease: u64) -> bool {
    const COUNT: usize = 2500;
    let Some(space) = Space::new() else { return true };
    let engine = space.open();
    let mut connection = space.connect();
    push(&engine, COUNT, Duration::from_millis(1));
    pause(&mut connection, 10);
    for expected_attempt in 1..=2 {
        // The second time, all claims of the first time are lost.
        let seconds = if expected_attempt == 1 { lease } else { 600 };
        let mut ids = HashSet::new();
        let mut turns = 0;
        while ids.len() < COUNT {
            let turn = claim(&engine, Duration::from_secs(seconds));
            assert!(!turn.claims.is_empty(), "{} of them, then none", ids.len());
            ids.extend(turn.claims.iter().map(|claim| claim.held.id));
            turns += 1;
            if turns == 1 {
                assert_eq!(turn.next, Some(Duration::ZERO), "there are more");
                assert_eq!(turn.claims.len(), 1000);
            }
            if expected_attempt == 1 && turn.lost > 0 {
                return false;
            }
            assert!(turn.claims.iter().all(|claim| claim.attempt == expected_attempt));
        }
        assert_eq!(turns, 3);
        if expected_attempt == 1 {
            pause(&mut connection, lease * 1000 + 100);
        }
    }
    true
}
