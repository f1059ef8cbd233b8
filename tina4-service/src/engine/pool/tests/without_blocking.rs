//! Requests that must not block the caller, such as those from the signal thread.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::{Clock, Work, counter, pool};
use crate::engine::pool::Pool;
use crate::engine::pool::fake_source::FakeSource;
use crate::sys::threads::ThreadConfig;

/// Defers an effect that reports the thread that executes it.
fn defer(pool: &Arc<Pool<FakeSource>>) -> crossbeam_channel::Receiver<thread::ThreadId> {
    let (sender, receiver) = bounded(1);
    let work: Work = Arc::new(move || sender.send(thread::current().id()).unwrap());
    pool.with_nonblocking(|source, now| {
        source.add(now + 1, counter().1);
        source.defer(work);
    });
    receiver
}

#[test]
fn rule_44_effects_that_may_block_are_handed_to_a_worker() {
    let thread = defer(&pool(Clock::system(), None));
    let worker = thread.recv_timeout(Duration::from_secs(10)).expect("a worker executes it");
    assert_ne!(worker, thread::current().id());
}

#[test]
fn rule_44_without_a_worker_deferred_effects_wait_for_the_next_caller() {
    let start = |_, _, _| Err(io::Error::other("no more threads"));
    let config =
        ThreadConfig { name_prefix: "none".to_owned(), max_count: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), Clock::system(), config);
    let thread = defer(&pool);
    assert!(thread.try_recv().is_err(), "not by the caller");
    pool.with(|source, _| assert!(source.failed_spawns > 0));
    assert_eq!(thread.try_recv(), Ok(thread::current().id()));
}
