//! The only place that catches panics, and the only owner of the panic hook.
//!
//! The hook is wrapped, never replaced: what it did before it still does, for every panic. While a
//! service runs on the panicking thread the wrapper also notes where the panic happened, because
//! the payload that `catch_unwind` returns does not say.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::text::bounded_text::bounded;

/// How many bytes of a payload's text are kept; the place is added to them.
const LONGEST_PAYLOAD: usize = 15 * 1024;

/// A caught panic.
#[derive(Debug)]
pub(crate) struct Panic {
    text: String,
    /// File, line and column, unless somebody replaced the panic hook later.
    place: Option<String>,
    /// If `RUST_BACKTRACE` asked for one.
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
    /// Whether a panic on this thread will be caught here.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// What the hook saw of the last panic on this thread.
    static SEEN: RefCell<Option<(String, Option<Backtrace>)>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Wraps the panic hook, once per process.
#[expect(clippy::disallowed_methods, reason = "this file owns the panic hook")]
fn install_hook() {
    // Taking the hook panics on a thread that is panicking; a later call tries again.
    if INSTALL.is_completed() || std::thread::panicking() {
        return;
    }
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                let backtrace = Some(Backtrace::capture())
                    .filter(|trace| trace.status() == BacktraceStatus::Captured);
                SEEN.with_borrow_mut(|seen| *seen = Some((place, backtrace)));
            }
            before(info);
        }));
    });
}

/// Wakeups `body` and turns a panic into a value.
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
#[inline]
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Box<Panic>> {
    install_hook();
    let outer = CATCHING.replace(true);
    // Unwind safety: what the body shared with the runner is behind locks whose poison is
    // recovered, and what it owned is dropped or made anew after a crash.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(outer);
    result.map_err(describe)
}

/// What is known about the panic on this thread that was just caught.
#[cold]
fn describe(payload: Box<dyn Any + Send>) -> Box<Panic> {
    let seen = SEEN.with_borrow_mut(Option::take);
    let text = payload_text(&*payload);
    discard(payload);
    let (place, backtrace) = seen.map_or((None, None), |(place, trace)| (Some(place), trace));
    Box::new(Panic { text, place, backtrace })
}

/// The text of a panic payload, where it is text.
fn payload_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        bounded(LONGEST_PAYLOAD, text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        bounded(LONGEST_PAYLOAD, text)
    } else {
        "a panic without text".to_owned()
    }
}

/// Wakeups `body` on a thread that may be at its end, where thread-local values are gone.
#[cfg(feature = "exit-hook")]
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
pub(crate) fn catch_quietly(body: impl FnOnce()) -> Result<(), ()> {
    panic::catch_unwind(AssertUnwindSafe(body)).map_err(discard)
}

/// Drops a payload whose own `drop` may panic.
#[expect(clippy::disallowed_methods, reason = "this file is the one that catches panics")]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Whoever throws while being thrown away is not dropped a second time.
        std::mem::forget(again);
    }
}

/// Whether a panic ends this process at once, so that nothing can be supervised.
pub(crate) const fn panics_abort() -> bool {
    cfg!(panic = "abort")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    #[test]
    fn rule_25_text_and_place_of_any_payload() {
        let line = line!() + 1;
        let panic = catch(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(panic.text, "number 7");
        assert!(panic.place.as_deref().unwrap().contains(&format!("panics.rs:{line}:")), "{panic}");

        let panic = catch(|| panic::panic_any(7_u8)).unwrap_err();
        assert_eq!(panic.text, "a panic without text");

        let panic = catch(|| panic::panic_any(Grenade)).unwrap_err();
        assert_eq!(panic.text, "a panic without text");
    }

    #[test]
    fn a_place_is_not_kept_for_the_next_panic() {
        let first = catch(|| panic!("first")).unwrap_err();
        // `resume_unwind` does not call the hook, so there is no place to know.
        let second = catch(|| panic::resume_unwind(Box::new("second"))).unwrap_err();
        assert_eq!(second.text, "second");
        assert!(first.place.is_some() && second.place.is_none());
    }
}
