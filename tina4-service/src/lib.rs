//! Background services inside one process: declared with an attribute, discovered automatically, run
//! on time, restarted when they crash, stopped in order.
//!
//! ```standalone_crate
//! mod services {
//!     use tina4_service::{Flow, service};
//!
//!     #[service(interval = "30s", max_restarts = 5)]
//!     fn heartbeat() {
//!         println!("alive");
//!     }
//!
//!     #[service]
//!     fn migrations() -> Flow {
//!         println!("the database is up to date");
//!         Flow::Done
//!     }
//! }
//!
//! let runner = tina4_service::start_all()?;
//! assert!(runner.is_running("heartbeat"));
//! runner.stop_all();
//! # Ok::<(), tina4_service::StartError>(())
//! ```
//!
//! `fn main() -> ExitCode { tina4_service::run() }` does all of it: it starts every service, waits
//! for Ctrl-C or SIGTERM, stops them in order and says how it went.
//!
//! # Where to look
//!
//! * [`service`]: the attribute and its keys.
//! * [`Context`], [`Tick`], [`Res`], [`Local`]: what a service's function can ask for.
//! * [`Flow`]: what it can answer besides `()` and `Result`.
//! * [`Permanent`]: an error after which no restart is tried.
//! * [`Runner`]: a runner of your own; [`Service`]: a service made at run time.
//! * [`check`], [`services`], [`subscribe`]: the plan, the state, every change.
//! * [`surprises`]: what surprises people, such as signals in a container, and the way out of each.
#![cfg_attr(
    feature = "testing",
    doc = "* [`testing`]: a day of services in milliseconds, and a [guide](testing::guide) to testing yours."
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "* The feature `testing`: a day of services in milliseconds, and a guide to testing yours."
)]
//!
//! # Platforms
//!
//! Linux, macOS and Windows. On Windows the clean-up hooks do not run when a program calls
//! [`process::exit`](std::process::exit), which ends all other threads there: return from `main`, or
//! call [`stop_all`] before. Ctrl-C and Ctrl-Break stop a program in order; closing the console
//! window, logging off and shutting down end it before its services have stopped.
#![deny(unsafe_code)]

// The floors; imports go down.
//
//  front door  lib  global  exit (the process's end)  signals
//  handle      runner  report
//  engine      supervisor (the state of all services)  pool (the only threads)  job (user code runs)
//  knowledge   plan  status  event
//  a service   service  registration  params  context  unit  schedule
//  rules       lifecycle (pure: facts and event in, command out)
//  errors      error_text  permanent
//  ground      clock (the only one)  zone (the only time zones)  nearest (names)  flow
//              panics (the only `catch_unwind`)  sync  bounded_text  one_line  fork  signal  ffi
//
// Test time stands beside the floors: testing (the front door) and stage, which moves a clock on when
// everybody rests; clock and pool ask it, where the feature is on.
//
// The trip: attribute -> `Registration` -> `Plan` -> `Lifecycle` -> `Job` -> `Report` -> status.

mod engine;
mod global;
mod observe;
mod plan;
mod process;
mod runner;
mod service;
#[doc = include_str!("surprises.md")]
pub mod surprises {}
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod time;

