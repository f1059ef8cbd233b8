//! [`JobSlot`]: the job that a call is for.

use std::any::Any;
use std::fmt;

use tina4_service_queue::consumer::Delivery;

use crate::sys::sync::{Mutex, lock};

/// Reads the payload of a job. The value is a `Job<T>`; the error is the text of the failed attempt.
pub(crate) type Decode = fn(&Delivery) -> Result<Box<dyn Any + Send>, String>;

/// The job, or the dead job, that a call is for, until its parameter takes it.
pub(crate) struct JobSlot(Mutex<Option<Box<dyn Any + Send>>>);

impl JobSlot {
    pub(crate) fn new(job: Box<dyn Any + Send>) -> Self {
        Self(Mutex::new(Some(job)))
    }

    /// What the call is for.
    pub(crate) fn take<T: 'static>(&self) -> Option<T> {
        let job = lock(&self.0).take()?;
        job.downcast().ok().map(|job| *job)
    }
}

impl fmt::Debug for JobSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSlot").finish_non_exhaustive()
    }
}
