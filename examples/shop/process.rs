//! What the operating system knows of this process: memory and threads, from `/proc` on Linux.

/// A look at this process; `None` where the system does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) pid: u32,
    /// Memory that is in use, in kibibytes.
    pub(crate) memory_kib: Option<u64>,
    pub(crate) threads: Option<u64>,
}

impl Usage {
    /// Looks now.
    pub(crate) fn look() -> Self {
        // Only Linux has this file; elsewhere, the numbers are unknown.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::read(&status)
    }

    fn read(status: &str) -> Self {
        let number = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key))?;
            value.split_whitespace().next()?.parse().ok()
        };
        Self { pid: std::process::id(), memory_kib: number("VmRSS:"), threads: number("Threads:") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_may_be_missing() {
        let usage = Usage::read("Name:\tshop\nVmRSS:\t    5120 kB\nThreads:\t4\n");
        assert_eq!((usage.memory_kib, usage.threads), (Some(5120), Some(4)));
        let usage = Usage::read("");
        assert_eq!((usage.memory_kib, usage.threads), (None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_says_everything() {
        let usage = Usage::look();
        assert!(usage.memory_kib.is_some_and(|kib| kib > 0), "{usage:?}");
        assert!(usage.threads.is_some_and(|threads| threads > 0), "{usage:?}");
    }
}
