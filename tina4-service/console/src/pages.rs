//! The answers that are pages: collects what the functions of `page` show.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

use tina4_service::{History, Runner, ServiceInfo};

use crate::access::Grant;
use crate::action::Action;
use crate::answer::Answer;
use crate::page::{self, Frame};
use crate::problem::Problem;
#[cfg(feature = "queue")]
use crate::queues;
use crate::reading::{self, snapshots};
use crate::request::Request;
use crate::route::Route;
use crate::settings::Settings;
use crate::sys::clock;
use crate::text;

/// How many due times a page shows.
const UPCOMING: usize = 6;

/// Whether a browser asks, and wants a page.
pub(crate) fn are_wanted(request: &Request) -> bool {
    request.header("accept").is_some_and(|accept| accept.contains("text/html"))
}

/// The page at a route; `None`: it has none.
pub(crate) fn respond(
    settings: &Settings,
    request: &Request,
    route: &Route,
    grant: &Grant,
) -> Option<Result<Answer, Problem>> {
    let make: &dyn Fn(&Visit<'_>) -> Result<String, Problem> = match route {
        Route::Index | Route::Services => &list,
        Route::Service(name) => &|visit| service(visit, name),
        #[cfg(feature = "queue")]
        Route::Queues => &queues_page,
        #[cfg(feature = "queue")]
        Route::Queue(_) | Route::Dead(_) => return None,
        Route::Runs(_)
        | Route::Log(..)
        | Route::Plan(_)
        | Route::Events
        | Route::Live
        | Route::Ready
        | Route::Health
        | Route::Metrics
        | Route::Asset(_)
        | Route::Act(..) => return None,
    };
    let page = settings.runner().and_then(|runner| {
        let services = snapshots(settings, &runner);
        make(&Visit { settings, request, grant, runner, services })
    });
    Some(page.map(|html| Answer::page(200, html)))
}

/// The page that tells a problem.
pub(crate) fn problem(settings: &Settings, request: &Request, problem: &Problem) -> Answer {
    let title = title(settings);
    let frame = Frame {
        title: &title,
        root: &root(request),
        now: clock::wall(),
        visitor: None,
        allowed: &[],
        done: None,
        closed: None,
        has_queues: false,
    };
    let html = page::problem(&frame, problem.title, &problem.detail, problem.hint.as_deref());
    let mut answer = Answer::page(problem.status, html);
    answer.headers.extend(problem.headers.clone());
    answer
}

/// A file that pages refer to.
pub(crate) fn asset(name: &str) -> Result<Answer, Problem> {
    let asset = page::assets::asset(&format!("assets/{name}")).ok_or_else(Problem::no_such_path)?;
    Ok(Answer::asset(asset.content_type, asset.body))
}

/// One request for a page.
struct Visit<'a> {
    settings: &'a Settings,
    request: &'a Request,
    grant: &'a Grant,
    runner: Runner,
    services: Vec<ServiceInfo>,
}

impl Visit<'_> {
    /// Calls a function with what all pages need.
    fn with_frame(&self, make: impl FnOnce(&Frame<'_>) -> String) -> String {
        let title = title(self.settings);
        let access = self.grant.access;
        let allowed: Vec<Action> =
            Action::ALL.into_iter().filter(|action| access.allows(*action)).collect();
        let done = self.done();
        let closed = self.runner.readiness().runner;
        make(&Frame {
            title: &title,
            root: &root(self.request),
            now: clock::wall(),
            visitor: self.grant.by.as_deref(),
            allowed: &allowed,
            done: done.as_ref().map(|(action, name)| (*action, &**name)),
            closed: closed.as_deref(),
            has_queues: self.has_queues(),
        })
    }

    #[cfg(feature = "queue")]
    fn has_queues(&self) -> bool {
        self.services.iter().any(|service| service.queue.is_some())
    }

    #[cfg(not(feature = "queue"))]
    fn has_queues(&self) -> bool {
        false
    }

    /// What the visitor has just done, as the redirect after a form says. A link from elsewhere may say so, too, so only
    /// known names are shown.
    fn done(&self) -> Option<(Action, String)> {
        let mut pairs: BTreeMap<String, String> =
            text::pairs(&self.request.query)?.into_iter().collect();
        let (word, name) = (pairs.remove("done")?, pairs.remove("name")?);
        let action = Action::ALL.into_iter().find(|action| action.word() == word)?;
        let is_known = |service: &ServiceInfo| match action {
            Action::Redrive => queue_name(service) == Some(&*name),
            Action::Run
            | Action::Pause
            | Action::Resume
            | Action::Start
            | Action::Stop
            | Action::Restart
            | Action::Reset => service.name == name,
        };
        self.services.iter().any(is_known).then_some((action, name))
    }

    fn history(&self, name: &str) -> Result<History, Problem> {
        let mut history = self.runner.history(name)?;
        for record in history.runs.iter_mut().chain(&mut history.failures) {
            self.settings.redact_record(record);
        }
        Ok(history)
    }
}

