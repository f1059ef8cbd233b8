//! A server that crashes, connections that are cut, and calls inside an asynchronous runtime.

use std::process::Command;
use std::thread;
use std::time::Duration;

use tina4_service_queue::contract::Load;
use tina4_service_queue::{Engine, Queue, Queues};

use crate::servers::{Database, Via, variable};

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// Waits in real time.
fn pause(time: Duration) {
    thread::park_timeout(time);
}

#[test]
fn rule_130_and_131_nothing_is_lost_when_the_server_crashes() {
    let Some(address) = variable("TINA4_TEST_POSTGRES_CRASH") else { return };
    let Some(crash) = variable("TINA4_TEST_CRASH_POSTGRES") else { return };
    let database = Database::at(&address, &address);
    let open = || -> Box<dyn Engine> { Box::new(database.open()) };
    let errors = Load::run(&open, |load| {
        load.wait_for(50);
        let speed = load.speed();
        for downtime in ["0", "0.5"] {
            let crashed = Command::new(&crash).arg(downtime).status().expect("it can be run");
            assert!(crashed.success());
            // The server is there again.
            load.assert_recovers(speed, &open);
        }
    });
    assert!(!errors.is_empty(), "the calls in progress failed");
}

/// Cuts all connections five times a second.
fn cut_connections(via: Via) {
    let Some(database) = Database::new(via) else { return };
    let mut client = database.connect();
    let open = || -> Box<dyn Engine> { Box::new(database.open()) };
    Load::run(&open, |load| {
        load.wait_for(50);
        let speed = load.speed();
        for _ in 0..15 {
            database.cut(&mut client);
            pause(Duration::from_millis(200));
        }
        load.assert_recovers(speed, &open);
    });
}

#[test]
fn rule_130_and_131_nothing_is_lost_when_connections_are_cut() {
    cut_connections(Via::Server);
}

#[test]
fn rule_130_and_131_nothing_is_lost_when_connections_behind_a_pooler_are_cut() {
    cut_connections(Via::Pooler);
}

#[test]
fn a_connection_that_is_cut_while_it_is_idle_is_no_error() {
    let Some(database) = Database::new(Via::Server) else { return };
    let numbers = NUMBERS.on(&Queues::new(database.open()));
    let mut client = database.connect();
    for number in 0..3 {
        numbers.push(&number).unwrap();
        let job = numbers.pop().unwrap().expect("it was pushed");
        database.cut(&mut client);
        pause(Duration::from_millis(150));
        numbers.push(&100).unwrap();
        numbers.stats().unwrap();
        job.complete().unwrap();
        numbers.pop().unwrap().expect("it was pushed").complete().unwrap();
    }
}

/// Opens, uses and drops an engine.
fn use_engine(database: &Database) {
    let numbers = NUMBERS.on(&Queues::new(database.open()));
    numbers.push(&1).unwrap();
    let job = numbers.pop().unwrap().expect("it was pushed");
    job.renew().unwrap();
    job.complete().unwrap();
    assert_eq!(numbers.stats().unwrap().counters.done, 1);
    database.open().watch(Box::new(|_| {}));
}

#[tokio::test]
async fn it_works_inside_a_runtime_of_one_thread() {
    let Some(database) = tokio::task::spawn_blocking(|| Database::new(Via::Server)).await.unwrap()
    else {
        return;
    };
    use_engine(&database);
    let dropped = tokio::task::spawn_blocking(move || {
        use_engine(&database);
        drop(database);
    });
    dropped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_inside_a_runtime_of_many_threads() {
    let Some(database) =
        thread::scope(|scope| scope.spawn(|| Database::new(Via::Pooler)).join().expect("no panic"))
    else {
        return;
    };
    use_engine(&database);
    thread::scope(|scope| drop(scope.spawn(move || drop(database))));
}
