//! A sample of each kind of change, for tests of what is written about changes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::observe::change_kind::KINDS;
use crate::observe::event::Change;
use crate::observe::request::Request;
use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;
use crate::observe::signal::Signal;
use tina4_service_core::lifecycle::RunOutcome;

/// At least one change of each kind.
pub(crate) fn change_samples() -> Vec<Change> {
    let second = Duration::from_secs(1);
    let (text, names) = (|| Arc::from("text"), || vec![Cow::Borrowed("a"), Cow::Borrowed("b")]);
    let by = || Requester::new("alice").because("why");
    let (run, trigger) = (7, RunTrigger::Schedule);
    let crashed = |restart_in| Change::Crashed { in_a_row: 2, cause: text(), restart_in };
    let samples = [
        Change::Registered,
        Change::Rescheduled { schedule: text() },
        Change::Disabled { reason: text() },
        Change::Started,
        Change::WaitsFor { services: names() },
        Change::LeftOut { services: names() },
        Change::Blocked { by: names(), reason: text() },
        Change::Unblocked,
        Change::Ready,
        Change::RunBegan { run, lateness: Duration::from_micros(1_500), trigger, by: None },
        Change::RunBegan { run, lateness: second, trigger: RunTrigger::Manual, by: Some(by()) },
        Change::RunEnded { run, took: second, outcome: RunOutcome::Ok, trigger, by: None },
        Change::Skipped { count: 3 },
        crashed(Some(second)),
        crashed(None),
        Change::Returned { restart_in: Some(second) },
        Change::Returned { restart_in: None },
        Change::Restarted,
        Change::Stuck { running_for: second },
        Change::Reset,
        Change::Requested { request: Request::RunNow, by: by() },
        Change::Refused { request: Request::RunNow, by: by(), error: text() },
        Change::Paused,
        Change::Resumed,
        Change::Stopping,
        Change::HookFailed { cause: text() },
        Change::PanickedWhileStopping { cause: text() },
        Change::Stopped,
        Change::Cancelled,
        Change::Finished,
        Change::Failed { cause: text() },
        Change::Abandoned { running_for: second },
        Change::LateEnd,
        Change::StillAlive,
        Change::Unregistered,
        Change::ThreadFailed { error: text() },
        Change::SignalReceived { signal: Signal::SIGTERM },
        Change::Quiescing { quiesce: second },
        Change::Selected { selected: 1, total: 2, by: text() },
        Change::Missed { count: 3 },
    ];
    #[cfg(feature = "queue")]
    let of_jobs = {
        let job = tina4_service_queue::JobId::new(7);
        [
            Change::JobFailed { job, attempt: 1, error: text(), again_in: second },
            Change::JobDied { job, error: text() },
            Change::JobReturned { job },
            Change::JobLost { job, attempt: 1 },
        ]
    };
    #[cfg(not(feature = "queue"))]
    let of_jobs: [Change; 0] = [];
    let samples: Vec<_> = samples.into_iter().chain(of_jobs).collect();
    let sampled: BTreeSet<_> = samples.iter().map(Change::kind).collect();
    let missing: Vec<_> = KINDS.iter().filter(|kind| !sampled.contains(*kind)).collect();
    assert!(missing.is_empty(), "without a sample: {missing:?}");
    samples
}
