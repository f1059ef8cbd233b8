//! The exit codes of `run`.

use tina4_service_core::lifecycle::State;

use crate::observe::stop_report::StopReport;
use crate::plan::start_error::StartError;

/// Everything stopped in time, and no other code applies.
const SUCCESS: u8 = 0;
/// A critical service failed or could not start; or a service failed or was blocked, and no signal asked
/// the program to end.
const FAILED: u8 = 1;
/// A service did not stop in time: it was abandoned, or its async run dropped.
const ABANDONED: u8 = 2;
/// No thread could be started, or this process is a forked child; `EX_OSERR` of `sysexits.h`.
const OS_ERROR: u8 = 71;
/// The runner is shutting down; `EX_TEMPFAIL`.
const SHUTTING_DOWN: u8 = 75;
/// There are no services, they have faults, or their tokio runtime has shut down or
/// would be blocked; `EX_CONFIG`.
const FAULTS: u8 = 78;

/// The exit code after a successful start. `signalled`: a signal asked the program to end.
pub(crate) fn exit_code(report: &StopReport, signalled: bool) -> u8 {
    let has_failed = |state| matches!(state, State::Failed | State::Blocked);
    let failed = report.services.iter().any(|service| has_failed(service.state));
    let is_late = |state| matches!(state, State::Abandoned | State::Cancelled);
    let late = report.services.iter().any(|service| is_late(service.state));
    if report.in_progress || late {
        ABANDONED
    } else if report.critical.is_some() || (failed && !signalled) {
        FAILED
    } else {
        SUCCESS
    }
}

/// The exit code after a refused start.
pub(crate) fn start_error_code(error: &StartError) -> u8 {
    match error {
        StartError::Faults(_)
        | StartError::NothingFound
        | StartError::NothingRegistered
        | StartError::NothingSelected { .. } => FAULTS,
        #[cfg(feature = "tokio")]
        StartError::RuntimeGone | StartError::BlocksRuntime => FAULTS,
        StartError::NoThread(_) | StartError::Forked => OS_ERROR,
        StartError::ShuttingDown => SHUTTING_DOWN,
    }
}
