//! Two services of one name in one crate do not compile.
//!
//! A macro has no memory from one attribute to the next, so it is rustc that has to see both
//! services at once, and a name is what it compares. Of all names only that of a `#[macro_export]`
//! macro lies at the root of the crate wherever it is written, also inside a `const _`; so each
//! service defines an empty one, called like the service, and `__private::unique!` exports it. rustc
//! then shows both places and says `another_service_is_named_mail`. The other ways fall short: an
//! item with such a name sees only its own module; two `impl`s for one type need a type that is
//! local to the user's crate, and an attribute has no place for a common one; a symbol of that name
//! (`export_name`) is refused by `forbid(unsafe_code)`, and is only noticed by the linker.
//!
//! Two crates may have services of one name; that is found when they are started together.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// What `-` and `.` become. A name with one of these words in it is left to the check at start,
/// so that two different names never look alike.
const WORDS: [(char, &str); 2] = [('-', "hyphen"), ('.', "fullstop")];

/// The macro of which a crate can have only one; rustc puts its carets at `span`.
pub(super) fn item(name: &str, span: Span) -> Option<TokenStream> {
    if WORDS.iter().any(|(_, word)| name.contains(word)) {
        return None;
    }
    let spell =
        |name: String, (sign, word): &(char, &str)| name.replace(*sign, &format!("_{word}_"));
    let name = WORDS.iter().fold(format!("another_service_is_named_{name}"), spell);
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
    fn only_equal_names_look_alike() {
        let names = [
            "a", "A", "a_b", "a-b", "a.b", "a_-b", "a-_b", "a__b", "a_h_b", "a._b", "a_.b", "a-.b",
            "a.-b",
        ];
        let items: HashSet<_> = names
            .iter()
            .filter_map(|name| item(name, Span::call_site()))
            .map(|item| item.to_string())
            .collect();
        assert_eq!(items.len(), names.len(), "{items:#?}");
        for name in ["a_hyphen_b", "a-hyphen_b", "fullstop"] {
            assert!(item(name, Span::call_site()).is_none(), "{name}");
        }
    }
}
