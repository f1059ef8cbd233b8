//! Reads the function below the attribute: attributes, visibility and signature, never the body.
//!
//! The body is not parsed, so the attribute works on a function that is still being typed, and its
//! cost does not depend on the length of the function.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, Lifetime, Pat, PatType, ReturnType, Safety, Signature, Token, Type,
    Visibility,
};

use crate::diagnostics::Diagnostics;
use crate::errors;
use crate::keywords;

/// The maximum number of parameters of a service.
pub(crate) const MAX_PARAMETERS: usize = 8;

/// The parts of the function that the registration needs.
pub(crate) struct Function {
    pub(crate) ident: Ident,
    /// The `cfg` attributes, which the registration repeats.
    pub(crate) cfgs: Vec<TokenStream>,
    /// Whether the function is deprecated; the registration then allows its use.
    pub(crate) deprecated: bool,
    /// Whether it is an `async fn`.
    pub(crate) is_async: bool,
    /// The types of the parameters, as written.
    pub(crate) parameters: Vec<TokenStream>,
    /// The return type as written; empty if there is none.
    pub(crate) return_type: TokenStream,
}

impl Function {
    /// Reads the function. Returns `None` if it cannot be registered; `diagnostics` then contains
    /// the reason.
    pub(crate) fn read(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<Self> {
        let head = |input: ParseStream<'_>| {
            let head = Head::parse(input);
            // The rest is the body, or part of an item that is not a function.
            input.parse::<TokenStream>()?;
            head
        };
        match head.parse2(keywords::raw_names(item)) {
            Ok(head) => head.check(diagnostics),
            Err(error) => {
                diagnostics.push(error);
                None
            }
        }
    }

    /// The name of the function, without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// Everything before the body.
struct Head {
    attributes: Vec<Attribute>,
    signature: Signature,
    has_body: bool,
}

impl Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        if let Some(error) = not_a_function(&input.fork()) {
            return Err(error);
        }
        let signature = input.parse()?;
        Ok(Self { attributes, signature, has_body: input.peek(syn::token::Brace) })
    }

    fn check(self, diagnostics: &mut Diagnostics) -> Option<Function> {
        let Self { attributes, signature, has_body } = self;
        let mut callable = has_body;
        if !has_body {
            diagnostics.push(errors::no_body(&signature.ident));
        }
        if let Some(again) = attributes.iter().find(|attribute| is_service(attribute)) {
            // The second attribute registers the function.
            callable = false;
            diagnostics.push(errors::duplicate_attribute(again, &signature.ident));
        }
        callable &= check_qualifiers(&signature, diagnostics);
        callable &= check_generics(&signature, diagnostics);
        callable &= check_parameters(&signature, diagnostics);
        callable.then(|| Function {
            cfgs: attributes.iter().filter_map(cfg).collect(),
            deprecated: attributes.iter().any(is_deprecated),
            is_async: signature.asyncness.is_some(),
            parameters: signature.inputs.iter().filter_map(parameter_type).collect(),
            return_type: return_type(&signature.output),
            ident: signature.ident,
        })
    }
}

/// The fault of an item that is not a function.
fn not_a_function(input: ParseStream<'_>) -> Option<syn::Error> {
    let first = input.parse::<TokenTree>().ok()?;
    let found = match first.to_string().as_str() {
        "fn" | "async" => return None,
        // Each of these begins a function or another item.
        "const" | "unsafe" | "extern" if begins_function(input) => return None,
        "const" => Some("a constant"),
        "unsafe" | "auto" => input.parse::<TokenTree>().ok().and_then(|second| item_kind(&second)),
        _ => item_kind(&first),
    };
    Some(errors::not_a_function(first.span(), found))
}

/// Whether a function follows, possibly after further qualifiers.
fn begins_function(input: ParseStream<'_>) -> bool {
    let rest = input.fork();
    loop {
        if rest.peek(Token![fn]) {
            return true;
        }
        let qualifies = rest.peek(Token![async])
            || rest.peek(Token![unsafe])
            || rest.peek(Token![extern])
            || rest.peek(syn::LitStr);
        if !qualifies || rest.parse::<TokenTree>().is_err() {
            return false;
        }
    }
}

/// The kind of item that starts with this word.
fn item_kind(word: &TokenTree) -> Option<&'static str> {
    Some(match word.to_string().as_str() {
        "struct" => "a struct",
        "enum" => "an enum",
        "union" => "a union",
        "trait" => "a trait",
        "impl" => "an `impl` block",
        "mod" => "a module",
        "static" => "a static",
        "type" => "a type alias",
        "use" => "an import",
        "extern" => "an `extern` item",
        "macro_rules" => "a macro",
        _ => return None,
    })
}

fn is_service(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "service")
}

