//! The environment variables of the process.

use std::ffi::OsString;

/// The environment variables of the process, as they are now.
#[expect(clippy::disallowed_methods, reason = "this file reads the environment")]
pub(crate) fn process_variables() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}
