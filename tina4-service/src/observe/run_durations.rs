//! How long the runs of one service took, by size.
//!
//! perf: a service has this only once its metrics were asked for, so that other programs pay neither memory nor
//! time for it.

use tina4_service_core::Nanos;

/// The upper bounds of the buckets, in nanoseconds.
pub(crate) const BOUNDS: [Nanos; 15] = {
    const MS: Nanos = 1_000_000;
    const S: Nanos = 1_000 * MS;
    [
        MS,
        5 * MS,
        25 * MS,
        100 * MS,
        250 * MS,
        500 * MS,
        S,
        2_500 * MS,
        5 * S,
        10 * S,
        30 * S,
        60 * S,
        300 * S,
        900 * S,
        3_600 * S,
    ]
};

/// A histogram of the durations of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunDurations {
    /// How many durations are in each bucket, and not in the one before; the last one has those above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    sum: u64,
}

impl RunDurations {
    /// The durations of runs before this was created, if they are known: for each group of runs, their number, and the
    /// shortest and the longest. `None`: the bucket of some of them is not known. `sum`: of all of them.
    pub(crate) fn of_past(
        groups: impl IntoIterator<Item = (u64, Nanos, Nanos)>,
        runs: u64,
        sum: u64,
    ) -> Option<Self> {
        let mut durations = Self { sum, ..Self::default() };
        for (count, shortest, longest) in groups {
            let bucket = bucket(longest);
            if bucket != self::bucket(shortest) {
                return None;
            }
            durations.buckets[bucket] += count;
        }
        (durations.count() == runs).then_some(durations)
    }

    /// Counts a run.
    pub(crate) fn add(&mut self, took: Nanos) {
        self.buckets[bucket(took)] += 1;
        self.sum = self.sum.saturating_add(took);
    }

    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }

    /// How many durations are not above each of the [`BOUNDS`].
    pub(crate) fn cumulative(&self) -> [u64; BOUNDS.len()] {
        let mut total = 0;
        std::array::from_fn(|index| {
            total += self.buckets[index];
            total
        })
    }
}

/// The bucket of a duration.
// perf: most runs are short, so the first comparison is usually the last one.
fn bucket(took: Nanos) -> usize {
    BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_114_a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let mut durations = RunDurations::default();
        for (took, expected) in [
            (0, 0),
            (1_000_000, 0),
            (1_000_001, 1),
            (5_000_000, 1),
            (3_600_000_000_000, 14),
            (3_600_000_000_001, 15),
            (Nanos::MAX, 15),
        ] {
            let before = durations.buckets[expected];
            durations.add(took);
            assert_eq!(durations.buckets[expected], before + 1, "{took}");
        }
        assert_eq!((durations.count(), durations.sum()), (7, Nanos::MAX));
        let cumulative = durations.cumulative();
        assert_eq!((cumulative[0], cumulative[1], cumulative[13], cumulative[14]), (2, 4, 4, 5));
    }

    #[test]
    fn rule_114_past_runs_count_if_the_bucket_of_each_is_known() {
        let ms = 1_000_000;
        let known = [(10, 0, ms), (1, 7 * ms, 7 * ms)];
        let durations = RunDurations::of_past(known, 11, 9).expect("all are known");
        assert_eq!((durations.buckets[0], durations.buckets[2], durations.sum()), (10, 1, 9));
        assert_eq!(RunDurations::of_past(known, 12, 9), None, "one is missing");
        assert_eq!(RunDurations::of_past([(2, ms, 2 * ms)], 2, 9), None, "in two buckets");
        assert_eq!(RunDurations::of_past([], 0, 0), Some(RunDurations::default()));
    }
}
