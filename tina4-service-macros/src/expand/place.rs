//! The spans of the expansion: where rustc reports an error, and how it resolves a name.
//!
//! A span has a location and a context, which is the scope and the edition in which a name is looked
//! up. Tokens of the expansion take over both from the user's tokens. The user's own tokens may be
//! moved, but keep their context: `gen` is a name in edition 2021 and a keyword in that of this
//! crate, and `$crate` is the crate of the macro that it was written in.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

/// The path of the module in the runtime crate that has everything that the expansion needs.
pub(super) struct Private {
    path: TokenStream,
    /// How many of its first tokens are the user's.
    users: usize,
}

impl Private {
    /// In the crate that the user named, or else where it usually is.
    pub(super) fn of(root: Option<&Path>) -> Self {
        match root {
            // If the path leads to another crate, the error belongs there and not at the attribute.
            Some(root) => Self {
                path: quote_spanned!(root.segments.last().span()=> #root::__private),
                users: root.to_token_stream().into_iter().count(),
            },
            None => Self { path: quote!(::tina4_service::__private), users: 0 },
        }
    }
}

impl ToTokens for Private {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.path.to_tokens(tokens);
    }
}

/// Where rustc should put its caret: from the first to the last token of what the user wrote.
///
/// If two requirements on one type are at the same place, rustc also reports that type only once.
pub(super) struct Place {
    first: Span,
    pub(super) last: Span,
}

impl Place {
    pub(super) fn of(written: &TokenStream, otherwise: &Ident) -> Self {
        let mut tokens = written.clone().into_iter();
        let first = tokens.next();
        let last = tokens.last().or_else(|| first.clone());
        let span = |token: Option<TokenTree>| token.map_or(otherwise.span(), |token| token.span());
        Self { first: span(first), last: span(last) }
    }

    /// A call of a function of the runtime crate that appears to be here.
    pub(super) fn call(
        &self,
        private: &Private,
        function: TokenStream,
        arguments: TokenStream,
    ) -> TokenStream {
        self.call_of(quote!(#private::#function), private.users, arguments)
    }

    /// A call of the user's function that appears to be here.
    pub(super) fn call_user(&self, function: &Ident, arguments: TokenStream) -> TokenStream {
        self.call_of(function.to_token_stream(), 1, arguments)
    }

    /// A closure that appears to be here. The braces keep lints from calling it redundant.
    pub(super) fn closure(&self, parameter: &impl ToTokens, body: TokenStream) -> TokenStream {
        let mut body = Group::new(Delimiter::Brace, body);
        body.set_span(self.last);
        let (open, close) = (self.put(quote!(|)), self.put(quote!(|)));
        quote!(#open #parameter #close #body)
    }

    fn call_of(&self, function: TokenStream, users: usize, arguments: TokenStream) -> TokenStream {
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(self.last);
        let function = self.put_users(function, users);
        quote!(#function #arguments)
    }

    /// Tokens of the attribute that appear to be here, from the first of them to the last.
    pub(super) fn put(&self, tokens: TokenStream) -> TokenStream {
        self.put_users(tokens, 0)
    }

    /// The same, for tokens of which the first few are the user's.
    fn put_users(&self, tokens: TokenStream, users: usize) -> TokenStream {
        let spans = std::iter::once(self.first).chain(std::iter::repeat(self.last));
        let put = |(index, (mut token, span)): (usize, (TokenTree, Span))| {
            token.set_span(if index < users { token.span().located_at(span) } else { span });
            token
        };
        tokens.into_iter().zip(spans).enumerate().map(put).collect()
    }
}
