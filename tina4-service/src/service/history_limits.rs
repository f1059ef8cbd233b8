//! How much a runner remembers of past runs.

/// How many runs of each service a runner remembers; see [`Builder::history`](crate::Builder::history).
///
/// ```
/// use tina4_service::HistoryLimits;
///
/// let limits = HistoryLimits::new().runs(50).failures(10);
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    pub(crate) runs: u32,
    pub(crate) failures: u32,
    pub(crate) total: u32,
}

impl HistoryLimits {
    /// The defaults: 20 runs and 5 failures of each service, 10,000 runs and 2,500 failures in all.
    #[must_use]
    pub const fn new() -> Self {
        Self { runs: 20, failures: 5, total: 10_000 }
    }

    /// Nothing is remembered.
    #[must_use]
    pub const fn off() -> Self {
        Self { runs: 0, failures: 0, total: 0 }
    }

    /// Sets how many runs of each service are remembered; 0: none. Default: 20.
    ///
    /// Successes in quick succession count as one: see [`RunRecord`](crate::RunRecord).
    #[must_use]
    pub const fn runs(mut self, runs: u32) -> Self {
        self.runs = runs;
        self
    }

    /// Sets how many failures of each service are remembered in addition; 0: none. Default: 5.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how many runs of all services together are remembered, and a quarter as many failures; 0: none. Default:
    /// 10,000.
    ///
    /// Beyond that, the oldest ones of the runner are forgotten, whichever service they belong to. A run takes
    /// about 160 bytes, and a failure up to 1 KiB more, so the default is at most 5 MiB. A run that was requested on
    /// somebody's behalf takes up to 300 bytes more for the requester; if all were, the default is at most 8 MiB.
    #[must_use]
    pub const fn total(mut self, runs: u32) -> Self {
        self.total = runs;
        self
    }

    /// How many failures of all services together are remembered.
    pub(crate) const fn total_failures(self) -> u32 {
        self.total.div_ceil(4)
    }
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self::new()
    }
}
