//! Messages about jobs that other processes push.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use redis::cmd;
use tina4_service_queue::{Engine, NewJob, Timestamp};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::servers::Space;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn watch(engine: &RedisEngine) -> Receiver<String> {
    let (sender, woken) = channel();
    engine.watch(Box::new(move |queue| {
        // The test may have ended.
        let _ = sender.send(queue.to_owned());
    }));
    woken
}

/// Pushes jobs until one is heard of: the connection that listens may not be there yet.
fn assert_hears(woken: &Receiver<String>, other: &RedisEngine, queue: &str) {
    for _ in 0..300 {
        other.push(&[NewJob::new(queue, "1")], Timestamp::default()).expect("it succeeds");
        match woken.recv_timeout(PATIENCE / 300) {
            Ok(found) if found == queue => return,
            Ok(_) | Err(_) => continue,
        }
    }
    panic!("nothing was heard");
}

/// What is heard until a last push, without the queue `numbers`, of which [`assert_hears`] may have left some: messages
/// come in the order of the pushes.
fn heard(woken: &Receiver<String>, other: &RedisEngine) -> Vec<String> {
    other.push(&[NewJob::new("last", "1")], Timestamp::default()).expect("it succeeds");
    let all =
        std::iter::repeat_with(|| woken.recv_timeout(PATIENCE).expect("the last one is heard"));
    let until_last = all.take_while(|queue| queue != "last");
    until_last.filter(|queue| queue != "numbers").collect()
}

#[test]
fn a_push_of_another_process_wakes() {
    let Some(space) = Space::new() else { return };
    let (engine, other) = (space.open(), space.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other, "numbers");
    // Once the connection is there, no further push is needed.
    let jobs = [NewJob::new("a", "1"), NewJob::new("a", "2"), NewJob::new("b", "3")];
    other.push(&jobs, Timestamp::default()).unwrap();
    let mut queues = heard(&woken, &other);
    queues.sort();
    assert_eq!(queues, ["a", "b"], "once for each queue of a push");
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
}

#[test]
fn delayed_and_known_jobs_and_other_prefixes_wake_nobody() {
    let Some(space) = Space::new() else { return };
    let (engine, other) = (space.open(), space.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other, "numbers");
    let delayed = NewJob { delay: Duration::from_secs(9), ..NewJob::new("later", "1") };
    other.push(&[delayed], Timestamp::default()).unwrap();
    let elsewhere = Space::at(&space.address);
    elsewhere.open().push(&[NewJob::new("elsewhere", "1")], Timestamp::default()).unwrap();
    assert_eq!(heard(&woken, &other), [] as [String; 0]);
}

#[test]
fn a_connection_that_is_cut_listens_again() {
    let Some(space) = Space::new() else { return };
    let (engine, other) = (space.open(), space.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other, "numbers");
    drop(other);
    assert!(space.cut(&mut space.connect()) >= 1);
    assert_hears(&woken, &space.open(), "again");
}

#[test]
fn an_engine_that_only_polls_has_no_connection_for_messages() {
    let Some(space) = Space::new() else { return };
    let builder = RedisBuilder::new(&space.address).unwrap().prefix(&space.prefix);
    let engine = builder.poll_only().open().unwrap();
    let woken = watch(&engine);
    let mut connection = space.connect();
    engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).unwrap();
    let heard: usize =
        cmd("PUBLISH").arg(space.key("wake")).arg("numbers").query(&mut connection).unwrap();
    assert_eq!(heard, 0, "nobody listens");
    assert!(woken.try_recv().is_err());
}

#[test]
fn rule_138_a_user_who_may_not_listen_is_told_can_push_nevertheless_and_hears_once_allowed() {
    let Some(space) = Space::new() else { return };
    let mut connection = space.connect();
    let user = space.prefix.replace('-', "_");
    let keys = format!("~{}", space.key("*"));
    let mut set_user = cmd("ACL");
    set_user.arg("SETUSER").arg(&user).arg("on").arg(">p").arg(keys).arg("resetchannels");
    set_user.arg("+@all").exec(&mut connection).unwrap();
    let address = space.address.replace("redis://", &format!("redis://{user}:p@"));
    let engine = RedisBuilder::new(&address).unwrap().prefix(&space.prefix).open().unwrap();
    let woken = watch(&engine);
    let mut remarks = Vec::new();
    for _ in 0..300 {
        remarks = engine.check().unwrap();
        if !remarks.is_empty() {
            break;
        }
        std::thread::park_timeout(PATIENCE / 300);
    }
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].contains("found by polling"), "{remarks:?}");
    assert!(engine.push(&[NewJob::new("numbers", "1")], Timestamp::default()).is_ok());
    // Once it is allowed, it is tried again.
    let channel = format!("&{}", space.key("wake"));
    cmd("ACL").arg("SETUSER").arg(&user).arg(channel).exec(&mut connection).unwrap();
    assert_hears(&woken, &space.open(), "numbers");
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
    drop(engine);
    cmd("ACL").arg("DELUSER").arg(&user).exec(&mut connection).unwrap();
}
