//! Snapshots and records, taken from a runner and changed.

use std::time::{Duration, SystemTime};

use tina4_service::{Flow, History, RunOutcome, RunRecord, Runner, Service, ServiceInfo, State};

/// All states that this version knows.
pub(super) const STATES: [State; 13] = [
    State::Registered,
    State::Disabled,
    State::Waiting,
    State::Blocked,
    State::Running,
    State::BackingOff,
    State::Paused,
    State::Stopping,
    State::Stopped,
    State::Cancelled,
    State::Finished,
    State::Failed,
    State::Abandoned,
];

/// When pages are made.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A runner whose service has run once.
fn runner() -> Runner {
    let runner = Runner::new();
    runner.register(Service::new("sample", |_| Flow::Done).interval("1h")).unwrap();
    runner.start_all().expect("it has no faults");
    runner.wait();
    runner
}

pub(super) fn snapshot(name: &str, state: State) -> ServiceInfo {
    let mut info = runner().services().remove(0);
    info.name = name.to_owned().into();
    info.state = state;
    info
}

/// A run that took as many milliseconds as its number says.
pub(super) fn record(run: u64, outcome: RunOutcome) -> RunRecord {
    let mut record = runner().history("sample").unwrap().runs.remove(0);
    record.run = run;
    record.outcome = outcome;
    record.start = now() - Duration::from_secs(1_000 - run);
    record.took = Duration::from_millis(run);
    record.shortest = record.took;
    record
}

pub(super) fn history(runs: Vec<RunRecord>, failures: Vec<RunRecord>) -> History {
    let mut history = runner().history("sample").unwrap();
    (history.runs, history.failures) = (runs, failures);
    history
}

#[cfg(feature = "queue")]
pub(super) fn queue(name: &str) -> crate::page::QueueView<'_> {
    use tina4_service::queue::Timestamp;
    use tina4_service::{Backlog, Counters, DeadJob, JobId};

    let at = Timestamp::from_millis(1_799_999_000_000);
    let mut backlog = Backlog::default();
    (backlog.ready, backlog.dead) = (3, 7);
    let dead = DeadJob {
        id: JobId::new(5),
        payload: "secret".to_owned(),
        attempts: 10,
        error: format!("{}\n{name}", "x".repeat(200)),
        pushed_at: at,
        died_at: at,
    };
    crate::page::QueueView {
        name,
        services: vec!["mail"],
        backlog: Some(backlog),
        counters: Counters::default(),
        dead: Ok(vec![dead]),
    }
}
