//! Where the socket of a program is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::error::SocketError;

/// The longest path of a unix socket that every system accepts, in bytes.
const MAX_PATH: usize = 103;

/// The file in the default directories.
const FILE: &str = "services.sock";

/// The default path: `TINA4_SERVICES_SOCKET`, or `services.sock` in the `RUNTIME_DIRECTORY` that systemd creates, or in the
/// directory of this program in `XDG_RUNTIME_DIR`. Never a directory that other users can write to.
pub(super) fn default_path(
    variable: impl Fn(&str) -> Option<OsString>,
    program: Option<PathBuf>,
) -> Result<PathBuf, SocketError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = variable("TINA4_SERVICES_SOCKET") {
        return Ok(PathBuf::from(path));
    }
    if let Some(directories) = variable("RUNTIME_DIRECTORY") {
        // There may be several, with colons between them.
        let first = directories.as_bytes().split(|byte| *byte == b':').next().unwrap_or_default();
        return Ok(Path::new(std::ffi::OsStr::from_bytes(first)).join(FILE));
    }
    let program = program.as_deref().and_then(Path::file_stem);
    match (variable("XDG_RUNTIME_DIR"), program) {
        (Some(directory), Some(program)) => Ok(Path::new(&directory).join(program).join(FILE)),
        _ => Err(SocketError::NoPath),
    }
}

/// Checks a path: it is absolute or relative, names a file, and is short enough. `bound` is the longer of the paths that
/// are bound.
pub(super) fn check_length(path: &Path, bound: &Path) -> Result<(), SocketError> {
    let length = bound.as_os_str().len();
    if length > MAX_PATH {
        let over = length - MAX_PATH;
        return Err(SocketError::PathTooLong { path: path.to_owned(), over });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_115_the_default_path_is_that_of_the_environment_and_never_in_a_shared_directory() {
        for (variables, expected) in [
            (&[("TINA4_SERVICES_SOCKET", "/a"), ("RUNTIME_DIRECTORY", "/r")][..], Some("/a")),
            (
                &[("RUNTIME_DIRECTORY", "/r/x:/r/y"), ("XDG_RUNTIME_DIR", "/x")],
                Some("/r/x/services.sock"),
            ),
            (
                &[("TINA4_SERVICES_SOCKET", ""), ("XDG_RUNTIME_DIR", "/x")],
                Some("/x/shop/services.sock"),
            ),
            (&[("TMPDIR", "/tmp"), ("HOME", "/root")], None),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let path = default_path(variable, Some(PathBuf::from("/bin/shop")));
            assert_eq!(path.ok().as_deref(), expected.map(Path::new), "{variables:?}");
        }
    }

    #[test]
    fn rule_115_a_path_that_is_too_long_is_refused_with_how_much() {
        let path = Path::new("/x").join("y".repeat(101));
        assert_eq!(path.as_os_str().len(), 104);
        let error = check_length(&path, &path).expect_err("it is too long").to_string();
        assert!(error.contains("1 byte too long") && error.contains("at most 103"), "{error}");
        let path = Path::new("/x").join("y".repeat(100));
        assert!(check_length(&path, &path).is_ok());
    }
}
