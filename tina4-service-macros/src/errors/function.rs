//! Messages about the function.

use std::fmt::Display;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Attribute, Error, FnArg, Generics, Lifetime, Pat, Receiver, Variadic, WhereClause};

pub(crate) fn name_of_function(ident: &Ident, error: impl Display) -> Error {
    Error::new(ident.span(), format!("{error}, or set `name = \"..\"`"))
}

pub(crate) fn not_a_function(span: Span, found: Option<&str>) -> Error {
    let found = found.unwrap_or("another item");
    Error::new(
        span,
        format!(
            "`#[service]` must be on a free `fn`, found {found}; move the attribute to a free `fn`"
        ),
    )
}

pub(crate) fn no_body(ident: &Ident) -> Error {
    Error::new(
        ident.span(),
        format!("`{ident}` has no body; put `#[service]` on a free `fn`, not on a declaration"),
    )
}

pub(crate) fn duplicate_attribute(again: &Attribute, ident: &Ident) -> Error {
    Error::new_spanned(again, format!("`{ident}` has more than one `#[service]`; keep one"))
}

pub(crate) fn const_fn(span: Span) -> Error {
    Error::new(span, "a service cannot be a `const fn`; remove `const`")
}

pub(crate) fn async_fn(span: Span) -> Error {
    Error::new(
        span,
        "`async fn` needs the feature `tokio` of tina4-service, which is turned off; add `features = [\"tokio\"]` to `tina4-service` in Cargo.toml, or write a plain `fn`",
    )
}

pub(crate) fn unsafe_fn(span: Span) -> Error {
    Error::new(
        span,
        "a service cannot be an `unsafe fn`, because the runner cannot uphold its safety contract; remove `unsafe`",
    )
}

pub(crate) fn extern_fn(abi: impl ToTokens) -> Error {
    Error::new_spanned(
        abi,
        "a service cannot be an `extern fn`; remove `extern`, and call the service from a separate `extern fn` if C code needs it",
    )
}

pub(crate) fn generics(generics: &Generics) -> Error {
    Error::new_spanned(
        generics,
        "a service cannot be generic, because nothing determines its generic arguments; write concrete types",
    )
}

pub(crate) fn lifetimes(generics: &Generics) -> Error {
    Error::new_spanned(
        generics,
        "a service cannot have lifetime parameters; leave them out, as in `ctx: &Context`",
    )
}

pub(crate) fn where_clause(clause: &WhereClause) -> Error {
    Error::new_spanned(
        clause,
        "a service cannot have a `where` clause, because it is not generic; remove the clause",
    )
}

pub(crate) fn receiver(receiver: &Receiver) -> Error {
    Error::new_spanned(
        receiver,
        "a service cannot take `self`; make it a free function, and take shared values as `Res<T>`",
    )
}

pub(crate) fn variadic(variadic: &Variadic) -> Error {
    let dots = &variadic.dots;
    Error::new_spanned(dots, "a service cannot be variadic; remove `...`")
}

pub(crate) fn too_many_parameters(first: &FnArg, found: usize, max: usize) -> Error {
    Error::new_spanned(
        first,
        format!(
            "a service has at most {max} parameters, found {found}; gather shared values in one struct"
        ),
    )
}

pub(crate) fn pattern(pattern: &Pat) -> Error {
    Error::new_spanned(
        pattern,
        "a parameter of a service must be a plain name; write `value: Type`, and destructure the value in the body",
    )
}

pub(crate) fn conditional_parameter(attribute: &Attribute) -> Error {
    Error::new_spanned(
        attribute,
        "a parameter of a service cannot be conditional; put `#[cfg(..)]` on the function",
    )
}

pub(crate) fn static_reference(lifetime: &Lifetime) -> Error {
    Error::new_spanned(
        lifetime,
        "a parameter is borrowed for one run and cannot be `'static`; remove the lifetime, as in `ctx: &Context`",
    )
}

pub(crate) fn impl_trait(span: Span) -> Error {
    Error::new(
        span,
        "a service cannot have an `impl Trait` parameter, because nothing determines its type; write the type",
    )
}

// Queues

pub(crate) fn queue_without_job(span: Span) -> Error {
    Error::new(
        span,
        "a service with `queue` needs a parameter for its jobs; add `job: Job<T>`, where `T` is the type of the jobs",
    )
}

pub(crate) fn job_without_queue(parameter: impl ToTokens) -> Error {
    Error::new_spanned(
        parameter,
        "a `Job` comes from a queue; add `queue = EMAILS`, where `EMAILS` is a constant of type `Queue<T>`",
    )
}

pub(crate) fn second_job(parameter: impl ToTokens) -> Error {
    Error::new_spanned(
        parameter,
        "a service runs one job at a time, and takes one `Job`; remove this one, or use a service for each queue",
    )
}

pub(crate) fn dead_job_parameter(parameter: impl ToTokens) -> Error {
    Error::new_spanned(
        parameter,
        "a `DeadJob` is for the function of `on_dead`; take a `Job` here, or name this function in the `on_dead` of a queue service",
    )
}

pub(crate) fn local_with_concurrency(parameter: impl ToTokens, concurrency: u32) -> Error {
    Error::new_spanned(
        parameter,
        format!(
            "a `Local` belongs to one run at a time, and `concurrency` is {concurrency}; share a value with `Res`, or remove `concurrency`"
        ),
    )
}
