//! What a visitor can do to a service.

use std::fmt;

/// What a visitor can do to a service or a queue. `Display` prints it as in paths: `run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Run it now.
    Run,
    /// Start no run until it is resumed.
    Pause,
    /// End its pause.
    Resume,
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Stop it, and start it again.
    Restart,
    /// Forget its failures.
    Reset,
    /// Try dead jobs of a queue again.
    Redrive,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Run,
        Self::Pause,
        Self::Resume,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Reset,
        Self::Redrive,
    ];

    /// Those that concern a service.
    pub const ON_SERVICES: [Self; 7] =
        [Self::Run, Self::Pause, Self::Resume, Self::Start, Self::Stop, Self::Restart, Self::Reset];

    /// The word in paths, such as `run`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reset => "reset",
            Self::Redrive => "redrive",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
