//! Ends the process immediately, from the signal thread or a handler.

use crate::process::stderr;

/// Ends the process immediately with this exit code, after an attempt to print `message`.
/// Neither hooks nor destructors run.
pub(super) fn end_process(code: u8, message: &str) -> ! {
    stderr::write(message);
    exit(code.into())
}

#[cfg(unix)]
use signal_hook::low_level::exit;

#[cfg(windows)]
#[expect(
    clippy::disallowed_methods,
    reason = "the process must end although another thread is blocked"
)]
fn exit(code: i32) -> ! {
    std::process::exit(code)
}
