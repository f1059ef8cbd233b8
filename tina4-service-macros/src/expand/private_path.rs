//! The path of the module in the runtime crate that holds everything the expansion needs.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

/// The path of the module in the runtime crate that holds everything the expansion needs.
pub(super) struct PrivatePath {
    path: TokenStream,
    /// The number of leading tokens that are the user's.
    pub(super) user_tokens: usize,
}

impl PrivatePath {
    /// The path of `__private` in the crate that the user named, or in `::tina4_service`.
    pub(super) fn of(runtime: Option<&Path>) -> Self {
        match runtime {
            // If the path leads to another crate, the error belongs at the path, not at the attribute.
            Some(runtime) => Self {
                path: quote_spanned!(runtime.segments.last().span()=> #runtime::__private),
                user_tokens: runtime.to_token_stream().into_iter().count(),
            },
            None => Self { path: quote!(::tina4_service::__private), user_tokens: 0 },
        }
    }
}

impl ToTokens for PrivatePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.path.to_tokens(tokens);
    }
}
