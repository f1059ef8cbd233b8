//! [`QueueState`]: what a queue service has in one runner, besides what every service has.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};
#[cfg(feature = "tokio")]
use std::task::Waker;
use std::time::Duration;

use tina4_service_core::lifecycle::RunKind;
use tina4_service_core::{Nanos, OnTimeout, QueueSpec, Schedule};
use tina4_service_queue::consumer::{Consumer, ConsumerSettings, Item};
use tina4_service_queue::{QueueListener, Queues, RetryPolicy};

use crate::service::definition::Definition;
use crate::service::host::Host;
use crate::service::job_control::JobControl;
use crate::sys::stop_flag::Sleepers;
use crate::sys::sync::{AtomicBool, Mutex, lock};

/// How long the engine of a critical service may be unreachable.
const CRITICAL_AFTER: Duration = Duration::from_secs(5 * 60);

/// What a queue service has in one runner, besides what every service has.
pub(crate) struct QueueState {
    settings: ConsumerSettings,
    is_critical: bool,
    stop_timeout: Duration,
    /// After how long a job is cancelled.
    pub(crate) cancel_after: Option<Duration>,
    /// Made by the first turn: only then is it certain that the engine was provided.
    work: OnceLock<Work>,
    /// Whether the runner was told, since the last turn began, that there may be jobs.
    is_told: AtomicBool,
    state: Mutex<Shared>,
}

/// The claims, and who tells of new jobs.
struct Work {
    consumer: Consumer,
    /// Known to the engine by a weak reference.
    _hint: Arc<Hint>,
}

#[derive(Default)]
struct Shared {
    /// The items that the supervisor has handed to workers which have not begun them, by number.
    handed_out: BTreeMap<u32, Item>,
    /// What can cancel each job in progress, by the number of its item; empty without `on_timeout = "cancel"`.
    controls: BTreeMap<u32, Arc<JobControl>>,
    /// Those of jobs that have ended, but have left code behind that waits for the stop of the service.
    left: Vec<Weak<JobControl>>,
    /// The wakers of the tasks in progress, by the number of their item.
    #[cfg(feature = "tokio")]
    tasks: BTreeMap<u32, Waker>,
    /// Since when the engine has failed without interruption.
    failing_since: Option<Nanos>,
}

