//! What must not block its caller: a request of the signal thread.

use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::{Clock, Work, counter, pool};
use crate::engine::pool::hiring::Hiring;
use crate::engine::pool::toy::Toy;
use crate::engine::pool::{Arc, Pool, io};

/// Leaves something to be done outside of the lock that tells where it is done.
fn leave(pool: &Arc<Pool<Toy>>) -> crossbeam_channel::Receiver<thread::ThreadId> {
    let (sender, receiver) = bounded(1);
    let work: Work = Arc::new(move || sender.send(thread::current().id()).unwrap());
    pool.act_without_blocking(|toy, now| {
        toy.add(now + 1, counter().1);
        toy.aftermath = Some(work);
    });
    receiver
}

#[test]
fn rule_44_what_may_block_is_left_to_a_worker() {
    let where_done = leave(&pool(Clock::system(), None));
    let worker = where_done.recv_timeout(Duration::from_secs(10)).expect("a worker does it");
    assert_ne!(worker, thread::current().id());
}

#[test]
fn rule_44_where_there_is_no_thread_it_is_left_to_whoever_comes_next() {
    let start = |_, _, _| Err(io::Error::other("no more threads"));
    let hiring = Hiring { name: "none".to_owned(), most: None, stack_size: None, start };
    let pool = Pool::new(Toy::default(), Clock::system(), hiring);
    let where_done = leave(&pool);
    assert!(where_done.try_recv().is_err(), "not by the caller");
    pool.with(|toy, _| assert!(toy.failed_threads > 0));
    assert_eq!(where_done.try_recv(), Ok(thread::current().id()));
}
