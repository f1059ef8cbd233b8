//! Imports its library and another crate without using either, runs all services, and prints their
//! names after the warnings of the runner.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use linking_named as _;
use linking_program as _;
use tina4_service::{Change, service};

mod warnings;

mod private {
    mod deep {
        #[tina4_service::service(interval = "1h")]
        fn deep_in_the_program() {}
    }
}

#[service(interval = "1h", after = ["in_another_crate"])]
fn in_the_program() {}

fn main() -> ExitCode {
    #[service(interval = "1h")]
    fn inside_main() {}

    tracing::subscriber::set_global_default(warnings::Warnings).expect("the first subscriber");
    let events = tina4_service::subscribe();
    let runner = match tina4_service::start_all() {
        Ok(runner) => runner,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut waiting = tina4_service::status();
    while !waiting.is_empty() {
        let Ok(event) = events.recv() else {
            return ExitCode::FAILURE;
        };
        if matches!(event.change, Change::RunEnded { .. }) {
            waiting.remove(&*event.service);
        }
    }
    for name in runner.status().into_keys() {
        println!("{name}");
    }
    if runner.stop_all().is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
