//! Spawns the threads of connections: the only file of this crate that does.

use std::io;
use std::thread::Builder;

/// Spawns a thread.
///
/// # Errors
///
/// If the system has no more threads.
#[expect(clippy::disallowed_methods, reason = "this file owns the threads of connections")]
pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name("tina4-console".to_owned()).spawn(body).map(drop)
}
