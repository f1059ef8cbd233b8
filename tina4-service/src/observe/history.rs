//! The past runs of one service, as `history()` returns them.

use std::time::SystemTime;

use crate::observe::run_record::RunRecord;

/// The past runs of one service, as [`history`](crate::history) returns them, oldest first.
///
/// `T` is the type of its instants: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct History<T = SystemTime> {
    /// The last runs that have ended: up to 20 records, unless the builder sets another limit.
    pub runs: Vec<RunRecord<T>>,
    /// The last failures, up to 5, also those that are no longer among `runs`. So they stay visible however
    /// many runs have ended well since.
    ///
    /// A failure is a run that returned an error, panicked, was cancelled or was abandoned.
    pub failures: Vec<RunRecord<T>>,
}

#[cfg(feature = "testing")]
impl History {
    /// Converts the instants.
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> History<T> {
        let convert = |records: Vec<RunRecord>| {
            records.into_iter().map(|record| record.map_times(&map)).collect()
        };
        History { runs: convert(self.runs), failures: convert(self.failures) }
    }
}
