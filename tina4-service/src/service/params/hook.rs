//! A clean-up function as an `on_stop`.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use super::function::{Function, Signature};
use super::{Invocation, Need};
use crate::service::context::Context;
use crate::service::outcome::{Cause, HookOutcome};

/// An `on_stop` with its type erased.
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

/// A function as an `on_stop`, in a form that a constant can hold.
pub struct OnStop<F, M> {
    function: F,
    marker: PhantomData<fn(M)>,
}

impl<F, M> OnStop<F, M> {
    /// Wraps the function.
    pub const fn new(function: F) -> Self
    where
        F: Signature<M> + Function<M>,
        <F as Signature<M>>::Output: HookOutcome,
    {
        Self { function, marker: PhantomData }
    }
}

impl<F, M> fmt::Debug for OnStop<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name::<F>())
    }
}

impl<M, F: Function<M>> DynHook for OnStop<F, M>
where
    F::Output: HookOutcome,
{
    fn needs(&self) -> &'static [Need] {
        F::NEEDS
    }
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        self.function.call(invocation).into_result()
    }
}

/// A closure that takes the context, as an `on_stop`.
pub(crate) struct ClosureHook<F>(pub(crate) F);

impl<F> fmt::Debug for ClosureHook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name::<F>())
    }
}

impl<F: Fn(&Context) -> Result<(), Cause> + Send + Sync> DynHook for ClosureHook<F> {
    fn needs(&self) -> &'static [Need] {
        &[]
    }
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        (self.0)(invocation.context())
    }
}
