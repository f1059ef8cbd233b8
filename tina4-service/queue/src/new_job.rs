//! [`NewJob`]: a job on its way to an engine.

use std::time::Duration;

use crate::capabilities::Capabilities;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::job_error::{JobError, MAX_KEY_LEN, PRIORITIES};
use crate::name;

/// A job to be pushed: everything that an engine has to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewJob<'a> {
    /// The name of the queue.
    pub queue: &'a str,
    /// The payload, as JSON.
    pub payload: &'a str,
    /// How long after the push the job becomes ready.
    pub delay: Duration,
    /// Jobs with a higher priority go first; 0 is usual.
    pub priority: i8,
    /// The key that prevents a second job, if any.
    pub unique: Option<Unique<'a>>,
}

/// A key that prevents a second job of the same queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unique<'a> {
    /// The key.
    pub key: &'a str,
    /// For how long after the push the key is taken, whether or not the job still exists; `None`
    /// means until the job is done, dead or cancelled.
    pub window: Option<Duration>,
}

impl<'a> NewJob<'a> {
    /// A job that is ready at once.
    #[must_use]
    pub const fn new(queue: &'a str, payload: &'a str) -> Self {
        Self { queue, payload, delay: Duration::ZERO, priority: 0, unique: None }
    }

    /// Checks the job against its own limits and against what an engine can do.
    ///
    /// Each engine calls this for all jobs of a push before it stores the first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Invalid`] or [`EngineError::Unsupported`].
    pub fn check(&self, engine: &'static str, can: Capabilities) -> Result<(), EngineError> {
        name::check(self.queue).map_err(JobError::Name)?;
        if !PRIORITIES.contains(&self.priority) {
            return Err(JobError::Priority(self.priority).into());
        }
        if let Some(Unique { key, window }) = self.unique {
            match key.len() {
                0 => return Err(JobError::EmptyKey.into()),
                1..=MAX_KEY_LEN => {}
                len => return Err(JobError::LongKey(len).into()),
            }
            let feature =
                if window.is_some() { Feature::UniqueFor } else { Feature::UniqueWhileLive };
            can.require(engine, feature)?;
        }
        if self.priority != 0 {
            can.require(engine, Feature::Priority)?;
        }
        if !self.delay.is_zero() {
            can.require(engine, Feature::Delay)?;
        }
        Ok(())
    }
}
