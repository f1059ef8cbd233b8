//! How many runs ended in each way other than well.

use tina4_service_core::lifecycle::RunOutcome;

/// The ways in which a run ends that is no success.
const NOT_OK: [RunOutcome; 5] = [
    RunOutcome::Error,
    RunOutcome::Panic,
    RunOutcome::Stopped,
    RunOutcome::Cancelled,
    RunOutcome::Abandoned,
];

/// How many runs ended in each way other than well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutcomeCounts([u64; NOT_OK.len()]);

impl OutcomeCounts {
    pub(crate) const NONE: Self = Self([0; NOT_OK.len()]);

    /// Counts a run that did not end well.
    pub(crate) fn add(&mut self, outcome: RunOutcome) {
        if let Some(index) = NOT_OK.iter().position(|known| *known == outcome) {
            self.0[index] += 1;
        }
    }

    /// The number of runs that were abandoned, whose ends do not count.
    fn abandoned(self) -> u64 {
        self.each().find(|(outcome, _)| *outcome == RunOutcome::Abandoned).map_or(0, |of| of.1)
    }

    /// The number of runs that ended and whose ends count.
    pub(crate) fn ended(self) -> u64 {
        self.0.iter().sum::<u64>() - self.abandoned()
    }

    pub(crate) fn each(self) -> impl Iterator<Item = (RunOutcome, u64)> {
        NOT_OK.into_iter().zip(self.0)
    }
}
