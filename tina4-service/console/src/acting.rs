//! Carries out actions, on behalf of whoever asked for them.

use std::sync::mpsc;
use std::time::Duration;

use serde::Serialize;
use tina4_service::{Change, Event, Request as Asks, Requester, Runner, State};

use crate::access::Grant;
use crate::action::Action;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::peer::Peer;
use crate::problem::Problem;
#[cfg(feature = "queue")]
use crate::queues;
use crate::reading::SCHEMA;
use crate::request::Request;
use crate::route::Target;
use crate::settings::Settings;
use crate::sys::{clock, threads};

/// How long a request waits for a service to stop. Most stop within milliseconds, and the answer then tells the state
/// that they have got to; a stop that takes longer goes on without the request.
const STOP_WAIT: Duration = Duration::from_millis(500);

/// How long a request waits for the run that it has asked for to begin, to tell its number.
const RUN_WAIT: Duration = Duration::from_secs(1);

/// What an action has led to.
#[derive(Serialize)]
struct Done<'a> {
    schema: u32,
    action: &'static str,
    name: &'a str,
    /// The state of the service after it; null: it is gone.
    state: Option<String>,
}

/// That a run was asked for.
#[derive(Serialize)]
struct RunDone<'a> {
    #[serde(flatten)]
    done: Done<'a>,
    /// The number of the run; null: it has not begun yet, or it is that of a queue service.
    run: Option<u64>,
}

pub(crate) fn act(
    settings: &Settings,
    grant: &Grant,
    request: &Request,
    action: Action,
    target: &Target,
) -> Result<Answer, Problem> {
    let asked = Asked::of(request, action)?;
    let requester = requester(grant, request, &asked);
    let runner = settings.runner()?.on_behalf_of(requester.clone());
    let answer = match target {
        Target::Service(name) => act_on_service(settings, &runner, &requester, action, name)?,
        Target::Tag(tag) => act_on_tag(&runner, action, tag)?,
        #[cfg(feature = "queue")]
        Target::Queue(name) => queues::redrive(settings, &runner, &requester, name, &asked)?,
    };
    Ok(if asked.is_form { Answer::see_other(page_after(action, target, &asked)) } else { answer })
}

/// Who asks: what the console knows, or else what the request claims.
fn requester(grant: &Grant, request: &Request, asked: &Asked) -> Requester {
    let requester = match (&grant.by, &asked.by, &request.peer) {
        (Some(by), ..) => Requester::new(by),
        (None, Some(by), _) => Requester::new(by),
        (None, None, Peer::Tcp(peer)) => Requester::new(peer.ip().to_string()),
        (None, None, Peer::Unix(peer)) => Requester::new(peer.name()),
        (None, None, Peer::Unknown) => Requester::new("console"),
    };
    match &asked.reason {
        Some(reason) if !reason.trim().is_empty() => requester.because(reason),
        Some(_) | None => requester,
    }
}

/// The page that a form leads to, relative to the path of the action.
fn page_after(action: Action, target: &Target, asked: &Asked) -> String {
    let action = action.word();
    match target {
        // Names in paths consist of characters that need no encoding, or the action would have been refused.
        Target::Service(name) if asked.back.as_deref() != Some("list") => {
            format!("../{name}?done={action}&name={name}")
        }
        Target::Service(name) => format!("../../?done={action}&name={name}"),
        Target::Tag(_) => "../../".to_owned(),
        #[cfg(feature = "queue")]
        Target::Queue(name) => format!("../../queues?done={action}&name={name}"),
    }
}

/// The state of a service; `None`: it is gone.
fn state(runner: &Runner, name: &str) -> Option<State> {
    runner.without_backlogs().service_info(name).ok().map(|service| service.state)
}

fn act_on_service(
    settings: &Settings,
    runner: &Runner,
    requester: &Requester,
    action: Action,
    name: &str,
) -> Result<Answer, Problem> {
    let done = |runner: &Runner| Done {
        schema: SCHEMA,
        action: action.word(),
        name,
        state: state(runner, name).map(|state| state.to_string()),
    };
    let has_ended = match action {
        Action::Run => {
            let run = run_now(runner, requester, name)?;
            return Ok(Answer::json(202, &RunDone { done: done(runner), run }));
        }
        Action::Stop => stop(settings, runner, name, false)?,
        Action::Restart => stop(settings, runner, name, true)?,
        Action::Pause | Action::Resume | Action::Start | Action::Reset => {
            at_once(runner, action, name)?;
            true
        }
        Action::Redrive => return Err(Problem::no_such_path()),
    };
    Ok(Answer::json(if has_ended { 200 } else { 202 }, &done(runner)))
}

