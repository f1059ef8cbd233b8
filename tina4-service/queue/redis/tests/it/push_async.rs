//! Pushes inside an asynchronous runtime.

use tina4_service_queue::{Push, Queue, Queues};

use crate::servers::Space;

const NUMBERS: Queue<u32> = Queue::new("numbers");

#[tokio::test]
async fn rule_130_asynchronous_pushes_on_a_runtime_of_one_thread() {
    let Some(space) = Space::new() else { return };
    let numbers = NUMBERS.on(&Queues::new(space.open()));
    let (first, second) = tokio::join!(numbers.push_async(&1), numbers.push_async(&2));
    assert!(first.unwrap().is_new() && second.unwrap().is_new());
    let key = Push::new().unique("k");
    let third = numbers.push_with_async(&3, key.clone()).await.unwrap();
    let known = tokio::spawn(numbers.push_with_async(&4, key)).await.unwrap().unwrap();
    assert_eq!((known.is_new(), known.id()), (false, third.id()));
    assert_eq!(numbers.stats().unwrap().backlog.ready, 3);
}
