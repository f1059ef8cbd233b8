//! Ends the process while the thread that should do it is blocked.

use crate::process::stderr;

/// Ends the process immediately with this exit code, after an attempt to print `report`. Neither
/// hooks nor destructors run.
pub(super) fn end_with(code: u8, report: &str) -> ! {
    stderr::write(report);
    exit(code.into())
}

#[cfg(unix)]
use signal_hook::low_level::exit;

#[cfg(windows)]
#[expect(
    clippy::disallowed_methods,
    reason = "the user asked for the immediate end of the process"
)]
fn exit(code: i32) -> ! {
    std::process::exit(code)
}
