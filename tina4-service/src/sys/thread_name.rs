//! The name of the current thread, as Linux shows it in `top -H`, `ps -L` and a debugger.

pub(crate) use platform::{restore, show};

#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
mod platform {
    use std::cell::Cell;

    /// The longest name that Linux keeps, in bytes.
    const MAX_BYTES: usize = 15;

    thread_local! {
        /// Whether the thread has a name that is not its own.
        static IS_SHOWN: Cell<bool> = const { Cell::new(false) };
    }

    /// Shows this name, until [`restore`] is called. `std` keeps the thread's own name.
    pub(crate) fn show(name: &str) {
        IS_SHOWN.set(true);
        write(name);
    }

    /// Shows the thread's own name again.
    pub(crate) fn restore() {
        if IS_SHOWN.get() {
            IS_SHOWN.set(false);
            write(std::thread::current().name().unwrap_or_default());
        }
    }

    fn write(name: &str) {
        let bytes = &name.as_bytes()[..name.len().min(MAX_BYTES)];
        // Without /proc, the thread keeps the name that it has.
        let _ = std::fs::write("/proc/thread-self/comm", bytes);
    }
}

/// Other systems have no way to name a thread that needs no unsafe code.
#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
mod platform {
    pub(crate) fn show(_: &str) {}

    pub(crate) fn restore() {}
}
