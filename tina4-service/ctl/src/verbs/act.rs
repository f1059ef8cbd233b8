//! `run`, `pause`, `resume`, `start`, `stop`, `restart`, `reset`

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Act;
use crate::client::Client;
use crate::clock;
use crate::complain::complain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::json::{SCHEMA, named};
use crate::names::{Names, path};
use crate::output::Mood;
use crate::session::{Session, Stop};
use crate::shown::{Done, History, Run, Service, is_active, read};
use crate::times;

/// The shortest and the longest pause before it is asked again whether a run has ended.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

pub(super) fn act(session: &mut Session<'_>, word: &str, act: &Act) -> Result<Exit, Stop> {
    each(session, act, |client, name, body| {
        let answer = client.post(&path(name, &format!("/{word}")), body)?;
        let done: Done = read(&answer)?;
        let state = done.state.unwrap_or_else(|| "gone".to_owned());
        Ok(Outcome { value: named(name, &answer)?, text: state, failure: None })
    })
}

pub(super) fn run(session: &mut Session<'_>, act: &Act, wait: bool) -> Result<Exit, Stop> {
    each(session, act, |client, name, body| {
        let answer = client.post(&path(name, "/run"), body)?;
        let done: Done = read(&answer)?;
        let mut value = named(name, &answer)?;
        let Some(run) = done.run else {
            let text = "a run was asked for".to_owned();
            let failure = wait.then(|| {
                Failure::new(
                    Exit::Refused,
                    format!("the run of `{name}` has not begun, so it cannot be waited for"),
                )
                .hint("look at it with `history`")
            });
            return Ok(Outcome { value, text, failure });
        };
        if !wait {
            return Ok(Outcome { value, text: format!("run {run} has begun"), failure: None });
        }
        let ended = wait_for(client, name, run)?;
        value["outcome"] = json!(ended.outcome);
        value["took_seconds"] = json!(ended.took_seconds);
        value["error"] = json!(ended.error);
        let took = times::short(times::seconds(ended.took_seconds.unwrap_or(0.0)));
        let text = format!("run {run}: {} after {took}", ended.outcome);
        let failure = (ended.outcome != "ok").then(|| {
            let cause = ended.error.map_or(String::new(), |error| format!(": {error}"));
            Failure::new(
                Exit::Refused,
                format!("run {run} of `{name}` ended with `{}`{cause}", ended.outcome),
            )
        });
        Ok(Outcome { value, text, failure })
    })
}

/// What has become of one service.
struct Outcome {
    value: Value,
    text: String,
    failure: Option<Failure>,
}

/// Does something with each service. One that refuses does not keep the others from it.
fn each(
    session: &mut Session<'_>,
    act: &Act,
    mut one: impl FnMut(&Client, &str, &str) -> Result<Outcome, Failure>,
) -> Result<Exit, Stop> {
    let client = session.client()?;
    let names = Names(&act.names.names).resolve(&client)?;
    let body = match &act.reason {
        Some(reason) => json!({ "reason": reason }),
        None => json!({}),
    };
    let body = body.to_string();
    let mut exit = Exit::Done;
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for name in names {
        let (mut value, text, failure) = match one(&client, &name, &body) {
            Ok(Outcome { value, text, failure }) => (value, text, failure),
            Err(failure) => (json!({ "name": name }), "refused".to_owned(), Some(failure)),
        };
        if let Some(failure) = &failure {
            exit = exit.max(failure.exit);
            complain(format_args!("{}: {failure}", session.program));
            if value["error"].is_null() {
                value["error"] = json!(failure.problem);
            }
            value["hint"] = json!(failure.hint);
        }
        value["exit"] = json!(failure.as_ref().map_or(Exit::Done, |failure| failure.exit).code());
        let mood = if failure.is_some() { Mood::Bad } else { Mood::Good };
        values.push(value);
        rows.push((mood, vec![name, text]));
        // The others would say the same.
        if failure.is_some_and(|failure| failure.exit == Exit::Unreachable) {
            break;
        }
    }
    if session.output.json {
        session.output.value(&json!({ "schema": SCHEMA, "results": values }))?;
    } else {
        session.output.table(&["NAME", "RESULT"], rows)?;
    }
    Ok(exit)
}

/// How a run has ended.
struct EndOfRun {
    outcome: String,
    took_seconds: Option<f64>,
    error: Option<String>,
}

/// Waits until a run has ended.
fn wait_for(client: &Client, name: &str, run: u64) -> Result<EndOfRun, Failure> {
    let mut pause = PAUSES.0;
    loop {
        let history: History = read(&client.get(&path(name, "/runs"))?)?;
        let is_it = |record: &&Run| record.run <= run && run < record.run + record.count;
        if let Some(Run { outcome, took_seconds, error, .. }) =
            history.failures.into_iter().chain(history.runs).find(|record| is_it(&record))
        {
            return Ok(EndOfRun { outcome, took_seconds: Some(took_seconds), error });
        }
        let service: Service = read(&client.get(&path(name, ""))?)?;
        let is_over = service.state != "running" && service.state != "stopping";
        if service.runs > run || (is_over && service.last_end >= service.last_start) {
            // The program keeps no history, or others have pushed it out.
            if service.runs == run
                && let Some(outcome) = service.last_outcome
            {
                return Ok(EndOfRun { outcome, took_seconds: None, error: service.last_error });
            }
            return Ok(EndOfRun { outcome: "unknown".to_owned(), took_seconds: None, error: None });
        }
        if !is_active(&service.state) {
            return Ok(EndOfRun {
                outcome: service.state,
                took_seconds: None,
                error: service.last_error,
            });
        }
        clock::pause(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}
