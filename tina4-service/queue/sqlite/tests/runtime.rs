//! The engine inside an asynchronous runtime.

use rusqlite::{Connection, TransactionBehavior};
use tina4_service_queue::{BoundQueue, Queue, Queues};
use tina4_service_sqlite::SqliteEngine;

const NUMBERS: Queue<u32> = Queue::new("numbers");

fn numbers(directory: &tempfile::TempDir) -> BoundQueue<u32> {
    let engine = SqliteEngine::open(directory.path().join("jobs.db")).expect("the file opens");
    NUMBERS.on(&Queues::new(engine))
}

async fn use_engine() {
    let directory = tempfile::tempdir().unwrap();
    let numbers = numbers(&directory);
    numbers.push(&1).unwrap();
    let job = numbers.pop().unwrap().expect("it was pushed");
    job.renew().unwrap();
    job.complete().unwrap();
    numbers.push_async(&2).await.unwrap();
    assert_eq!(*numbers.pop().unwrap().expect("it was pushed"), 2);
}

#[tokio::test]
async fn rule_130_a_push_inside_a_runtime_of_one_thread_does_not_panic() {
    use_engine().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_130_a_push_inside_a_runtime_of_many_threads_does_not_panic() {
    tokio::spawn(use_engine()).await.unwrap();
}

/// The push waits for a transaction that only the same thread can commit.
#[tokio::test]
async fn rule_130_an_asynchronous_push_does_not_block_its_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let numbers = numbers(&directory);
    let mut other = Connection::open(directory.path().join("jobs.db")).unwrap();
    let writing = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let pushing = tokio::spawn(numbers.push_async(&1));
    // The task of the push has begun after this.
    tokio::task::yield_now().await;
    writing.commit().unwrap();
    assert!(pushing.await.unwrap().unwrap().is_new());
}
