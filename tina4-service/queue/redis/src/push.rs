//! Pushes: [`OwnedJob`], the script that stores it, and the lane of pushes.

use tina4_service_queue::{EngineError, NewJob, Pushed};

use crate::error::failed_with;
use crate::lane::Work;
use crate::numbers::{id_of, millis};
use crate::reply::Elements;
use crate::script::Script;
use crate::session::{Failure, Session};

/// The most jobs of one push: the server limits the arguments of a command, and does nothing else meanwhile.
const MAX_JOBS: usize = 100_000;

/// The most jobs that pushes of several threads share a trip with.
const MAX_SHARED: usize = 1000;

/// A [`NewJob`] as arguments of the script.
#[derive(Clone, Debug)]
pub(crate) struct OwnedJob([String; 6]);

impl OwnedJob {
    pub(crate) fn new(job: &NewJob<'_>) -> Self {
        let (key, window) = match job.unique {
            None => (String::new(), String::new()),
            Some(unique) => (unique.key.to_owned(), unique.window.map(millis).unwrap_or_default()),
        };
        Self([
            job.queue.to_owned(),
            job.payload.to_owned(),
            millis(job.delay),
            job.priority.to_string(),
            key,
            window,
        ])
    }
}

/// Refuses a push that is too large.
pub(crate) fn check(jobs: &[NewJob<'_>]) -> Result<(), EngineError> {
    if jobs.len() <= MAX_JOBS {
        return Ok(());
    }
    let len = jobs.len();
    Err(failed_with(format!(
        "{len} jobs are too many for one push to Redis (push at most {MAX_JOBS} at once)"
    )))
}

/// The work of the lane of pushes.
#[derive(Debug)]
pub(crate) struct Pushes {
    pub(crate) script: Script,
    pub(crate) owner: String,
    /// Where other programs are told of jobs.
    pub(crate) channel: String,
}

impl Pushes {
    fn store(
        &self,
        session: &mut Session,
        requests: &[Vec<OwnedJob>],
    ) -> Result<Vec<Result<Vec<Pushed>, EngineError>>, Failure> {
        let mut arguments = vec![&*self.owner, &*self.channel];
        arguments.extend(requests.iter().flatten().flat_map(|job| &job.0).map(String::as_str));
        let value = session.run(&self.script, &arguments)?;
        let pushed = Elements::of(value).and_then(|mut elements| {
            requests.iter().map(|jobs| read(&mut elements, jobs.len())).collect()
        });
        Ok(pushed.unwrap_or_else(|error| {
            let text = error.to_string();
            requests.iter().map(|_| Err(failed_with(&*text))).collect()
        }))
    }

    /// If the server refuses a trip, each push gets one of its own, so that none fails because of another. If the
    /// connection is lost, all fail: the jobs may have been stored, and a second attempt could store them twice.
    fn trip(
        &self,
        session: &mut Session,
        requests: &[Vec<OwnedJob>],
    ) -> Vec<Result<Vec<Pushed>, EngineError>> {
        match self.store(session, requests) {
            Ok(pushed) => pushed,
            Err(failure) if failure.is_refused && requests.len() > 1 => {
                requests.chunks(1).flat_map(|request| self.trip(session, request)).collect()
            }
            Err(failure) => requests.iter().map(|_| Err(failure.error())).collect(),
        }
    }
}

fn read(
    elements: &mut Elements,
    count: usize,
) -> Result<Result<Vec<Pushed>, EngineError>, EngineError> {
    let mut pushed = Vec::with_capacity(count);
    for _ in 0..count {
        let is_new = elements.number()? == 1;
        let text = elements.text()?;
        let id = id_of(&text).ok_or_else(|| failed_with(format!("`{text}` is no id")))?;
        pushed.push(if is_new { Pushed::New(id) } else { Pushed::Known(id) });
    }
    Ok(Ok(pushed))
}

impl Work for Pushes {
    type Request = Vec<OwnedJob>;
    type Answer = Vec<Pushed>;

    fn answer(
        &self,
        session: &mut Session,
        requests: &mut Vec<Vec<OwnedJob>>,
    ) -> Vec<Result<Vec<Pushed>, EngineError>> {
        let mut answers = Vec::with_capacity(requests.len());
        while answers.len() < requests.len() {
            let rest = &requests[answers.len()..];
            let mut jobs = 0;
            let shared = rest.iter().take_while(|request| {
                jobs += request.len();
                jobs <= MAX_SHARED
            });
            let count = shared.count().max(1);
            answers.extend(self.trip(session, &rest[..count]));
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_138_a_push_that_is_too_large_is_refused() {
        let jobs = vec![NewJob::new("numbers", "1"); MAX_JOBS + 1];
        check(&jobs[..MAX_JOBS]).unwrap();
        let error = check(&jobs).unwrap_err().to_string();
        assert!(error.contains("(push at most 100000 at once)"), "{error}");
    }
}
