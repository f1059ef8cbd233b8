//! `tina4ctl`: see and steer the background services of a running program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tina4_service_ctl::main_of("tina4ctl", std::env::args_os().skip(1))
}
