//! The word for each kind of change.

use crate::observe::event::Change;

/// Defines the words in one list, which the compiler checks: a kind without a word does not compile.
macro_rules! words {
    ($($(#[$condition:meta])? $variant:ident => $word:literal,)+) => {
        impl Change {
            /// The kind of change, in snake case.
            pub(crate) const fn kind(&self) -> &'static str {
                match self {
                    $($(#[$condition])? Self::$variant { .. } => $word,)+
                }
            }
        }

        /// All kinds.
        #[cfg(test)]
        pub(crate) const KINDS: &[&str] = &[$($(#[$condition])? $word,)+];
    };
}

words! {
    Registered => "registered",
    Rescheduled => "rescheduled",
    Unregistered => "unregistered",
    Disabled => "disabled",
    Started => "started",
    WaitsFor => "waits_for",
    LeftOut => "left_out",
    Blocked => "blocked",
    Unblocked => "unblocked",
    Ready => "ready",
    RunBegan => "run_began",
    RunEnded => "run_ended",
    Skipped => "skipped",
    Crashed => "crashed",
    Returned => "returned",
    Restarted => "restarted",
    Stuck => "stuck",
    Reset => "reset",
    Requested => "requested",
    Refused => "refused",
    Paused => "paused",
    Resumed => "resumed",
    Stopping => "stopping",
    HookFailed => "hook_failed",
    PanickedWhileStopping => "panicked_while_stopping",
    Stopped => "stopped",
    Cancelled => "cancelled",
    Finished => "finished",
    Failed => "failed",
    Abandoned => "abandoned",
    LateEnd => "late_end",
    StillAlive => "still_alive",
    #[cfg(feature = "queue")]
    JobFailed => "job_failed",
    #[cfg(feature = "queue")]
    JobDied => "job_died",
    #[cfg(feature = "queue")]
    JobReturned => "job_returned",
    #[cfg(feature = "queue")]
    JobLost => "job_lost",
    ThreadFailed => "thread_failed",
    SignalReceived => "signal_received",
    Quiescing => "quiescing",
    Selected => "selected",
    Missed => "missed",
}
