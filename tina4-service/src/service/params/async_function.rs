//! An async function whose parameters are found by the compiler.

use std::future::Future;

use super::function::Signature;
use super::{Invocation, Need, Parameter, ParameterFamily, param};
use crate::service::future::BoxFuture;

/// An async function with the parameters of a service, called with values of the lifetime `'r`.
///
/// Its future has that lifetime too, so it is a different type for each `'r`.
#[doc(hidden)]
pub trait AsyncCall<'r, Arguments>: Send + Sync {
    /// The future.
    type Future: Future<Output = Self::Value> + Send + 'r;
    /// The value of the future.
    type Value;
    /// Calls the function.
    fn call_with(&'r self, arguments: Arguments) -> Self::Future;
}

/// An async function with the parameters of a service.
#[diagnostic::on_unimplemented(
    message = "a service cannot call `{Self}`",
    label = "not an async function that a service can call",
    note = "a service, or its `on_stop`, is a function with up to eight parameters of the types `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` and `Local<T>`"
)]
pub trait AsyncFunction<Marker>: Signature<Marker> + Send + Sync + 'static {
    /// The needs of its parameters.
    const NEEDS: &'static [Need];
    /// The value of its future.
    type Value;
    /// Calls the function, and passes its future on to `boxed`.
    fn start<'r, T>(
        &'r self,
        invocation: &'r Invocation<'r>,
        convert: fn(Self::Value) -> T,
    ) -> BoxFuture<'r, T>
    where
        T: 'r;
}

macro_rules! async_functions {
    ($($p:ident)*) => {
        impl<'r, Func, Fut, $($p),*> AsyncCall<'r, ($($p,)*)> for Func
        where
            Func: Fn($($p),*) -> Fut + Send + Sync,
            Fut: Future + Send + 'r,
        {
            type Future = Fut;
            type Value = Fut::Output;
            #[allow(non_snake_case, reason = "each parameter is named like its type")]
            fn call_with(&'r self, ($($p,)*): ($($p,)*)) -> Fut {
                self($($p),*)
            }
        }

        impl<Func, Fut, V, $($p),*> AsyncFunction<fn($($p),*) -> Fut> for Func
        where
            $($p: ParameterFamily,)*
            Func: Fn($($p),*) -> Fut + Send + Sync + 'static,
            Func: for<'r> AsyncCall<'r, ($($p::Item<'r>,)*), Value = V>,
            V: 'static,
        {
            const NEEDS: &'static [Need] = &[$(<$p::Item<'static> as Parameter<'static>>::NEED),*];
            type Value = V;
            #[allow(unused_variables, reason = "without parameters, `invocation` is unused")]
            fn start<'r, T>(
                &'r self,
                invocation: &'r Invocation<'r>,
                convert: fn(V) -> T,
            ) -> BoxFuture<'r, T>
            where
                T: 'r,
            {
                let arguments = ($(param::<$p::Item<'r>>(invocation),)*);
                let future = AsyncCall::<'r, ($($p::Item<'r>,)*)>::call_with(self, arguments);
                Box::pin(async move { convert(future.await) })
            }
        }
    };
}
async_functions!();
async_functions!(P1);
async_functions!(P1 P2);
async_functions!(P1 P2 P3);
async_functions!(P1 P2 P3 P4);
async_functions!(P1 P2 P3 P4 P5);
async_functions!(P1 P2 P3 P4 P5 P6);
async_functions!(P1 P2 P3 P4 P5 P6 P7);
async_functions!(P1 P2 P3 P4 P5 P6 P7 P8);
