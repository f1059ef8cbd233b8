//! [`Push`]: the options of a push.

use std::time::Duration;

use crate::new_job::{NewJob, Unique};

/// The options of a push.
///
/// An engine that cannot honour one of them refuses the push.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_queue::{MemoryEngine, Push, Queue, Queues};
///
/// const MAILS: Queue<String> = Queue::new("mails");
///
/// let mails = MAILS.on(&Queues::new(MemoryEngine::new()));
/// let reminder = Push::new().delay(Duration::from_secs(600)).priority(5).unique("welcome-42");
/// assert!(mails.push_with(&"Welcome!".to_owned(), &reminder)?.is_new());
/// assert!(!mails.push_with(&"Welcome again!".to_owned(), &reminder)?.is_new());
/// assert_eq!(mails.stats()?.backlog.delayed, 1);
/// # Ok::<(), tina4_service_queue::PushError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    delay: Duration,
    priority: i8,
    unique: Option<(String, Option<Duration>)>,
}

impl Push {
    /// No options: the job is ready at once, with priority 0 and without a unique key.
    #[must_use]
    pub const fn new() -> Self {
        Self { delay: Duration::ZERO, priority: 0, unique: None }
    }

    /// The job becomes ready this long after the push.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Jobs with a higher priority go first: from -9 to 9, and 0 without this option.
    #[must_use]
    pub const fn priority(mut self, priority: i8) -> Self {
        self.priority = priority;
        self
    }

    /// There is only one job with this key in the queue, until it is done, dead or cancelled.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique = Some((key.into(), None));
        self
    }

    /// There is only one push with this key in the queue for this time, even if its job is done.
    #[must_use]
    pub fn unique_for(mut self, key: impl Into<String>, window: Duration) -> Self {
        self.unique = Some((key.into(), Some(window)));
        self
    }

    /// The job with these options.
    pub(crate) fn job<'a>(&'a self, queue: &'a str, payload: &'a str) -> NewJob<'a> {
        let unique = self.unique.as_ref();
        NewJob {
            queue,
            payload,
            delay: self.delay,
            priority: self.priority,
            unique: unique.map(|(key, window)| Unique { key, window: *window }),
        }
    }
}
