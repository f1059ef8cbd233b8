//! A small service as it is written. `after.rs` shows its expansion; a test of the macro compares
//! the two.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tina4_service::{Change, Res};

/// Says hello every 30 seconds.
#[tina4_service::service(interval = "30s", max_restarts = 5)]
fn greet(greeting: Res<String>) -> Result<(), io::Error> {
    writeln!(io::stdout(), "{}", *greeting)
}

/// Stops after the first greeting.
fn main() -> ExitCode {
    tina4_service::provide("hello".to_owned());
    let events = tina4_service::subscribe();
    if let Err(error) = tina4_service::start_all() {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    let _ = events.iter().find(|event| matches!(event.change, Change::RunEnded { .. }));
    println!("{}", tina4_service::stop_all());
    ExitCode::SUCCESS
}
