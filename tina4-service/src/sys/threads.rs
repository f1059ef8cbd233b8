//! How threads are started.

use std::io;

/// How threads are made.
#[derive(Clone, Debug)]
pub(crate) struct ThreadConfig {
    /// Threads are called this, with a number.
    pub(crate) name: String,
    /// No more threads than this; default: one for each job there can be, and one that waits.
    pub(crate) most: Option<usize>,
    /// The bytes of each stack; default: what std gives a thread.
    pub(crate) stack_size: Option<usize>,
    /// What starts a thread of this name and with such a stack.
    pub(crate) start: fn(String, Option<usize>, ThreadBody) -> io::Result<()>,
}

/// What a thread does.
pub(crate) type ThreadBody = Box<dyn FnOnce() + Send>;

/// Starts a worker's thread, with a stack of so many bytes, or with the usual one.
pub(crate) fn start_worker(
    name: String,
    stack_size: Option<usize>,
    body: ThreadBody,
) -> io::Result<()> {
    let Some(bytes) = stack_size else { return start_thread(name, body) };
    let started = spawn(std::thread::Builder::new().name(name).stack_size(bytes), body);
    started.map_err(|error| {
        io::Error::new(error.kind(), format!("{error}, with a stack of {bytes} bytes"))
    })
}

/// Starts a thread with the usual stack.
pub(crate) fn start_thread(name: String, body: ThreadBody) -> io::Result<()> {
    spawn(std::thread::Builder::new().name(name), body)
}

#[cfg(not(shuttle))]
#[expect(clippy::disallowed_methods, reason = "this file is the one that starts threads")]
fn spawn(thread: std::thread::Builder, body: ThreadBody) -> io::Result<()> {
    thread.spawn(body).map(drop)
}

#[cfg(shuttle)]
fn spawn(_: std::thread::Builder, body: ThreadBody) -> io::Result<()> {
    shuttle::thread::spawn(body);
    Ok(())
}
