//! Faults are collected, so that one build shows all of them.

use proc_macro2::TokenStream;
use syn::Error;

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<Error>);

impl Faults {
    /// Adds a fault.
    pub(crate) fn push(&mut self, fault: Error) {
        self.0.push(fault);
    }

    /// All of them as one, or else `value`.
    pub(crate) fn into_result<T>(self, value: T) -> syn::Result<T> {
        let all = self.0.into_iter().reduce(|mut all, fault| {
            all.combine(fault);
            all
        });
        all.map_or(Ok(value), Err)
    }

    /// All of them as `compile_error!`, or nothing.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.into_result(()).err().map(Error::into_compile_error).unwrap_or_default()
    }
}
