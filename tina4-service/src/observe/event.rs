//! Every change of a runner, as typed events.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::observe::request::Request;
use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;
use crate::observe::signal::Signal;
use tina4_service_core::lifecycle::RunOutcome;
#[cfg(feature = "queue")]
use tina4_service_queue::JobId;

/// One change of a service or of the runner.
///
/// `T` is the type of its instant: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<T = SystemTime> {
    /// The service's name; empty if the change concerns the runner.
    pub service: Cow<'static, str>,
    /// When it happened, by the runner's clock.
    pub at: T,
    /// What happened.
    pub change: Change,
}

#[cfg(feature = "testing")]
impl Event {
    /// Converts the instant.
    pub(crate) fn map_time<T>(self, map: impl FnOnce(SystemTime) -> T) -> Event<T> {
        let Self { service, at, change } = self;
        Event { service, at: map(at), change }
    }
}

/// What happened to a service or to the runner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The service was registered at run time.
    Registered,
    /// The schedule of the service was changed.
    Rescheduled {
        /// The new schedule, in words.
        schedule: Arc<str>,
    },
    /// The service was unregistered: the runner no longer has it.
    Unregistered,
    /// `start_all` does not start the service, because the deployment has turned it off.
    Disabled {
        /// The setting that turned it off, such as `TINA4_SERVICES__HEARTBEAT__ENABLED=false`.
        reason: Arc<str>,
    },
    /// The service was started. Automatic restarts are [`Change::Restarted`] instead.
    Started,
    /// The service waits for services in its `after` or `requires`.
    WaitsFor {
        /// Those that it waits for.
        services: Vec<Cow<'static, str>>,
    },
    /// The service does not wait for services in its `after` that do not run here: the selection leaves them
    /// out, or the deployment has disabled them.
    LeftOut {
        /// Those services.
        services: Vec<Cow<'static, str>>,
    },
    /// The service cannot start: services that it requires cannot become ready unless they are started.
    Blocked {
        /// Those services.
        by: Vec<Cow<'static, str>>,
        /// Why they cannot become ready, such as `` `migrations` is failed ``.
        reason: Arc<str>,
    },
    /// The service is no longer blocked: it starts, or waits again.
    Unblocked,
    /// The service is ready.
    ///
    /// This is reported for services that others depend on, and for those with the key `ready`.
    Ready,
    /// A run began.
    RunBegan {
        /// The number of the run.
        run: u64,
        /// How long after its due time it began, not counting its tolerance.
        lateness: Duration,
        /// What made it begin.
        trigger: RunTrigger,
        /// Who asked for it, and why; see [`Runner::on_behalf_of`](crate::Runner::on_behalf_of).
        by: Option<Requester>,
    },
    /// A run ended, successfully or not.
    RunEnded {
        /// The number of the run.
        run: u64,
        /// How long it took.
        took: Duration,
        /// How it ended.
        outcome: RunOutcome,
        /// What made it begin.
        trigger: RunTrigger,
        /// Who asked for it, and why; see [`Runner::on_behalf_of`](crate::Runner::on_behalf_of).
        by: Option<Requester>,
    },
    /// Due times were skipped.
    ///
    /// A run was in progress or began too late, the machine was suspended, or its clock was set
    /// forward.
    Skipped {
        /// The number of skipped due times.
        count: u64,
    },
    /// A run returned an error or panicked, or was cancelled by `on_timeout = "cancel"` and has
    /// returned.
    Crashed {
        /// The number of consecutive crashes, this one included.
        in_a_row: u32,
        /// The error with its sources, or `panicked: ` with the panic message and its location. For
        /// a [`Permanent`](crate::Permanent) error it begins with `permanent error: `, and for a
        /// cancelled run with `cancelled: `.
        ///
        /// It has at most 16 KiB and 32 sources, and says so if it was truncated. A backtrace of at
        /// most 32 KiB may follow.
        cause: Arc<str>,
        /// The backoff before the restart; `None`: the service has failed.
        restart_in: Option<Duration>,
    },
    /// A continuous service with `restart = "always"` returned.
    Returned {
        /// The backoff before the restart; `None`: the service has failed.
        restart_in: Option<Duration>,
    },
    /// The service runs again after a crash, or after a return with `restart = "always"`.
    Restarted,
    /// A run exceeded its `timeout`. With `on_timeout = "cancel"`, it was also asked to return.
    Stuck {
        /// The time since the run began.
        running_for: Duration,
    },
    /// Somebody asks for something; see [`Runner::on_behalf_of`](crate::Runner::on_behalf_of).
    ///
    /// The changes that follow from it are events of their own, after this one. It concerns the runner if all
    /// services are meant, or if there is no service with the name.
    Requested {
        /// What is asked for.
        request: Request,
        /// Who asks for it, and why.
        by: Requester,
    },
    /// Somebody's request was refused, or failed later, such as a restart of a service that does not stop. Follows a
    /// [`Change::Requested`].
    Refused {
        /// What was asked for.
        request: Request,
        /// Who asked for it, and why.
        by: Requester,
        /// The text of the error; at most 4 KiB.
        error: Arc<str>,
    },
    /// The failures of the service were forgotten: see [`Runner::reset`](crate::Runner::reset).
    Reset,
    /// The service was paused.
    Paused,
    /// The service was resumed.
    Resumed,
    /// The service was asked to stop.
    Stopping,
    /// A clean-up hook returned an error or panicked.
    HookFailed {
        /// The error or panic, truncated like the cause of [`Change::Crashed`].
        cause: Arc<str>,
    },
    /// A run panicked after its service was asked to stop.
    PanickedWhileStopping {
        /// The panic message and its location, truncated like the cause of [`Change::Crashed`].
        cause: Arc<str>,
    },
    /// The service ended because it was asked to.
    Stopped,
    /// The service ended because it was asked to. Its async run had not returned within its
    /// `stop_timeout`, and was dropped.
    Cancelled,
    /// The service ended because its work was done.
    Finished,
    /// The service ended: its last run crashed or returned, and no restart is allowed.
    Failed {
        /// The cause of the last [`Change::Crashed`], or a text that says that the service returned too
        /// often.
        cause: Arc<str>,
    },
    /// The service did not end within its `stop_timeout`.
    Abandoned {
        /// The time since the unfinished run or clean-up began.
        running_for: Duration,
    },
    /// The run or clean-up of an abandoned service ended after all.
    LateEnd,
    /// The service was not started again: its abandoned run or clean-up is still alive.
    StillAlive,
    /// An attempt at a job failed, and another one follows.
    #[cfg(feature = "queue")]
    JobFailed {
        /// The job.
        job: JobId,
        /// Which attempt it was; the first is 1.
        attempt: u32,
        /// The error with its sources, or the panic; at most 4 KiB.
        error: Arc<str>,
        /// When the next attempt follows.
        again_in: Duration,
    },
    /// A job is dead: it is kept with its last error, and not attempted any more.
    #[cfg(feature = "queue")]
    JobDied {
        /// The job.
        job: JobId,
        /// Why the last attempt failed; at most 4 KiB.
        error: Arc<str>,
    },
    /// A job was given back with its attempt, because the service stops or was paused.
    #[cfg(feature = "queue")]
    JobReturned {
        /// The job.
        job: JobId,
    },
    /// The claim of a job was lost before the job ended, because it could not be renewed in time: another
    /// process runs the job again, or will.
    #[cfg(feature = "queue")]
    JobLost {
        /// The job.
        job: JobId,
        /// Which attempt it was; the first is 1.
        attempt: u32,
    },
    /// A worker thread could not be started. The runner will try again.
    ThreadFailed {
        /// The error of the operating system.
        error: Arc<str>,
    },
    /// A signal asked the program to end. This change concerns the runner.
    SignalReceived {
        /// The signal.
        signal: Signal,
    },
    /// A stop signal has arrived, and the services keep running for the quiesce time: see
    /// [`Builder::quiesce`](crate::Builder::quiesce). This change concerns the runner.
    Quiescing {
        /// How long they keep running.
        quiesce: Duration,
    },
    /// Some services are selected. This change concerns the runner, and is reported at its first start.
    Selected {
        /// The number of services that run here: neither left out nor disabled.
        selected: usize,
        /// The number of all services.
        total: usize,
        /// What selects them, such as `TINA4_SERVICES=tag:mail`.
        by: Arc<str>,
    },
    /// Events were lost, because this subscriber was too slow.
    ///
    /// In the log: log lines were lost, because the log was too slow.
    Missed {
        /// The number of lost events or log lines.
        count: u64,
    },
}
