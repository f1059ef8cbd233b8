//! The body of a service built at run time.

use std::any::type_name;
use std::marker::PhantomData;

use tina4_service_core::lifecycle::RunKind;

use crate::service::context::Context;
#[cfg(feature = "tokio")]
use crate::service::future::BoxFuture;
use crate::service::outcome::{Exit, Outcome};
use crate::service::params::callable::Callable;
use crate::service::params::{Invocation, Need};
use crate::service::registration::Registration;

/// The body of a service built at run time.
pub(crate) trait Body: Send + Sync {
    /// How it is called: with [`Body::call`] or with `Body::future`.
    fn run_kind(&self) -> RunKind;
    /// Calls a plain function once.
    fn call(&self, invocation: &Invocation<'_>) -> Exit;
    /// Calls an async function once.
    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
        Box::pin(std::future::ready(self.call(invocation)))
    }
    /// Whether it may return a `Flow`.
    #[cfg(feature = "queue")]
    fn returns_flow(&self) -> bool {
        false
    }
    /// The needs of the parameters.
    fn needs(&self) -> &'static [Need];
    /// The name of its type, which contains the path of the function that defines it.
    fn path(&self) -> &'static str;
    /// The declaration of its function, if it has one.
    fn registration(&self) -> Option<&'static Registration> {
        None
    }
}

/// The function of a declared service whose settings are not those of its attribute.
pub(crate) struct DeclaredBody(pub(crate) &'static Registration);

impl Body for DeclaredBody {
    fn run_kind(&self) -> RunKind {
        self.0.run_kind()
    }

    fn call(&self, invocation: &Invocation<'_>) -> Exit {
        (self.0.call)(invocation)
    }

    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
        self.0.future(invocation)
    }

    fn needs(&self) -> &'static [Need] {
        self.0.needs
    }

    fn path(&self) -> &'static str {
        self.0.path
    }

    fn registration(&self) -> Option<&'static Registration> {
        Some(self.0)
    }
}

/// A closure that takes the context: `call` wraps the user's function, whose type is `Original`.
pub(crate) struct Closure<F, Original> {
    pub(crate) call: F,
    pub(crate) original: PhantomData<fn() -> Original>,
}

impl<F: Fn(&Context) -> Exit + Send + Sync, Original> Body for Closure<F, Original> {
    fn run_kind(&self) -> RunKind {
        RunKind::Call
    }

    fn call(&self, invocation: &Invocation<'_>) -> Exit {
        (self.call)(invocation.context())
    }

    fn needs(&self) -> &'static [Need] {
        &[]
    }

    fn path(&self) -> &'static str {
        type_name::<Original>()
    }
}

/// A function with parameters, which `Marker` describes. `Kind` says whether it is async.
pub(crate) struct FunctionBody<F, Marker, Kind> {
    pub(crate) function: F,
    pub(crate) marker: PhantomData<fn(Marker, Kind)>,
}

impl<M, K, F: Callable<M, K>> Body for FunctionBody<F, M, K>
where
    F::Value: Outcome,
{
    fn run_kind(&self) -> RunKind {
        F::RUN_KIND
    }

    fn call(&self, invocation: &Invocation<'_>) -> Exit {
        self.function.call(invocation).into_exit()
    }

    #[cfg(feature = "tokio")]
    fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
        self.function.start(invocation, Outcome::into_exit)
    }

    #[cfg(feature = "queue")]
    fn returns_flow(&self) -> bool {
        <F::Value as Outcome>::HAS_FLOW
    }

    fn needs(&self) -> &'static [Need] {
        F::NEEDS
    }

    fn path(&self) -> &'static str {
        type_name::<F>()
    }
}
