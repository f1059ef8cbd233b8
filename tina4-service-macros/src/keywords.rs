//! Names that are keywords only in some editions.
//!
//! A macro cannot know the edition of the user's crate, and syn treats most of these words as
//! keywords in every edition. Wherever only a name is possible, the word is replaced with the raw
//! identifier, which is the same name in every edition.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{AngleBracketedGenericArguments, Ident, Path, PathArguments, PathSegment, Token};

/// `gen` is a keyword from edition 2024 on, and the others from 2018 on.
const EDITION_KEYWORDS: [&str; 5] = ["async", "await", "dyn", "gen", "try"];

/// A path to a function or module, with or without generic arguments.
pub(crate) fn parse_path(
    input: ParseStream<'_>,
    allow_generic_arguments: bool,
) -> syn::Result<Path> {
    let leading_colon = input.parse()?;
    let mut segments = Punctuated::new();
    loop {
        let is_segment = input.peek(Ident)
            || input.peek(Token![super])
            || input.peek(Token![self])
            || input.peek(Token![Self])
            || input.peek(Token![crate])
            || input.fork().call(Ident::parse_any).is_ok_and(|word| is_edition_keyword(&word));
        if !is_segment {
            return Err(input.error("expected a name"));
        }
        let mut segment = PathSegment::from(raw_name(&input.call(Ident::parse_any)?));
        if allow_generic_arguments && input.peek(Token![::]) && input.peek3(Token![<]) {
            let arguments = input.call(AngleBracketedGenericArguments::parse_turbofish)?;
            segment.arguments = PathArguments::AngleBracketed(arguments);
        }
        segments.push_value(segment);
        let Some(colons) = input.parse()? else {
            return Ok(Path { leading_colon, segments });
        };
        segments.push_punct(colons);
    }
}

/// The item, with edition keywords in its visibility and signature replaced by raw identifiers.
pub(crate) fn raw_names(item: TokenStream) -> TokenStream {
    let mut before: Vec<TokenTree> = item.into_iter().collect();
    // Before `fn`, `async` is a qualifier, except in `pub(in ..)`.
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if *word == "fn");
    let Some(start) = before.iter().position(is_fn) else {
        return before.into_iter().collect();
    };
    let signature = before.split_off(start + 1);
    let visibility = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => raw_group(&group),
        TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
            token
        }
    };
    before.into_iter().map(visibility).chain(raw(signature, true)).collect()
}

/// The tokens with raw names. `after_fn` says whether the first token is the function's name.
fn raw(tokens: Vec<TokenTree>, mut after_fn: bool) -> Vec<TokenTree> {
    let mut tokens = tokens.into_iter().peekable();
    let mut output = Vec::with_capacity(tokens.len());
    while let Some(token) = tokens.next() {
        output.push(match &token {
            TokenTree::Ident(word) if after_fn || is_name(word, tokens.peek()) => {
                TokenTree::Ident(raw_name(word))
            }
            // A group in braces is the body, which is not parsed.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => raw_group(group),
            TokenTree::Ident(_)
            | TokenTree::Group(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => token,
        });
        after_fn = false;
    }
    output
}

fn raw_group(group: &Group) -> TokenTree {
    let inner = raw(group.stream().into_iter().collect(), false);
    let mut output = Group::new(group.delimiter(), inner.into_iter().collect());
    output.set_span(group.span());
    TokenTree::Group(output)
}

/// Whether a word of a signature is a name, judging by the token after it.
fn is_name(word: &Ident, next: Option<&TokenTree>) -> bool {
    // Of the edition keywords, only `dyn` can be a keyword in a type.
    *word != "dyn"
        || match next {
            None | Some(TokenTree::Literal(_)) => true,
            Some(TokenTree::Ident(_) | TokenTree::Group(_)) => false,
            Some(TokenTree::Punct(punct)) => {
                let is_path = punct.as_char() == ':' && punct.spacing() == Spacing::Joint;
                !is_path && !matches!(punct.as_char(), '\'' | '?')
            }
        }
}

fn is_edition_keyword(word: &Ident) -> bool {
    EDITION_KEYWORDS.iter().any(|keyword| word == keyword)
}

fn raw_name(word: &Ident) -> Ident {
    if is_edition_keyword(word) {
        Ident::new_raw(&word.to_string(), word.span())
    } else {
        word.clone()
    }
}