/// The part of the attribute that decides whether the function is compiled: its `cfg`s.
fn cfg(attribute: &Attribute) -> Option<TokenStream> {
    let conditional = ["cfg", "cfg_attr"].into_iter().any(|name| attribute.path().is_ident(name));
    if !conditional {
        return None;
    }
    if attribute.path().is_ident("cfg") {
        return Some(attribute.to_token_stream());
    }
    // `cfg_attr(predicate, attributes)`: keep only the `cfg`s among the attributes.
    let list = attribute.meta.require_list().ok()?;
    let parts = syn::punctuated::Punctuated::<syn::Meta, Token![,]>::parse_terminated;
    let parts = parts.parse2(list.tokens.clone()).ok()?;
    let mut parts = parts.into_iter();
    let predicate = parts.next()?;
    let cfgs: Vec<_> = parts.filter(|meta| meta.path().is_ident("cfg")).collect();
    (!cfgs.is_empty()).then(|| quote::quote!(#[cfg_attr(#predicate, #(#cfgs),*)]))
}

fn is_deprecated(attribute: &Attribute) -> bool {
    attribute.path().is_ident("deprecated")
        || attribute.path().is_ident("cfg_attr")
            && attribute.to_token_stream().to_string().contains("deprecated")
}

/// Reports the qualifiers that a service must not have. Returns whether the function can still be
/// called like an ordinary one.
fn check_qualifiers(signature: &Signature, diagnostics: &mut Diagnostics) -> bool {
    let mut callable = true;
    if let Some(token) = &signature.constness {
        diagnostics.push(errors::const_fn(token.span));
    }
    if let Some(token) = &signature.asyncness
        && !cfg!(feature = "tokio")
    {
        diagnostics.push(errors::async_fn(token.span));
        callable = false;
    }
    // A variadic function must be `unsafe` and `extern`; being variadic is its only fault.
    if signature.variadic.is_some() {
        return false;
    }
    if let Safety::Unsafe(token) = &signature.safety {
        diagnostics.push(errors::unsafe_fn(token.span));
        callable = false;
    }
    if let Some(abi) = &signature.abi {
        diagnostics.push(errors::extern_fn(abi));
    }
    callable
}

/// Reports generics; returns whether there are none.
fn check_generics(signature: &Signature, diagnostics: &mut Diagnostics) -> bool {
    let generics = &signature.generics;
    let error = if !generics.params.is_empty() {
        if generics.lifetimes().count() == generics.params.len() {
            errors::lifetimes(generics)
        } else {
            errors::generics(generics)
        }
    } else if let Some(clause) = &generics.where_clause {
        errors::where_clause(clause)
    } else {
        return true;
    };
    diagnostics.push(error);
    false
}

/// Reports parameters that a service cannot have. Returns whether the expansion can supply a value
/// for each of them.
fn check_parameters(signature: &Signature, diagnostics: &mut Diagnostics) -> bool {
    let mut callable = true;
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                diagnostics.push(errors::receiver(receiver));
                callable = false;
            }
            FnArg::Typed(typed) => callable &= check_parameter(typed, diagnostics),
        }
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.push(errors::variadic(variadic));
        callable = false;
    }
    if let Some(first_too_many) = signature.inputs.iter().nth(MAX_PARAMETERS) {
        diagnostics.push(errors::too_many_parameters(
            first_too_many,
            signature.inputs.len(),
            MAX_PARAMETERS,
        ));
    }
    callable
}

/// Reports what is wrong with one parameter; returns whether the expansion can supply a value for
/// it.
fn check_parameter(typed: &PatType, diagnostics: &mut Diagnostics) -> bool {
    let mut callable = true;
    if !is_simple(&typed.pat) {
        diagnostics.push(errors::pattern(&typed.pat));
    }
    let conditional = |attribute: &&Attribute| attribute.path().is_ident("cfg");
    if let Some(attribute) = typed.attrs.iter().find(conditional) {
        diagnostics.push(errors::conditional_parameter(attribute));
        callable = false;
    }
    if let Some(lifetime) = static_lifetime(&typed.ty) {
        diagnostics.push(errors::static_reference(lifetime));
        callable = false;
    }
    if let Some(span) = find_impl(typed.ty.to_token_stream()) {
        diagnostics.push(errors::impl_trait(span));
        callable = false;
    }
    callable
}

/// The lifetime of `&'static T`: no run can lend a value for that long.
fn static_lifetime(ty: &Type) -> Option<&Lifetime> {
    let Type::Reference(reference) = ty else {
        return None;
    };
    reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
}

/// `value`, `mut value` or `_`.
fn is_simple(pattern: &Pat) -> bool {
    if let Pat::Ident(plain) = pattern {
        return plain.by_ref.is_none() && plain.subpat.is_none();
    }
    matches!(pattern, Pat::Wild(_))
}

fn parameter_type(argument: &FnArg) -> Option<TokenStream> {
    match argument {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => Some(typed.ty.to_token_stream()),
    }
}

fn return_type(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

/// The span of the first `impl` in a type, at any depth.
fn find_impl(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) => (word == "impl").then(|| word.span()),
        TokenTree::Group(group) => find_impl(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}
