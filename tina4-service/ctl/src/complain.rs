//! Messages about what went wrong.

use std::fmt;
use std::io::{self, Write as _};

/// Writes a line to standard error. Nobody may be reading it, and that is no reason to end.
pub(crate) fn complain(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
