//! The log, on standard error; `RUST_LOG` chooses what it shows, such as `info,tina4_service=debug`.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is shown unless `RUST_LOG` says otherwise.
const DEFAULT: &str = "info";

/// Starts logging, for the whole process.
pub(crate) fn start() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    let read = wanted.parse::<Targets>();
    let problem = read.as_ref().err().map(ToString::to_string);
    let shown = read.unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    let in_colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(in_colour);
    tracing_subscriber::registry().with(shown).with(lines).init();
    if let Some(problem) = problem {
        tracing::warn!(RUST_LOG = wanted, problem, "RUST_LOG is not understood; showing `info`");
    }
}
