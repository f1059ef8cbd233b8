//! When queues have something to do.

use std::time::Duration;

use redis::cmd;
use tina4_service_queue::{Engine as _, NewJob, RetryPolicy, Timestamp, Want};
use tina4_service_redis::RedisEngine;

use crate::servers::{Space, pause};

const NOW: Timestamp = Timestamp::from_millis(0);

fn next_due(engine: &RedisEngine) -> Vec<Option<Duration>> {
    engine.next_due(&["empty", "numbers"], NOW).expect("the server answers")
}

/// Idle queues would cost a turn each if they were due.
#[test]
fn rule_8_a_queue_is_due_only_if_it_has_something_to_do() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    assert_eq!(next_due(&engine), [None, None]);
    let delay = Duration::from_secs(3600);
    engine.push(&[NewJob { delay, ..NewJob::new("numbers", "1") }], NOW).unwrap();
    let next = next_due(&engine)[1].expect("a job is delayed");
    assert!(next <= delay && next > delay - Duration::from_secs(60), "{next:?}");
    engine.push(&[NewJob::new("numbers", "2")], NOW).unwrap();
    let (lease, policy) = (Duration::from_secs(600), &RetryPolicy::DEFAULT);
    assert_eq!(next_due(&engine)[1], Some(Duration::ZERO));
    let want = Want { queue: "numbers", count: 1, lease, policy };
    assert_eq!(engine.turn(&[], &[want], NOW).unwrap().claims.len(), 1);
    let next = next_due(&engine)[1].expect("a lease ends");
    assert!(next <= lease && next > lease - Duration::from_secs(60), "{next:?}");
}

#[test]
fn rule_137_a_connection_that_was_lost_is_no_error_of_a_look() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    let mut other = space.connect();
    for _ in 0..3 {
        assert_eq!(next_due(&engine), [None, None]);
        // Until the connection counts as idle.
        pause(&mut other, 200);
        assert!(space.cut(&mut other) > 0, "it was connected");
    }
    assert_eq!(next_due(&engine), [None, None]);
}

/// As after a restart.
#[test]
fn rule_137_a_script_that_the_server_has_forgotten_is_no_error_of_a_look() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    let mut other = space.connect();
    for idle in [1, 200] {
        assert_eq!(next_due(&engine), [None, None]);
        cmd("SCRIPT").arg("FLUSH").exec(&mut other).unwrap();
        pause(&mut other, idle);
        assert_eq!(next_due(&engine), [None, None]);
    }
}
