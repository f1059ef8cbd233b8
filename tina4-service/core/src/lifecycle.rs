//! The life cycle of one service, as a pure state machine:
//! `step(spec, facts, input, emit) -> action`.
//!
//! There is no clock, thread or lock here: time and random numbers are arguments.
//! The machine can handle [`Input::Due`] from [`Lifecycle::next_wake_up`] on, and needs it by
//! [`Lifecycle::wake_up_by`]; the two differ only for a service with a tolerance. The supervisor feeds
//! it inputs and carries out its actions. Every `match` on the phase names every phase, so a new
//! phase does not compile until each input is handled in it.
//!
//! ```text
//! Idle ◄───────────────────── cleaned up ────────────────┐
//!   │ start                                              │
//!   ▼                                                    │
//! WaitingForDependencies, Blocked ── stop ───────────► Ending ── deadline ──► Abandoned
//!   │ dependencies met                                   ▲ ▲ ▲                    ▲
//!   ▼                                                    │ │ │                    │
//! Pending ─────────────────────── stop ──────────────────┘ │ │ run ended          │
//!   │ due   ▲                                              │ │                    │
//!   ▼       │ run ended, or crashed: backoff               │ │                    │
//! Running ──┴──────────── done, failed for good ───────────┘ │                    │
//!   └──────────────────────────── stop ─────────────── StopRequested ─ deadline ──┘
//! ```
//!
//! A service that waits is `Blocked` while one that it requires cannot become ready; it is then in
//! an activation, but not active. `Idle` is registered, disabled, stopped, cancelled, finished or failed; a `Pending` service may be
//! paused. A run that is a task is dropped at the deadline, and abandoned only if it does not end then either. A service
//! can be started again from `Abandoned` once nothing of it is alive. A start that fails leads back
//! to `Idle`.

mod action;
mod availability;
mod clean_up;
mod consuming;
mod control;
mod crash;
mod cron;
mod cron_state;
mod dependencies;
mod due_time;
mod end_reason;
mod facts;
mod input;
mod machine;
mod occurrence;
mod overdue;
mod phase;
mod queries;
mod readiness;
mod refusal;
mod reschedule;
mod run_kind;
mod run_outcome;
mod runs;
mod state;
#[cfg(test)]
mod tests;
mod transition;

pub use action::Action;
pub use availability::NotReady;
pub use consuming::Consuming;
pub use crash::Crash;
pub use dependencies::Dependencies;
pub use due_time::DueTime;
pub use end_reason::EndReason;
pub use facts::Facts;
pub use input::Input;
pub use machine::Lifecycle;
pub use overdue::{OverdueFacts, SignedNanos};
pub use readiness::Readiness;
pub use refusal::Refusal;
pub use run_kind::RunKind;
pub use run_outcome::RunOutcome;
pub use state::State;
pub use transition::Transition;
