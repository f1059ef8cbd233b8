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
//! for Ctrl-C or SIGTERM, stops them in order and prints a report.
//!
//! # Where to look
//!
//! * [`service`]: the attribute and its keys.
//! * [`Context`], [`Tick`], [`Res`], [`Local`]: what a service's function can ask for.
//! * [`Flow`]: what it can return besides `()` and `Result`.
//! * [`Permanent`]: an error after which no restart is tried.
//! * [`Runner`]: a runner of your own; [`Builder::build_global`]: settings of the global one.
//! * [`Service`]: a service created at run time.
//! * [`check`], [`services`], [`subscribe`]: the plan, the state, every change.
//! * [`is_live`], [`readiness`], [`health`]: what a program answers to probes.
//! * [`prometheus`], and the chapter [`observing`]: metrics, alert rules, probes.
//! * [`history`]: the last runs of a service, and its last failures.
//! * [`deployment`]: settings from the environment and from configuration files.
//! * [`logging`]: the log lines, with their levels and fields.
#![cfg_attr(feature = "serde", doc = "* [`shape`]: snapshots, events, plans and reports as JSON.")]
#![cfg_attr(
    not(feature = "serde"),
    doc = "* The feature `serde`: snapshots, events, plans and reports as JSON, and settings in a configuration file."
)]
//! * [`surprises`]: common surprises, such as signals in a container, and how to avoid each.
#![cfg_attr(feature = "queue", doc = "* [`queues`]: services that work on the jobs of a queue.")]
#![cfg_attr(
    not(feature = "queue"),
    doc = "* The feature `queue`: services that work on the jobs of a queue."
)]
#![cfg_attr(
    feature = "run-log",
    doc = "* [`RunLog`]: the log lines of the last run of a service, and of its last failing run."
)]
#![cfg_attr(
    not(feature = "run-log"),
    doc = "* The feature `run-log`: the log lines of the last run of a service, and of its last failing run."
)]
#![cfg_attr(feature = "systemd", doc = "* [`systemd`]: what `run` tells systemd, and a unit file.")]
#![cfg_attr(
    not(feature = "systemd"),
    doc = "* The feature `systemd`: readiness, status and a watchdog for systemd."
)]
#![cfg_attr(feature = "tokio", doc = "* [`with_tokio`]: async functions as services.")]
#![cfg_attr(not(feature = "tokio"), doc = "* The feature `tokio`: async functions as services.")]
#![cfg_attr(
    feature = "testing",
    doc = "* [`testing`]: runs the services for a virtual day in milliseconds; with a [guide](testing::guide)."
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "* The feature `testing`: runs the services for a virtual day in milliseconds; with a guide."
)]
//!
//! # Platforms
//!
//! Linux, macOS and Windows. On Windows the clean-up hooks do not run when a program calls
//! [`process::exit`](std::process::exit), which ends all other threads there: return from `main`, or
//! call [`stop_all`] first. Ctrl-C and Ctrl-Break stop a program in order; closing the console
//! window, logging off and shutting down end it before its services have stopped.
#![deny(unsafe_code)]

// The layers, from the bottom to the top.
//
// A file imports from lower layers, or from its own layer if that creates no cycle; a test reads this
// list and checks it. Below the lowest layer is the crate `tina4-service-core`, which is pure.
//
// * text: formatting of text in messages
// * sys: locks, panics, threads, forks
// * time: the clock, the interface of virtual time, time zones, schedules
// * service: what a service is, and what its code can reach
// * observe: events, log lines, statistics, reports
// * plan: the check before a start, and the start order
// * shape: how snapshots, events, plans and reports are serialized
// * engine: the supervisor, the pool of threads, the call of user code
// * process: signals, the end of the process, calls into the C library
// * runner: the handles of a runner, and its builder
// * global: the global runner
// * testing: the test kit
// * lib: the public interface
//
// From a declaration to a run: attribute > `Registration` > `Definition` > `Instance` > `Resolved` >
// `Lifecycle` > `WorkItem` > `Completion` > `ServiceInfo`.

