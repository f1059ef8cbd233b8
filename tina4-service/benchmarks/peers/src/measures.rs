//! One file for each measure.

pub(crate) mod back_to_back;
pub(crate) mod cpu;
pub(crate) mod crowd;
pub(crate) mod drift;
pub(crate) mod idle;
pub(crate) mod lateness;
pub(crate) mod neighbours;
pub(crate) mod restart;
pub(crate) mod stop_backoff;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::rival::Work;

/// Counts the runs of each service.
struct Counter(Box<[AtomicU64]>);

impl Counter {
    fn new(services: usize) -> Self {
        Self((0..services).map(|_| AtomicU64::new(0)).collect())
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|runs| runs.load(Ordering::Relaxed)).sum()
    }
}

impl Work for Counter {
    fn run(&self, service: usize) {
        self.0[service].fetch_add(1, Ordering::Relaxed);
    }
}
