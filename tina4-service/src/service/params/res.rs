//! `Res<T>` and `Option<Res<T>>` as parameters.

use std::any::{TypeId, type_name};

use super::{Invocation, Need, Parameter, ParameterFamily};
use crate::service::resources::Res;

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Res<T> {
    const NEED: Need = Need::Resource { id: TypeId::of::<T>(), name: type_name::<T> as fn() -> _ };
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let resources = invocation.context().host().resources();
        // Values are never removed, and a service does not start while one is missing.
        resources.get().expect("a value that was provided before the start is never removed")
    }
}

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Option<Res<T>> {
    const NEED: Need = Need::Nothing;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        invocation.context().host().resources().get()
    }
}

impl<T: Send + Sync + 'static> ParameterFamily for Res<T> {
    type Item<'r> = Self;
}

impl<T: Send + Sync + 'static> ParameterFamily for Option<Res<T>> {
    type Item<'r> = Self;
}
