//! States and settings of a server, for a test that has it for itself.

use redis::{Connection, cmd};
use tina4_service_queue::{Engine, NewJob, Queue, Queues, Timestamp};
use tina4_service_redis::RedisEngine;

use crate::servers::Space;

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// A server without memory stores no part of a push, and lets jobs be finished.
pub(crate) fn run_out_of_memory(space: &Space) {
    let numbers = NUMBERS.on(&Queues::new(space.open()));
    let engine = space.open();
    let mut connection = space.connect();
    for number in 0..3 {
        numbers.push(&number).unwrap();
    }
    let jobs: Vec<_> = std::iter::from_fn(|| numbers.pop().unwrap()).take(2).collect();
    let set = |connection: &mut Connection, limit: u32| {
        cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).exec(connection).unwrap();
    };
    set(&mut connection, 1);
    let refused = engine
        .push(&[NewJob::new("numbers", "8"), NewJob::new("numbers", "9")], Timestamp::default());
    let text = refused.unwrap_err().to_string();
    let mut jobs = jobs.into_iter();
    let done = jobs.next().unwrap().complete();
    let released = jobs.next().unwrap().release();
    let popped = numbers.pop();
    set(&mut connection, 0);
    assert!(text.contains("OOM"), "{text}");
    done.unwrap();
    released.unwrap();
    popped.unwrap().expect("it was given back").complete().unwrap();
    assert_eq!(numbers.stats().unwrap().backlog.ready, 1);
    assert_eq!(engine.push(&[NewJob::new("numbers", "8")], Timestamp::default()).unwrap().len(), 1);
}

/// After a failover, the old primary is a replica for a while.
pub(crate) fn run_as_a_replica(space: &Space) {
    let engine = space.open();
    let mut connection = space.connect();
    let push =
        |payload: &str| engine.push(&[NewJob::new("numbers", payload)], Timestamp::default());
    push("1").unwrap();
    let replicate = |connection: &mut Connection, host: &str, port: &str| {
        cmd("REPLICAOF").arg(host).arg(port).exec(connection).unwrap();
    };
    replicate(&mut connection, "127.0.0.1", "1");
    let (pushed, checked) = (push("2"), engine.check());
    let opened = RedisEngine::open(&space.address);
    replicate(&mut connection, "no", "one");
    let text = pushed.unwrap_err().to_string();
    assert!(text.contains("READONLY") || text.contains("read only"), "{text}");
    for refused in [checked.unwrap_err(), opened.unwrap_err()] {
        assert!(refused.to_string().ends_with("connect to the primary"), "{refused}");
    }
    push("3").unwrap();
    let backlog = engine.backlog("numbers", Timestamp::default()).unwrap();
    assert_eq!(backlog.ready, 2, "the second push has stored nothing");
}

/// A server that deletes keys when memory is short, or does not sync each write.
pub(crate) fn run_with_other_settings(space: &Space) {
    let engine = space.open();
    let mut connection = space.connect();
    let set = |connection: &mut Connection, name: &str, value: &str| {
        cmd("CONFIG").arg("SET").arg(name).arg(value).exec(connection).unwrap();
    };
    set(&mut connection, "appendfsync", "everysec");
    let lazy = engine.check();
    set(&mut connection, "appendfsync", "always");
    set(&mut connection, "maxmemory", "1000000000");
    set(&mut connection, "maxmemory-policy", "allkeys-lru");
    let evicting = engine.check();
    set(&mut connection, "maxmemory-policy", "noeviction");
    set(&mut connection, "maxmemory", "0");
    let lazy = lazy.unwrap();
    assert_eq!(lazy.len(), 1);
    assert!(lazy[0].contains("`appendfsync everysec`"), "{lazy:?}");
    let text = evicting.unwrap_err().to_string();
    assert!(text.contains("`maxmemory-policy allkeys-lru`"), "{text}");
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
}
