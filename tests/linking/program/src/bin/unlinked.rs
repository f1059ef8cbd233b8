//! Depends on a library and another crate with services, and imports neither.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tina4_service::run()
}