#[cfg(feature = "queue")]
fn queue_name(service: &ServiceInfo) -> Option<&str> {
    service.queue.map(|queue| queue.name)
}

#[cfg(not(feature = "queue"))]
fn queue_name(_: &ServiceInfo) -> Option<&str> {
    None
}

fn list(visit: &Visit<'_>) -> Result<String, Problem> {
    // A service may have been forgotten since the snapshot.
    let runs = |name: &str| visit.history(name).map(|history| history.runs).unwrap_or_default();
    Ok(visit.with_frame(|frame| page::list(frame, &visit.services, &visit.request.query, runs)))
}

fn service(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    // For an unknown name, its error suggests the nearest one.
    let history = visit.history(name)?;
    let info = visit.services.iter().find(|service| service.name == name);
    let info = info.ok_or_else(|| Problem::unknown("service", name, &[]))?;
    let plan = visit.runner.check().ok();
    let mut planned = plan.iter().flat_map(|plan| plan.services());
    let facts = page::Service {
        info,
        history: &history,
        planned: planned.find(|planned| planned.name == name),
        upcoming: &reading::upcoming(info, UPCOMING, clock::wall()),
        #[cfg(feature = "run-log")]
        logs: Some(&logs(visit, name)?),
    };
    Ok(visit.with_frame(|frame| page::service(frame, &facts)))
}

#[cfg(feature = "run-log")]
fn logs(visit: &Visit<'_>, name: &str) -> Result<tina4_service::RunLogs, Problem> {
    let mut logs = visit.runner.run_log(name)?;
    let runs = logs.running.iter_mut().chain(&mut logs.last).chain(&mut logs.last_failing);
    for line in runs.flat_map(|run| &mut run.lines) {
        if let Some(redacted) = visit.settings.redacted(&line.text) {
            line.text = redacted;
        }
    }
    Ok(logs)
}

#[cfg(feature = "queue")]
fn queues_page(visit: &Visit<'_>) -> Result<String, Problem> {
    let mut views: BTreeMap<&'static str, page::QueueView<'_>> = BTreeMap::new();
    for service in &visit.services {
        let Some(queue) = service.queue else { continue };
        let view = views.entry(queue.name).or_insert_with(|| page::QueueView {
            name: queue.name,
            services: Vec::new(),
            backlog: None,
            counters: queue.counters,
            dead: queues::dead_jobs(visit.settings, queue.name, None, DEAD)
                .map_err(|problem| problem.detail),
        });
        view.services.push(&service.name);
        view.backlog = view.backlog.or(queue.backlog);
    }
    let views: Vec<_> = views.into_values().collect();
    Ok(visit.with_frame(|frame| page::queues(frame, &views)))
}

/// How many dead jobs the page of queues shows of each.
#[cfg(feature = "queue")]
const DEAD: usize = 50;

/// The path from the requested page to where the console is mounted.
fn root(request: &Request) -> String {
    let depth = request.path.matches('/').count().saturating_sub(1);
    if depth == 0 { "./".to_owned() } else { "../".repeat(depth) }
}

/// What the program is called: as it says, or the name of its file.
fn title(settings: &Settings) -> String {
    static PROGRAM: LazyLock<String> = LazyLock::new(|| {
        let path = std::env::args_os().next().unwrap_or_default();
        let name = Path::new(&path).file_stem().and_then(OsStr::to_str);
        name.unwrap_or("services").to_owned()
    });
    settings.title.clone().unwrap_or_else(|| PROGRAM.clone())
}
