//! What is shown of services.

#[cfg(feature = "queue")]
use std::time::Duration;
use std::time::SystemTime;

use serde::Serialize;
use tina4_service::{Runner, ServiceInfo, State};

use crate::answer::Answer;
#[cfg(feature = "queue")]
use crate::backlogs::{MAX_AGE_IN_STREAM, PATIENCE};
use crate::problem::Problem;
use crate::query::Query;
use crate::request::Request;
use crate::route::LogOf;
use crate::settings::Settings;
use crate::sys::clock;

/// The version of the shapes that are the console's own. Those of the core have one of their own.
pub(crate) const SCHEMA: u32 = 1;

/// How many due times a plan shows if nobody asks for another number, and at most.
const PLANNED: (usize, usize) = (10, 1_000);

/// All states.
const STATES: [State; 13] = [
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

/// The snapshots of all services, with texts that may be shown.
pub(crate) fn snapshots(settings: &Settings, runner: &Runner) -> Vec<ServiceInfo> {
    let mut services = runner.without_backlogs().services();
    #[cfg(feature = "queue")]
    settings.backlogs.fill(&settings.runner, &mut services, Duration::ZERO, PATIENCE);
    for service in &mut services {
        settings.redact_service(service);
    }
    services
}

/// The same for the stream of events, which waits for nothing.
pub(crate) fn snapshots_for_stream(settings: &Settings, runner: &Runner) -> Vec<ServiceInfo> {
    let mut services = runner.without_backlogs().services();
    #[cfg(feature = "queue")]
    settings.backlogs.fill(&settings.runner, &mut services, MAX_AGE_IN_STREAM, Duration::ZERO);
    for service in &mut services {
        settings.redact_service(service);
    }
    services
}

/// The snapshot of one service, without the numbers of its jobs.
pub(crate) fn snapshot(
    settings: &Settings,
    runner: &Runner,
    name: &str,
) -> Result<ServiceInfo, Problem> {
    let mut service = runner.without_backlogs().service_info(name)?;
    settings.redact_service(&mut service);
    Ok(service)
}

pub(crate) fn services(settings: &Settings, request: &Request) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct List<'a> {
        schema: u32,
        /// As the program has set it; null: it has not.
        title: Option<&'a str>,
        services: Vec<ServiceInfo>,
    }
    let query = Query::of(request, &["state", "tag"])?;
    let state = query.get("state").map(state_named).transpose()?;
    let runner = settings.runner()?;
    let mut services = snapshots(settings, &runner);
    if let Some(state) = state {
        services.retain(|service| service.state == state);
    }
    if let Some(tag) = query.get("tag") {
        services.retain(|service| service.tags.iter().any(|own| own == tag));
    }
    Ok(Answer::json(200, &List { schema: SCHEMA, title: settings.title.as_deref(), services }))
}

/// The state with this name, written as in JSON or with spaces.
fn state_named(name: &str) -> Result<State, Problem> {
    let word = |state: State| state.to_string().replace(' ', "_");
    let wanted = name.replace(' ', "_");
    STATES.into_iter().find(|state| word(*state) == wanted).ok_or_else(|| {
        let name: String = name.chars().take(50).flat_map(char::escape_debug).collect();
        Problem::malformed(format!("there is no state `{name}`"))
            .hint(format!("the states are {}", STATES.map(word).join(", ")))
    })
}

pub(crate) fn service(
    settings: &Settings,
    request: &Request,
    name: &str,
) -> Result<Answer, Problem> {
    Query::of(request, &[])?;
    #[cfg_attr(not(feature = "queue"), expect(unused_mut, reason = "there are no jobs to count"))]
    let mut service = snapshot(settings, &settings.runner()?, name)?;
    #[cfg(feature = "queue")]
    settings.backlogs.fill(
        &settings.runner,
        std::slice::from_mut(&mut service),
        Duration::ZERO,
        PATIENCE,
    );
    Ok(Answer::json(200, &service))
}

