//! Schedules, restarts and the life cycle of a service, as pure functions.
//!
//! The macro uses this crate while compiling and the runtime uses it while running, so the two
//! cannot disagree. There is no clock here, no thread, no date library and no macro.
//!
//! The way of the data: text -> [`duration`], [`Cron`], [`Timezone`] -> [`Draft`] -> (check) -> [`Spec`], whose
//! [`Schedule`] says when a service is due and whose [`RestartPolicy`] says when it runs again
//! after a crash.
//!
//! Only `tina4-service` has a stable interface. Items of this crate are public because the runtime
//! and the macro use them; any release may change them.
#![forbid(unsafe_code)]

mod calendar;
mod cron;
pub mod duration;
mod exit;
mod flow;
mod key;
pub mod lifecycle;
pub mod name;
mod nanos;
#[cfg(test)]
mod random;
mod restart;
mod schedule;
mod spec;
mod timers;
mod timezone;

pub use calendar::{Utc, Zone};
pub use cron::{ClockChange, Cron, CronError, Days};
pub use exit::Exit;
pub use flow::Flow;
pub use key::Key;
pub use nanos::{Nanos, NonMaxNanos, SECOND, WallNanos, nanos};
pub use restart::{CrashKind, Restart, RestartPolicy, Restarts, Verdict};
pub use schedule::{Grid, Schedule};
pub use spec::{Draft, Fault, Spec};
pub use timers::Timers;
pub use timezone::{Timezone, TimezoneError};
