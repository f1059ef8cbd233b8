//! [`Queues`]: an engine with a clock, shared by the queues on it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::backlog::Backlog;
use crate::capabilities::Capabilities;
use crate::clock;
use crate::counters::Counters;
use crate::draining::Draining;
use crate::engine::Engine;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::polls::Polls;
use crate::queue_listener::QueueListener;
use crate::timestamp::Timestamp;

/// The engine of the program; see [`Queues::make_global`].
static GLOBAL: OnceLock<Queues> = OnceLock::new();

/// An engine, for any number of queues. Clones share it.
///
/// [`Queue::on`](crate::Queue::on) connects a queue with it.
///
/// ```
/// use tina4_service_queue::{Feature, MemoryEngine, Queues};
///
/// let queues = Queues::new(MemoryEngine::new());
/// assert!(queues.require(Feature::Priority).is_ok());
/// assert!(queues.require(Feature::Transactions).is_err());
/// ```
#[derive(Clone)]
pub struct Queues(Arc<Shared>);

struct Shared {
    engine: Box<dyn Engine>,
    /// Read once, because the engine may be code of others: see [`Queues::require`].
    name: &'static str,
    capabilities: Capabilities,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    counters: Mutex<HashMap<&'static str, Counters>>,
    listeners: Mutex<HashMap<&'static str, Vec<Weak<dyn QueueListener>>>>,
    draining: Draining,
    polls: Polls,
    /// Set once the engine tells the listeners of jobs of other processes.
    watching: OnceLock<()>,
}

impl Queues {
    /// An engine with the system clock.
    #[must_use]
    pub fn new(engine: impl Engine + 'static) -> Self {
        Self::with_clock(engine, clock::system)
    }

    /// An engine with another clock, for tests.
    #[must_use]
    pub fn with_clock(
        engine: impl Engine + 'static,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            name: engine.name(),
            capabilities: engine.capabilities(),
            engine: Box::new(engine),
            clock: Box::new(clock),
            counters: Mutex::default(),
            listeners: Mutex::default(),
            draining: Draining::default(),
            polls: Polls::default(),
            watching: OnceLock::new(),
        }))
    }

    /// Makes this the engine of [`Queue::push`](crate::Queue::push), unless there is one. Returns whether it is
    /// now.
    ///
    /// The global runner of `tina4-service` calls this for the `Queues` that it is provided with.
    pub fn make_global(&self) -> bool {
        GLOBAL.set(self.clone()).is_ok()
    }

    /// The engine of [`Queue::push`](crate::Queue::push), if there is one.
    #[must_use]
    pub fn global() -> Option<Self> {
        GLOBAL.get().cloned()
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.0.engine
    }

    /// What the engine can do, as it said when this was created.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    /// Refuses a feature that the engine does not have; for checks at the start of a program. It does not
    /// call the engine.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`].
    pub fn require(&self, feature: Feature) -> Result<(), EngineError> {
        self.0.capabilities.require(self.0.name, feature)
    }

    /// Counts the jobs of a queue.
    ///
    /// # Errors
    ///
    /// If the engine cannot count, or fails.
    pub fn backlog(&self, queue: &str) -> Result<Backlog, EngineError> {
        self.engine().backlog(queue, self.now())
    }

    /// Adds somebody to be told when jobs of a queue may be ready. It is forgotten when it is dropped.
    pub fn listen(&self, queue: &'static str, listener: Weak<dyn QueueListener>) {
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.entry(queue).or_default().push(listener);
        drop(listeners);
        // A program that only pushes does not need to be told.
        if self.0.watching.set(()).is_ok() {
            let shared = Arc::downgrade(&self.0);
            self.engine().watch(Box::new(move |queue| {
                if let Some(shared) = shared.upgrade() {
                    Self(shared).notify(queue);
                }
            }));
        }
    }

    /// Tells the listeners of a queue, without holding a lock.
    pub(crate) fn notify(&self, queue: &str) {
        for listener in self.live_listeners(queue) {
            listener.jobs_may_be_ready();
        }
    }

    /// The listeners of a queue that still exist; the others are forgotten.
    fn live_listeners(&self, queue: &str) -> Vec<Arc<dyn QueueListener>> {
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = listeners.get_mut(queue) else { return Vec::new() };
        let live: Vec<_> = known.iter().filter_map(Weak::upgrade).collect();
        if live.len() < known.len() {
            known.retain(|listener| listener.strong_count() > 0);
        }
        live
    }

    /// The time of the clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Which queue needs the process for itself.
    pub(crate) fn draining(&self) -> &Draining {
        &self.0.draining
    }

    /// The consumers that wait for their next poll.
    pub(crate) fn polls(&self) -> &Polls {
        &self.0.polls
    }

    /// Changes the counters of a queue.
    pub(crate) fn count(&self, queue: &'static str, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.0.counters.lock().unwrap_or_else(PoisonError::into_inner);
        change(counters.entry(queue).or_default());
    }

    /// The counters of a queue.
    pub(crate) fn counters(&self, queue: &str) -> Counters {
        let counters = self.0.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.get(queue).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queues").field(&self.engine().name()).finish()
    }
}