pub use global::{
    check, is_running, pause, provide, register, restart, resume, run, run_now, services, start,
    start_all, status, stop, stop_all, subscribe, wait, wait_timeout,
};
#[cfg(feature = "signals")]
pub use global::{wait_for_signal, wait_for_signal_timeout};
pub use observe::event::{Change, Event};
pub use observe::info::{DurationStats, ServiceInfo};
pub use observe::signal::{Signal, StopCause};
pub use observe::stop_report::{ControlError, StopReport, Stopped, StoppedService};
pub use plan::{Fault, Plan, PlannedService, StartError};
pub use runner::{Builder, Runner};
pub use service::builder::{IntoDuration, Service};
pub use service::context::Context;
pub use service::params::local::Local;
pub use service::permanent::Permanent;
pub use service::resources::Res;
pub use service::tick::Tick;
pub use sys::place::Place;
pub use sys::stop_signal::Never;
pub use time::clock::Clock;
pub use time::schedule::Schedule;
#[cfg(feature = "cron")]
pub use time::schedule::ScheduleError;
/// ```
/// use tina4_service::Flow;
///
/// /// Sends one letter, and runs again immediately while there are more.
/// fn mail(letters: &mut Vec<&str>) -> Flow {
///     match letters.pop() {
///         Some(letter) => { println!("{letter}"); Flow::Again }
///         None => Flow::Wait,
///     }
/// }
/// assert_eq!(mail(&mut vec!["hello"]), Flow::Again);
/// ```
pub use tina4_service_core::Flow;
#[cfg(feature = "cron")]
pub use tina4_service_core::{CronError, TimezoneError};
pub use tina4_service_core::{Restart, lifecycle::State};
/// Declares a function as a service.
///
/// ```
/// use tina4_service::{Context, Flow, Local, service};
///
/// #[service(interval = "30s", max_restarts = 5)]
/// fn heartbeat() {
///     println!("alive");
/// }
///
/// /// Takes one letter at a time; comes back at once while there are more.
/// #[service(delay = "2s", after = [heartbeat], on_stop = close)]
/// fn mail(ctx: &Context, mut sent: Local<u32>) -> Result<Flow, std::io::Error> {
///     *sent += 1;
///     Ok(if *sent % 10 == 0 || ctx.is_stopping() { Flow::Wait } else { Flow::Again })
/// }
///
/// fn close(sent: Local<u32>) {
///     println!("{} letters sent", *sent);
/// }
/// ```
///
/// The function stays as it is: it can be called, tested, documented and re-exported. A mistake in
/// the attribute is a compile error at the guilty word.
///
/// # Keys
///
/// All are optional. Durations are texts with a unit, as `humantime` reads them (`"500ms"`,
/// `"1h 30m"`), from 1 ms to 366 days.
///
/// | key | value | default | meaning |
/// | --- | --- | --- | --- |
/// | `name` | text: a letter, then letters, digits, `_` `-` `.`; up to 64 characters | the function's name | unique in the program |
/// | `interval` | duration | | fixed rate: a grid of instants from the first start |
/// | `delay` | duration | | fixed delay: the pause between the end of a run and the next start |
/// | `cron` | cron expression, see [`Schedule::cron`] | | calendar time |
/// | | none of the three | | continuous: called once, runs until it returns |
/// | `timezone` | `"Europe/Berlin"`, `"UTC"`, `"local"` | `"local"` | with `cron` only |
/// | `initial_delay` | duration, also `"0s"` | `"0s"` | before the first run; not with `cron` |
/// | `jitter` | duration, shorter than the interval, delay or shortest pause of `cron` | none | each run starts up to this much late, by chance; the grid stays |
/// | `timeout` | duration | none | a run that takes longer is reported as stuck; nothing is killed |
/// | `restart` | `"on-failure"`, `"always"`, `"never"` | `"on-failure"` | `"always"` also restarts a continuous service that returned |
/// | `max_restarts` | whole number | unlimited | after so many restarts in a row the next crash makes it `failed` |
/// | `restart_window` | duration | none | count the restarts in this sliding window instead of those in a row |
/// | `backoff`, `max_backoff` | durations | `"1s"`, `"60s"` | first and longest delay before a restart; it doubles in between |
/// | `stop_timeout` | duration | `"10s"` | how long stop waits for this service |
/// | `after` | list of service functions, or of names as text | none | start after these are up, stop before them |
/// | `on_stop` | a function with a service's parameters that returns `()`, `Result<(), E>` or `!` | none | clean-up when the activation ends |
/// | `autostart` | bool | `true` | `false`: only `start("name")` starts it |
/// | `critical` | bool | `false` | if it fails for good, the whole runner shuts down |
/// | `crate` | path | `::tina4_service` | where this crate is, for crates that re-export it |
///
/// "Up" means that the first run has begun (with `cron`: that it is planned), not that it has ended. A `timeout` may be longer than
/// the `interval`: a slow run then skips due times, and is stuck only after the timeout. Two
/// services of one name do not compile in one crate; in two crates they are reported at start.
///
/// # Calendar time
///
/// `cron` follows the wall clock of its time zone (feature `cron`, on by default); what an
/// expression may say, and what happens when the clocks change, is told at [`Schedule::cron`]. The
/// expression is checked and turned into bit masks while compiling, and so is the shape of a zone's
/// name. Which zones there are is known to the machine that runs the program: its database is
/// asked by [`check`] and `start_all`, and a zone that it does not have is a fault. UTC needs no
/// database. A machine without a configured zone is in UTC; `local` means what it means when the
/// service becomes known.
///
/// At least every 30 s a service looks at the wall clock, so that a suspended machine or a clock
/// that is set is noticed. A due time that passed by no more than 60 s runs, late; of several the
/// last one. What is older is skipped, counted and told in one event. When the clock is set back, a
/// fixed time that ran does not run again; what recurs (`*`, ranges, steps) goes on once the clock
/// is back by more than 60 s. A clock that is set back by more than three hours was wrong, and
/// counts as it is now.
///
/// # Parameters and results
///
/// The function and its parameters may have any name that the edition allows, raw identifiers
/// included: the function `r#type` is the service `type`.
///
/// Up to eight parameters in any order: [`&Context`](Context), [`Tick`], [`Res<T>`](Res),
/// `Option<Res<T>>`, [`Local<T>`](Local). It returns `()`, [`Flow`], `Result<(), E>`,
/// `Result<Flow, E>` or `!`, where `E` is anything that converts into
/// `Box<dyn Error + Send + Sync>`. An `Err` or a panic is a crash.
///
/// After a crash the service runs again, as `restart`, `max_restarts` and `backoff` say. Where no
/// restart can help, return a [`Permanent`] error: the service is `failed` at once.
///
/// The text of a crash is that of the error and of up to 32 [sources](std::error::Error::source), or
/// that of the panic with its place. It is kept up to 16 KiB, and a backtrace up to 32 KiB; what is
/// longer is cut off, and the text says so.
pub use tina4_service_macros::service;

/// What the attribute's expansion names. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::service::outcome::{Cause, Exit, HookOutcome, Outcome};
    pub use crate::service::params::hook::{DynHook, Hook, OnStop};
    pub use crate::service::params::{Invocation, Need, Parameter, any, need_of, param};
    pub use crate::service::registration::{After, Registration, id_of};
    pub use crate::{__submit as submit, __unique as unique};
    pub use inventory;
    pub use std::borrow::Cow;
    pub use tina4_service_core::{Cron, Days, Restart, Schedule, Timezone};

    /// The result of a service's function, whatever its type.
    ///
    /// # Errors
    ///
    /// The function's own.
    pub fn outcome<R: Outcome>(call: impl FnOnce() -> R) -> Exit {
        call().into_exit()
    }
}

/// The README's programs are compiled and run; one of them is a test of services.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
struct Readme;
