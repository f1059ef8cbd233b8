//! The `#[service]` attribute of `tina4-service`, which documents and re-exports it.
//!
//! The way of the data: attribute -> `Args` and `Function` -> (check) ->
//! `Checked` -> (expand) -> one registration. Every fault is collected on the way, and
//! the function of the user is passed through untouched, whatever is wrong.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod check;
mod errors;
mod expand;
mod faults;
mod function;
mod keywords;
mod value;

/// Declares a function as a service; see `tina4_service::service` for its keys.
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(args.into(), item.into()).into()
}
