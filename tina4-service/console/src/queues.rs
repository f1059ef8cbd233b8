//! What is shown of queues, and trying their dead jobs again.

use serde::Serialize;
use tina4_service::queue::Timestamp;
use tina4_service::{
    BoundQueue, DeadSelection, EngineError, JobId, Queue, QueueInfo, Queues, Requester, Runner,
    ServiceInfo,
};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::query::Query;
use crate::reading::{SCHEMA, instant, snapshots};
use crate::request::Request;
use crate::settings::Settings;

/// How many dead jobs are shown if nobody asks for another number, and at most.
const DEAD: (usize, usize) = (50, 500);

/// A queue, and the services that work on it.
#[derive(Serialize)]
struct Shown {
    name: &'static str,
    services: Vec<String>,
    queue: QueueInfo,
}

/// The queues of these services, sorted by name.
fn known(services: Vec<ServiceInfo>) -> Vec<Shown> {
    let mut queues: Vec<Shown> = Vec::new();
    for service in services {
        let Some(queue) = service.queue else { continue };
        let name = service.name.into_owned();
        match queues.iter_mut().find(|shown| shown.name == queue.name) {
            Some(shown) => shown.services.push(name),
            None => queues.push(Shown { name: queue.name, services: vec![name], queue }),
        }
    }
    queues.sort_by_key(|shown| shown.name);
    queues
}

/// The queue with this name, without the numbers of its jobs.
fn find(runner: &Runner, name: &str) -> Result<Shown, Problem> {
    let mut queues = known(runner.without_backlogs().services());
    match queues.iter().position(|shown| shown.name == name) {
        Some(index) => Ok(queues.swap_remove(index)),
        None => {
            let names: Vec<_> = queues.iter().map(|shown| shown.name).collect();
            Err(Problem::unknown("queue", name, &names))
        }
    }
}

pub(crate) fn list(settings: &Settings, request: &Request) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct List {
        schema: u32,
        queues: Vec<Shown>,
    }
    Query::of(request, &[])?;
    let queues = known(snapshots(settings, &settings.runner()?));
    Ok(Answer::json(200, &List { schema: SCHEMA, queues }))
}

pub(crate) fn one(settings: &Settings, request: &Request, name: &str) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct One {
        schema: u32,
        #[serde(flatten)]
        shown: Shown,
    }
    Query::of(request, &[])?;
    let mut queues = known(snapshots(settings, &settings.runner()?));
    queues.retain(|shown| shown.name == name);
    let shown = match queues.pop() {
        Some(shown) => shown,
        // For its error, which tells the names.
        None => find(&settings.runner()?, name)?,
    };
    Ok(Answer::json(200, &One { schema: SCHEMA, shown }))
}

/// The queue in its engine.
fn bound(settings: &Settings, name: &'static str) -> Result<BoundQueue<()>, Problem> {
    let queues = settings.queues.clone().or_else(Queues::global).ok_or_else(|| {
        Problem::new(503, "no engine", "the console does not know the engine of the queues")
            .hint("pass it to `Console::queues`, or provide it to the global runner")
    })?;
    Ok(Queue::new(name).on(&queues))
}

fn engine_problem(settings: &Settings, error: &EngineError) -> Problem {
    // It may contain the address of a store, with a password.
    let text = error.to_string();
    let shown = settings.redacted(&text).unwrap_or(text);
    Problem::new(503, "the engine of the queues has failed", shown)
}

/// The dead jobs of a queue, with errors that may be shown.
pub(crate) fn dead_jobs(
    settings: &Settings,
    name: &'static str,
    after: Option<JobId>,
    count: usize,
) -> Result<Vec<tina4_service::DeadJob>, Problem> {
    let jobs = bound(settings, name)?.dead(after, count);
    let mut jobs = jobs.map_err(|error| engine_problem(settings, &error))?;
    for job in &mut jobs {
        if let Some(redacted) = settings.redacted(&job.error) {
            job.error = redacted;
        }
    }
    Ok(jobs)
}

/// The dead jobs of a queue, without their payloads: those may contain anything.
pub(crate) fn dead(settings: &Settings, request: &Request, name: &str) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Dead {
        schema: u32,
        name: &'static str,
        jobs: Vec<Job>,
    }
    /// `id` is a text, because it may be too large for a number in JSON.
    #[derive(Serialize)]
    struct Job {
        id: String,
        attempts: u32,
        error: String,
        pushed_at: Option<String>,
        died_at: Option<String>,
    }
    let query = Query::of(request, &["after", "n"])?;
    let (default, max) = DEAD;
    let count = query.parsed("n", "a whole number")?.unwrap_or(default).min(max);
    let after = query.parsed("after", "the id of a job")?.map(JobId::new);
    let name = find(&settings.runner()?, name)?.name;
    let jobs = dead_jobs(settings, name, after, count)?;
    let job = |job: tina4_service::DeadJob| Job {
        id: job.id.to_string(),
        attempts: job.attempts,
        error: job.error,
        pushed_at: time(job.pushed_at),
        died_at: time(job.died_at),
    };
    let jobs = jobs.into_iter().map(job).collect();
    Ok(Answer::json(200, &Dead { schema: SCHEMA, name, jobs }))
}

fn time(at: Timestamp) -> Option<String> {
    let millis = u64::try_from(at.as_millis()).ok()?;
    let since = std::time::Duration::from_millis(millis);
    std::time::SystemTime::UNIX_EPOCH.checked_add(since).and_then(instant)
}

/// Puts the dead jobs of a queue back, or one of them.
pub(crate) fn redrive(
    settings: &Settings,
    runner: &Runner,
    requester: &Requester,
    name: &str,
    asked: &Asked,
) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Redriven {
        schema: u32,
        action: &'static str,
        name: &'static str,
        jobs: u64,
    }
    let which = match asked.job.as_deref() {
        // To forget the number of a job, or to misspell the field, must not mean all of them.
        None => {
            return Err(Problem::malformed("the body does not say which jobs")
                .hint("send `{\"job\": \"7\"}` for one of them, or `{\"job\": \"all\"}`"));
        }
        Some("all") => DeadSelection::All,
        Some(job) => {
            let id = job.parse().map_err(|_| {
                Problem::malformed("`job` is neither the id of a job nor `all`")
                    .hint("`GET queues/NAME/dead` lists the ids")
            })?;
            DeadSelection::One(JobId::new(id))
        }
    };
    let name = find(runner, name)?.name;
    let jobs =
        bound(settings, name)?.redrive(which).map_err(|error| engine_problem(settings, &error))?;
    tracing::info!(
        target: "tina4_service",
        queue = name,
        jobs,
        by = requester.name(),
        reason = requester.reason(),
        "dead jobs are tried again"
    );
    if let (0, DeadSelection::One(id)) = (jobs, which) {
        return Err(Problem::new(404, "no such job", format!("there is no dead job {id}"))
            .hint("it may have been tried again, or purged"));
    }
    Ok(Answer::json(200, &Redriven { schema: SCHEMA, action: "redrive", name, jobs }))
}
