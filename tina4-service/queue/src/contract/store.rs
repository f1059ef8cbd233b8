//! [`Store`]: how the suite reaches an engine.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::engine::Engine;
use crate::timestamp::Timestamp;

/// An empty store of an engine, with a clock.
pub trait Store: Sync {
    /// Opens the store as another process would: with another owner, and nothing shared but the store.
    fn open(&self) -> Box<dyn Engine>;

    /// The time of the clock that decides.
    fn now(&self) -> Timestamp;

    /// Lets time pass: waits, or advances the clock.
    fn pass(&self, time: Duration);

    /// The duration in whose multiples the cases think. It must be long against a call of the engine
    /// if time is real; leases have 10 units, and cases wait for at most 100.
    fn unit(&self) -> Duration;

    /// Whether time only passes in [`pass`](Self::pass), so that a case can be exact.
    fn is_virtual(&self) -> bool;
}

/// A store of an engine that takes the time as an argument.
pub struct VirtualStore {
    open: Box<dyn Fn() -> Box<dyn Engine> + Sync + Send>,
    now: AtomicI64,
}

impl VirtualStore {
    /// A store that is opened by this function, in the year 2026.
    #[must_use]
    pub fn new(open: impl Fn() -> Box<dyn Engine> + Sync + Send + 'static) -> Self {
        Self { open: Box::new(open), now: AtomicI64::new(1_780_000_000_000) }
    }
}

impl Store for VirtualStore {
    fn open(&self) -> Box<dyn Engine> {
        (self.open)()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn pass(&self, time: Duration) {
        let now = self.now().plus(time);
        self.now.store(now.as_millis(), Ordering::SeqCst);
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
