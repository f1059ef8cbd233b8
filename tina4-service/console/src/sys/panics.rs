//! The only place that catches panics: those of the program's closures.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a closure of the program; `None`: it panicked.
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
pub(crate) fn catch<T>(call: impl FnOnce() -> T) -> Option<T> {
    // The closures are called by shared reference, and what they leave behind after a panic is theirs.
    catch_unwind(AssertUnwindSafe(call)).ok()
}
