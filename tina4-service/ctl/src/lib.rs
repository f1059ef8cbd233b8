//! The command line to the background services of a running program.
//!
//! The binary `tina4ctl` speaks to any program whose [console] answers on a unix socket or on a port. A program can also
//! offer the same commands itself, with this library and the feature `embedded`:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     let mut args = std::env::args_os().skip(1);
//!     if args.next().is_some_and(|arg| arg == "services") {
//!         return tina4_service_ctl::main_of("shop services", args);
//!     }
//!     // .. start the services ..
//! #   ExitCode::SUCCESS
//! }
//! ```
//!
//! A program that uses clap adds [`Cli`] to its own commands, and passes it to [`run`]. With the feature `embedded`, `check`
//! works, and `plan` does without a live process: they look at the services of the global runner. What a service asks for as
//! `Res` has to be provided before, or `check` says that it is missing.
//!
//! ```sh
//! tina4ctl list
//! tina4ctl run heartbeat --wait
//! tina4ctl pause 'mail.*' tag:reports --reason 'the provider is down'
//! tina4ctl --url http://localhost:8080/ops health
//! ```
//!
//! # Where the process is
//!
//! The first of these counts: `--socket PATH` or `--url URL`; the variable `TINA4_SERVICES_SOCKET`;
//! `$RUNTIME_DIRECTORY/services.sock`; `$XDG_RUNTIME_DIR/PROGRAM/services.sock`. `tina4ctl` does not know the name of the program, so it takes the
//! only socket that there is in a directory of `$XDG_RUNTIME_DIR`. With `--url`, the token for actions
//! comes from the file `--token-file`, or the variable `TINA4_CONSOLE_TOKEN`; only plain HTTP is spoken.
//!
//! # Output
//!
//! On a terminal, a table with colours (none if `NO_COLOR` is set); otherwise one line for each thing, with tabs between its fields
//! and without a header. With `--json`, exactly one JSON value, whatever happens: a list for a command with several names, an object
//! with `error` if nothing could be done. Messages go to standard error.
//!
//! # Exit codes
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | refused, or the run that was waited for has failed |
//! | 2 | the command line is wrong |
//! | 3 | `health`: not healthy; `is-active`: not active |
//! | 4 | there is no such service |
//! | 69 | the process cannot be reached, or does not answer |
//! | 77 | not permitted |
//!
//! [console]: https://docs.rs/tina4-service-console
#![deny(unsafe_code)]

mod cli;
mod client;
mod clock;
mod complain;
mod exit;
mod failure;
mod json;
mod names;
mod output;
mod place;
mod run;
mod session;
mod shown;
mod times;
mod verbs;

pub use cli::{Cli, Command, Shell};
pub use exit::Exit;
pub use run::{main_of, run};
