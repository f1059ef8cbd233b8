//! A replacement for process-wide statics in programs that fork.

use std::fmt;
use std::sync::OnceLock;

use crate::sys::fork::{FIRST, generation};

/// A process-wide value that a forked child does not share: the child gets a new one on first use.
///
/// The parent's value may hold a lock that no thread of the child will ever release.
pub(crate) struct PerProcess<T: 'static> {
    generation: u32,
    value: T,
    /// The value of a process forked from this one.
    child: OnceLock<Box<Self>>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { generation: FIRST, value, child: OnceLock::new() }
    }

    /// The value of this process, created on first use.
    pub(crate) fn get_or_init(&self) -> &T {
        let generation = generation();
        let mut node = self;
        while node.generation != generation {
            node = node.child.get_or_init(|| {
                Box::new(Self { generation, value: T::default(), child: OnceLock::new() })
            });
        }
        &node.value
    }

    /// The value of this process, if there is one. Async-signal-safe.
    #[cfg(feature = "signals")]
    pub(crate) fn get(&self) -> Option<&T> {
        let generation = generation();
        let mut node = self;
        while node.generation != generation {
            node = node.child.get()?;
        }
        Some(&node.value)
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").field("generation", &self.generation).finish_non_exhaustive()
    }
}
