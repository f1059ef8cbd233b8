//! The only place that catches panics, and the only owner of the panic hook.
//!
//! The hook is wrapped, never replaced: the previous hook still runs for every panic. Inside [`catch`],
//! the wrapper also records where the panic happened, because the payload that `catch_unwind` returns
//! does not contain it.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::text::bounded_text::bounded;

/// The maximum length of a payload's text in bytes. The place of the panic is not included.
const MAX_PAYLOAD_BYTES: usize = 15 * 1024;

/// A caught panic.
#[derive(Debug)]
pub(crate) struct Panic {
    text: String,
    /// File, line and column; `None`: this file's hook did not run, because the program replaced it or
    /// used `resume_unwind`.
    place: Option<String>,
    /// Captured if `RUST_BACKTRACE` is set.
    pub(crate) backtrace: Option<Backtrace>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.text)?;
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        Ok(())
    }
}

thread_local! {
    /// Whether this thread is inside [`catch`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Whether a panic on this thread is not shown.
    #[cfg(all(feature = "tokio", not(shuttle)))]
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// The place and the backtrace of the last panic on this thread, as the hook recorded them.
    static LAST_PANIC: RefCell<Option<(String, Option<Backtrace>)>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Wraps the panic hook, once per process.
#[expect(clippy::disallowed_methods, reason = "this file owns the panic hook")]
fn install_hook() {
    // `take_hook` panics if the thread is panicking; a later call tries again.
    if INSTALL.is_completed() || std::thread::panicking() {
        return;
    }
    INSTALL.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            #[cfg(all(feature = "tokio", not(shuttle)))]
            if QUIET.get() {
                return;
            }
            if CATCHING.get() {
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                let backtrace = Some(Backtrace::capture())
                    .filter(|trace| trace.status() == BacktraceStatus::Captured);
                LAST_PANIC.with_borrow_mut(|seen| *seen = Some((place, backtrace)));
            }
            previous(info);
        }));
    });
}

/// Calls `body` and turns a panic into a value.
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
#[inline]
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Box<Panic>> {
    install_hook();
    let outer = CATCHING.replace(true);
    // Unwind safety: state that the body shares with the runner is behind locks that recover from
    // poison, and state that it owns is dropped or created anew after a crash.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(outer);
    result.map_err(describe)
}

/// Calls `body`, and returns `None` if it panics. The panic is not shown: it is how a library says no.
#[cfg(all(feature = "tokio", not(shuttle)))]
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
pub(crate) fn catch_quietly<T>(body: impl FnOnce() -> T) -> Option<T> {
    install_hook();
    let outer = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    QUIET.set(outer);
    result.map_err(discard).ok()
}

/// Describes the panic that was just caught on this thread.
#[cold]
fn describe(payload: Box<dyn Any + Send>) -> Box<Panic> {
    let seen = LAST_PANIC.with_borrow_mut(Option::take);
    let text = payload_text(&*payload);
    discard(payload);
    let (place, backtrace) = seen.map_or((None, None), |(place, trace)| (Some(place), trace));
    Box::new(Panic { text, place, backtrace })
}

/// The text of a panic payload, if it has one.
fn payload_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        bounded(MAX_PAYLOAD_BYTES, text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        bounded(MAX_PAYLOAD_BYTES, text)
    } else {
        "a panic without text".to_owned()
    }
}

/// [`catch`] for a thread that may be ending, where thread-local values no longer exist.
#[cfg(feature = "exit-hook")]
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
pub(crate) fn catch_without_thread_locals(body: impl FnOnce()) -> Result<(), ()> {
    panic::catch_unwind(AssertUnwindSafe(body)).map_err(discard)
}

/// Drops a payload whose own `drop` may panic.
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // This payload panicked while being dropped; dropping its own payload could panic again.
        std::mem::forget(again);
    }
}

/// Whether a panic aborts the process, so that crashes cannot be supervised.
pub(crate) const fn panics_abort() -> bool {
    cfg!(panic = "abort")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    #[test]
    fn rule_25_any_payload_is_reported_with_text_and_place() {
        let line = line!() + 1;
        let panic = catch(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(panic.text, "number 7");
        assert!(panic.place.as_deref().unwrap().contains(&format!("panics.rs:{line}:")), "{panic}");

        let panic = catch(|| panic::panic_any(7_u8)).unwrap_err();
        assert_eq!(panic.text, "a panic without text");

        let panic = catch(|| panic::panic_any(PanicsOnDrop)).unwrap_err();
        assert_eq!(panic.text, "a panic without text");
    }

    #[test]
    fn the_place_of_a_panic_is_not_kept_for_the_next_one() {
        let first = catch(|| panic!("first")).unwrap_err();
        // `resume_unwind` does not call the hook, so no place is known.
        let second = catch(|| panic::resume_unwind(Box::new("second"))).unwrap_err();
        assert_eq!(second.text, "second");
        assert!(first.place.is_some() && second.place.is_none());
    }
}
