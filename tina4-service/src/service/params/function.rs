//! A function whose parameters are found by the compiler, because the attribute cannot see them: a
//! clean-up function, or the function of [`Service::of`](crate::Service::of).

use super::{Invocation, Need, Parameter, ParameterFamily, param};

/// A function with up to eight parameters of any type. `Marker` is the type of a pointer to it.
///
/// From this trait the compiler infers the parameters, before it checks them with [`Function`]. So its
/// message names the parameter at fault. If it cannot infer them, the message is that of [`Function`].
pub trait Signature<Marker> {
    /// The return type.
    type Output;
}

/// A function with the parameters of a service.
#[diagnostic::on_unimplemented(
    message = "a service cannot call `{Self}`",
    label = "not a function that a service can call",
    note = "a service, or its `on_stop`, is a function with up to eight parameters of the types `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` and `Local<T>`"
)]
pub trait Function<Marker>: Signature<Marker> + Send + Sync + 'static {
    /// The needs of its parameters.
    const NEEDS: &'static [Need];
    /// Calls the function.
    fn call(&self, invocation: &Invocation<'_>) -> Self::Output;
}

macro_rules! functions {
    ($($p:ident)*) => {
        impl<Func, R, $($p),*> Signature<fn($($p),*) -> R> for Func
        where
            Func: Fn($($p),*) -> R,
        {
            type Output = R;
        }

        impl<Func, R, $($p),*> Function<fn($($p),*) -> R> for Func
        where
            $($p: ParameterFamily,)*
            // The first bound is the one of `Signature`, the second permits the call.
            Func: Fn($($p),*) -> R + for<'r> Fn($($p::Item<'r>),*) -> R + Send + Sync + 'static,
        {
            const NEEDS: &'static [Need] = &[$(<$p::Item<'static> as Parameter<'static>>::NEED),*];
            #[allow(non_snake_case, unused_variables, reason = "each parameter is named like its type; without parameters, `invocation` is unused")]
            fn call(&self, invocation: &Invocation<'_>) -> R {
                // Selects the second of the two bounds.
                #[allow(clippy::too_many_arguments, reason = "the function and up to eight parameters")]
                fn call_with<$($p,)* R>(f: impl Fn($($p),*) -> R, $($p: $p),*) -> R {
                    f($($p),*)
                }
                call_with(self, $(param::<$p::Item<'_>>(invocation)),*)
            }
        }
    };
}
functions!();
functions!(P1);
functions!(P1 P2);
functions!(P1 P2 P3);
functions!(P1 P2 P3 P4);
functions!(P1 P2 P3 P4 P5);
functions!(P1 P2 P3 P4 P5 P6);
functions!(P1 P2 P3 P4 P5 P6 P7);
functions!(P1 P2 P3 P4 P5 P6 P7 P8);
