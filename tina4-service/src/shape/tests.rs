//! Every shape, compared with the files in `tests/golden`. `CONTRIBUTING.md` says how to write them anew.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_core::Serialize;
use serde_json::{Value, json, to_value};
use tina4_service_core::lifecycle::{RunOutcome, State};
use tina4_service_core::{
    Anchor, Anchored, Calendar, Cron, QueueSpec, Schedule as Declared, Timezone,
};

use super::VERSION;
use super::values::{Instant, Seconds};
use crate::observe::change_kind::KINDS;
use crate::observe::change_samples::change_samples;
use crate::observe::duration_stats::DurationStats;
use crate::observe::event::Event;
use crate::observe::health::{Health, UnhealthyService};
use crate::observe::history::History;
use crate::observe::info::ServiceInfo;
use crate::observe::readiness::{Readiness, WaitedFor};
use crate::observe::requester::Requester;
use crate::observe::run_record::RunRecord;
use crate::observe::run_trigger::RunTrigger;
use crate::observe::stop_report::{StopReport, Stopped, StoppedService};
use crate::plan::plan::{Plan, PlannedService};
use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::deployment::setting_source::SettingSource;
use crate::sys::env_vars::process_variables;
use crate::sys::place::Place;
use crate::time::schedule::Schedule;

/// Set this variable to write the files anew.
const UPDATE: &str = "UPDATE_GOLDEN";

/// The content of a file. With [`UPDATE`], which needs all features, it becomes `current`.
fn golden(name: &str, current: &Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if process_variables().iter().any(|(name, _)| name == UPDATE) {
        if cfg!(not(feature = "queue")) {
            panic!("{UPDATE} needs all features");
        }
        let text = serde_json::to_string_pretty(current).expect("it is JSON");
        fs::write(&path, text + "\n").expect("the file can be written");
    }
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; {HOW}", path.display()));
    serde_json::from_str(&text).expect("the file is JSON")
}

const HOW: &str = "CONTRIBUTING.md says how to write the golden files anew";

#[track_caller]
fn check(name: &str, current: &impl Serialize) {
    let current = to_value(current).expect("it can be serialized");
    assert_eq!(current, golden(name, &current), "{name} differs; {HOW}");
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_000 + seconds * 1_000 + 250)
}

fn place(line: u32) -> Place {
    Place { file: "src/services.rs", line, column: 1 }
}

/// One schedule of each kind.
fn schedules() -> Vec<Schedule> {
    let (half, berlin) = (Duration::from_secs(30), Timezone::parse("Europe/Berlin"));
    let cron = Calendar::Cron(Cron::parse("0 8 * * MON-FRI").expect("an expression"));
    let anchor = Anchor::parse("09:00").expect("a time");
    let anchored = Anchored::new(Duration::from_secs(86_400), anchor).expect("a period");
    let declared = [
        Declared::Continuous,
        Declared::Interval(half),
        Declared::Delay(Duration::from_millis(500)),
        Declared::Calendar(cron, berlin.expect("a time zone")),
        Declared::Calendar(Calendar::Anchored(anchored), Timezone::Local),
        Declared::Queue(QueueSpec::DEFAULT),
    ];
    // A new kind of schedule must be added above.
    for schedule in &declared {
        match schedule {
            Declared::Continuous
            | Declared::Interval(_)
            | Declared::Delay(_)
            | Declared::Calendar(Calendar::Cron(_) | Calendar::Anchored(_), _)
            | Declared::Queue(_) => {}
        }
    }
    declared.map(|declared| Schedule::new(declared, None)).into()
}

fn overridden() -> Vec<OverriddenSetting> {
    let variable = "TINA4_SERVICES__HEARTBEAT__INTERVAL".into();
    vec![
        OverriddenSetting {
            key: "interval",
            original: Some("1m".to_owned()),
            value: Some("30s".to_owned()),
            source: SettingSource::Variable(variable),
        },
        OverriddenSetting {
            key: "jitter",
            original: Some("1s".to_owned()),
            value: None,
            source: SettingSource::Settings,
        },
    ]
}

/// A service that has never run.
fn fresh(state: State) -> ServiceInfo {
    ServiceInfo {
        name: "report".into(),
        place: place(3),
        function: "shop::report",
        schedule: Schedule::continuous(),
        state,
        since: at(0),
        next_due: None,
        runs: 0,
        crashes: 0,
        restarts: 0,
        crashes_in_a_row: 0,
        skipped: 0,
        last_start: None,
        last_end: None,
        last_duration: None,
        last_error: None,
        last_failure: None,
        last_success: None,
        succeeded: 0,
        overdue: None,
        last_outcome: None,
        last_trigger: None,
        last_requested_by: None,
        lateness: DurationStats::default(),
        duration: DurationStats::default(),
        ready: false,
        waits_for: Vec::new(),
        reason: None,
        tags: Vec::new(),
        overridden: Vec::new(),
        stuck: false,
        heartbeat_age: None,
        unhealthy_after: 3,
        #[cfg(feature = "queue")]
        queue: None,
    }
}

