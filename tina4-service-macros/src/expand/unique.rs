//! Two services with the same name in one crate do not compile.
//!
//! A macro keeps no state between two attributes, so only rustc sees both services, and it compares
//! only names. Of all items, only a `#[macro_export]` macro is placed at the root of the crate
//! wherever it is written, even inside a `const _`. So each service defines an empty macro named
//! after it, which `__private::unique!` exports; rustc then shows both places and the name, as in
//! `another_service_is_named_mail`.
//!
//! The alternatives do not work. Any other item conflicts only within its module. Two `impl`s
//! conflict only for a type that is local to the user's crate, and an attribute has nowhere to
//! define one. A symbol of that name (`export_name`) violates `forbid(unsafe_code)`, and only the
//! linker would notice the conflict.
//!
//! If two crates use the same name, the check at start reports it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The words for `-` and `.` in the name of the macro. A service name that contains one of these
/// words is checked only at start, because its macro name could collide with that of another
/// service.
const WORDS: [(char, &str); 2] = [('-', "hyphen"), ('.', "fullstop")];

/// The definition of the macro that reserves `name` in its crate, located at `span`; `None` if the
/// name contains one of [`WORDS`].
pub(super) fn reservation(name: &str, span: Span) -> Option<TokenStream> {
    if WORDS.iter().any(|(_, word)| name.contains(word)) {
        return None;
    }
    let replace = |name: String, (character, word): &(char, &str)| {
        name.replace(*character, &format!("_{word}_"))
    };
    let name = WORDS.iter().fold(format!("another_service_is_named_{name}"), replace);
    let name = Ident::new(&name, span);
    let mut rules = Group::new(Delimiter::Brace, quote!(() => {};));
    rules.set_span(span);
    Some(quote_spanned!(span=> macro_rules! #name #rules))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn different_names_never_collide() {
        let names = [
            "a", "A", "a_b", "a-b", "a.b", "a_-b", "a-_b", "a__b", "a_h_b", "a._b", "a_.b", "a-.b",
            "a.-b",
        ];
        let items: HashSet<_> = names
            .iter()
            .filter_map(|name| reservation(name, Span::call_site()))
            .map(|item| item.to_string())
            .collect();
        assert_eq!(items.len(), names.len(), "{items:#?}");
        for name in ["a_hyphen_b", "a-hyphen_b", "fullstop"] {
            assert!(reservation(name, Span::call_site()).is_none(), "{name}");
        }
    }
}
