//! [`Backlog`].

use std::time::Duration;

/// How many jobs of a queue there are, in all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Jobs that can be claimed now.
    pub ready: u64,
    /// Jobs that become ready later: pushed with a delay, or waiting for another attempt.
    pub delayed: u64,
    /// Jobs in the hands of a process.
    pub claimed: u64,
    /// Jobs that are not attempted any more.
    pub dead: u64,
    /// How long the oldest of the ready jobs has been ready.
    pub oldest_ready: Option<Duration>,
}
