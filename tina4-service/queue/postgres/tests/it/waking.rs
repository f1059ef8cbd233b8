//! Notifications of jobs that other processes push.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tina4_service_postgres::{PostgresBuilder, PostgresEngine};
use tina4_service_queue::contract::Proxy;
use tina4_service_queue::{Engine as _, NewJob, Timestamp};

use crate::servers::{Database, Via};

/// Long enough for a busy machine, and for the search whether notifications arrive.
const PATIENCE: Duration = Duration::from_secs(30);

fn watch(engine: &PostgresEngine) -> Receiver<String> {
    let (sender, woken) = channel();
    engine.watch(Box::new(move |queue| {
        // The test may have ended.
        let _ = sender.send(queue.to_owned());
    }));
    woken
}

/// Waits until the check has a remark.
fn wait_until_deaf(engine: &PostgresEngine, woken: &Receiver<String>) -> Vec<String> {
    for _ in 0..300 {
        let remarks = engine.check().unwrap();
        if !remarks.is_empty() {
            return remarks;
        }
        let _ = woken.recv_timeout(PATIENCE / 300);
    }
    panic!("no remark");
}

/// Pushes jobs until one is heard of: the connection that listens may not be there yet.
fn assert_hears(woken: &Receiver<String>, other: &PostgresEngine) {
    for _ in 0..300 {
        other.push(&[NewJob::new("numbers", "1")], Timestamp::default()).expect("it succeeds");
        match woken.recv_timeout(PATIENCE / 300) {
            Ok(queue) => return assert_eq!(queue, "numbers"),
            Err(_) => continue,
        }
    }
    panic!("nothing was heard");
}

#[test]
fn a_push_of_another_process_wakes() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (engine, other) = (database.open(), database.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other);
    // Once the connection is there, no further push is needed.
    let mut client = database.connect();
    let mut transaction = client.transaction().unwrap();
    transaction.execute("select tina4.push('sql', '1'), tina4.push('sql', '2')", &[]).unwrap();
    assert!(woken.try_iter().all(|queue| queue == "numbers"), "not before the commit");
    transaction.commit().unwrap();
    client.execute("select tina4.push('last', '1')", &[]).unwrap();
    // Notifications come in the order of the commits.
    let all =
        std::iter::repeat_with(|| woken.recv_timeout(PATIENCE).expect("the last one is heard"));
    let until_last = all.take_while(|queue| queue != "last");
    let heard: Vec<_> = until_last.filter(|queue| queue != "numbers").collect();
    assert_eq!(heard, ["sql"], "once for each transaction");
}

#[test]
fn delayed_jobs_and_databases_without_notifications_wake_nobody() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (engine, other) = (database.open(), database.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other);
    let delayed = NewJob { delay: Duration::from_secs(9), ..NewJob::new("later", "1") };
    other.push(&[delayed], Timestamp::default()).unwrap();
    let name = &database.name;
    let off = format!("alter database {name} set tina4.notify = 'off'");
    database.connect().batch_execute(&off).unwrap();
    // A new session has the new setting.
    database.open().push(&[NewJob::new("silent", "1")], Timestamp::default()).unwrap();
    // Some of those that were pushed first may come late.
    while let Ok(queue) = woken.recv_timeout(Duration::from_millis(300)) {
        assert_eq!(queue, "numbers");
    }
}

#[test]
fn a_connection_that_is_cut_listens_again() {
    let Some(database) = Database::new(Via::Server) else { return };
    let (engine, other) = (database.open(), database.open());
    let woken = watch(&engine);
    assert_hears(&woken, &other);
    database.cut(&mut database.connect());
    let mut client = database.connect();
    let mut is_heard = false;
    for _ in 0..300 {
        client.execute("select tina4.push('again', '1')", &[]).unwrap();
        let heard = woken.recv_timeout(PATIENCE / 300);
        is_heard = heard.is_ok_and(|queue| queue == "again");
        if is_heard {
            break;
        }
    }
    assert!(is_heard);
}

#[test]
fn behind_a_pooler_the_check_tells_that_jobs_are_polled() {
    let Some(database) = Database::new(Via::Pooler) else { return };
    let engine = database.open();
    let woken = watch(&engine);
    let remarks = wait_until_deaf(&engine, &woken);
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].contains("found by polling"), "{remarks:?}");
    assert!(remarks[0].ends_with("with `PostgresBuilder::listen_at`"), "{remarks:?}");
}

#[test]
fn behind_a_pooler_notifications_arrive_at_an_address_of_their_own() {
    let Some(database) = Database::new(Via::Pooler) else { return };
    let builder = PostgresBuilder::new(&database.address).unwrap();
    let engine = builder.listen_at(&database.direct).unwrap().open().unwrap();
    assert_hears(&watch(&engine), &database.open());
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
}

#[test]
fn a_listener_that_was_deaf_hears_once_notifications_arrive() {
    let Some(database) = Database::new(Via::Pooler) else { return };
    let (_, name) = database.direct.rsplit_once('/').unwrap();
    let host = |address: &str| {
        let (_, server) = address.split_once('@').unwrap();
        server.split_once('/').unwrap().0.to_owned()
    };
    let proxy = Proxy::to(&host(&database.address)).unwrap();
    let builder = PostgresBuilder::new(&database.address).unwrap();
    let listening = format!("postgres://postgres@{}/{name}", proxy.address());
    let engine = builder.listen_at(&listening).unwrap().open().unwrap();
    let woken = watch(&engine);
    wait_until_deaf(&engine, &woken);
    // Somebody has found the mistake, and let the address lead to the server itself.
    proxy.redirect(&host(&database.direct));
    assert_hears(&woken, &database.open());
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
}
