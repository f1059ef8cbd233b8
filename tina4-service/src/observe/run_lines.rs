//! The log lines of one run.

use std::time::SystemTime;

use crate::service::run_log::line::RunLogLine;
use crate::service::run_log::lines::Lines;

/// The log lines of one run.
///
/// `T` is the type of its instants: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLines<T = SystemTime> {
    /// The number of the run, as in [`RunRecord::run`](crate::RunRecord::run).
    pub run: u64,
    /// Its last lines, oldest first.
    pub lines: Vec<RunLogLine<T>>,
    /// How many lines before them were dropped, because they were too many.
    pub dropped: u64,
}

impl RunLines {
    pub(crate) fn read(from: &Lines) -> Self {
        let (lines, dropped) = from.read();
        Self { run: from.run, lines, dropped }
    }

    /// Converts the instants.
    #[cfg(feature = "testing")]
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> RunLines<T> {
        let Self { run, lines, dropped } = self;
        let lines = lines.into_iter().map(|line| line.map_time(&map)).collect();
        RunLines { run, lines, dropped }
    }
}
