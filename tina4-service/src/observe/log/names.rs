//! Names of services in one field.

use std::borrow::Cow;

/// The number of names that a line shows.
const NAMES_SHOWN: usize = 10;

/// Names in one field: the first ones, and how many more there are.
pub(super) fn names(names: &[Cow<'static, str>]) -> String {
    let shown = names.iter().take(NAMES_SHOWN).map(|name| &**name).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
