//! Counts, dead jobs, copies of done jobs, and cancelled jobs.

use std::time::{Duration, Instant};

use tina4_service_queue::{
    Backlog, Cancelled, DeadJob, DeadSelection, DoneJob, EngineError, JobId,
};

use crate::clock;
use crate::keys::Copies;
use crate::lane::Work;
use crate::numbers::{count, duration, id_text, instant, millis, small};
use crate::reply::Elements;
use crate::script::{Script, Scripts};
use crate::session::Session;
use crate::turn::{dead_job, read_id};

/// How many dead jobs a script looks at, so that other programs are not held up.
const PAGE: usize = 500;

/// How long it may take to find out which queues need a turn. After that they get one.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);

/// The work of the lane for everything that is neither a push nor a turn.
#[derive(Debug)]
pub(crate) struct Administration {
    pub(crate) scripts: Scripts,
    pub(crate) owner: String,
}

/// A task, which answers its caller itself.
pub(crate) struct Task {
    /// Until when the caller waits: another one may run it.
    pub(crate) deadline: Instant,
    pub(crate) run: Box<dyn FnOnce(&mut Admin<'_>) + Send>,
}

impl Work for Administration {
    type Request = Task;
    type Answer = ();

    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Task>,
    ) -> Vec<Result<(), EngineError>> {
        let mut admin = Admin { session, scripts: &self.scripts, owner: &self.owner };
        let run = |task: Task| {
            admin.session.begin_trip_of(clock::until(task.deadline));
            (task.run)(&mut admin);
            Ok(())
        };
        requests.drain(..).map(run).collect()
    }
}

/// A session with what the scripts need.
pub(crate) struct Admin<'a> {
    pub(crate) session: &'a mut Session,
    scripts: &'a Scripts,
    owner: &'a str,
}

impl Admin<'_> {
    fn run(
        &mut self,
        script: fn(&Scripts) -> &Script,
        arguments: &[&str],
    ) -> Result<Elements, EngineError> {
        self.run_with(script, Copies::Untouched, arguments)
    }

    fn run_with(
        &mut self,
        script: fn(&Scripts) -> &Script,
        copies: Copies,
        arguments: &[&str],
    ) -> Result<Elements, EngineError> {
        let arguments: Vec<_> = [self.owner].into_iter().chain(arguments.iter().copied()).collect();
        let value = self.session.run_with(script(self.scripts), copies, &arguments);
        Elements::of(value.map_err(|failure| failure.error())?)
    }

    /// How long from now a turn of each queue has something to do.
    pub(crate) fn next_due(
        &mut self,
        queues: &[String],
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let arguments: Vec<_> =
            [self.owner].into_iter().chain(queues.iter().map(String::as_str)).collect();
        self.session.limit_trip(POLL_TIMEOUT);
        let value = self.session.read(&self.scripts.next_due, &arguments);
        let mut answers = Elements::of(value.map_err(|failure| failure.error())?)?;
        let next = |_| Ok(Some(answers.number()?).filter(|wait| *wait >= 0).map(duration));
        queues.iter().map(next).collect()
    }

    /// Counts the jobs of a queue.
    pub(crate) fn backlog(&mut self, queue: &str) -> Result<Backlog, EngineError> {
        let mut counts = self.run(|scripts| &scripts.backlog, &[queue])?;
        Ok(Backlog {
            ready: count(counts.number()?),
            delayed: count(counts.number()?),
            claimed: count(counts.number()?),
            dead: count(counts.number()?),
            oldest_ready: Some(counts.number()?).filter(|age| *age >= 0).map(duration),
        })
    }

    /// Deletes a job that waits.
    pub(crate) fn cancel(&mut self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        let mut result = self.run(|scripts| &scripts.cancel, &[queue, &id_text(id)])?;
        Ok(match result.number()? {
            0 => Cancelled::Deleted,
            1 => Cancelled::Claimed,
            _ => Cancelled::Unknown,
        })
    }

    /// Lists dead jobs.
    pub(crate) fn dead(
        &mut self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        let mut after = after.map(id_text).unwrap_or_default();
        let mut jobs = Vec::new();
        // No id is longer.
        while after.len() <= 16 && jobs.len() < limit {
            let page = PAGE.min(limit - jobs.len());
            let page_text = page.to_string();
            let mut found = self.run(|scripts| &scripts.dead, &[queue, &after, &page_text])?;
            let before = jobs.len();
            while !found.is_empty() {
                jobs.push(dead_job(&mut found.array()?)?);
            }
            match jobs.last() {
                Some(last) if jobs.len() == before + page => after = id_text(last.id),
                _ => break,
            }
        }
        Ok(jobs)
    }

    /// Puts dead jobs back (`is_redrive`), or deletes them: those of a page that begins after this id. Returns
    /// their number, and the last id of the page if there may be another one.
    pub(crate) fn take_dead(
        &mut self,
        queue: &str,
        which: DeadSelection,
        is_redrive: bool,
        after: &str,
    ) -> Result<(u64, Option<String>), EngineError> {
        let (mut only, mut before, mut age) = (String::new(), String::new(), String::new());
        match which {
            DeadSelection::All => {}
            DeadSelection::One(id) => only = id_text(id),
            DeadSelection::DiedBefore(limit) => before = limit.as_millis().to_string(),
            DeadSelection::OlderThan(limit) => age = millis(limit),
        }
        let kind = if is_redrive { "1" } else { "0" };
        let page = PAGE.to_string();
        let arguments = [queue, kind, &only, &before, &age, after, &page];
        let mut result = self.run(|scripts| &scripts.take_dead, &arguments)?;
        let taken = count(result.number()?);
        let last = result.text()?;
        Ok((taken, Some(last).filter(|last| !last.is_empty())))
    }

    /// Lists copies of done jobs.
    pub(crate) fn done(
        &mut self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DoneJob>, EngineError> {
        let mut after = after.map(id_text).unwrap_or_default();
        let mut jobs = Vec::new();
        // No id is longer.
        while after.len() <= 16 && jobs.len() < limit {
            let page = PAGE.min(limit - jobs.len());
            let arguments = [queue, &*after, &page.to_string()];
            let mut found = self.run_with(|scripts| &scripts.done, Copies::Used, &arguments)?;
            let before = jobs.len();
            while !found.is_empty() {
                jobs.push(done_job(&mut found.array()?)?);
            }
            match jobs.last() {
                Some(last) if jobs.len() == before + page => after = id_text(last.id),
                _ => break,
            }
        }
        Ok(jobs)
    }

    /// Deletes a page of the copies of jobs that were done this long ago or longer. Returns their number, and whether
    /// there may be more.
    pub(crate) fn purge_done(
        &mut self,
        queue: &str,
        age: Duration,
    ) -> Result<(u64, bool), EngineError> {
        let arguments = [queue, &millis(age), &PAGE.to_string()];
        let mut result = self.run_with(|scripts| &scripts.purge_done, Copies::Used, &arguments)?;
        let deleted = count(result.number()?);
        Ok((deleted, deleted == PAGE as u64))
    }
}

fn done_job(job: &mut Elements) -> Result<DoneJob, EngineError> {
    Ok(DoneJob {
        id: read_id(job)?,
        payload: job.text()?,
        attempts: small(job.number()?),
        pushed_at: instant(job.number()?),
        done_at: instant(job.number()?),
    })
}
