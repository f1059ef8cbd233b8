//! The only place that starts threads.

use std::io;

/// Settings of a runner's threads.
#[derive(Clone, Debug)]
pub(crate) struct ThreadConfig {
    /// The prefix of the threads' names; a number follows.
    pub(crate) name_prefix: String,
    /// The maximum number of threads. Default: one for each run that can be in progress, and one that
    /// waits.
    pub(crate) max_count: Option<usize>,
    /// The size of each stack in bytes. Default: the default of `std`.
    pub(crate) stack_size: Option<usize>,
    /// Starts a thread with this name and stack size.
    pub(crate) start: fn(String, Option<usize>, ThreadBody) -> io::Result<()>,
}

/// The function that a thread runs.
pub(crate) type ThreadBody = Box<dyn FnOnce() + Send>;

/// Starts a worker's thread, with a stack of this many bytes or the default one.
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

/// Starts a thread with the default stack.
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
