//! Whether this process is a forked child.
//!
//! `fork` copies the memory of a process, but only the thread that calls it. So a runner that has
//! started threads is of no use in the child: nothing would ever run, whatever its state says, and
//! one of its locks may have been held by a thread that the child does not have. Such a runner
//! belongs to the parent ([`Owner`]); the child neither asks it for anything nor waits for it.
//!
//! What cannot be helped here: the standard library holds a lock while a thread starts or ends. A child
//! that is forked at that moment cannot start threads.
//!
//! Each process has a number, its generation, which a handler in the child raises. Asking whether a
//! runner is inherited costs two loads. The handler is called by the C library's `fork`, and so not
//! where a program makes the system call by itself, or uses `_Fork`.

use std::sync::atomic::{AtomicU32, Ordering};

/// The generation of the first process; 0 stands for none.
pub(crate) const FIRST: u32 = 1;

/// How often this process and its ancestors were forked off, from [`FIRST`].
static GENERATION: AtomicU32 = AtomicU32::new(FIRST);

/// The number of this process.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs in a new child, on its only thread. Async-signal-safe.
#[cfg(unix)]
pub(crate) fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The process that a runner's threads belong to; none until the first one starts.
#[derive(Debug, Default)]
pub(crate) struct Owner(AtomicU32);

impl Owner {
    /// Makes this process the owner, unless there is one. Called before the first thread starts.
    pub(crate) fn claim(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            // The loser of a race is in the same process.
            self.0.store(generation(), Ordering::Relaxed);
        }
    }

    /// Whether the owner is another process, from which this one was forked.
    pub(crate) fn is_another_process(&self) -> bool {
        let owner = self.0.load(Ordering::Relaxed);
        owner != 0 && owner != generation()
    }
}

/// A request to a runner of the parent, refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forked;

/// Why it is refused.
pub(crate) const REFUSAL: &str = "this process was forked from the one whose threads run the services, and has none of them; \
     make a runner of its own with `Runner::builder()`, or fork before the first start";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_84_an_owner_is_the_first_process_that_claims() {
        let owner = Owner::default();
        assert!(!owner.is_another_process(), "nobody has started a thread yet");
        owner.claim();
        owner.claim();
        assert!(!owner.is_another_process());
        assert!(Owner(AtomicU32::new(generation() + 1)).is_another_process());
    }
}
