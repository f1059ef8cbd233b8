//! Collects faults, so that one build shows all of them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Error;

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults(Vec<Error>);

impl Faults {
    /// Adds a fault.
    pub(crate) fn push(&mut self, fault: Error) {
        self.0.push(fault);
    }

    /// One `compile_error!` per fault.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(compile_error).collect()
    }
}

/// `::std::compile_error!` instead of syn's `::core::compile_error!`, which a crate of edition 2015
/// cannot resolve.
fn compile_error(fault: Error) -> TokenStream {
    let std = |token| match token {
        TokenTree::Ident(word) if word == "core" => Ident::new("std", word.span()).into(),
        TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
            token
        }
    };
    fault.into_compile_error().into_iter().map(std).collect()
}
