//! The `#[service]` attribute of `tina4-service`, which documents and re-exports it.
//!
//! Data flow: attribute -> `Args`, item -> `Function` -> (check) -> `Checked` -> (expand) -> the
//! registration after the function. Faults are collected on the way, so that one build shows all of
//! them, and the user's function is passed through untouched, whatever is wrong.
#![forbid(unsafe_code)]

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Args;
use crate::faults::Faults;
use crate::function::Function;

mod args;
mod check;
mod dependency;
mod errors;
mod expand;
mod faults;
mod function;
mod keywords;
mod kind;
mod tokens;
mod value;

/// Declares a function as a service; see `tina4_service::service` for its keys.
#[proc_macro_attribute]
pub fn service(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    declare(args.into(), item.into()).into()
}

/// Parses, checks and expands; the faults follow the expansion.
fn declare(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    let args = Args::read(args, &mut faults);
    let function = Function::read(item.clone(), &mut faults);
    let checked = check::check(args, function, &mut faults);
    let expansion = expand::expand(checked.as_ref(), &item);
    let faults = faults.into_tokens();
    quote!(#expansion #faults)
}

#[cfg(test)]
mod tests;
