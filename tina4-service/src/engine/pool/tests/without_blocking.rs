//! Requests that must not block the caller, such as those from the signal thread.

use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::bounded;

#[cfg(feature = "tokio")]
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Clock, LIMIT, Work, counter, pool};
use crate::engine::pool::Pool;
use crate::engine::pool::fake_source::FakeSource;
#[cfg(feature = "tokio")]
use crate::engine::pool::poll::Poll;
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
    let worker = thread.recv_timeout(LIMIT).expect("a worker executes it");
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

/// All workers are busy when the thread for more work cannot be spawned. An async wait tries again.
#[cfg(feature = "tokio")]
#[test]
fn rule_50_an_async_wait_retries_a_failed_spawn() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    fn start(
        name: String,
        stack_size: Option<usize>,
        body: crate::sys::threads::ThreadBody,
    ) -> io::Result<()> {
        match ATTEMPTS.fetch_add(1, Ordering::SeqCst) {
            1 | 2 => Err(io::Error::other("no more threads")),
            _ => crate::sys::threads::start_worker(name, stack_size, body),
        }
    }
    let config =
        ThreadConfig { name_prefix: "few".to_owned(), max_count: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), Clock::system(), config);
    let (open, gate) = bounded::<()>(0);
    let (begun, began) = bounded(1);
    let blocks: Work = Arc::new(move || {
        begun.send(()).unwrap();
        let _ = gate.recv();
    });
    // One due time only, and it is the first worker that takes it.
    pool.with(|source, now| source.add(now + 1, blocks));
    began.recv_timeout(LIMIT).expect("the first worker begins");
    let (done, ended) = bounded(1);
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with_nonblocking(|source, now| source.add(now, work));
    assert!(ended.try_recv().is_err() && pool.with(|source, _| source.failed_spawns > 0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(async {
        let wait = pool.wait_for_async(|_, _| Poll::<()>::Pending(None));
        let ended = tokio::task::spawn_blocking(move || ended.recv_timeout(LIMIT));
        tokio::select! {
            () = wait => unreachable!("it never ends"),
            result = ended => result.unwrap(),
        }
    });
    result.expect("a worker is spawned after all");
    drop(open);
}
