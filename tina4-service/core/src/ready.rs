//! When a service counts as ready.

use std::fmt;

/// When a service counts as ready, for services that wait for it.
///
/// Without the key `ready`, it follows from the schedule: with `interval` or `delay`, a service is
/// ready once its first run has ended well; with `cron` or `anchor`, once its first run is planned; a
/// continuous service, once its first run has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Once the first run has begun; for continuous services.
    Started,
    /// Once a run has returned well; for continuous services.
    Finished,
    /// Once the function has called `ctx.ready()`.
    Notified,
}

impl Ready {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Started, Self::Finished, Self::Notified];

    /// The value as written in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Notified => "notified",
        }
    }

    /// Parses a value as written in the attribute.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ready| ready.as_str() == word)
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
