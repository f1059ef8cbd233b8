//! [`Queue`]: the declaration of a queue.

use std::fmt;
use std::marker::PhantomData;

use crate::bound_queue::BoundQueue;
use crate::name;
use crate::queues::Queues;

/// A queue of jobs with payloads of type `T`: its name and its type, in one constant.
///
/// Producers and consumers use the same constant, and so cannot disagree about either.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tina4_service_queue::{MemoryEngine, Queue, Queues};
///
/// #[derive(Serialize, Deserialize)]
/// struct Email {
///     to: String,
/// }
///
/// const EMAILS: Queue<Email> = Queue::new("emails");
///
/// let emails = EMAILS.on(&Queues::new(MemoryEngine::new()));
/// emails.push(&Email { to: "ada@example.com".to_owned() })?;
/// while let Some(job) = emails.pop()? {
///     println!("to {}", job.to);
///     job.complete()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A name that is not valid does not compile in a constant:
///
/// ```compile_fail,E0080
/// # use tina4_service_queue::Queue;
/// const EMAILS: Queue<String> = Queue::new("e-mails, urgent");
/// # fn main() { let _ = EMAILS; }
/// ```
pub struct Queue<T> {
    name: &'static str,
    payload: PhantomData<fn(T) -> T>,
}

impl<T> Queue<T> {
    /// A queue with this name: an ASCII letter, followed by letters, digits, `_`, `-` and `.`, at most
    /// 64 characters.
    ///
    /// # Panics
    ///
    /// If the name is not valid. In a constant this is an error of the compiler.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        if let Err(error) = name::check(name) {
            panic!("{}", error.text());
        }
        Self { name, payload: PhantomData }
    }

    /// The name of the queue.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The queue on an engine, where jobs can be pushed and popped.
    #[must_use]
    pub fn on(&self, queues: &Queues) -> BoundQueue<T> {
        BoundQueue::new(self.name, queues.clone())
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Queue<T> {}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.name).finish()
    }
}
