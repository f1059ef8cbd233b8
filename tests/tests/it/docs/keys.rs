//! The documents name every key of the attribute.

use tina4_service_core::Key;

#[test]
fn the_reference_has_one_row_for_every_key() {
    let reference = include_str!("../../../../tina4-service/src/keys.md");
    let rows = reference.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let mut keys: Vec<_> = rows.map(|(key, _)| key).collect();
    let mut expected: Vec<_> = Key::ALL.iter().map(|key| key.as_str()).collect();
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn the_readme_names_every_key() {
    let readme = include_str!("../../../../README.md");
    let missing: Vec<_> =
        Key::ALL.iter().filter(|key| !readme.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
