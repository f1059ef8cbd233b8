//! [`QueueBinding`]: the queue of a service.

use std::any::TypeId;
use std::marker::PhantomData;

use tina4_service_queue::{Job, Queue};

use crate::service::params::NamedType;

/// The queue of a service: its name, and the type of its jobs.
#[derive(Clone, Copy, Debug)]
pub struct QueueBinding {
    pub(crate) name: &'static str,
    pub(crate) payload: NamedType,
}

impl QueueBinding {
    pub(crate) fn of<T: 'static>(queue: Queue<T>) -> Self {
        Self { name: queue.name(), payload: NamedType::of::<T>() }
    }

    pub(crate) fn payload_id(&self) -> TypeId {
        self.payload.id
    }
}

/// The type of the jobs that a function takes.
#[derive(Debug)]
pub struct JobOf<T>(PhantomData<fn(T)>);

/// The type of the jobs that `function` takes, which the compiler infers.
#[must_use]
pub const fn job_of<T, R>(_function: fn(Job<T>) -> R) -> JobOf<T> {
    JobOf(PhantomData)
}

impl<T: 'static> JobOf<T> {
    /// The queue, whose jobs must have this type.
    #[must_use]
    pub const fn queue(self, queue: Queue<T>) -> QueueBinding {
        QueueBinding { name: queue.name(), payload: NamedType::of::<T>() }
    }
}
