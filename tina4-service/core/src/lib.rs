//! Schedules, restarts and the life cycle of a service, without I/O: time and randomness are
//! arguments.
//!
//! The macro uses this crate at compile time and the runtime at run time, so the two cannot
//! disagree. It has no clock, no threads, no date library and no macros.
//!
//! Data flow: text -> [`duration`], [`Cron`], [`Anchor`], [`Timezone`] -> [`Draft`] -> (check) -> [`Spec`]. The
//! [`Schedule`] of a [`Spec`] gives the due times of a service; its [`RestartPolicy`] gives the
//! backoff after a crash. [`lifecycle`] puts them together, and [`Timers`] is the queue of due times.
//! [`deployment`] changes a [`Spec`] as whoever runs the program wishes.
//!
//! Only `tina4-service` has a stable interface. Items of this crate are public because the runtime
//! and the macro use them; any release may change them.
#![forbid(unsafe_code)]

mod anchor;
mod calendar;
mod cron;
pub mod deployment;
pub mod duration;
mod exit;
mod flow;
mod instants;
mod key;
pub mod lifecycle;
pub mod name;
mod nanos;
mod nearest;
mod on_timeout;
#[cfg(test)]
mod proptest_config;
mod queue_spec;
mod ready;
mod restart;
mod schedule;
mod spec;
#[cfg(test)]
mod test_zone;
mod timers;
mod timezone;

pub use anchor::{Anchor, AnchorError, Anchored};
pub use calendar::{Utc, Zone};
pub use cron::{Cron, CronError, Days};
pub use exit::Exit;
pub use flow::Flow;
pub use instants::ClockChange;
pub use key::Key;
pub use nanos::{Nanos, NonMaxNanos, WALL_SECOND, WallNanos, nanos};
pub use nearest::nearest;
pub use on_timeout::OnTimeout;
pub use queue_spec::QueueSpec;
pub use ready::Ready;
pub use restart::{CrashKind, Restart, RestartPolicy, Restarts, Verdict};
pub use schedule::{Calendar, Grid, Schedule};
pub use spec::{Draft, Fault, Setting, Spec, count_too_large, negative_count, unknown_word};
pub use timers::Timers;
pub use timezone::{Timezone, TimezoneError};
