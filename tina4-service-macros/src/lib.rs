//! The `#[service]` attribute of `tina4-service`, which documents and re-exports it.
//!
//! Data flow: attribute -> `Args`, item -> `Function` -> (check) -> `CheckedService` -> (expand) ->
//! the registration after the function. Faults are collected on the way, so that one build shows
//! all of them, and the user's function is always passed through unchanged.
#![forbid(unsafe_code)]

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Args;
use crate::diagnostics::Diagnostics;
use crate::function::Function;

mod args;
mod check;
mod dependency;
mod diagnostics;
mod errors;
mod expand;
mod function;
mod keywords;
mod tokens;
mod value;
mod value_kind;

/// Declares a function as a service; see `tina4_service::service` for its keys.
#[proc_macro_attribute]
pub fn service(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand_service(args.into(), item.into()).into()
}

/// Parses, checks and expands; the faults follow the expansion.
fn expand_service(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args = Args::read(args, &mut diagnostics);
    let function = Function::read(item.clone(), &mut diagnostics);
    let checked = check::check(args, function, &mut diagnostics);
    let expansion = expand::expand(checked.as_ref(), &item);
    let errors = diagnostics.into_tokens();
    quote!(#expansion #errors)
}

#[cfg(test)]
mod tests;
