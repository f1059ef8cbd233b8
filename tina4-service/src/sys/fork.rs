//! Whether this process is a forked child.
//!
//! `fork` copies the memory of a process, but only the thread that calls it. So a runner that has
//! started threads is useless in the child: nothing would ever run, even if its state claims otherwise,
//! and a thread that the child does not have may have held one of its locks. Such a runner belongs to the
//! parent ([`Owner`]); the child neither makes requests to it nor waits for it.
//!
//! One limit remains: the standard library holds a lock while a thread starts or ends. A child that is
//! forked at that moment cannot start threads.
//!
//! Each process has a number, its generation, which a fork handler in the child increments. Checking
//! whether a runner is inherited costs two loads. The C library's `fork` calls the handler, so it does
//! not run if a program makes the system call itself or uses `_Fork`.

use std::sync::atomic::{AtomicU32, Ordering};

/// The generation of the first process. In [`Owner`], 0 means that there is no owner yet.
pub(crate) const FIRST: u32 = 1;

/// [`FIRST`], plus one for each fork between the first process and this one.
static GENERATION: AtomicU32 = AtomicU32::new(FIRST);

/// The generation of this process.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs in a new child, on its only thread. Async-signal-safe.
#[cfg(unix)]
pub(crate) fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The process that owns a runner's threads. There is none until the first thread starts.
#[derive(Debug, Default)]
pub(crate) struct Owner(AtomicU32);

impl Owner {
    /// Makes this process the owner, unless the runner has an owner already. Call it after the fork
    /// handler has been installed and before the first thread starts.
    pub(crate) fn claim(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            // Threads that race here are in the same process.
            self.0.store(generation(), Ordering::Relaxed);
        }
    }

    /// Makes a process the owner that this one was forked from.
    #[cfg(all(test, not(shuttle), feature = "testing", feature = "tokio"))]
    pub(crate) fn give_to_parent(&self) {
        self.0.store(u32::MAX, Ordering::Relaxed);
    }

    /// Whether the owner is another process, from which this one was forked.
    pub(crate) fn is_another_process(&self) -> bool {
        let owner = self.0.load(Ordering::Relaxed);
        owner != 0 && owner != generation()
    }
}

/// A request was refused because the runner belongs to the parent process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forked;

/// The text of the error for [`Forked`].
pub(crate) const REFUSAL: &str = "this process was forked from the one that runs the services, and has none of its threads; \
     create a new runner with `Runner::builder()`, or fork before the first start";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_84_the_first_process_to_claim_a_runner_owns_it() {
        let owner = Owner::default();
        assert!(!owner.is_another_process(), "no thread has been started yet");
        owner.claim();
        owner.claim();
        assert!(!owner.is_another_process());
        assert!(Owner(AtomicU32::new(generation() + 1)).is_another_process());
    }
}
