//! Limits for the log lines about one service, so that one that keeps failing does not flood the log.

use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::DueTime;

/// The time in which lines are counted.
const MINUTE: Nanos = 60_000_000_000;

/// How many lines of one kind a service may write in a minute.
const LINES_PER_MINUTE: u32 = 10;

/// The limits of one service, allocated for its first line that has one.
#[derive(Debug, Default)]
pub(crate) struct LogLimits {
    pub(crate) skips: SkipLimit,
    pub(crate) crashes: LineLimit,
    pub(crate) recoveries: LineLimit,
    pub(crate) stuck: LineLimit,
    #[cfg(feature = "queue")]
    pub(crate) jobs: LineLimit,
}

/// Allows [`LINES_PER_MINUTE`] lines, and counts the others.
#[derive(Debug, Default)]
pub(crate) struct LineLimit {
    /// When the first line of the current minute was written.
    since: Option<Nanos>,
    written: u32,
    left_out: u64,
}

impl LineLimit {
    /// Whether a line may be written at `now`: how many were left out since the last one. `None`: it is left
    /// out, too.
    pub(crate) fn allow(&mut self, now: Nanos) -> Option<u64> {
        if self.since.is_none_or(|since| now.saturating_sub(since) >= MINUTE) {
            (self.since, self.written) = (Some(now), 0);
        }
        if self.written < LINES_PER_MINUTE {
            self.written += 1;
            Some(self.take_left_out())
        } else {
            self.left_out += 1;
            None
        }
    }

    /// Takes how many lines were left out since the last one, for a line that is always written.
    pub(crate) fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

/// Allows one line about skipped due times in a minute, and adds up what it has to say.
#[derive(Debug, Default)]
pub(crate) struct SkipLimit {
    last_line: Option<Nanos>,
    /// What no line has said yet: how many due times were skipped, and the first of them.
    unreported: Option<(u64, DueTime)>,
}

impl SkipLimit {
    /// Adds due times that were skipped, and returns what to write now, if anything.
    pub(crate) fn add(&mut self, count: u64, first: DueTime, now: Nanos) -> Option<(u64, DueTime)> {
        let (before, first) = self.unreported.unwrap_or((0, first));
        self.unreported = Some((before.saturating_add(count), first));
        if self.last_line.is_some_and(|last| now.saturating_sub(last) < MINUTE) {
            return None;
        }
        self.last_line = Some(now);
        self.take_unreported()
    }

    /// Takes what no line has said yet, because the service ends.
    pub(crate) fn take_unreported(&mut self) -> Option<(u64, DueTime)> {
        self.unreported.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn rule_62_a_service_that_skips_every_second_is_reported_once_a_minute_with_the_count() {
        let mut skips = SkipLimit::default();
        let due = |second: u64| DueTime::Instant(second * SECOND);
        let lines: Vec<_> = (0..200)
            .filter_map(|second| {
                skips.add(2, due(second), second * SECOND).map(|line| (second, line))
            })
            .collect();
        let expected =
            [(0, (2, due(0))), (60, (120, due(1))), (120, (120, due(61))), (180, (120, due(121)))];
        assert_eq!(lines, expected);
        assert_eq!(skips.take_unreported(), Some((38, due(181))));
        assert_eq!(skips.take_unreported(), None);
    }

    #[test]
    fn rule_62_ten_lines_of_one_kind_are_written_in_a_minute_and_the_others_counted() {
        let mut limit = LineLimit::default();
        let written: Vec<_> = (0..130)
            .filter_map(|second| limit.allow(second * SECOND).map(|left_out| (second, left_out)))
            .collect();
        let expected: Vec<_> = [0, 60, 120]
            .into_iter()
            .flat_map(|minute| {
                (0..10).map(move |n| (minute + n, u64::from(minute > 0 && n == 0) * 50))
            })
            .collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn rule_62_after_a_pause_every_line_is_written() {
        let mut limit = LineLimit::default();
        for hour in 0..100 {
            assert_eq!(limit.allow(hour * 3_600 * SECOND), Some(0));
        }
    }
}
