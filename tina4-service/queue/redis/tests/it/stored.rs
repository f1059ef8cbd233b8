//! What is in the server: nothing is left behind, and numbers survive a server that has lost its last writes.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use redis::{Connection, cmd};
use tina4_service_queue::{
    BoundQueue, Cancelled, DeadSelection, FinishError, Pop, Push, Queue, Queues, Reject,
};

use crate::servers::{Space, pause};

const NUMBERS: Queue<u32> = Queue::new("numbers");

fn numbers(space: &Space) -> BoundQueue<u32> {
    NUMBERS.on(&Queues::new(space.open()))
}

#[test]
fn jobs_that_are_done_purged_or_cancelled_leave_only_the_counter_and_the_version() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    for number in 0..5 {
        let options = Push::new().unique(format!("key-{number}")).priority(number);
        numbers.push_with(&7, &options).unwrap();
    }
    let delayed = Push::new().delay(Duration::from_secs(60)).unique("delayed");
    let mut waiting = vec![numbers.push_with(&8, &delayed).unwrap().id()];
    let jobs: Vec<_> = std::iter::from_fn(|| numbers.pop().unwrap()).collect();
    assert_eq!(jobs.len(), 5);
    for (n, job) in jobs.into_iter().enumerate() {
        match n {
            0 | 1 => job.complete().unwrap(),
            2 => drop(job.fail(Reject::new("no")).unwrap()),
            3 => job.release().unwrap(),
            _ => {
                waiting.push(job.id());
                job.fail("again").unwrap();
            }
        }
    }
    numbers.pop().unwrap().expect("one was given back").complete().unwrap();
    assert_eq!(numbers.purge(DeadSelection::All).unwrap(), 1);
    for id in waiting {
        assert_eq!(numbers.cancel(id).unwrap(), Cancelled::Deleted);
    }
    let mut left = space.keys(&mut space.connect());
    left.sort();
    assert_eq!(left, [space.key("id"), space.key("version")]);
}

#[test]
fn copies_of_done_jobs_that_are_deleted_leave_nothing() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    let before = space.keys(&mut space.connect()).len();
    for number in 0..3 {
        numbers.push_with(&number, &Push::new().unique(format!("key-{number}"))).unwrap();
        let job = numbers.pop_with(&Pop::new().keep_done()).unwrap().expect("it was pushed");
        job.complete().unwrap();
    }
    assert_eq!(numbers.done(None, 9).unwrap().len(), 3);
    let mut left = space.keys(&mut space.connect());
    left.sort();
    let names = ["done", "done-at", "done-rows", "id", "payloads", "version"];
    assert_eq!(left, names.map(|name| space.key(name)));
    assert_eq!(numbers.purge_done(Duration::ZERO).unwrap(), 3);
    assert_eq!(before, 1, "the version");
    assert_eq!(space.keys(&mut space.connect()).len(), 2, "and the counter");
}

/// Only the list of its owner, which ends by itself.
#[test]
fn the_list_of_an_owner_that_is_gone_ends_by_itself() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    let mut connection = space.connect();
    numbers.push(&1).unwrap();
    let job = numbers.pop_with(&Pop::new().lease(Duration::from_secs(20))).unwrap();
    let owner = space.keys(&mut connection).into_iter().find(|key| key.contains(":owner:"));
    let ttl: i64 = cmd("PTTL").arg(owner.expect("it is there")).query(&mut connection).unwrap();
    assert!((3_600_000..=3_620_000).contains(&ttl), "{ttl} ms");
    job.expect("it was pushed").complete().unwrap();
}

#[test]
fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    let mut connection = space.connect();
    for number in 0..3 {
        cmd("SCRIPT").arg("FLUSH").exec(&mut connection).unwrap();
        numbers.push(&number).unwrap();
        let job = numbers.pop().unwrap().expect("it was pushed");
        assert_eq!(*job, number);
        job.complete().unwrap();
    }
}

#[test]
fn rule_132_a_finish_after_the_lease_is_refused_by_the_clock_of_the_server() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    numbers.push(&1).unwrap();
    let late = numbers.pop_with(&Pop::new().lease(Duration::from_millis(20))).unwrap();
    pause(&mut space.connect(), 40);
    let refused = late.expect("it was pushed").complete();
    assert!(matches!(refused, Err(FinishError::Stale { queue: "numbers", .. })), "{refused:?}");
    let job = numbers.pop().unwrap().expect("it is back");
    assert_eq!(job.attempt(), 2);
    job.complete().unwrap();
    let counters = numbers.stats().unwrap().counters;
    assert_eq!((counters.done, counters.stale, counters.lost), (1, 1, 1));
}

/// With `appendfsync everysec`, a power cut can undo a claim while its process goes on. Here: a copy of all keys.
#[test]
fn rule_132_a_claim_that_the_server_has_forgotten_is_not_mistaken_for_the_next_one() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    let mut connection = space.connect();
    numbers.push(&1).unwrap();
    let keys = space.keys(&mut connection);
    let dump = |connection: &mut Connection, key: &String| -> Vec<u8> {
        cmd("DUMP").arg(key).query(connection).unwrap()
    };
    let dumps: Vec<_> = keys.iter().map(|key| dump(&mut connection, key)).collect();
    let forgotten = numbers.pop().unwrap().expect("it was pushed");
    let second = numbers.push(&2).unwrap().id();
    cmd("DEL").arg(space.keys(&mut connection)).exec(&mut connection).unwrap();
    for (key, dump) in keys.iter().zip(dumps) {
        cmd("RESTORE").arg(key).arg(0).arg(dump).exec(&mut connection).unwrap();
    }
    let job = numbers.pop().unwrap().expect("it is ready");
    assert_eq!(job.id(), forgotten.id());
    assert!(job.fence() > forgotten.fence());
    let refused = forgotten.complete();
    assert!(matches!(refused, Err(FinishError::Stale { .. })), "{refused:?}");
    job.complete().unwrap();
    let next = numbers.push(&3).unwrap().id();
    assert!(next > second, "the id of a job that is lost is not used again");
}

/// Of what several threads ask for at once, each gets its own.
#[test]
fn rule_132_turns_that_wait_together_get_what_they_asked_for() {
    let Some(space) = Space::new() else { return };
    let numbers = numbers(&space);
    for number in 0..400 {
        numbers.push(&number).unwrap();
    }
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