/// Takes an action that waits for nothing.
fn at_once(runner: &Runner, action: Action, name: &str) -> Result<(), Problem> {
    let result = match action {
        Action::Pause => runner.pause(name),
        Action::Resume => runner.resume(name),
        Action::Start => runner.start(name),
        Action::Reset => runner.reset(name),
        Action::Run | Action::Stop | Action::Restart | Action::Redrive => {
            return Err(Problem::no_such_path());
        }
    };
    Ok(result?)
}

/// Asks for a run, and returns its number.
fn run_now(runner: &Runner, requester: &Requester, name: &str) -> Result<Option<u64>, Problem> {
    let events = runner.subscribe();
    runner.run_now(name)?;
    if works_on_queue(runner, name) {
        // Its runs are attempts at jobs, and nobody has asked for one of them.
        return Ok(None);
    }
    let deadline = clock::now() + RUN_WAIT;
    let next = || events.recv_deadline(deadline).ok();
    Ok(number_of_run(next, || clock::now() >= deadline, requester, name))
}

/// The number of the run that a requester has asked for, according to the events after the request.
pub(crate) fn number_of_run(
    mut next: impl FnMut() -> Option<Event>,
    mut is_over: impl FnMut() -> bool,
    requester: &Requester,
    name: &str,
) -> Option<u64> {
    let mut is_requested = false;
    while let Some(event) = next() {
        if event.service == name {
            // Not equal: the same visitor may have asked before.
            if let Change::Requested { request: Asks::RunNow, by } = &event.change {
                is_requested |= by.ptr_eq(requester);
            }
            // Runs of a service never overlap, and none was in progress, so the next one is the one that was asked for.
            if let Change::RunBegan { run, .. } = &event.change
                && is_requested
            {
                return Some(*run);
            }
        }
        // If there are always more events, the deadline of the channel is never looked at.
        if is_over() {
            break;
        }
    }
    None
}

#[cfg(feature = "queue")]
fn works_on_queue(runner: &Runner, name: &str) -> bool {
    let service = runner.without_backlogs().service_info(name);
    service.is_ok_and(|service| service.queue.is_some())
}

#[cfg(not(feature = "queue"))]
fn works_on_queue(_: &Runner, _: &str) -> bool {
    false
}

/// Stops or restarts a service on a thread of its own, because that takes up to its `stop_timeout`; for each service there is
/// at most one. The thread keeps the runner, as the call does that it waits for. Returns whether it is over.
fn stop(
    settings: &Settings,
    runner: &Runner,
    name: &str,
    and_start: bool,
) -> Result<bool, Problem> {
    let Some(counted) = settings.stops.begin(name, and_start)? else {
        // A thread waits for just that, and the service knows.
        return Ok(false);
    };
    let (sender, result) = mpsc::sync_channel(1);
    let (waiting, owned_name) = (runner.clone(), name.to_owned());
    let wait = move || {
        let result = if and_start {
            waiting.restart(&owned_name)
        } else {
            waiting.stop(&owned_name).map(drop)
        };
        // Before the answer, so that the next request for the same does not find this one.
        drop(counted);
        let _ = sender.send(result);
    };
    threads::start("tina4-console-stop", wait).map_err(|error| {
        Problem::new(503, "no thread", format!("no thread could be started: {error}"))
            .hint("check the limits of the process")
    })?;
    match result.recv_timeout(STOP_WAIT) {
        Ok(result) => Ok(result.map(|()| true)?),
        Err(mpsc::RecvTimeoutError::Timeout) => Ok(false),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Problem::panicked("the stop")),
    }
}

/// Takes an action on every service with a tag. Those that refuse it are listed with the reason.
fn act_on_tag(runner: &Runner, action: Action, tag: &str) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Tagged<'a> {
        schema: u32,
        action: &'static str,
        tag: &'a str,
        services: Vec<One>,
    }
    #[derive(Serialize)]
    struct One {
        name: String,
        state: Option<String>,
        /// Why the service has refused the action; null: it has not.
        refused: Option<String>,
    }
    let all = runner.without_backlogs().services();
    let tagged: Vec<_> =
        all.iter().filter(|service| service.tags.iter().any(|own| own == tag)).collect();
    if tagged.is_empty() {
        let mut known: Vec<&str> =
            all.iter().flat_map(|service| &service.tags).map(|tag| &**tag).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Problem::unknown("tag", tag, &known));
    }
    let mut services = Vec::with_capacity(tagged.len());
    for service in tagged {
        let refused = at_once(runner, action, &service.name).err().map(|problem| problem.detail);
        services.push(One { name: service.name.to_string(), state: None, refused });
    }
    let states = runner.status();
    for service in &mut services {
        service.state = states.get(&service.name).map(ToString::to_string);
    }
    let all_refused = services.iter().all(|service| service.refused.is_some());
    let status = if all_refused { 409 } else { 200 };
    Ok(Answer::json(status, &Tagged { schema: SCHEMA, action: action.word(), tag, services }))
}
