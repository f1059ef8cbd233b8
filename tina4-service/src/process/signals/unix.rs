//! Signals as Unix has them.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, exit};

use super::SIGNALS;
use crate::process::ffi;

/// Wakes the signal thread from inside a handler.
#[derive(Debug)]
pub(super) struct Wake(UnixStream);

/// What a handler wakes.
#[derive(Debug)]
pub(super) struct Incoming(UnixStream);

/// The way from the handlers to the signal thread.
pub(super) fn channel() -> io::Result<(Wake, Incoming)> {
    let (handlers, thread) = UnixStream::pair()?;
    // A full socket means that the thread has not looked yet, so it will be woken anyway.
    handlers.set_nonblocking(true)?;
    Ok((Wake(handlers), Incoming(thread)))
}

impl Wake {
    /// Async-signal-safe.
    pub(super) fn wake(&self) {
        let _ = (&self.0).write(&[0]);
    }
}

impl Incoming {
    /// Waits until a signal arrives, at most `timeout`; `false`: none ever will.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let mut thread = &self.0;
        if thread.set_read_timeout(timeout).is_err() {
            return false;
        }
        match thread.read(&mut [0; 64]) {
            Ok(read) => read > 0,
            Err(error) => matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ),
        }
    }
}

/// Runs inside the handler of each stop signal: async-signal-safe.
pub(crate) fn arrived(number: i32) {
    match SIGNALS.find().filter(|signals| signals.are_of_this_process()) {
        Some(signals) => signals.arrived(number),
        // A forked child has inherited the handlers, but nothing in it waits for a signal: it ends as it
        // would without them.
        None => drop(emulate_default_handler(number)),
    }
}

/// Installs the handlers; a child that was forked later has them already.
pub(super) fn install() -> io::Result<()> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.load(Ordering::Acquire) {
        return Ok(());
    }
    let ignored = ignored_signals();
    for number in [SIGHUP, SIGTERM, SIGINT] {
        // Whoever started the program did not want it to end by this signal (`nohup`, a shell's
        // background job); with a handler it would.
        if ignored & 1 << (number - 1) == 0 {
            ffi::handle_signal(number)?;
        }
    }
    INSTALLED.store(true, Ordering::Release);
    Ok(())
}

/// The signals that this process ignores, as a mask. Only Linux says so without unsafe code.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends the process at once, and says why. Async-signal-safe.
pub(super) fn end_now(number: i32) -> ! {
    ffi::write_to_stderr(match number {
        SIGHUP => b"second stop signal (SIGHUP): the process ends without clean-up\n",
        SIGINT => b"second stop signal (SIGINT): the process ends without clean-up\n",
        _ => b"second stop signal (SIGTERM): the process ends without clean-up\n",
    });
    exit(128 + number)
}

/// Ends the process at once with this exit code: the thread that should do it is blocked.
pub(super) fn end_with(code: u8, report: &str) -> ! {
    ffi::write_to_stderr(report.as_bytes());
    exit(code.into())
}
