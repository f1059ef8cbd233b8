//! Pushes inside an asynchronous runtime.

use tina4_service_queue::{Push, Pushed, Queue, Queues};
use tokio::task;

use crate::servers::{Database, Via};

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// The push waits for a transaction that only the same thread can commit.
#[tokio::test]
async fn rule_130_an_asynchronous_push_does_not_block_its_runtime() {
    let Some(database) = task::spawn_blocking(|| Database::new(Via::Server)).await.unwrap() else {
        return;
    };
    let numbers = NUMBERS.on(&Queues::new(database.open()));
    let connected = tokio_postgres::connect(&database.address, tokio_postgres::NoTls).await;
    let (mut client, connection) = connected.expect("the server can be reached");
    tokio::spawn(connection);

    let key = Push::new().unique("k");
    let mut order = client.transaction().await.unwrap();
    let first = numbers.push_in_async(&mut order, &1, &key).await.unwrap();
    let pushing = tokio::spawn(numbers.push_with_async(&2, key.clone()));
    // The task of the push has begun after this.
    task::yield_now().await;
    order.commit().await.unwrap();
    assert_eq!(pushing.await.unwrap().unwrap(), Pushed::Known(first.id()));

    let (first, second) = tokio::join!(numbers.push_async(&3), numbers.push_async(&4));
    assert!(first.unwrap().is_new() && second.unwrap().is_new());
    task::spawn_blocking(|| drop(database)).await.unwrap();
}
