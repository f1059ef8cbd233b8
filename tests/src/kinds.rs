//! Tests over both kinds of function: each case is written once, and runs with plain and with async
//! functions.
//!
//! A file lists its cases with [`both_kinds!`](crate::both_kinds), which makes two tests of each: one in
//! the module `plain_functions` and one in `async_functions`. A case gets the [`Kind`] and creates its
//! services with it:
//!
//! - [`Kind::service`] takes an ordinary closure, which waits for nothing.
//! - [`Kind::waiting`] takes an async closure. Every wait in it is a method of [`Ctx`] or of [`Gate`]. In a
//!   plain function these block the thread, so that the future never has to be polled twice; in an async
//!   function they await.
//! - [`Kind::sleeper`] is a service that sleeps until it is asked to stop.
//! - [`Hooks::hook`] and [`Hooks::waiting_hook`] set an `on_stop` of that kind.

use std::borrow::Cow;
use std::future::Future;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

// The bounds of `Service::new`, which have no public names because programs need none.
use tina4_service::__private::{HookOutcome, Outcome};
use tina4_service::{Context, ControlError, Runner, Service, State, StopReport, Stopped};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::yield_now;

use crate::secs;

/// Makes two tests of each of these functions, which take a [`Kind`].
#[macro_export]
macro_rules! both_kinds {
    ($($case:ident),+ $(,)?) => {
        mod plain_functions {
            $(
                #[test]
                fn $case() {
                    super::$case($crate::Kind::Plain);
                }
            )+
        }

        mod async_functions {
            $(
                #[test]
                fn $case() {
                    super::$case($crate::Kind::Async);
                }
            )+
        }
    };
}

/// The kind of the functions of a test's services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Called on a thread, which they may block.
    Plain,
    /// Tasks on a runtime.
    Async,
}

type BoxFuture<'r, R> = Pin<Box<dyn Future<Output = R> + Send + 'r>>;

/// An async closure for [`Kind::waiting`]. Each run calls a clone of it.
pub trait Body<'r>: Clone + Send + Sync + 'static {
    /// The future.
    type Future: Future<Output = Self::Value> + Send + 'r;
    /// Its value.
    type Value;
    /// Calls the closure.
    fn begin(self, ctx: Ctx<'r>) -> Self::Future;
}

impl<'r, F, Fut> Body<'r> for F
where
    F: FnOnce(Ctx<'r>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'r,
{
    type Future = Fut;
    type Value = Fut::Output;

    fn begin(self, ctx: Ctx<'r>) -> Fut {
        self(ctx)
    }
}

impl Kind {
    /// A service whose function waits for nothing. The async one is polled twice even so.
    #[track_caller]
    pub fn service<R, F>(self, name: impl Into<Cow<'static, str>>, body: F) -> Service
    where
        R: Outcome + 'static,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        match self {
            Self::Plain => Service::new(name, body),
            Self::Async => Service::of(name, polled_twice(body)),
        }
    }

    /// A service whose function waits.
    #[track_caller]
    pub fn waiting<R, F>(self, name: impl Into<Cow<'static, str>>, body: F) -> Service
    where
        R: Outcome + 'static,
        F: for<'r> Body<'r, Value = R>,
    {
        match self {
            Self::Plain => Service::new(name, blocking(body)),
            Self::Async => Service::of(name, awaiting(body)),
        }
    }

    /// A service that sleeps until it is asked to stop.
    #[track_caller]
    pub fn sleeper(self, name: impl Into<Cow<'static, str>>) -> Service {
        self.waiting(name, async |ctx: Ctx<'_>| ctx.until_stopped().await)
    }

    /// The state of a service whose run did not end in time after a stop request: rules 43 and 93.
    #[must_use]
    pub fn left_behind(self) -> State {
        match self {
            Self::Plain => State::Abandoned,
            Self::Async => State::Cancelled,
        }
    }

    /// How many services of a shutdown did not end in time.
    #[must_use]
    pub fn count_left_behind(self, report: &StopReport) -> usize {
        report.services.iter().filter(|service| service.state == self.left_behind()).count()
    }
}

/// Sets the `on_stop` of a service.
pub trait Hooks {
    /// A hook of this kind that waits for nothing.
    #[must_use]
    fn hook<R, F>(self, kind: Kind, hook: F) -> Self
    where
        R: HookOutcome + 'static,
        F: Fn(&Context) -> R + Send + Sync + 'static;

    /// A hook of this kind that waits.
    #[must_use]
    fn waiting_hook<R, F>(self, kind: Kind, hook: F) -> Self
    where
        R: HookOutcome + 'static,
        F: for<'r> Body<'r, Value = R>;
}

impl Hooks for Service {
    fn hook<R, F>(self, kind: Kind, hook: F) -> Self
    where
        R: HookOutcome + 'static,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        match kind {
            Kind::Plain => self.on_stop(hook),
            Kind::Async => self.on_stop_of(polled_twice(hook)),
        }
    }

    fn waiting_hook<R, F>(self, kind: Kind, hook: F) -> Self
    where
        R: HookOutcome + 'static,
        F: for<'r> Body<'r, Value = R>,
    {
        match kind {
            Kind::Plain => self.on_stop(blocking(hook)),
            Kind::Async => self.on_stop_of(awaiting(hook)),
        }
    }
}

/// An async function that calls `body` in its second poll.
fn polled_twice<R: 'static>(
    body: impl Fn(&Context) -> R + Send + Sync + 'static,
) -> impl for<'r> Fn(&'r Context) -> BoxFuture<'r, R> + Send + Sync + 'static {
    let body = Arc::new(body);
    move |ctx| {
        let body = Arc::clone(&body);
        Box::pin(async move {
            yield_now().await;
            body(ctx)
        })
    }
}

