//! Standard error for when a lock of `std`, or a full pipe, must not delay the process.

use crate::sys::fork;

/// Reports that a request without a result was refused in a forked child. Not in the log: another
/// thread may have held one of its locks at the time of the fork.
pub(crate) fn refuse(request: &str) {
    write(&format!("`{request}` was refused: {}\n", fork::REFUSAL));
}

/// Writes what can be written without waiting, and takes no lock.
#[cfg(unix)]
pub(crate) fn write(text: &str) {
    crate::process::ffi::write_to_stderr(text.as_bytes());
}

/// Writes, but waits no longer than 100 ms.
#[cfg(not(unix))]
pub(crate) fn write(text: &str) {
    use std::io::Write;
    use std::time::Duration;

    const TIMEOUT: Duration = Duration::from_millis(100);

    let text = text.to_owned();
    let (written, done) = crossbeam_channel::bounded::<()>(0);
    let body = move || {
        let _ = std::io::stderr().write_all(text.as_bytes());
        drop(written);
    };
    if crate::sys::threads::start_thread("tina4-message".to_owned(), Box::new(body)).is_ok() {
        let _ = done.recv_timeout(TIMEOUT);
    }
}
