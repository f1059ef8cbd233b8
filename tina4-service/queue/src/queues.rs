//! [`Queues`]: an engine with a clock, shared by the queues on it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::timestamp::Timestamp;

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
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    counters: Mutex<HashMap<&'static str, Counters>>,
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
            engine: Box::new(engine),
            clock: Box::new(clock),
            counters: Mutex::default(),
        }))
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.0.engine
    }

    /// Refuses a feature that the engine does not have; for checks at the start of a program.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`].
    pub fn require(&self, feature: Feature) -> Result<(), EngineError> {
        let engine = self.engine();
        engine.capabilities().require(engine.name(), feature)
    }

    /// The time of the clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
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
