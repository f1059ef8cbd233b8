//! A clean-up function as an `on_stop`: its parameters are found by the compiler, not by the attribute.

use std::fmt;

use super::{Invocation, Need, Parameter, ParameterFamily, param};
use crate::service::outcome::{Cause, HookOutcome};

/// A function that can be an `on_stop`: it has the parameters of a service, and returns `()`,
/// `Result<(), E>` or `!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as `on_stop`",
    label = "not a clean-up hook",
    note = "`on_stop` takes a function with up to eight parameters of the types `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` and `Local<T>`, which returns `()`, `Result<(), E>` or `!`"
)]
pub trait Hook<Marker>: Send + Sync + 'static {
    /// The needs of its parameters.
    const NEEDS: &'static [Need];
    /// Calls the function.
    ///
    /// # Errors
    ///
    /// The error that the function returned.
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause>;
}

macro_rules! hooks {
    ($($p:ident)*) => {
        impl<Func, R, $($p),*> Hook<fn($($p),*) -> R> for Func
        where
            $($p: ParameterFamily,)*
            R: HookOutcome,
            // The first bound lets the compiler infer the parameters, the second permits the call.
            Func: Fn($($p),*) -> R + for<'r> Fn($($p::Item<'r>),*) -> R + Send + Sync + 'static,
        {
            const NEEDS: &'static [Need] = &[$(<$p::Item<'static> as Parameter<'static>>::NEED),*];
            #[allow(non_snake_case, unused_variables, reason = "each parameter is named like its type; without parameters, `invocation` is unused")]
            fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
                // Selects the second of the two bounds.
                #[allow(clippy::too_many_arguments, reason = "the function and up to eight parameters")]
                fn call_with<$($p,)* R: HookOutcome>(f: impl Fn($($p),*) -> R, $($p: $p),*) -> Result<(), Cause> {
                    f($($p),*).into_result()
                }
                call_with(self, $(param::<$p::Item<'_>>(invocation)),*)
            }
        }
    };
}
hooks!();
hooks!(P1);
hooks!(P1 P2);
hooks!(P1 P2 P3);
hooks!(P1 P2 P3 P4);
hooks!(P1 P2 P3 P4 P5);
hooks!(P1 P2 P3 P4 P5 P6);
hooks!(P1 P2 P3 P4 P5 P6 P7);
hooks!(P1 P2 P3 P4 P5 P6 P7 P8);

/// A [`Hook`] with its type erased.
pub trait DynHook: Send + Sync + fmt::Debug {
    /// The needs of its parameters.
    fn needs(&self) -> &'static [Need];
    /// Calls the function.
    ///
    /// # Errors
    ///
    /// The error that the function returned.
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause>;
}

/// An `on_stop` function, in a form that a constant can hold.
pub struct OnStop<F, M> {
    function: F,
    marker: std::marker::PhantomData<fn(M)>,
}

impl<M, F: Hook<M>> OnStop<F, M> {
    /// Wraps the function.
    pub const fn new(function: F) -> Self {
        Self { function, marker: std::marker::PhantomData }
    }
}

impl<F, M> fmt::Debug for OnStop<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

impl<M, F: Hook<M>> DynHook for OnStop<F, M> {
    fn needs(&self) -> &'static [Need] {
        F::NEEDS
    }
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        self.function.call(invocation)
    }
}
