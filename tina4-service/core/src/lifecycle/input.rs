//! What can happen to a service.

use super::crash::Crash;
use super::dependencies::Dependencies;
use crate::exit::Exit;
use crate::nanos::Nanos;

/// Something that has happened to a service, or that is requested of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Begin an activation.
    Start {
        /// Whether the first run has to wait for [`Input::DependenciesChanged`].
        dependencies: Dependencies,
    },
    /// A service that it depends on has come further, or has ended.
    DependenciesChanged(Dependencies),
    /// The function has called `ctx.ready()`.
    Notified,
    /// The [`next_wake_up`](super::Lifecycle::next_wake_up) has passed.
    Due,
    /// The run has ended.
    RunEnded(Exit<&'a Crash>),
    /// The run has ended with [`Exit::Again`], and the worker has no other work, so the next run
    /// begins in the same step, unless there is a transition to report first.
    Repeat,
    /// The clean-up has ended.
    CleanedUp,
    /// The run or clean-up will never return, because its thread is ending the process.
    ThreadLost,
    /// The deadline of a stop has passed; reported by a caller that waits for the stop.
    Expired,
    /// Undo a start, because no thread could be spawned.
    StartFailed,
    /// The deployment has turned the service off: be disabled, unless it is in an activation, or the
    /// last one has ended on its own.
    Disable,
    /// Make the next run due now.
    RunNow,
    /// End the backoff at this instant at the latest, if the service backs off: what it has waited for works again.
    ShortenBackoff {
        /// When the next run is due.
        until: Nanos,
    },
    /// Forget the failures.
    Reset,
    /// Begin no more runs until resumed, except on request.
    Pause,
    /// End a pause.
    Resume,
    /// Follow the schedule in the spec, which has changed.
    Rescheduled,
    /// End the activation.
    Stop {
        /// When to abandon the run or clean-up in progress.
        deadline: Nanos,
    },
}
