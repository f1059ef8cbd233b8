//! What can happen to a service.

use super::crash::Crash;
use crate::exit::Exit;
use crate::nanos::Nanos;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Begin an activation.
    Start {
        /// Wait for [`Input::Release`] before the first run.
        wait_for_dependencies: bool,
    },
    /// What it comes `after` is up.
    Release,
    /// The deadline has come.
    Due,
    /// The run has ended.
    Ended(Exit<&'a Crash>),
    /// The run has ended with [`Exit::Again`], and nobody else is to be served first: the next one
    /// begins with the same step.
    Repeat,
    /// The clean-up is over.
    CleanedUp,
    /// The thread that runs or cleans up never comes back: it is ending the process.
    ThreadLost,
    /// A stop waited until its deadline, and nobody else has noticed yet.
    Expired,
    /// The start that has just been made is taken back: there is no thread for it.
    StartFailed,
    /// Make the next run due now.
    RunNow,
    /// Begin no more runs until resumed.
    Pause,
    /// End a pause.
    Resume,
    /// End the activation.
    Stop {
        /// When a run or clean-up that has not ended by then is abandoned.
        deadline: Nanos,
    },
}
