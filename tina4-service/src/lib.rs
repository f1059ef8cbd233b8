//! Background services inside one process: declared with an attribute, found by themselves, run
//! on time, restarted when they crash, stopped in order.
//!
//! ```
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
//! * [`Runner`]: a runner of your own; [`Service`]: a service made at run time.
//! * [`check`], [`services`], [`subscribe`]: the plan, the state, every change.
#![deny(unsafe_code)]

mod clock;
mod context;
mod event;
#[cfg(feature = "exit-hook")]
mod exit;
mod flow;
mod global;
mod job;
mod lifecycle;
mod panics;
mod params;
mod plan;
mod pool;
mod registration;
mod report;
mod runner;
mod service;
#[cfg(feature = "signals")]
mod signals;
mod status;
mod supervisor;
mod sync;
mod unit;

pub use clock::Clock;
pub use context::{Context, Never};
pub use event::{Change, Event};
pub use flow::Flow;
#[cfg(feature = "signals")]
pub use global::wait_for_signal;
pub use global::{
    check, is_running, pause, provide, register, restart, resume, run, run_now, services, start,
    start_all, status, stop, stop_all, subscribe, wait,
};
pub use lifecycle::State;
pub use params::{Local, Res, Tick};
pub use plan::{Fault, Plan, PlannedService, StartError};
pub use registration::Place;
pub use report::{ControlError, StopReport, Stopped, StoppedService};
pub use runner::{Builder, Runner};
pub use service::{IntoDuration, Service};
#[cfg(feature = "signals")]
pub use signals::Signal;
pub use status::{ServiceInfo, Spread};
pub use tina4_service_macros::service;
pub use tina4_service_schedule::{Restart, Schedule};

/// What the attribute's expansion names. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::flow::{Cause, Exit, HookOutcome, Outcome};
    pub use crate::params::{DynHook, Hook, Need, OnStop, Parameter, Run, any, need_of, param};
    pub use crate::registration::{After, Place, Registration, id_of};
    pub use inventory;
    pub use tina4_service_schedule::{Restart, RestartPolicy, Schedule, Spec};

    /// The result of a service's function, whatever its type.
    ///
    /// # Errors
    ///
    /// The function's own.
    pub fn outcome<R: Outcome>(result: R) -> Exit {
        result.into_exit()
    }
}
