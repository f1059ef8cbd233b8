//! The life of one service, as a pure state machine: `step(facts, input) -> action`.
//!
//! There is no clock, no thread and no lock here; time and dice are arguments. "When do you need
//! me next?" is [`Lifecycle::deadline`]. The supervisor brings the events and does what the
//! commands say. Every `match` on the phase names every phase: a new one does not compile until
//! each event has an answer for it.
//!
//! ```text
//!  Registered ─start─► WaitingForDependencies ─release─► Waiting ◄──good── Running ──crash─► BackingOff
//!                                        │  └────due───►  ▲ │ └─────due──────┘
//!                                        └──pause─► Paused  │
//!                     any of these ──stop─► (Running: StopRequested) ─► Ending (hooks) ─► Stopped
//!                                            done ─► Ending (hooks) ─► Finished
//!        too many crashes, or a permanent one ─► Ending (hooks) ─► Failed
//!                                  stop deadline passed ─► Abandoned
//! ```

mod action;
mod calendar;
mod clean_up;
mod control;
mod crash;
mod date;
mod ending;
mod facts;
mod input;
mod machine;
mod occurrences;
mod phase;
mod queries;
mod readiness;
mod refusal;
mod runs;
mod state;
#[cfg(test)]
mod tests;
mod transition;

pub use action::Action;
pub use crash::Crash;
pub use ending::Ending;
pub use facts::Facts;
pub use input::Input;
pub use machine::Lifecycle;
pub use readiness::Readiness;
pub use refusal::Refusal;
pub use state::State;
pub use transition::Transition;
