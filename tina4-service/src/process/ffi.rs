//! All calls into the C library, and the only file with unsafe code.
//!
//! Four things have no safe wrapper: a function that runs at the end of the process, one that runs
//! in a forked child, code that runs inside a signal handler, and a write that does not wait. Each is
//! documented with the reason why it is sound; `exit_hook.rs`, `sys/fork.rs` and `signals.rs` explain
//! their purpose.
//!
//! No function that this file exports takes a callback. The code that runs in a forked child or in a
//! signal handler is fixed, because it has to be async-signal-safe: it may use atomics, read the clock
//! and write to a descriptor, and must not allocate, lock or panic.

#![expect(unsafe_code, reason = "the C library has no safe wrappers for these; see above")]

/// The exit hook. It is registered before `main`, so that it runs after all hooks that the program
/// registers.
#[cfg(feature = "exit-hook")]
mod exit_hook {
    unsafe extern "C" {
        fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
    }

    #[cfg(windows)]
    #[link(name = "ntdll", kind = "raw-dylib")]
    unsafe extern "system" {
        /// Whether `ExitProcess` has ended all other threads.
        safe fn RtlDllShutdownInProgress() -> u8;
    }

    extern "C" fn on_exit() {
        #[cfg(windows)]
        if RtlDllShutdownInProgress() != 0 {
            return;
        }
        // A panic that leaves an `extern "C"` function aborts the process. `stop_everything` runs no
        // user code on this thread.
        let _ = crate::sys::panics::catch_without_thread_locals(
            crate::process::exit_hook::stop_everything,
        );
    }

    // `ctor` demands `unsafe`, because code that runs before `main` must not rely on the runtime of
    // `std` being initialised.
    ctor::declarative::ctor! {
        #[ctor(unsafe)]
        fn before_main() {
            crate::time::clock::init_origin();
            // Miri has no `atexit`, and the model checker's locks work only inside its schedules.
            if cfg!(any(miri, shuttle)) {
                return;
            }
            // SAFETY: atexit is part of every C library we link; the callback is a plain function
            // that does not unwind. If registration fails, there is no exit hook.
            let _ = unsafe { atexit(on_exit) };
        }
    }
}

/// Registers a fork handler, so that every child forked from now on knows that it is a child. It must
/// be called before the first thread starts.
#[cfg(unix)]
pub(crate) fn watch_forks() {
    type Callback = Option<extern "C" fn()>;
    unsafe extern "C" {
        fn pthread_atfork(before: Callback, parent: Callback, child: Callback) -> std::ffi::c_int;
    }
    extern "C" fn in_child() {
        crate::sys::fork::in_child();
    }

    static WATCHING: std::sync::Once = std::sync::Once::new();
    WATCHING.call_once(|| {
        // Miri has no `pthread_atfork`, and cannot fork either.
        if cfg!(miri) {
            return;
        }
        // SAFETY: pthread_atfork is part of POSIX; the callback is a plain function that lives as
        // long as the program, and adds to an atomic. Registration fails only if memory is exhausted; a
        // forked child then does not detect that it is one.
        let _ = unsafe { pthread_atfork(None, None, Some(in_child)) };
    });
}

/// Installs the handler of signal `number`.
///
/// # Errors
///
/// The operating system refused the handler.
#[cfg(all(unix, feature = "signals"))]
pub(crate) fn handle_signal(number: i32) -> std::io::Result<()> {
    // SAFETY: `in_handler` is async-signal-safe; see its documentation.
    unsafe { signal_hook::low_level::register(number, move || in_handler(number)) }.map(drop)
}

/// Runs inside the handler of each stop signal, and of SIGUSR1. Async-signal-safe: it uses atomics, reads the clock,
/// writes to a socket that does not block, and calls functions of `signal_hook` that are
/// async-signal-safe themselves.
#[cfg(all(unix, feature = "signals"))]
fn in_handler(number: i32) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGUSR1};
    use signal_hook::low_level::{emulate_default_handler, exit};

    use crate::process::signals::handler::{Reaction, on_dump_signal, on_signal};

    let reaction = if number == SIGUSR1 { on_dump_signal() } else { on_signal(number) };
    match reaction {
        Reaction::Continue => {}
        Reaction::EndProcess => {
            write_to_stderr(match number {
                SIGHUP => b"another stop signal (SIGHUP); the process ends without clean-up\n",
                SIGINT => b"another stop signal (SIGINT); the process ends without clean-up\n",
                _ => b"another stop signal (SIGTERM); the process ends without clean-up\n",
            });
            exit(128 + number)
        }
        Reaction::Default => drop(emulate_default_handler(number)),
    }
}

/// Writes as much of `text` to standard error as is possible without waiting, and takes no lock.
///
/// Async-signal-safe. If standard error is, or becomes, a full pipe or a stopped terminal, the rest of
/// the text is lost. It waits only if another thread fills the pipe between `poll` and `write`.
#[cfg(unix)]
pub(crate) fn write_to_stderr(text: &[u8]) {
    use std::ffi::{c_int, c_short, c_void};

    #[cfg(target_os = "linux")]
    type Count = std::ffi::c_ulong;
    #[cfg(not(target_os = "linux"))]
    type Count = std::ffi::c_uint;

    #[repr(C)]
    struct PollFd {
        fd: c_int,
        events: c_short,
        revents: c_short,
    }

    unsafe extern "C" {
        fn poll(fds: *mut PollFd, count: Count, timeout: c_int) -> c_int;
        fn write(fd: c_int, buffer: *const c_void, length: usize) -> isize;
    }

    const STDERR: c_int = 2;
    const POLLOUT: c_short = 4;
    /// A writable pipe accepts at least this much in one write (POSIX).
    const POSIX_PIPE_BUF: usize = 512;

    for part in text.chunks(POSIX_PIPE_BUF) {
        let mut stderr = PollFd { fd: STDERR, events: POLLOUT, revents: 0 };
        // SAFETY: one valid entry, and a timeout of zero.
        let ready = unsafe { poll(&raw mut stderr, 1, 0) };
        if ready != 1 || stderr.revents & POLLOUT == 0 {
            return;
        }
        // SAFETY: the buffer is valid for its length. A closed descriptor is an error, not a fault.
        if unsafe { write(STDERR, part.as_ptr().cast(), part.len()) } < 0 {
            return;
        }
    }
}
