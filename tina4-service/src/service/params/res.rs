//! `Res<T>` and `Option<Res<T>>` as parameters.

use std::sync::Arc;

use super::{Invocation, NamedType, Need, Parameter, ParameterFamily};
use crate::service::resources::Res;

const fn need<T: ?Sized + 'static>(is_optional: bool) -> Need {
    Need::Resource { value: NamedType::of::<T>(), arc: NamedType::of::<Arc<T>>(), is_optional }
}

impl<'r, T: ?Sized + Send + Sync + 'static> Parameter<'r> for Res<T> {
    const NEED: Need = need::<T>(false);
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let resources = invocation.context().host().resources();
        // Values are never removed, and a service does not start while one is missing.
        resources.get().expect("a value that was provided before the start is never removed")
    }
}

impl<'r, T: ?Sized + Send + Sync + 'static> Parameter<'r> for Option<Res<T>> {
    const NEED: Need = need::<T>(true);
    fn take(invocation: &'r Invocation<'r>) -> Self {
        invocation.context().host().resources().get()
    }
}

impl<T: ?Sized + Send + Sync + 'static> ParameterFamily for Res<T> {
    type Item<'r> = Self;
}

impl<T: ?Sized + Send + Sync + 'static> ParameterFamily for Option<Res<T>> {
    type Item<'r> = Self;
}
