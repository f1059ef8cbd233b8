//! How an attempt at a job ends, for plain and for async functions.

use crate::engine::crashes;
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::service::job_control::JobControl;
use crate::service::job_slot::JobSlot;
use crate::service::outcome::{Cause, Exit};
use tina4_service_core::lifecycle::{Crash, RunOutcome};
use tina4_service_core::{CrashKind, duration};
use tina4_service_queue::RetryRequest;
use tina4_service_queue::consumer::{Attempt, Delivery};

/// The end of an attempt.
pub(super) struct EndedAttempt {
    pub(super) attempt: Attempt,
    pub(super) outcome: RunOutcome,
}

impl EndedAttempt {
    /// The job is done.
    pub(super) const DONE: Self = Self { attempt: Attempt::Done, outcome: RunOutcome::Ok };
    /// The job is given back.
    pub(super) const BACK: Self = Self { attempt: Attempt::Back, outcome: RunOutcome::Stopped };

    /// The attempt has failed.
    pub(super) fn failed(outcome: RunOutcome, request: RetryRequest, error: String) -> Self {
        Self { attempt: Attempt::Failed { request, error }, outcome }
    }
}

/// The job, for the parameter of the function.
pub(super) fn slot(instance: &Instance, delivery: &Delivery) -> Result<JobSlot, String> {
    let decode = instance.definition.decode();
    let decode = decode.ok_or_else(|| "the function takes no `Job`; add one".to_owned())?;
    decode(delivery).map(JobSlot::new)
}

/// How an attempt has ended, by what the function has returned.
pub(super) fn of_exit(instance: &Instance, exit: Exit) -> EndedAttempt {
    match exit {
        // `check` refuses functions that return a `Flow`.
        Exit::Wait | Exit::Again | Exit::After(_) | Exit::Done => EndedAttempt::DONE,
        Exit::Crashed(cause) => failed(instance, cause),
    }
}

/// How an attempt has ended that has returned an error. While the service stops, the job is given back, unless
/// the error says what is to become of it (rule 134).
pub(super) fn failed(instance: &Instance, cause: Cause) -> EndedAttempt {
    let request = RetryRequest::of(cause.error());
    let Crash { message, kind, panicked: _ } = *crashes::from_error_without_prefix(cause);
    let request = match kind {
        CrashKind::Transient => request,
        CrashKind::Permanent => RetryRequest::Reject,
    };
    if instance.is_stop_requested() && request == RetryRequest::Usual {
        return EndedAttempt::BACK;
    }
    EndedAttempt::failed(RunOutcome::Error, request, message.to_string())
}

/// How an attempt has ended, unless it was cancelled because it exceeded the `timeout`: then it has failed, whatever
/// it has returned. A stop request that followed takes precedence.
pub(super) fn unless_cancelled(context: &Context, ended: EndedAttempt) -> EndedAttempt {
    let instance = context.instance();
    let is_cancelled = context.job_control().is_some_and(JobControl::is_cancelled);
    if !is_cancelled || instance.is_stop_requested() {
        return ended;
    }
    let timeout = duration::format(instance.definition.spec().timeout.unwrap_or_default());
    let text = format!("cancelled: took longer than its timeout of {timeout}");
    let (request, text) = match ended.attempt {
        Attempt::Done | Attempt::Back => (RetryRequest::Usual, text),
        Attempt::Failed { request, error } => (request, format!("{text}; then failed: {error}")),
    };
    EndedAttempt::failed(RunOutcome::Cancelled, request, text)
}

/// How an attempt has ended that has panicked.
pub(super) fn panicked(crash: &Crash) -> EndedAttempt {
    let error = crash.message.to_string();
    EndedAttempt::failed(RunOutcome::Panic, RetryRequest::Usual, error)
}
