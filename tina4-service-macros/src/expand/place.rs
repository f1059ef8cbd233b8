//! The spans of the expansion: where rustc reports an error, and how it resolves a name.
//!
//! A span has a location and a context, which is the scope and edition in which a name is resolved.
//! Tokens of the expansion that are located at a [`Place`] take both from the user's tokens. The
//! user's own tokens may get another location, but keep their context: `gen` is a name in edition 2021
//! and a keyword in the edition of this crate, and `$crate` is the crate of the macro that contains it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use super::private_path::PrivatePath;

/// Where rustc should put its carets: from the first to the last token of a piece of the user's
/// code.
///
/// If a type fails two trait bounds at the same place, rustc reports only one error.
pub(super) struct Place {
    first: Span,
    pub(super) last: Span,
}

impl Place {
    /// The place of these tokens, or of `fallback` if there are none.
    pub(super) fn of(written: &TokenStream, fallback: &Ident) -> Self {
        let mut tokens = written.clone().into_iter();
        let first = tokens.next();
        let last = tokens.last().or_else(|| first.clone());
        let span = |token: Option<TokenTree>| token.map_or(fallback.span(), |token| token.span());
        Self { first: span(first), last: span(last) }
    }

    /// A call to a function of the runtime crate, located here.
    pub(super) fn call(
        &self,
        private: &PrivatePath,
        function: TokenStream,
        arguments: TokenStream,
    ) -> TokenStream {
        self.call_path(quote!(#private::#function), private.user_tokens, arguments)
    }

    /// A call to the user's function, located here.
    pub(super) fn call_user(&self, function: &Ident, arguments: TokenStream) -> TokenStream {
        self.call_path(function.to_token_stream(), 1, arguments)
    }

    /// A closure, located here. The braces keep clippy from calling it redundant.
    pub(super) fn closure(&self, parameter: &impl ToTokens, body: TokenStream) -> TokenStream {
        let mut body = Group::new(Delimiter::Brace, body);
        body.set_span(self.last);
        let (open, close) = (self.locate(quote!(|)), self.locate(quote!(|)));
        quote!(#open #parameter #close #body)
    }

    fn call_path(
        &self,
        function: TokenStream,
        user_tokens: usize,
        arguments: TokenStream,
    ) -> TokenStream {
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(self.last);
        let function = self.locate_keeping(function, user_tokens);
        quote!(#function #arguments)
    }

    /// Tokens of the expansion, located here.
    pub(super) fn locate(&self, tokens: TokenStream) -> TokenStream {
        self.locate_keeping(tokens, 0)
    }

    /// Tokens located here. The first `user_tokens` of them are the user's and keep their context.
    fn locate_keeping(&self, tokens: TokenStream, user_tokens: usize) -> TokenStream {
        let spans = std::iter::once(self.first).chain(std::iter::repeat(self.last));
        let locate = |(index, (mut token, span)): (usize, (TokenTree, Span))| {
            token.set_span(if index < user_tokens { token.span().located_at(span) } else { span });
            token
        };
        tokens.into_iter().zip(spans).enumerate().map(locate).collect()
    }
}
