//! A small service as the compiler sees it: `before.rs` with the attribute expanded. A test of the
//! macro compares the two.
//!
//! The function is unchanged, except for an `allow` attribute. It is followed by one constant,
//! which contains an empty macro, whose name must be unique in the crate, and one value that
//! describes the service. All paths in it are absolute.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tina4_service::{Change, Res};

#[allow(clippy::needless_pass_by_value, reason = "these are the parameters of a service")]
/// Says hello every 30 seconds.
fn greet(greeting: Res<String>) -> Result<(), io::Error> {
    writeln!(io::stdout(), "{}", *greeting)
}
const _: () = {
    ::tina4_service::__private::unique! { macro_rules! another_service_is_named_greet { () => {}; } }
    ::tina4_service::__private::submit! {
        ::tina4_service::__private::Registration::new(
            "greet",
            ::core::concat!(::core::module_path!(), "::", "greet"),
            ::core::panic::Location::caller(),
            &greet,
            const {
                &[::tina4_service::__private::need_of(
                    |tina4_service_parameter| { greet(tina4_service_parameter) }
                )]
            },
            |tina4_service_run| ::tina4_service::__private::outcome(
                || { greet(::tina4_service::__private::param(tina4_service_run)) }
            ),
        )
        .schedule(::tina4_service::__private::Schedule::Interval(::core::time::Duration::new(30, 0)))
        .max_restarts(5)
    }
};

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
