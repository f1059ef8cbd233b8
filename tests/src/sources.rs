//! The sources of the workspace, for tests of what is written there.

use std::fs;
use std::path::Path;

/// The workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in it")
}

/// Every `.rs` file of the workspace below `folder`, such as `tina4-service/src`: its path from the
/// workspace with `/` in between, and its text. In order.
///
/// # Panics
///
/// If there is nothing, or something cannot be read.
#[must_use]
pub fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(folder, &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    found.sort();
    found
}

fn collect(folder: &str, found: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(workspace().join(folder));
    let entries = entries.unwrap_or_else(|error| panic!("{folder}: {error}"));
    for entry in entries.map(|entry| entry.expect("it can be read")) {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("it can be read").is_dir() {
            if !path.ends_with("/target") {
                collect(&path, found);
            }
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path());
            found.push((path, text.expect("a source is a text")));
        }
    }
}
