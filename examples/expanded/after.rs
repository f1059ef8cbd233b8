//! One small service, as the compiler sees it: `before.rs` with the attribute expanded. A test of
//! the macro compares the two.
//!
//! The function is what it was. Behind it stands one value, in absolute paths, that says everything
//! about the service; and an empty macro, whose name a crate can have only once.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tina4_service::{Change, Res};

#[allow(clippy::needless_pass_by_value, reason = "these are the parameters of a service")]
/// Says hello, again and again.
fn greet(greeting: Res<String>) -> Result<(), io::Error> {
    writeln!(io::stdout(), "{}", *greeting)
}
const _: () = {
    #[doc(hidden)]
    #[allow(
        non_local_definitions,
        reason = "also a service inside of a function has its name alone"
    )]
    #[macro_export]
    macro_rules! another_service_is_named_greet {
        () => {};
    }
    ::tina4_service::__private::inventory::submit! {
        ::tina4_service::__private::Registration {
            name: "greet",
            spec: ::tina4_service::__private::Spec {
                schedule: ::tina4_service::__private::Schedule::Interval(::core::time::Duration::new(30, 0)),
                restart: ::tina4_service::__private::RestartPolicy {
                    max_restarts: ::core::option::Option::Some(5u32),
                    ..::tina4_service::__private::RestartPolicy::DEFAULT
                },
                ..::tina4_service::__private::Spec::DEFAULT
            },
            place: ::tina4_service::__private::Place { file: ::core::file!(), line: ::core::line!(), column: ::core::column!() },
            path: ::core::concat!(::core::module_path!(), "::", "greet"),
            id: ::tina4_service::__private::id_of(&greet),
            after: &[],
            needs: &[::tina4_service::__private::need_of(|parameter| { greet(parameter) })],
            call: |run| ::tina4_service::__private::outcome(greet(::tina4_service::__private::param(run))),
            on_stop: ::core::option::Option::None,
        }
    }
};

/// Ends after the first greeting, so that this is an example and not a program.
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