/// A service of which everything is known.
fn experienced() -> ServiceInfo {
    let millis = Duration::from_millis;
    let stats = |last| DurationStats {
        last: millis(last),
        mean: millis(20),
        p99: millis(40),
        max: millis(50),
    };
    ServiceInfo {
        name: "heartbeat".into(),
        schedule: Schedule::interval(Duration::from_secs(30)),
        next_due: Some(at(60)),
        runs: 12,
        crashes: 4,
        restarts: 4,
        crashes_in_a_row: 1,
        skipped: 2,
        last_start: Some(at(30)),
        last_end: Some(at(31)),
        last_duration: Some(millis(1_000)),
        last_error: Some(Arc::from("connection refused")),
        last_failure: Some(at(31)),
        last_success: Some(at(1)),
        succeeded: 8,
        overdue: Some(millis(1_500)),
        last_outcome: Some(RunOutcome::Error),
        last_trigger: Some(RunTrigger::Restart),
        last_requested_by: Some(Requester::new("alice").because("no invoices")),
        lateness: stats(1),
        duration: stats(1_000),
        ready: true,
        waits_for: vec!["migrations".into()],
        reason: Some(Arc::from("`migrations` is failed")),
        tags: vec!["vital".into()],
        overridden: overridden(),
        stuck: true,
        heartbeat_age: Some(millis(500)),
        #[cfg(feature = "queue")]
        queue: Some(crate::observe::queue_info::QueueInfo {
            name: "emails",
            running: 1,
            counters: tina4_service_queue::Counters {
                pushed: 7,
                done: 6,
                failed: 5,
                dead: 4,
                returned: 3,
                stale: 2,
                lost: 1,
            },
            backlog: Some(tina4_service_queue::Backlog {
                ready: 1,
                delayed: 2,
                claimed: 3,
                dead: 4,
                oldest_ready: Some(millis(1_500)),
            }),
        }),
        ..fresh(State::BackingOff)
    }
}

#[test]
fn rule_110_the_shape_of_a_service() {
    let current = to_value([fresh(State::Registered), experienced()]).expect("it is JSON");
    let mut golden = golden("services.json", &current);
    if cfg!(not(feature = "queue")) {
        golden[1]["queue"] = Value::Null;
    }
    assert_eq!(current, golden, "services.json differs; {HOW}");
}

#[test]
fn rule_110_the_shape_of_each_kind_of_schedule() {
    check("schedules.json", &schedules());
}

