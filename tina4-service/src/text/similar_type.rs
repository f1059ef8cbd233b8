//! Suggestions for a type that was not provided.

/// The provided type that was probably meant: one that wraps `wanted` (`Mutex<Db>` for `Db`), that
/// `wanted` wraps, or that has the same name in another module.
pub(crate) fn similar_type<'a>(
    wanted: &str,
    provided: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let similar = provided.into_iter().filter(|provided| {
        *provided == wanted
            || wraps(provided, wanted)
            || wraps(wanted, provided)
            || last_segment(provided).is_some_and(|name| Some(name) == last_segment(wanted))
    });
    // The same one in every run of the program.
    similar.min_by_key(|provided| (provided.len(), *provided))
}

/// Whether `outer` is `inner` inside types with a single argument, such as `Arc<Mutex<..>>`.
fn wraps(outer: &str, inner: &str) -> bool {
    let arguments = outer.trim_end_matches('>');
    let depth = outer.len() - arguments.len();
    (1..=depth).any(|depth| {
        let wrapped = &outer[..outer.len() - depth];
        wrapped.strip_suffix(inner).is_some_and(|before| {
            before.ends_with('<') && before.matches('<').count() == depth && !before.contains(',')
        })
    })
}

/// The name of a type without its modules; `None` if it has arguments.
fn last_segment(name: &str) -> Option<&str> {
    if name.contains('<') { None } else { name.rsplit("::").next() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_82_the_suggested_type_wraps_the_wanted_one_or_has_its_name() {
        for (wanted, provided, expected) in [
            ("a::Db", &["sync::Mutex<a::Db>"][..], Some("sync::Mutex<a::Db>")),
            ("sync::Arc<a::Db>", &["a::Db", "u8"], Some("a::Db")),
            ("a::Db", &["sync::Arc<sync::Mutex<a::Db>>"], Some("sync::Arc<sync::Mutex<a::Db>>")),
            ("a::Row<u8>", &["sync::Mutex<a::Row<u8>>"], Some("sync::Mutex<a::Row<u8>>")),
            ("dyn a::Db", &["boxed::Box<dyn a::Db>"], Some("boxed::Box<dyn a::Db>")),
            ("a::Db", &["b::Db", "b::c::Db"], Some("b::Db")),
            ("a::Db", &["a::Db"], Some("a::Db")),
            // A type with several arguments, and other names.
            ("a::Db", &["map::Map<u8, a::Db>", "map::Map<a::Db, u8>", "a::Row"], None),
            ("a::Db", &["my_a::Db2", "sync::Mutex<my_a::Db>", ""], None),
            ("sync::Mutex<a::Db>", &["sync::Mutex<b::Db>"], None),
            ("", &["", "<", ">", "<>", "é>"], Some("")),
        ] {
            assert_eq!(similar_type(wanted, provided.iter().copied()), expected, "{wanted}");
        }
    }
}
