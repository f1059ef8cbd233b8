//! The environment of the services of one runner.

use std::any::Any;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use crate::service::deployment::Deployment;
use crate::service::deployment::selectors::Selectors;
use crate::service::history_limits::HistoryLimits;
#[cfg(feature = "queue")]
use crate::service::job_listener::JobListener;
#[cfg(feature = "tokio")]
use crate::service::queued_run::QueuedRun;
use crate::service::ready_listener::ReadyListener;
use crate::service::resources::Resources;
#[cfg(feature = "run-log")]
use crate::service::run_log::store::RunLogStore;
use crate::service::settings::SettingsCache;
#[cfg(feature = "tokio")]
use crate::service::task_listener::TaskListener;
use crate::sys::fork::Owner;
use crate::sys::pending_threads::PendingThreads;
#[cfg(feature = "tokio")]
use crate::sys::runtime_slot::RuntimeSlot;
use crate::sys::sync::AtomicBool;
use crate::time::clock::Clock;
use crate::time::zone::Zone;
use tina4_service_core::Nanos;

/// The data that all services of one runner share.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) resources: Resources,
    pub(crate) settings_cache: SettingsCache,
    /// What whoever deploys the program has changed.
    pub(crate) deployment: Deployment,
    /// The `Engine` of the runner, for [`Context::runner`](crate::Context::runner). Its type is erased,
    /// because it belongs to a higher layer. Set when the runner is built.
    pub(crate) engine: OnceLock<Weak<dyn Any + Send + Sync>>,
    /// The time zone that `timezone = "local"` stands for; `None`: the machine's.
    pub(crate) local_zone: Option<Zone>,
    /// The tolerance of services that do not set their own and have a longer period; zero: none.
    pub(crate) tolerance: Duration,
    /// How long `stop_all` may take.
    pub(crate) shutdown_timeout: Duration,
    /// The same in the code, which the deployment may have changed.
    pub(crate) code_shutdown_timeout: Duration,
    /// The services that must be ready for the program to be; `None`: it needs none in particular.
    pub(crate) ready_needs: Option<Selectors>,
    /// Whether `run` tells systemd about the program.
    #[cfg_attr(
        not(all(target_os = "linux", feature = "systemd")),
        allow(dead_code, reason = "without the feature, nothing is told")
    )]
    pub(crate) systemd: bool,
    /// How long services keep running after a stop signal.
    #[cfg_attr(not(feature = "signals"), allow(dead_code, reason = "only a signal begins it"))]
    pub(crate) quiesce: Duration,
    /// The same in the code, which the deployment may have changed.
    pub(crate) code_quiesce: Duration,
    /// Whether SIGUSR1 writes the services to the log.
    #[cfg_attr(
        not(all(unix, feature = "signals")),
        allow(dead_code, reason = "only SIGUSR1 asks for it")
    )]
    pub(crate) dump_on_sigusr1: bool,
    /// The same in the code, which the deployment may have changed.
    pub(crate) code_dump_on_sigusr1: bool,
    /// After how many consecutive crashes a service is unhealthy; 0: never.
    pub(crate) unhealthy_after: u32,
    /// The same in the code.
    pub(crate) code_unhealthy_after: u32,
    /// When the runner was built.
    pub(crate) built_at: Nanos,
    /// How many past runs are remembered.
    pub(crate) history: HistoryLimits,
    /// The log lines of runs.
    #[cfg(feature = "run-log")]
    pub(crate) run_log: std::sync::Arc<RunLogStore>,
    /// The process is ending: nothing may wait for a lock that user code may hold, such as the lock of
    /// standard output.
    pub(crate) exiting: AtomicBool,
    /// The log is slow: runs do not wait for its lines.
    pub(crate) log_is_slow: AtomicBool,
    /// How `run` prints the first crash of each service if there is no log; unset if `run` was not called.
    pub(crate) crash_printer: OnceLock<fn(&str)>,
    /// The number of stop signals that the waiters of this runner have received.
    #[cfg(feature = "signals")]
    pub(crate) received: crate::sys::received_signals::ReceivedSignals,
    /// Whether this runner has a quiesce time that is not over: it is ahead, or in progress.
    #[cfg(feature = "signals")]
    pub(crate) may_quiesce: std::sync::Arc<std::sync::atomic::AtomicBool>,
    /// Threads beside the workers that are started together with the first service.
    pub(crate) pending_threads: PendingThreads,
    /// Whom to tell that a service is ready; set once, by the runner's engine.
    pub(crate) ready_listener: OnceLock<Weak<dyn ReadyListener>>,
    /// Whether the runner has async functions, which need a tokio runtime.
    #[cfg(feature = "tokio")]
    pub(crate) has_tasks: AtomicBool,
    /// Where async functions are executed.
    #[cfg(feature = "tokio")]
    pub(crate) runtime: RuntimeSlot<QueuedRun>,
    /// Whom to tell that a task has ended; set once, by the runner's engine.
    #[cfg(feature = "tokio")]
    pub(crate) task_listener: OnceLock<Weak<dyn TaskListener>>,
    /// Whom to tell that jobs may be ready; set once, by the runner's engine.
    #[cfg(feature = "queue")]
    pub(crate) job_listener: OnceLock<Weak<dyn JobListener>>,
    /// The process that owns the runner's threads.
    pub(crate) owner: Owner,
}
