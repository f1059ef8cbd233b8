//! A plain or async function that a service can call, as its body or as its `on_stop`.

use tina4_service_core::lifecycle::RunKind;

#[cfg(feature = "tokio")]
use super::async_function::AsyncFunction;
use super::function::{Function, Signature};
#[cfg(feature = "tokio")]
use super::kind::Async;
use super::kind::{Plain, Unresolved};
use super::{Invocation, Need};
#[cfg(feature = "tokio")]
use crate::service::future::BoxFuture;

/// A function that a service can call. `Kind` says whether it is async.
#[diagnostic::on_unimplemented(
    message = "a service cannot call `{Self}`",
    label = "not a function that a service can call",
    note = "a service, or its `on_stop`, is a function with up to eight parameters of the types `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` and `Local<T>`"
)]
pub trait Callable<Marker, Kind>: Signature<Marker> + Send + Sync + 'static {
    /// The needs of its parameters.
    const NEEDS: &'static [Need];
    /// How it is called: with [`Callable::call`] or with `Callable::start`.
    const RUN_KIND: RunKind;
    /// Its result: what it returns or, if it is async, the value of its future.
    type Value;
    /// Calls a plain function.
    fn call(&self, invocation: &Invocation<'_>) -> Self::Value;
    /// Calls an async function, and converts the value of its future.
    #[cfg(feature = "tokio")]
    fn start<'r, T: 'r>(
        &'r self,
        invocation: &'r Invocation<'r>,
        convert: fn(Self::Value) -> T,
    ) -> BoxFuture<'r, T>;
}

impl<M, F: Function<M>> Callable<M, Plain> for F {
    const NEEDS: &'static [Need] = <F as Function<M>>::NEEDS;
    const RUN_KIND: RunKind = RunKind::Call;
    type Value = <F as Signature<M>>::Output;

    fn call(&self, invocation: &Invocation<'_>) -> Self::Value {
        Function::call(self, invocation)
    }

    /// The engine calls [`Callable::call`] instead.
    #[cfg(feature = "tokio")]
    fn start<'r, T: 'r>(
        &'r self,
        _: &'r Invocation<'r>,
        _: fn(Self::Value) -> T,
    ) -> BoxFuture<'r, T> {
        unreachable!("a plain function is called on a thread")
    }
}

#[cfg(feature = "tokio")]
impl<M, F: AsyncFunction<M>> Callable<M, Async> for F {
    const NEEDS: &'static [Need] = <F as AsyncFunction<M>>::NEEDS;
    const RUN_KIND: RunKind = RunKind::Task;
    type Value = <F as AsyncFunction<M>>::Value;

    /// The engine calls [`Callable::start`] instead.
    fn call(&self, _: &Invocation<'_>) -> Self::Value {
        unreachable!("an async function is a task")
    }

    fn start<'r, T: 'r>(
        &'r self,
        invocation: &'r Invocation<'r>,
        convert: fn(Self::Value) -> T,
    ) -> BoxFuture<'r, T> {
        AsyncFunction::start(self, invocation, convert)
    }
}

/// Never used: no function is of the kinds [`Unresolved`]. They keep the compiler from choosing a kind
/// before it knows what the function returns, and from reporting that the function is of no kind instead of
/// what is wrong with it.
macro_rules! unresolved {
    ($number:literal) => {
        impl<M, F: Signature<M> + Send + Sync + 'static> Callable<M, Unresolved<$number>> for F {
            const NEEDS: &'static [Need] = &[];
            const RUN_KIND: RunKind = RunKind::Call;
            type Value = <F as Signature<M>>::Output;

            fn call(&self, _: &Invocation<'_>) -> Self::Value {
                unreachable!("no function is of this kind")
            }

            #[cfg(feature = "tokio")]
            fn start<'r, T: 'r>(
                &'r self,
                _: &'r Invocation<'r>,
                _: fn(Self::Value) -> T,
            ) -> BoxFuture<'r, T> {
                unreachable!("no function is of this kind")
            }
        }
    };
}
unresolved!(0);
unresolved!(1);
