//! Collects errors, so that one build shows all of them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Error;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Diagnostics(Vec<Error>);

impl Diagnostics {
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// One `compile_error!` per error.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(compile_error).collect()
    }
}

/// The error as a call of `::std::compile_error!`. syn writes `::core::compile_error!`, which does
/// not resolve in edition 2015.
fn compile_error(error: Error) -> TokenStream {
    let std = |token| match token {
        TokenTree::Ident(word) if word == "core" => Ident::new("std", word.span()).into(),
        TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
            token
        }
    };
    error.into_compile_error().into_iter().map(std).collect()
}
