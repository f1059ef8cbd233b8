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

    /// All of them as `compile_error!`, or nothing.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(Error::into_compile_error).collect()
    }
}
