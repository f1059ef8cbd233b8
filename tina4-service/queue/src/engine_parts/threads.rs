//! Spawns the threads of engines: the only file of this crate that does.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Spawns a thread of an engine with this name.
///
/// # Errors
///
/// If the system has no more threads.
#[expect(clippy::disallowed_methods, reason = "this file owns the threads of engines")]
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(body)
}
