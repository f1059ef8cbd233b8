//! A clean-up function as an `on_stop`.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use super::callable::Callable;
use super::function::Signature;
use super::kind::HookReturns;
use super::{Invocation, Need};
use crate::service::context::Context;
#[cfg(feature = "tokio")]
use crate::service::future::{BoxFuture, HookResult};
use crate::service::outcome::{Cause, HookOutcome};
use tina4_service_core::lifecycle::RunKind;

/// An `on_stop` with its type erased.
pub trait DynHook: Send + Sync + fmt::Debug {
    /// The needs of its parameters.
    fn needs(&self) -> &'static [Need];
    /// How it is called: with [`DynHook::call`] or with `DynHook::future`.
    fn run_kind(&self) -> RunKind {
        RunKind::Call
    }
    /// Calls a plain function.
    ///
    /// # Errors
    ///
    /// The error that the function returned.
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause>;
    /// Calls an async function.
    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, HookResult> {
        Box::pin(std::future::ready(self.call(invocation)))
    }
}

/// A function as an `on_stop`, in a form that a constant can hold.
pub struct OnStop<F, M, K> {
    function: F,
    run_kind: RunKind,
    marker: PhantomData<fn(M, K)>,
}

impl<F, M, K> OnStop<F, M, K> {
    /// Wraps the function.
    pub const fn new(function: F) -> Self
    where
        F: Signature<M>,
        <F as Signature<M>>::Output: HookReturns<K>,
        F: Callable<M, K>,
        <F as Callable<M, K>>::Value: HookOutcome,
    {
        Self { function, run_kind: F::RUN_KIND, marker: PhantomData }
    }

    /// Refuses an async `on_dead` of a plain function.
    ///
    /// # Panics
    ///
    /// If the function is async. In the constant of a declared service, this is an error of the compiler.
    // Without bounds, so that those of `new` are reported once.
    #[must_use]
    pub const fn of_plain(self) -> Self {
        match self.run_kind {
            RunKind::Call => self,
            RunKind::Task => panic!(
                "the `on_dead` is async, but the function of the service is plain; make both async, or both plain"
            ),
        }
    }
}

impl<F, M, K> fmt::Debug for OnStop<F, M, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name::<F>())
    }
}

impl<M, K, F> DynHook for OnStop<F, M, K>
where
    F: Callable<M, K>,
    <F as Callable<M, K>>::Value: HookOutcome,
{
    fn needs(&self) -> &'static [Need] {
        F::NEEDS
    }
    fn run_kind(&self) -> RunKind {
        self.run_kind
    }
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        self.function.call(invocation).into_result()
    }
    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, HookResult> {
        self.function.start(invocation, HookOutcome::into_result)
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

/// A hook of a declared service whose settings are not those of its attribute.
#[derive(Debug)]
pub(crate) struct DeclaredHook(pub(crate) &'static dyn DynHook);

impl DynHook for DeclaredHook {
    fn needs(&self) -> &'static [Need] {
        self.0.needs()
    }
    fn run_kind(&self) -> RunKind {
        self.0.run_kind()
    }
    fn call(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        self.0.call(invocation)
    }
    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, HookResult> {
        self.0.future(invocation)
    }
}
