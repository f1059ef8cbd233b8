//! The log lines of one service.

use std::time::SystemTime;

use crate::observe::run_lines::RunLines;
use crate::service::run_log::store::Logs;

/// The log lines of one service, as [`run_log`](crate::run_log) returns them.
///
/// `T` is the type of its instants: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLogs<T = SystemTime> {
    /// The runs in progress that have written anything: one, or, with a queue, up to `concurrency`.
    pub running: Vec<RunLines<T>>,
    /// The last run that has ended; `None`: it has written nothing.
    pub last: Option<RunLines<T>>,
    /// The last run that has failed and has written anything. It stays known while other runs end well.
    pub last_failing: Option<RunLines<T>>,
}

impl RunLogs {
    pub(crate) fn read(from: &Logs) -> Self {
        let Logs { running, last, last_failing } = from;
        Self {
            running: running.iter().map(|lines| RunLines::read(lines)).collect(),
            last: last.as_ref().map(|(_, lines)| RunLines::read(lines)),
            last_failing: last_failing.as_ref().map(|(_, lines)| RunLines::read(lines)),
        }
    }

    /// Converts the instants.
    #[cfg(feature = "testing")]
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> RunLogs<T> {
        let Self { running, last, last_failing } = self;
        let convert = |lines: RunLines| lines.map_times(&map);
        RunLogs {
            running: running.into_iter().map(convert).collect(),
            last: last.map(convert),
            last_failing: last_failing.map(convert),
        }
    }
}
