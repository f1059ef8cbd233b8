//! Whether a function is plain or async, as types: the compiler infers them from what it returns.

#[cfg(feature = "tokio")]
use std::future::Future;

use crate::service::outcome::{HookOutcome, Outcome};

/// The kind of a plain function.
#[derive(Debug)]
pub enum Plain {}

/// The kind of an async function.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub enum Async {}

/// The kinds that no function has: see [`Callable`](super::callable::Callable).
#[derive(Debug)]
pub enum Unresolved<const NUMBER: u8> {}

/// A type that a service's function may return. `Kind` is inferred: [`Plain`] for a result, and `Async`
/// for the future of one.
#[diagnostic::on_unimplemented(
    message = "a service cannot return `{Self}`",
    label = "not a valid return type for a service",
    note = "return `()`, `Flow`, `Result<(), E>`, `Result<Flow, E>` or `!`; an `async fn` needs the feature `tokio`",
    note = "`E` is anything that converts into `Box<dyn Error + Send + Sync>`: an error type, `String`, `&str`, `anyhow::Error`"
)]
pub trait Returns<Kind> {}

impl<R: Outcome> Returns<Plain> for R {}

#[cfg(feature = "tokio")]
impl<F: Future> Returns<Async> for F where F::Output: Outcome {}

/// A type that a clean-up function may return. `Kind` is inferred as in [`Returns`].
#[diagnostic::on_unimplemented(
    message = "a clean-up hook cannot return `{Self}`",
    label = "not a valid return type for a clean-up hook",
    note = "return `()`, `Result<(), E>` or `!`; an `async fn` needs the feature `tokio`"
)]
pub trait HookReturns<Kind> {}

impl<R: HookOutcome> HookReturns<Plain> for R {}

#[cfg(feature = "tokio")]
impl<F: Future> HookReturns<Async> for F where F::Output: HookOutcome {}
