//! Memory and threads of this process, from `/proc` on Linux.

/// The resources that this process uses; a field is `None` if the system does not report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) pid: u32,
    /// Resident memory, in kibibytes.
    pub(crate) memory_kib: Option<u64>,
    pub(crate) threads: Option<u64>,
}

impl Usage {
    /// The current usage.
    pub(crate) fn current() -> Self {
        // Only Linux has this file.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::parse(&status)
    }

    fn parse(status: &str) -> Self {
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
    fn the_file_is_parsed_and_may_be_missing() {
        let usage = Usage::parse("Name:\tshop\nVmRSS:\t    5120 kB\nThreads:\t4\n");
        assert_eq!((usage.memory_kib, usage.threads), (Some(5120), Some(4)));
        let usage = Usage::parse("");
        assert_eq!((usage.memory_kib, usage.threads), (None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_reports_everything() {
        let usage = Usage::current();
        assert!(usage.memory_kib.is_some_and(|kib| kib > 0), "{usage:?}");
        assert!(usage.threads.is_some_and(|threads| threads > 0), "{usage:?}");
    }
}
