//! A body that only counts its runs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::peer::Work;

/// Counts the runs of each service.
pub(super) struct Counter(Box<[AtomicU64]>);

impl Counter {
    pub(super) fn new(services: usize) -> Self {
        Self((0..services).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|runs| runs.load(Ordering::Relaxed)).sum()
    }
}

impl Work for Counter {
    fn run(&self, service: usize) {
        self.0[service].fetch_add(1, Ordering::Relaxed);
    }
}
