//! The known word that an unknown one was probably meant to be.

/// The minimum similarity at which a word counts as a misspelling of another.
const MIN_SIMILARITY: f64 = 0.84;

/// The candidate whose text is most similar to `written`, if one is similar enough. Neither the letter
/// case nor the difference between `-` and `_` matters.
///
/// ```
/// use tina4_service_core::{Restart, nearest};
///
/// assert_eq!(nearest("Always", Restart::ALL, Restart::as_str), Some(Restart::Always));
/// assert_eq!(nearest("sometimes", Restart::ALL, Restart::as_str), None);
/// ```
pub fn nearest<T: Copy>(
    written: &str,
    all: impl IntoIterator<Item = T>,
    text: fn(T) -> &'static str,
) -> Option<T> {
    let written = plain(written);
    all.into_iter()
        .map(|candidate| (similarity(&written, text(candidate)), candidate))
        .filter(|(score, _)| *score >= MIN_SIMILARITY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

fn similarity(written: &str, known: &str) -> f64 {
    strsim::jaro_winkler(written, &plain(known))
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}
