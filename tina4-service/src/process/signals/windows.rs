//! Ctrl-C and the other console events on Windows, where a thread of the system calls the handler.

use std::io::{self, Write};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::SIGNALS;

/// Windows names no signal; all of them mean Ctrl-C to a Rust program.
const SIGINT: i32 = 2;

/// How long the final message may take.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(100);

/// Wakes the signal thread.
#[derive(Debug)]
pub(super) struct Wake(Sender<()>);

/// What a handler wakes.
#[derive(Debug)]
pub(super) struct Incoming(Receiver<()>);

/// The way from the handlers to the signal thread.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(super) fn channel() -> io::Result<(Wake, Incoming)> {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    Ok((Wake(sender), Incoming(receiver)))
}

impl Wake {
    pub(super) fn wake(&self) {
        // A full channel means that the thread has not looked yet, so it will be woken anyway.
        let _ = self.0.try_send(());
    }
}

impl Incoming {
    /// Waits until a signal arrives, at most `timeout`; `false`: none ever will.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        match timeout {
            None => self.0.recv().is_ok(),
            Some(timeout) => {
                !matches!(self.0.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected))
            }
        }
    }
}

pub(super) fn install() -> io::Result<()> {
    ctrlc::set_handler(|| SIGNALS.get().arrived(SIGINT)).map_err(io::Error::other)
}

/// Ends the process at once, and says why.
pub(super) fn end_now(number: i32) -> ! {
    say("second Ctrl-C: the process ends without clean-up\n");
    exit(128 + number)
}

/// Ends the process at once with this exit code: the thread that should do it is blocked.
pub(super) fn end_with(code: u8, report: &str) -> ! {
    say(report);
    exit(code.into())
}

/// Writes to standard error, but waits for it no longer than [`MESSAGE_TIMEOUT`].
fn say(text: &str) {
    let text = text.to_owned();
    let (written, done) = crossbeam_channel::bounded::<()>(0);
    let write = move || {
        let _ = io::stderr().write_all(text.as_bytes());
        drop(written);
    };
    if crate::sys::threads::start_thread("tina4-message".to_owned(), Box::new(write)).is_ok() {
        let _ = done.recv_timeout(MESSAGE_TIMEOUT);
    }
}

#[expect(clippy::disallowed_methods, reason = "the process ends at once, by request of the user")]
fn exit(code: i32) -> ! {
    std::process::exit(code)
}