/// An async function whose waits await.
fn awaiting<R: 'static>(
    body: impl for<'r> Body<'r, Value = R>,
) -> impl for<'r> Fn(&'r Context) -> BoxFuture<'r, R> + Send + Sync + 'static {
    move |context| Box::pin(body.clone().begin(Ctx { context, kind: Kind::Async }))
}

/// A plain function whose waits block.
fn blocking<R>(
    body: impl for<'r> Body<'r, Value = R>,
) -> impl Fn(&Context) -> R + Send + Sync + 'static {
    move |context| {
        let mut future = pin!(body.clone().begin(Ctx { context, kind: Kind::Plain }));
        match future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a plain function awaits only what `Ctx` and `Gate` offer"),
        }
    }
}

/// The context of a run of either kind, with its waits.
#[derive(Clone, Copy, Debug)]
pub struct Ctx<'r> {
    context: &'r Context,
    kind: Kind,
}

impl Deref for Ctx<'_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}

impl Ctx<'_> {
    /// `ctx.sleep(length)` or `ctx.sleep_async(length).await`.
    pub async fn sleep(&self, length: Duration) -> bool {
        match self.kind {
            Kind::Plain => self.context.sleep(length),
            Kind::Async => self.context.sleep_async(length).await,
        }
    }

    /// `ctx.stopping().recv()` or `ctx.stopped().await`.
    pub async fn stopped(&self) {
        match self.kind {
            Kind::Plain => drop(self.context.stopping().recv()),
            Kind::Async => self.context.stopped().await,
        }
    }

    /// `runner.restart(name)` or `runner.restart_async(name).await`.
    ///
    /// # Errors
    ///
    /// Those of `restart`.
    pub async fn restart(&self, runner: &Runner, name: &str) -> Result<(), ControlError> {
        match self.kind {
            Kind::Plain => runner.restart(name),
            Kind::Async => runner.restart_async(name).await,
        }
    }

    /// `runner.stop(name)` or `runner.stop_async(name).await`.
    ///
    /// # Errors
    ///
    /// Those of `stop`.
    pub async fn stop(&self, runner: &Runner, name: &str) -> Result<Stopped, ControlError> {
        match self.kind {
            Kind::Plain => runner.stop(name),
            Kind::Async => runner.stop_async(name).await,
        }
    }

    /// Sleeps until the service is asked to stop.
    pub async fn until_stopped(&self) {
        while self.sleep(secs(3_600)).await {}
    }
}

/// Where functions of either kind wait for the test, even if they are asked to stop.
#[derive(Debug)]
pub struct Gate<T = ()>(Arc<Mutex<UnboundedReceiver<T>>>);

/// Not derived, because `T` need not be `Clone`.
impl<T> Clone for Gate<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A closed gate. Each value that is sent opens it for one wait; when the sender is dropped, it stays open.
#[must_use]
pub fn gate<T>() -> (UnboundedSender<T>, Gate<T>) {
    let (open, gate) = unbounded_channel();
    (open, Gate(Arc::new(Mutex::new(gate))))
}

impl<T: Send> Gate<T> {
    /// Waits for a value; `None`: the sender is gone.
    pub async fn wait(&self, ctx: &Ctx<'_>) -> Option<T> {
        match ctx.kind {
            Kind::Plain => self.0.blocking_lock().blocking_recv(),
            Kind::Async => self.0.lock().await.recv().await,
        }
    }
}
