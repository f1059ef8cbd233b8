//! [`NewJob`]: a job on its way to an engine.

use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::capabilities::{Capabilities, Feature};
use crate::engine_error::EngineError;
use crate::name::{self, NameError};

/// The priorities that a job can have.
pub const PRIORITIES: RangeInclusive<i8> = -9..=9;

/// The maximum length of a unique key, in bytes.
pub const MAX_KEY_LEN: usize = 255;

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

/// What is wrong with a [`NewJob`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// The name of its queue.
    Name(NameError),
    /// Its priority is outside [`PRIORITIES`].
    Priority(i8),
    /// Its unique key is empty.
    EmptyKey,
    /// Its unique key has this many bytes.
    LongKey(usize),
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

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Priority(found) => write!(
                f,
                "the priority {found} is out of range; use {} to {}",
                PRIORITIES.start(),
                PRIORITIES.end()
            ),
            Self::EmptyKey => {
                f.write_str("the unique key is empty; name what must exist only once")
            }
            Self::LongKey(found) => {
                write!(
                    f,
                    "the unique key has {found} bytes; use at most {MAX_KEY_LEN}, such as a hash"
                )
            }
        }
    }
}

impl Error for JobError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}
