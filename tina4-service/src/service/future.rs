//! The futures of async functions, boxed.

use std::future::Future;
use std::pin::Pin;

#[cfg(feature = "queue")]
use crate::service::outcome::JobOutcome;
use crate::service::outcome::{Cause, Exit, Outcome};

/// The future of an async function with the lifetime `'r` of a run.
pub type BoxFuture<'r, T> = Pin<Box<dyn Future<Output = T> + Send + 'r>>;

/// The result of an async `on_stop`.
pub type HookResult = Result<(), Cause>;

/// Boxes the future of a run, and converts its result.
pub fn boxed<'r, F>(future: F) -> BoxFuture<'r, Exit>
where
    F: Future + Send + 'r,
    F::Output: Outcome,
{
    Box::pin(async move { future.await.into_exit() })
}

/// [`boxed`] for the function of a queue service.
#[cfg(feature = "queue")]
pub fn boxed_job<'r, F>(future: F) -> BoxFuture<'r, Exit>
where
    F: Future + Send + 'r,
    F::Output: JobOutcome,
{
    Box::pin(async move { future.await.into_exit() })
}
