//! [`News`]: queues to which this process has pushed since it last looked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tina4_service_queue::Want;

/// The queues with jobs that this engine has pushed since the last turn that wanted some. Such a turn need not look first
/// whether there is anything to do, which would delay the start of the job.
///
/// This is a guess, which may be wrong: another process may have been faster. The turn is then a write transaction that
/// changes nothing.
#[derive(Debug, Default)]
pub(crate) struct News(Mutex<Vec<String>>);

/// How many queues are remembered. A program that only pushes never asks.
const MOST: usize = 16;

impl News {
    /// A job of this queue was pushed, and is ready.
    pub(crate) fn add(&self, queue: &str) {
        let mut queues = self.lock();
        if queues.len() < MOST && !queues.iter().any(|known| known == queue) {
            queues.push(queue.to_owned());
        }
    }

    /// Whether there are jobs for one of these requests. Those of the others are still news.
    pub(crate) fn take(&self, wants: &[Want<'_>]) -> bool {
        let mut queues = self.lock();
        let before = queues.len();
        queues.retain(|queue| !wants.iter().any(|want| want.count > 0 && want.queue == queue));
        queues.len() < before
    }

    /// Each change is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tina4_service_queue::RetryPolicy;

    use super::*;

    fn want(queue: &str, count: usize) -> Want<'_> {
        Want { queue, count, lease: Duration::from_secs(30), policy: &RetryPolicy::DEFAULT }
    }

    #[test]
    fn jobs_are_news_once_for_those_who_want_them() {
        let news = News::default();
        assert!(!news.take(&[want("mails", 1)]));
        for queue in ["mails", "mails", "images"] {
            news.add(queue);
        }
        assert!(!news.take(&[]) && !news.take(&[want("mails", 0), want("sms", 1)]));
        assert!(news.take(&[want("sms", 1), want("mails", 1)]));
        assert!(!news.take(&[want("mails", 1)]));
        assert!(news.take(&[want("images", 1)]));
    }

    #[test]
    fn a_program_that_only_pushes_remembers_few_queues() {
        let news = News::default();
        (0..1_000).for_each(|number| news.add(&number.to_string()));
        assert_eq!(news.lock().len(), MOST);
    }
}
