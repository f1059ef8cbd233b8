//! What must not block its caller: a request of the signal thread.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::{Clock, Work, counter, pool};
use crate::engine::pool::Pool;
use crate::engine::pool::fake_source::FakeSource;
use crate::sys::threads::ThreadConfig;

/// Leaves something to be done outside of the lock that tells where it is done.
fn leave(pool: &Arc<Pool<FakeSource>>) -> crossbeam_channel::Receiver<thread::ThreadId> {
    let (sender, receiver) = bounded(1);
    let work: Work = Arc::new(move || sender.send(thread::current().id()).unwrap());
    pool.act_without_blocking(|source, now| {
        source.add(now + 1, counter().1);
        source.defer(work);
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
    let threads = ThreadConfig { name: "none".to_owned(), most: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), Clock::system(), threads);
    let where_done = leave(&pool);
    assert!(where_done.try_recv().is_err(), "not by the caller");
    pool.with(|source, _| assert!(source.failed_spawns > 0));
    assert_eq!(where_done.try_recv(), Ok(thread::current().id()));
}
