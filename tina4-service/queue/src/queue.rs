//! [`Queue`]: the declaration of a queue.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::async_executor::AsyncExecutor;
use crate::bound_queue::BoundQueue;
use crate::executor::Executor;
use crate::name;
use crate::push::Push;
use crate::push_error::PushError;
use crate::pushed::Pushed;
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

impl<T: Serialize> Queue<T> {
    /// [`BoundQueue::push`] on the engine that was provided to the global runner.
    ///
    /// # Errors
    ///
    /// As there, and if there is no such engine.
    pub fn push(&self, payload: &T) -> Result<Pushed, PushError> {
        self.on_global()?.push(payload)
    }

    /// [`BoundQueue::push_with`] on the engine that was provided to the global runner.
    ///
    /// # Errors
    ///
    /// As there, and if there is no such engine.
    pub fn push_with(&self, payload: &T, options: &Push) -> Result<Pushed, PushError> {
        self.on_global()?.push_with(payload, options)
    }

    /// [`BoundQueue::push_in`] on the engine that was provided to the global runner.
    ///
    /// # Errors
    ///
    /// As there, and if there is no such engine.
    pub fn push_in<Db, E: Executor<Db>>(
        &self,
        transaction: &mut E,
        payload: &T,
        options: &Push,
    ) -> Result<Pushed, PushError> {
        self.on_global()?.push_in(transaction, payload, options)
    }

    /// [`BoundQueue::push_in_async`] on the engine that was provided to the global runner.
    ///
    /// # Errors
    ///
    /// As there, and if there is no such engine.
    pub async fn push_in_async<Db, E: AsyncExecutor<Db>>(
        &self,
        transaction: &mut E,
        payload: &T,
        options: &Push,
    ) -> Result<Pushed, PushError> {
        self.on_global()?.push_in_async(transaction, payload, options).await
    }

    /// [`BoundQueue::push_async`] on the engine that was provided to the global runner.
    ///
    /// # Errors
    ///
    /// As there, and if there is no such engine.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn push_async(
        &self,
        payload: &T,
    ) -> impl Future<Output = Result<Pushed, PushError>> + Send + 'static + use<T>
    where
        T: 'static,
    {
        let pushing = self.on_global().map(|queue| queue.push_async(payload));
        async move { pushing?.await }
    }

    fn on_global(&self) -> Result<BoundQueue<T>, PushError> {
        let queues = Queues::global().ok_or(PushError::NoQueues { queue: self.name })?;
        Ok(self.on(&queues))
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
