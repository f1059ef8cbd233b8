//! One log line of a run.

use std::time::SystemTime;

/// A log line of a run, as [`run_log`](crate::run_log) returns it.
///
/// `T` is the type of its instant: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLogLine<T = SystemTime> {
    /// When it was written.
    pub at: T,
    /// Its level.
    pub level: tracing::Level,
    /// Its target, usually the path of the module that has written it.
    pub target: &'static str,
    /// The message and the fields, as in `sent count=3`; up to 2 KiB of them.
    pub text: String,
}

impl RunLogLine {
    pub(crate) fn new(
        at: SystemTime,
        level: tracing::Level,
        target: &'static str,
        text: String,
    ) -> Self {
        Self { at, level, target, text }
    }

    /// How much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.text.capacity()
    }

    /// Converts the instant.
    #[cfg(feature = "testing")]
    pub(crate) fn map_time<T>(self, map: impl Fn(SystemTime) -> T) -> RunLogLine<T> {
        let Self { at, level, target, text } = self;
        RunLogLine { at: map(at), level, target, text }
    }
}
