//! What the pool executes: where due times and work come from.

use std::io;

use super::deferred::DeferredQueue;
use tina4_service_core::Nanos;

/// Knows what is due and what follows from it. Its methods are called under the pool's lock, except
/// [`WorkSource::execute`], and run no user code.
pub(crate) trait WorkSource: Send + 'static {
    /// Names a piece of work.
    type WorkId;
    /// The work itself, executed without the lock. It is dropped under the lock, so it must not own
    /// user values.
    type WorkItem: Send;
    /// The result of the work. It is dropped under the lock too.
    type Completion;

    /// The earliest instant at which [`WorkSource::take_due`] has something to do.
    fn next_due(&mut self) -> Option<Nanos>;

    /// The due time after [`WorkSource::next_due`], or an earlier instant.
    fn due_after_next(&self) -> Option<Nanos>;

    /// Handles due times up to the first one that needs a worker, or the first one that defers
    /// something: no work waits until another service's log line is written.
    fn take_due(&mut self, now: Nanos) -> Option<Self::WorkId>;

    /// Prepares work for its execution, in the same critical section in which it was named.
    fn begin(&mut self, id: Self::WorkId) -> Self::WorkItem;

    /// Executes work, without the lock. Takes a reference, because moving it would copy a value that
    /// was just built. Never panics.
    fn execute(item: &Self::WorkItem) -> Self::Completion;

    /// Records the result; returns work that must follow immediately, if any.
    fn complete(
        &mut self,
        item: Self::WorkItem,
        completion: Self::Completion,
        timing: Timing,
    ) -> Option<Self::WorkId>;

    /// A number for what the work is about.
    #[cfg(feature = "exit-hook")]
    fn service_index(item: &Self::WorkItem) -> u32;

    /// How long this work has recently taken; `None`: too few samples.
    fn expected_duration(&self, id: &Self::WorkId) -> Option<Nanos>;

    /// Whether this work is a scheduled run, rather than its clean-up.
    fn is_run(_: &Self::WorkId) -> bool {
        true
    }

    /// How many pieces of work can be in progress at one time.
    fn max_concurrency(&self) -> usize;

    /// Whether threads may be spawned beyond the user's limit.
    fn ignores_thread_limit(&self) -> bool;

    /// Whether nothing will become due again without a request from outside.
    fn is_finished(&mut self) -> bool;

    /// The effects that wait until the lock is released.
    fn deferred(&self) -> &DeferredQueue;

    /// The same, to change them.
    fn deferred_mut(&mut self) -> &mut DeferredQueue;

    /// Whether anything changed, since the last call, that a listener may be waiting for.
    fn take_changed(&mut self) -> bool;

    /// A thread could not be spawned.
    fn spawn_failed(&mut self, error: &io::Error);
}

/// When a worker executed its work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The start of the work. Anything the worker did for others before, such as spawning a thread,
    /// is not part of it.
    pub(crate) began: Nanos,
    /// The end of the work. Waiting for the lock is not part of it.
    pub(crate) ended: Nanos,
    /// The instant at which the worker got the lock; equals `ended` if the lock was free.
    pub(crate) now: Nanos,
    /// Whether the next run of the same service may follow immediately.
    pub(crate) may_repeat: bool,
}