impl QueueState {
    /// `None`: the service has no queue.
    pub(crate) fn new(definition: &Definition) -> Option<Self> {
        let queue = definition.queue()?;
        let spec = definition.spec();
        let Schedule::Queue(queue_spec) = spec.schedule else { return None };
        let QueueSpec {
            attempts,
            backoff,
            max_backoff,
            concurrency,
            poll,
            keep_dead,
            keep_done,
            ..
        } = queue_spec;
        let settings = ConsumerSettings {
            queue: queue.name,
            concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
            lease: queue_spec.lease(),
            policy: RetryPolicy { attempts, backoff, max_backoff },
            poll,
            keep_dead: Some(keep_dead.unwrap_or(QueueSpec::DEFAULT_KEEP_DEAD)),
            keep_done,
            reports_dead: definition.on_dead().is_some(),
        };
        Some(Self {
            settings,
            is_critical: spec.critical,
            stop_timeout: spec.stop_timeout,
            cancel_after: spec.timeout.filter(|_| spec.on_timeout == OnTimeout::Cancel),
            work: OnceLock::new(),
            is_told: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    pub(crate) fn settings(&self) -> &ConsumerSettings {
        &self.settings
    }

    /// The consumer, unless there was no turn yet.
    pub(crate) fn consumer(&self) -> Option<&Consumer> {
        self.work.get().map(|work| &work.consumer)
    }

    /// Begins a turn: whatever is pushed from now on may be missed by it, and is told again. Returns the consumer, and
    /// whether the runner was told of a job since the last turn began. `None`: no engine was provided.
    ///
    /// No push is missed. It stores the job and then reads `is_told`; a turn resets `is_told` and then looks
    /// into the store. So either the turn sees the job, or the push sees the reset, and tells the runner.
    pub(crate) fn begin_turn(&self, host: &Arc<dyn Host>) -> Option<(&Consumer, bool)> {
        let make = || {
            let queues = Queues::clone(&*host.resources().get::<Queues>()?);
            let hint = Arc::new(Hint { host: Arc::downgrade(host) });
            let listener: Weak<Hint> = Arc::downgrade(&hint);
            queues.listen(self.settings.queue, listener);
            let consumer = Consumer::new(queues, self.settings);
            let consumer = consumer.with_stop_timeout(self.stop_timeout);
            Some(Work { consumer, _hint: hint })
        };
        if self.work.get().is_none() {
            // There is one turn at a time, so nobody else sets it.
            let _ = self.work.set(make()?);
        }
        let was_told = self.is_told.swap(false, Ordering::SeqCst);
        self.consumer().map(|consumer| (consumer, was_told))
    }

    /// Whether the next turn is likely to find that there is nothing to do, without asking the engine.
    pub(crate) fn polls_in_passing(&self, now: Duration) -> bool {
        let is_told = self.is_told.load(Ordering::Relaxed);
        !is_told && self.consumer().is_some_and(|consumer| consumer.polls_in_passing(now))
    }

    /// Records that a job was pushed. Returns whether the runner has to be told: it was not since the last turn
    /// began.
    pub(crate) fn tell(&self) -> bool {
        !self.is_told.swap(true, Ordering::SeqCst)
    }

    /// Records whether a turn has reached the engine. Returns whether a critical service fails because it has
    /// not for too long.
    pub(crate) fn record_turn(&self, succeeded: bool, now: Nanos) -> bool {
        let mut state = lock(&self.state);
        if succeeded {
            state.failing_since = None;
            return false;
        }
        // The next push says that the engine may work again, even if one was told of during this turn.
        self.is_told.store(false, Ordering::SeqCst);
        let since = *state.failing_since.get_or_insert(now);
        self.is_critical && Duration::from_nanos(now.saturating_sub(since)) >= CRITICAL_AFTER
    }

    /// Keeps an item for the worker that is to begin it.
    pub(crate) fn hand_out(&self, number: u32, item: Item) {
        lock(&self.state).handed_out.insert(number, item);
    }

    /// Takes the item with this number.
    pub(crate) fn receive(&self, number: u32) -> Option<Item> {
        lock(&self.state).handed_out.remove(&number)
    }

    /// Makes a job that begins cancellable by itself. `is_stopping`: it was asked to return already.
    pub(crate) fn add_control(&self, number: u32, is_stopping: bool) {
        let control = JobControl::new();
        if is_stopping {
            drop(control.request_stop());
        }
        lock(&self.state).controls.insert(number, Arc::new(control));
    }

    /// What can cancel the job of an item.
    pub(crate) fn control(&self, number: u32) -> Option<Arc<JobControl>> {
        lock(&self.state).controls.get(&number).cloned()
    }

    /// Records that the job of an item has ended. Code that it has left behind still learns of a stop.
    pub(crate) fn remove_control(&self, number: u32) {
        let mut state = lock(&self.state);
        state.left.retain(|control| control.strong_count() > 0);
        if let Some(control) = state.controls.remove(&number) {
            state.left.push(Arc::downgrade(&control));
            drop(state);
            drop(control);
        }
    }

    /// Cancels a job: asks its code to return, or drops it if it is a task. The caller must wake the result, without
    /// holding a lock.
    ///
    /// A task is not missed: it registers its waker, and then reads whether it is cancelled.
    pub(crate) fn cancel(&self, number: u32, kind: RunKind) -> Option<Sleepers> {
        let control = self.control(number)?;
        control.cancel();
        match kind {
            RunKind::Call => control.request_stop(),
            #[cfg(feature = "tokio")]
            RunKind::Task => self.remove_task(number).map(Sleepers::of_task),
            #[cfg(not(feature = "tokio"))]
            RunKind::Task => None,
        }
    }

    /// Asks all jobs that can be cancelled to return, because their service is to stop. The caller must wake the
    /// result, without holding a lock.
    pub(crate) fn stop_jobs(&self) -> Vec<Sleepers> {
        let mut state = lock(&self.state);
        let left = std::mem::take(&mut state.left);
        let mut controls: Vec<_> = state.controls.values().cloned().collect();
        drop(state);
        controls.extend(left.iter().filter_map(Weak::upgrade));
        controls.iter().filter_map(|control| control.request_stop()).collect()
    }

    /// Registers the waker of the task of an item. The caller drops the one that it replaces.
    #[cfg(feature = "tokio")]
    pub(crate) fn register_task(&self, number: u32, waker: Waker) -> Option<Waker> {
        lock(&self.state).tasks.insert(number, waker)
    }

    /// Forgets the waker of the task of an item, for the caller to drop.
    #[cfg(feature = "tokio")]
    pub(crate) fn remove_task(&self, number: u32) -> Option<Waker> {
        lock(&self.state).tasks.remove(&number)
    }

    /// Takes the wakers of all tasks in progress.
    #[cfg(feature = "tokio")]
    pub(crate) fn take_tasks(&self) -> Vec<Waker> {
        std::mem::take(&mut lock(&self.state).tasks).into_values().collect()
    }
}

/// Tells the runner of a service that jobs were pushed to its queue.
struct Hint {
    host: Weak<dyn Host>,
}

impl QueueListener for Hint {
    fn jobs_may_be_ready(&self) {
        if let Some(host) = self.host.upgrade() {
            host.job_pushed();
        }
    }
}
