//! Checks that the example pair in `examples/expanded` shows the actual expansion of a service.

use quote::ToTokens as _;

use super::*;

/// The items of a file, with every `#[tina4_service::service(..)]` expanded, and without the spaces,
/// which are arbitrary.
fn items(source: &str) -> String {
    let file: syn::File = syn::parse_str(source).expect("the example is Rust");
    let mut tokens = TokenStream::new();
    for item in file.items {
        tokens.extend(expanded(item));
    }
    tokens.to_string().replace(' ', "")
}

fn expanded(mut item: syn::Item) -> TokenStream {
    let syn::Item::Fn(function) = &mut item else {
        return item.into_token_stream();
    };
    let is_service = |attribute: &syn::Attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "service")
    };
    let Some(at) = function.attrs.iter().position(is_service) else {
        return item.into_token_stream();
    };
    let attribute = function.attrs.remove(at);
    let args = &attribute.meta.require_list().expect("the attribute has arguments").tokens;
    expand_service(args.clone(), item.into_token_stream())
}

#[test]
fn the_example_before_expands_to_the_example_after() {
    let before = items(include_str!("../../../examples/expanded/before.rs"));
    let after = items(include_str!("../../../examples/expanded/after.rs"));
    assert_eq!(before, after);
}
