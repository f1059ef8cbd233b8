//! Writes to standard error without blocking on the locks of `std` or on a full pipe (on Windows: for
//! at most 100 ms).

use crate::sys::fork;

/// Reports that a method that returns nothing was refused in a forked child. It is not logged, because
/// another thread may have held a lock of the log at the time of the fork.
pub(crate) fn report_refusal(request: &str) {
    write(&format!("`{request}` was refused: {}\n", fork::REFUSAL));
}

/// Writes as much of `text` as is possible without waiting, and takes no lock.
#[cfg(unix)]
pub(crate) fn write(text: &str) {
    crate::process::ffi::write_to_stderr(text.as_bytes());
}

/// Writes `text`, but waits for at most 100 ms.
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
