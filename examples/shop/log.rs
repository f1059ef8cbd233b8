//! Logs to standard error. `RUST_LOG` selects the levels, as in `info,tina4_service=debug`.

use std::io::IsTerminal as _;

use tina4_service::RunLog;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The level if `RUST_LOG` is not set.
const DEFAULT: &str = "info";

/// Initializes logging for the whole process.
pub(crate) fn init() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    let parsed = wanted.parse::<Targets>();
    let problem = parsed.as_ref().err().map(ToString::to_string);
    let targets = parsed.unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    let in_colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(in_colour);
    // What the services write is kept for the console, whatever is printed.
    let kept = RunLog::new().max_level(tracing::Level::DEBUG).layer();
    tracing_subscriber::registry().with(lines.with_filter(targets)).with(kept).init();
    if let Some(problem) = problem {
        tracing::warn!(RUST_LOG = wanted, problem, "RUST_LOG cannot be parsed; using `info`");
    }
}
