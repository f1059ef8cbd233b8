//! The memory of this process: allocated bytes, exactly, and resident memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

use tests::process;

/// The system's allocator, with a count of the allocated bytes.
struct Counting;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call is forwarded to the system's allocator; counting does not allocate. The
// default `realloc` and `alloc_zeroed` call these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(count(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's guarantee is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(count(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's guarantee is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The memory of this process at one moment, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) heap: i64,
    pub(crate) resident: i64,
}

impl Memory {
    pub(crate) fn now() -> Self {
        Self { heap: ALLOCATED.load(Ordering::Relaxed), resident: count(process::resident()) }
    }
}
