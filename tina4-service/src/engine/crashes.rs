//! Converts errors and panics into a [`Crash`].

use crate::service::error_text::{self, ErrorText};
use crate::service::outcome::Cause;
use crate::sys::panics::{self, Panic};
use crate::text::bounded_text::bounded;
use tina4_service_core::CrashKind;
use tina4_service_core::lifecycle::Crash;

/// The prefix of the text of a permanent error.
const PERMANENT: &str = "permanent error: ";

/// Converts the error that a run returned. The error is dropped here, where a panic in its destructor
/// does no harm.
#[cold]
pub(super) fn from_error(cause: Cause) -> Box<Crash> {
    let mut crash = from_error_without_prefix(cause);
    match crash.kind {
        CrashKind::Transient => {}
        CrashKind::Permanent => {
            crash.message = format!("{PERMANENT}{}", crash.message).into();
        }
    }
    crash
}

/// Converts an error, but does not add the prefix that marks a permanent one. For the errors of
/// clean-up hooks, because there is nothing to restart.
#[cold]
pub(super) fn from_error_without_prefix(cause: Cause) -> Box<Crash> {
    let mut text = ErrorText::new();
    let panic = text.read(cause.error());
    // Dropped only now: if reading the text panicked, a second panic during unwinding would abort the
    // process. If the destructor panics, the panic hook reports it, and the crash is still this error.
    let _ = panics::catch(|| drop(cause));
    let kind = if text.is_permanent() { CrashKind::Permanent } else { CrashKind::Transient };
    crash(text.finish(), panic, kind)
}

#[cold]
pub(super) fn from_panic(panic: Box<Panic>) -> Box<Crash> {
    let text = bounded(error_text::MAX_TEXT_BYTES, &panic);
    crash(text, Some(panic), CrashKind::Transient)
}

fn crash(mut text: String, panic: Option<Box<Panic>>, kind: CrashKind) -> Box<Crash> {
    let panicked = panic.is_some();
    if let Some(backtrace) = panic.and_then(|panic| panic.backtrace) {
        error_text::add_backtrace(&mut text, backtrace);
    }
    Box::new(Crash { message: text.into(), panicked, kind })
}
