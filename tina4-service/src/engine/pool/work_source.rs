//! The source of the pool's due times and work.

use std::io;

use super::deferred::DeferredQueue;
use tina4_service_core::Nanos;

/// The source of due times and work. All methods except [`WorkSource::execute`] are called under the
/// pool's lock and run no user code.
pub(crate) trait WorkSource: Send + 'static {
    /// Identifies a piece of work.
    type WorkId;
    /// The work itself, executed without the lock. It is dropped under the lock, so it must not own
    /// user values.
    type WorkItem: Send;
    /// The result of the work. It is dropped under the lock too.
    type Completion;

    /// By when [`WorkSource::take_due`] must be called next.
    fn next_due(&mut self) -> Option<Nanos>;

    /// [`WorkSource::next_due`], and a number that tells it from other work that is due at that instant.
    fn first_due(&mut self) -> Option<(Nanos, u32)>;

    /// Whether [`WorkSource::take_due`] has something to do, even if [`WorkSource::next_due`] is later,
    /// because of a tolerance.
    fn is_due(&mut self, now: Nanos) -> bool;

    /// A lower bound of the due time after [`WorkSource::next_due`].
    fn due_after_next(&self) -> Option<Nanos>;

    /// Handles due times up to the first one that needs a worker, or the first one that defers
    /// something, so that no work has to wait for another service's log line.
    fn take_due(&mut self, now: Nanos) -> Option<Self::WorkId>;

    /// Prepares work for its execution, in the critical section in which its id was returned.
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

    /// The index of the service that the work belongs to.
    #[cfg(feature = "exit-hook")]
    fn service_index(item: &Self::WorkItem) -> u32;

    /// How long this work is expected to take, in nanoseconds; `None`: unknown.
    fn expected_duration(&self, id: &Self::WorkId) -> Option<Nanos>;

    /// Whether this work is a run, and not a clean-up.
    fn is_run(_: &Self::WorkId) -> bool {
        true
    }

    /// The names of what is in progress, for messages.
    fn in_progress(&self) -> Vec<String> {
        Vec::new()
    }

    /// The maximum number of pieces of work in progress at one time.
    fn max_concurrency(&self) -> usize;

    /// Whether threads may be spawned beyond the user's limit.
    fn ignores_thread_limit(&self) -> bool;

    /// Whether there will be no more due times unless a request adds one.
    fn is_finished(&mut self) -> bool;

    /// When to call [`WorkSource::look`] next, if a virtual clock drives the pool. In real time, others do it.
    fn next_look(&self) -> Option<Nanos> {
        None
    }

    /// Looks at what no due time tells.
    fn look(&mut self, _: Nanos) {}

    /// The effects that wait until the lock is released.
    fn deferred(&self) -> &DeferredQueue;

    /// Mutable access to the effects that wait until the lock is released.
    fn deferred_mut(&mut self) -> &mut DeferredQueue;

    /// Returns whether anything that a listener may be waiting for has changed since the last call.
    fn take_changed(&mut self) -> bool;

    /// Records that a thread could not be spawned.
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