pub(crate) fn runs(settings: &Settings, request: &Request, name: &str) -> Result<Answer, Problem> {
    Query::of(request, &[])?;
    let mut history = settings.runner()?.history(name)?;
    for record in history.runs.iter_mut().chain(&mut history.failures) {
        settings.redact_record(record);
    }
    Ok(Answer::json(200, &history))
}

#[cfg(not(feature = "run-log"))]
pub(crate) fn log(
    settings: &Settings,
    request: &Request,
    name: &str,
    _: LogOf,
) -> Result<Answer, Problem> {
    Query::of(request, &[])?;
    settings.runner()?.history(name)?;
    Err(Problem::new(404, "no log", "this program does not keep the log lines of runs").hint(
        "enable the feature `run-log` of `tina4-service-console`, and install `RunLog::layer()`",
    ))
}

#[cfg(feature = "run-log")]
pub(crate) fn log(
    settings: &Settings,
    request: &Request,
    name: &str,
    of: LogOf,
) -> Result<Answer, Problem> {
    Query::of(request, &[])?;
    let logs = settings.runner()?.run_log(name)?;
    let mut kept = logs.running.iter().chain(&logs.last).chain(&logs.last_failing);
    let lines = match of {
        LogOf::Run(run) => kept.find(|lines| lines.run == run),
        LogOf::Last => kept.next(),
        LogOf::LastFailing => logs.last_failing.as_ref(),
    };
    let lines = lines.ok_or_else(|| {
        Problem::new(404, "no log", "there are no log lines of this run").hint(
            "only the lines of runs in progress, of the last run and of the last failing one are kept, if \
             `RunLog::layer()` is installed",
        )
    })?;
    let mut text = String::new();
    if lines.dropped > 0 {
        text.push_str(&format!("({} lines before these were dropped)\n", lines.dropped));
    }
    for line in &lines.lines {
        let at = instant(line.at).unwrap_or_default();
        let shown = settings.redacted(&line.text);
        let shown = shown.as_ref().unwrap_or(&line.text);
        text.push_str(&format!("{at} {:>5} {}: {shown}\n", line.level, line.target));
    }
    Ok(Answer::plain(200, text))
}

pub(crate) fn plan(settings: &Settings, request: &Request, name: &str) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Plan<'a> {
        schema: u32,
        name: &'a str,
        schedule: String,
        /// Whether the service runs at these times as it is now: it is active and not paused.
        active: bool,
        next: Vec<Option<String>>,
    }
    let query = Query::of(request, &["n"])?;
    let (default, max) = PLANNED;
    let count = query.parsed("n", "a whole number")?.unwrap_or(default).min(max);
    let service = snapshot(settings, &settings.runner()?, name)?;
    let next = upcoming(&service, count, clock::wall());
    Ok(Answer::json(
        200,
        &Plan {
            schema: SCHEMA,
            name: &service.name,
            schedule: service.schedule.to_string(),
            active: service.state.is_active()
                && !matches!(service.state, State::Paused | State::Stopping),
            next: next.into_iter().map(instant).collect(),
        },
    ))
}

/// The next due times of a service, without jitter; if none is planned, those of its schedule if that is on the wall clock.
pub(crate) fn upcoming(service: &ServiceInfo, count: usize, now: SystemTime) -> Vec<SystemTime> {
    match service.next_due {
        Some(first) if count > 0 => {
            let mut times = vec![first];
            times.extend(service.schedule.upcoming(first, count - 1));
            times
        }
        Some(_) => Vec::new(),
        None if is_on_wall_clock(service) => service.schedule.upcoming(now, count),
        None => Vec::new(),
    }
}

/// Whether the due times do not depend on when the service was started, as its shape says.
fn is_on_wall_clock(service: &ServiceInfo) -> bool {
    let schedule = serde_json::to_value(&service.schedule).unwrap_or_default();
    matches!(schedule["kind"].as_str(), Some("cron" | "anchored interval"))
}

/// An instant as in the shapes of the core; `None`: it is before 1970 or after 9999.
pub(crate) fn instant(at: SystemTime) -> Option<String> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let is_in_range = since.as_secs() < 253_402_300_800;
    is_in_range.then(|| humantime::format_rfc3339_millis(at).to_string())
}