mod engine;
mod global;
mod observe;
mod plan;
mod process;
mod runner;
mod service;
#[cfg(feature = "serde")]
pub mod shape;
#[doc = include_str!("deployment.md")]
pub mod deployment {}
#[doc = include_str!("logging.md")]
#[cfg_attr(feature = "run-log", doc = include_str!("run_log.md"))]
pub mod logging {}
#[doc = include_str!("observing.md")]
pub mod observing {}
#[cfg(feature = "systemd")]
#[doc = include_str!("systemd.md")]
pub mod systemd {}
#[doc = include_str!("surprises.md")]
pub mod surprises {}
#[cfg(feature = "queue")]
#[doc = include_str!("queues.md")]
pub mod queues {}
#[cfg(feature = "tokio")]
#[doc = include_str!("with_tokio.md")]
pub mod with_tokio {}
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod time;

pub use engine::control_error::ControlError;
pub use global::build_global::BuildGlobalError;
#[cfg(feature = "run-log")]
pub use global::run_log;
pub use global::{
    check, health, history, is_live, is_running, metrics, on_behalf_of, on_change, pause,
    prometheus, provide, readiness, register, reschedule, reset, restart, resume, run, run_now,
    service_info, services, start, start_all, status, stop, stop_all, subscribe, unregister, wait,
    wait_ready, wait_timeout,
};
#[cfg(feature = "tokio")]
pub use global::{
    restart_async, run_async, stop_all_async, stop_async, unregister_async, wait_async,
    wait_ready_async, wait_timeout_async,
};
#[cfg(feature = "signals")]
pub use global::{wait_for_signal, wait_for_signal_timeout};
#[cfg(all(feature = "signals", feature = "tokio"))]
pub use global::{wait_for_signal_async, wait_for_signal_timeout_async};
pub use observe::duration_stats::DurationStats;
pub use observe::event::{Change, Event};
pub use observe::health::{Health, HealthStatus, UnhealthyService};
pub use observe::history::History;
pub use observe::info::ServiceInfo;
pub use observe::metrics::{MetricFamily, MetricKind, MetricSample, MetricValue, Metrics};
pub use observe::notice::{Notice, NoticeKind};
#[cfg(feature = "queue")]
pub use observe::queue_info::QueueInfo;
pub use observe::readiness::{Readiness, WaitedFor};
pub use observe::request::Request;
pub use observe::requester::Requester;
pub use observe::run_record::RunRecord;
pub use observe::run_trigger::RunTrigger;
pub use observe::signal::{Signal, StopCause};
pub use observe::stop_report::{StopReport, Stopped, StoppedService};
#[cfg(feature = "run-log")]
pub use observe::{run_lines::RunLines, run_log::RunLog, run_logs::RunLogs};
pub use plan::fault::Fault;
pub use plan::plan::{Plan, PlannedService};
pub use plan::register_error::RegisterError;
pub use plan::start_error::StartError;
pub use runner::builder::Builder;
pub use runner::on_change::ChangeHook;
pub use runner::runner::Runner;
pub use runner::weak_runner::WeakRunner;
pub use service::builder::{IntoDuration, Service};
pub use service::context::Context;
pub use service::deployment::overridden_setting::OverriddenSetting;
pub use service::deployment::setting_source::SettingSource;
pub use service::deployment::settings::Settings;
pub use service::history_limits::HistoryLimits;
#[cfg(feature = "queue")]
pub use service::open_queues::{OpenQueuesError, open_queues};
pub use service::params::local::Local;
pub use service::permanent::Permanent;
pub use service::resources::Res;
#[cfg(feature = "run-log")]
pub use service::run_log::line::RunLogLine;
pub use service::tick::Tick;
pub use sys::place::Place;
pub use sys::stop_flag::Never;
pub use time::clock::Clock;
pub use time::schedule::Schedule;
#[cfg(feature = "cron")]
pub use time::schedule::ScheduleError;
/// What a service does next: wait, run again (now or after a delay), or finish.
///
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
pub use tina4_service_core::lifecycle::{RunOutcome, State};
#[cfg(feature = "cron")]
pub use tina4_service_core::{AnchorError, CronError, TimezoneError};
pub use tina4_service_core::{OnTimeout, Ready, Restart};
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
/// /// Sends one letter per run; runs again immediately, but waits after every tenth letter.
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
/// The function itself is unchanged: it can be called, tested, documented and re-exported. A mistake in
/// the attribute is a compile error that points to the offending word.
///
#[doc = include_str!("keys.md")]
///
/// # Parameters and results
///
/// The function and its parameters may have any name that the edition allows, raw identifiers
/// included: the function `r#type` is the service `type`.
///
/// The function takes up to eight parameters, in any order: [`&Context`](Context), [`Tick`],
/// [`Res<T>`](Res), `Option<Res<T>>`, [`Local<T>`](Local). It returns `()`, [`Flow`], `Result<(), E>`,
/// `Result<Flow, E>` or `!`, where `E` is anything that converts into
/// `Box<dyn Error + Send + Sync>`. With `queue`, it also takes exactly one `Job<T>`, and returns `()` or
/// `Result<(), E>`. An `Err` or a panic is a crash. With the feature `tokio`, it may be an
/// `async fn`, and so may its `on_stop`.
///
/// After a crash the service runs again, as `restart`, `max_restarts` and `backoff` say. If no restart
/// can help, return a [`Permanent`] error: the service fails immediately.
///
/// The text of a crash consists of the error and up to 32 [sources](std::error::Error::source), or of
/// the panic message and its location. It is truncated to 16 KiB, and a backtrace to 32 KiB; a
/// truncated text ends with a note.
pub use tina4_service_macros::service;
/// Job queues: what producers, consumers and engines need. See the package `tina4-service-queue`.
#[cfg(feature = "queue")]
pub use tina4_service_queue::{
    self as queue, Backlog, BoundQueue, Cancelled, Counters, DeadJob, DeadSelection, DoneJob,
    EngineError, FinishError, Job, JobId, MemoryEngine, Push, PushError, Pushed, Queue, Queues,
    Reject, Retry, Stats,
};

