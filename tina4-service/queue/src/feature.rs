//! [`Feature`].

use std::fmt;

/// Something that not every engine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Jobs that become ready later: [`Push::delay`](crate::Push::delay).
    Delay,
    /// Jobs that go before others: [`Push::priority`](crate::Push::priority).
    Priority,
    /// Keys that are unique while their job waits or runs: [`Push::unique`](crate::Push::unique).
    UniqueWhileLive,
    /// Keys that are unique for a time: [`Push::unique_for`](crate::Push::unique_for).
    UniqueFor,
    /// Claims that end at a set time unless they are renewed. Without it, a claim ends when its
    /// process loses the connection to the server.
    Lease,
    /// Claims that were lost are told from attempts that failed: they are counted, they have a backoff of
    /// their own, and a job that loses its claims runs alone. Without it, a lost claim is an attempt like
    /// any other, as where the broker counts deliveries only.
    Losses,
    /// Numbers of waiting, claimed and dead jobs.
    Backlog,
    /// Dead jobs can be listed, put back and deleted.
    DeadLetters,
    /// Copies of done jobs can be kept, listed and deleted.
    DoneJobs,
    /// A waiting job can be deleted.
    Cancel,
    /// Pushes and finishes that take part in a transaction of the caller.
    Transactions,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 11] = [
        Self::Delay,
        Self::Priority,
        Self::UniqueWhileLive,
        Self::UniqueFor,
        Self::Lease,
        Self::Losses,
        Self::Backlog,
        Self::DeadLetters,
        Self::DoneJobs,
        Self::Cancel,
        Self::Transactions,
    ];

    /// What the feature is, and what to do without it.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Delay => ("delayed jobs", "push the job when it is due"),
            Self::Priority => ("priorities", "use a queue for each priority"),
            Self::UniqueWhileLive => {
                ("keys that are unique while their job waits or runs", "use `unique_for`")
            }
            Self::UniqueFor => ("keys that are unique for a time", "use `unique`"),
            Self::Lease => ("leases", "omit the lease"),
            Self::Losses => {
                ("telling lost claims from failed attempts", "rely on the number of attempts")
            }
            Self::Backlog => ("counts of jobs", "ask the server itself"),
            Self::DeadLetters => ("access to dead jobs", "use the tools of the server"),
            Self::DoneJobs => ("copies of done jobs", "store what you need in the function"),
            Self::Cancel => ("deleting a waiting job", "let its consumer ignore it"),
            Self::Transactions => ("transactions of the caller", "push after the commit"),
        }
    }

    /// What to use instead.
    pub(crate) const fn remedy(self) -> &'static str {
        self.texts().1
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What it is, as in `the engine does not support <feature>`.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.texts().0)
    }
}
