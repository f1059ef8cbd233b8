//! [`fingerprint`]: by which tables are recognised that an unreleased version has made.

/// A number that stands for these texts: SQL that creates tables. Spaces and comments to the end of a line (`--`) do not
/// count, so that they can be corrected.
///
/// A database keeps it beside the version of its tables. If the texts of a version have another one, the tables were made by
/// other texts, and statements may fail.
#[must_use]
pub fn fingerprint(texts: &[&str]) -> String {
    let lines = texts.iter().flat_map(|text| text.lines());
    let code = lines.map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let bytes = code.flat_map(str::bytes).filter(|byte| !byte.is_ascii_whitespace());
    // FNV-1a.
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_counts() {
        let table = fingerprint(&["create table a(\n  b integer -- why\n);", "-- more\n"]);
        assert_eq!(table, fingerprint(&["create table a(b integer);"]));
        assert_ne!(table, fingerprint(&["create table a(c integer);"]));
        assert_eq!(fingerprint(&["a"]), "af63dc4c8601ec8c", "it must never change");
    }
}