/// The engine of queues in a PostgreSQL database, and its settings. See the package `tina4-service-postgres`.
#[cfg(feature = "postgres")]
pub use tina4_service_postgres::{PostgresBuilder, PostgresEngine};
/// The engine of queues in a Redis server, and its settings. See the package `tina4-service-redis`.
#[cfg(feature = "redis")]
pub use tina4_service_redis::{RedisBuilder, RedisEngine};
/// The engine of queues in a SQLite file. See the package `tina4-service-sqlite`.
#[cfg(feature = "sqlite")]
pub use tina4_service_sqlite::SqliteEngine;

/// Items that the expansion of the attribute refers to. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    #[cfg(all(feature = "queue", feature = "tokio"))]
    pub use crate::service::future::boxed_job;
    #[cfg(feature = "tokio")]
    pub use crate::service::future::{BoxFuture, HookResult, boxed};
    pub use crate::service::outcome::{Cause, Exit, HookOutcome, Outcome};
    pub use crate::service::params::callable::Callable;
    pub use crate::service::params::function::{Function, Signature};
    pub use crate::service::params::hook::{DynHook, OnStop};
    pub use crate::service::params::kind::{HookReturns, Plain, Returns, Unresolved};
    pub use crate::service::params::{
        Invocation, Need, Parameter, ParameterFamily, need_of, param, placeholder,
    };
    #[cfg(feature = "tokio")]
    pub use crate::service::params::{
        async_function::{AsyncCall as AsyncCallable, AsyncFunction},
        kind::Async,
    };
    #[cfg(feature = "tokio")]
    pub use crate::service::registration::AsyncCall;
    pub use crate::service::registration::{Dependency, Registration, id_of};
    #[cfg(feature = "queue")]
    pub use crate::service::{
        outcome::JobOutcome,
        queue_binding::{JobOf, QueueBinding, job_of},
    };
    pub use crate::{__submit as submit, __unique as unique};
    pub use inventory;
    pub use std::borrow::Cow;
    pub use tina4_service_core::{
        Anchor, Anchored, Calendar, Cron, Days, OnTimeout, QueueSpec, Ready, Restart, Schedule,
        Timezone,
    };

    /// Calls a service's function and converts its result.
    ///
    /// # Errors
    ///
    /// The function returned an error.
    pub fn outcome<R: Outcome>(call: impl FnOnce() -> R) -> Exit {
        call().into_exit()
    }

    /// [`outcome`] for the function of a queue service.
    ///
    /// # Errors
    ///
    /// The function returned an error.
    #[cfg(feature = "queue")]
    pub fn job_outcome<R: JobOutcome>(call: impl FnOnce() -> R) -> Exit {
        call().into_exit()
    }
}

/// Compiles and runs the README's programs. One of them needs the feature `testing`.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
struct Readme;