/// The words are those of the log, and which of them are healthy is part of the shape.
#[test]
fn rule_110_the_shape_of_each_state() {
    let states = [
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
    let shapes = states.map(|state| {
        let mut shape = to_value(fresh(state)).expect("it is JSON");
        assert_eq!(shape["state"], state.to_string());
        json!({ "state": shape["state"].take(), "healthy": shape["healthy"].take() })
    });
    check("states.json", &shapes);
}

#[test]
fn rule_110_the_shape_of_each_kind_of_change() {
    let of_runner = ["thread_failed", "signal_received", "quiescing", "selected", "missed"];
    let event = |change: crate::Change| {
        let service = if of_runner.contains(&change.kind()) { "" } else { "heartbeat" };
        Event { service: service.into(), at: at(0), change }
    };
    let events: Vec<_> = change_samples().into_iter().map(event).collect();
    let current = to_value(&events).expect("it is JSON");
    let Value::Array(mut golden) = golden("events.json", &current) else { panic!("{HOW}") };
    // Those of jobs need a feature.
    golden.retain(|event| KINDS.contains(&event["change"].as_str().unwrap_or_default()));
    assert_eq!(current, Value::Array(golden), "events.json differs; {HOW}");
    // A change alone has the same fields.
    let alone = to_value(&events[0].change).expect("it is JSON");
    assert_eq!(alone, json!({ "change": "registered" }));
}

#[test]
fn rule_110_the_shape_of_outcomes_and_triggers() {
    use RunOutcome::{Abandoned, Cancelled, Error, Ok as Success, Panic, Stopped};
    use RunTrigger::{Manual, Restart, Schedule, Start};
    let outcomes = [Success, Error, Panic, Stopped, Cancelled, Abandoned]
        .map(|outcome| ServiceInfo { last_outcome: Some(outcome), ..fresh(State::Waiting) })
        .map(|info| to_value(info).expect("it is JSON")["last_outcome"].take());
    assert_eq!(outcomes, ["ok", "error", "panic", "stopped", "cancelled", "abandoned"]);
    let triggers = [Schedule, Start, Manual, Restart]
        .map(|trigger| ServiceInfo { last_trigger: Some(trigger), ..fresh(State::Waiting) })
        .map(|info| to_value(info).expect("it is JSON")["last_trigger"].take());
    assert_eq!(triggers, ["schedule", "start", "manual", "restart"]);
}

#[test]
fn rule_110_the_shape_of_a_plan() {
    let planned = PlannedService {
        name: "heartbeat".into(),
        place: place(3),
        schedule: Schedule::interval(Duration::from_secs(30)),
        after: vec!["cache".into()],
        requires: vec!["migrations".into()],
        autostart: true,
        disabled: Some(Arc::from("TINA4_SERVICES__HEARTBEAT__ENABLED=false")),
        tags: vec!["vital".into()],
        overridden: overridden(),
        next: vec![at(0), at(30)],
    };
    let plan = Plan {
        services: vec![planned],
        runner: vec![OverriddenSetting {
            key: "shutdown_timeout",
            original: Some("25s".to_owned()),
            value: Some("10s".to_owned()),
            source: SettingSource::Settings,
        }],
        selection: Some("1 of 2 services run here (TINA4_SERVICES=heartbeat)".to_owned()),
        remarks: vec!["a power cut loses jobs".to_owned()],
    };
    check("plan.json", &plan);
}

#[test]
fn rule_110_the_shape_of_reports() {
    let stopped = StoppedService {
        name: "heartbeat".into(),
        place: place(3),
        state: State::Stopped,
        took: Some(Duration::from_millis(250)),
        age: None,
        failed_hooks: 1,
    };
    let abandoned = StoppedService {
        name: "report".into(),
        state: State::Abandoned,
        age: Some(Duration::from_secs(12)),
        failed_hooks: 0,
        ..stopped.clone()
    };
    let report = StopReport {
        services: vec![stopped, abandoned].into(),
        took: Duration::from_secs(10),
        critical: Some("report".into()),
        in_progress: false,
        forked: false,
    };
    check("stop_report.json", &report);
    let second = Duration::from_secs(1);
    let results = [
        Stopped::Ended { after: second },
        Stopped::NotActive { state: State::Finished },
        Stopped::Requested,
        Stopped::Abandoned { age: second, place: place(3) },
    ];
    check("stopped.json", &results);
}

#[test]
fn rule_110_and_112_the_shape_of_readiness_and_health() {
    let waited_for =
        WaitedFor { name: "migrations".into(), why: "its first run is in progress".into() };
    let readiness = [
        Readiness::waits_for(Vec::new(), 0),
        Readiness::waits_for(vec![waited_for], 2),
        Readiness::refused("it is stopping"),
    ];
    check("readiness.json", &readiness);
    let failed = UnhealthyService { name: "report".into(), why: "it has failed".into() };
    let [ready, waiting, _] = readiness;
    let health = [
        Health::new(true, ready.clone(), Vec::new()),
        Health { omitted: 3, ..Health::new(true, ready, vec![failed.clone()]) },
        Health::new(false, waiting, vec![failed]),
    ];
    check("health.json", &health);
}

#[test]
fn rule_110_the_shape_of_a_history() {
    let success = RunRecord {
        run: 7,
        count: 300,
        trigger: RunTrigger::Schedule,
        by: None,
        attempt: 1,
        due: at(0),
        start: at(1),
        end: at(31),
        lateness: Duration::from_micros(1_500),
        took: Duration::from_millis(40),
        shortest: Duration::from_millis(20),
        outcome: RunOutcome::Ok,
        error: None,
        #[cfg(feature = "queue")]
        job: None,
    };
    let failure = RunRecord {
        run: 307,
        count: 1,
        trigger: RunTrigger::Manual,
        by: Some(Requester::new("alice").because("no invoices")),
        attempt: 2,
        outcome: RunOutcome::Error,
        error: Some(Arc::from("connection refused")),
        ..success.clone()
    };
    check(
        "history.json",
        &History { runs: vec![success, failure.clone()], failures: vec![failure] },
    );
}

#[test]
fn rule_110_instants_and_durations_are_written_as_documented() {
    let instant = |at| to_value(Instant(at)).expect("it is JSON");
    assert_eq!(instant(at(1)), "2026-01-01T00:00:01.250Z");
    let epoch = SystemTime::UNIX_EPOCH;
    assert_eq!(instant(epoch), "1970-01-01T00:00:00.000Z");
    let last = epoch + Duration::from_secs(253_402_300_799);
    assert_eq!(instant(last), "9999-12-31T23:59:59.000Z");
    // Nothing panics that a clock may show.
    for outside in [epoch - Duration::from_secs(1), last + Duration::from_secs(1)] {
        assert_eq!(instant(outside), Value::Null);
    }
    let seconds = |duration| to_value(Seconds(duration)).expect("it is JSON");
    assert_eq!(seconds(Duration::from_micros(1_500)), 0.0015);
    assert_eq!(seconds(Duration::from_secs(366 * 86_400)), 31_622_400.0);
    assert_eq!(VERSION, 1, "the golden files show it");
}
