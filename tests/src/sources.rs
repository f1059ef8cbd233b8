//! The source files of the workspace, for tests about them.

use std::fs;
use std::path::Path;

/// The root directory of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in the workspace")
}

/// Path and text of every `.rs` file below `dir`, such as `tina4-service/src`, sorted. Paths
/// begin at the workspace and use `/`.
///
/// # Panics
///
/// If there are none, or one cannot be read.
#[must_use]
pub fn sources(dir: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(dir, &mut found);
    assert!(!found.is_empty(), "no sources in {dir}");
    found.sort();
    found
}

fn collect(dir: &str, found: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(workspace().join(dir));
    let entries = entries.unwrap_or_else(|error| panic!("{dir}: {error}"));
    for entry in entries.map(|entry| entry.expect("a readable directory")) {
        let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a readable directory").is_dir() {
            if !path.ends_with("/target") {
                collect(&path, found);
            }
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path());
            found.push((path, text.expect("a readable source")));
        }
    }
}
