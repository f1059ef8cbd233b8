//! Installs the handlers of the stop signals.

use std::io;

#[cfg(windows)]
use crate::process::signals::end_process::end_process;
#[cfg(windows)]
use crate::process::signals::handler::{Reaction, on_signal};

/// Installs the handlers of SIGHUP, SIGTERM and SIGINT. A forked child has inherited them.
#[cfg(unix)]
pub(super) fn install_handlers() -> io::Result<()> {
    use std::sync::atomic::{AtomicBool, Ordering};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    static EVER_INSTALLED: AtomicBool = AtomicBool::new(false);
    if EVER_INSTALLED.load(Ordering::Acquire) {
        return Ok(());
    }
    let ignored = ignored_signals();
    for number in [SIGHUP, SIGTERM, SIGINT] {
        // The parent process did not want this signal to end the program (`nohup`, a background job
        // of a shell); with a handler it would.
        if ignored & 1 << (number - 1) == 0 {
            crate::process::ffi::handle_signal(number)?;
        }
    }
    EVER_INSTALLED.store(true, Ordering::Release);
    Ok(())
}

/// Installs the handler of SIGUSR1, unless it is installed. A forked child has inherited it.
#[cfg(unix)]
pub(super) fn install_dump_handler() -> io::Result<()> {
    use std::sync::atomic::{AtomicBool, Ordering};

    static EVER_INSTALLED: AtomicBool = AtomicBool::new(false);
    if !EVER_INSTALLED.load(Ordering::Acquire) {
        crate::process::ffi::handle_signal(signal_hook::consts::SIGUSR1)?;
        EVER_INSTALLED.store(true, Ordering::Release);
    }
    Ok(())
}

/// The signals that this process ignores, as a mask. Only Linux provides it without unsafe code.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Installs the handler of Ctrl-C and Ctrl-Break, which runs on a thread of its own.
#[cfg(windows)]
pub(super) fn install_handlers() -> io::Result<()> {
    /// `ctrlc` does not report which event it was; all are treated as Ctrl-C.
    const SIGINT: u8 = 2;

    let handler = || match on_signal(SIGINT.into()) {
        Reaction::EndProcess => {
            end_process(128 + SIGINT, "another Ctrl-C; the process ends without clean-up\n")
        }
        Reaction::Continue | Reaction::Default => {}
    };
    ctrlc::set_handler(handler).map_err(io::Error::other)
}
