//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, ValueExt as _};
use tina4_service::IntoDuration as _;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A small web shop: takes orders over HTTP; background services mail, settle and report them.

Usage: shop [OPTIONS]

Options:
  --port PORT       Port on 127.0.0.1; 0 takes any free one [default: 8080]
  --data DIR        Directory of the database and the outbox [default: target/shop]
  --queue URL       Server of the mail queue, postgres://.. or redis://..; without it, the queue is in the database
  --socket PATH     Unix socket of the console, for tina4ctl
  --for TIME        Stop after this time, such as 5s
  --mail-takes TIME How long sending one email takes [default: 0s]
  --help            Print this
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Run the shop.
    Run(Options),
    /// Print the help.
    Help,
}

/// The options of the shop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) data: PathBuf,
    pub(crate) queue: Option<Server>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) run_for: Option<Duration>,
    pub(crate) mail_takes: Duration,
}

/// A server that keeps the mail queue, with its address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres(String),
    Redis(String),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 8080,
            data: PathBuf::from("target/shop"),
            queue: None,
            socket: None,
            run_for: None,
            mail_takes: Duration::ZERO,
        }
    }
}

/// Parses the arguments, without the program's name.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("port") => options.port = parser.value()?.parse()?,
            Arg::Long("data") => options.data = parser.value()?.into(),
            Arg::Long("queue") => options.queue = Some(server(parser.value()?)?),
            Arg::Long("socket") => options.socket = Some(parser.value()?.into()),
            Arg::Long("for") => options.run_for = Some(duration(&parser.value()?)?),
            Arg::Long("mail-takes") => options.mail_takes = duration(&parser.value()?)?,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(arg.unexpected()),
        }
    }
    Ok(Command::Run(options))
}

fn server(value: OsString) -> Result<Server, lexopt::Error> {
    let address = value.string()?;
    match address.split_once("://").map_or("", |(scheme, _)| scheme) {
        "postgres" | "postgresql" => Ok(Server::Postgres(address)),
        "redis" | "rediss" => Ok(Server::Redis(address)),
        // Not the address itself, which may have a password.
        _ => Err("the value of `--queue` is not the address of a known server; write `postgres://..` or `redis://..`".into()),
    }
}

/// Accepts the same strings as the attribute: `"500ms"`, `"1h 30m"`.
fn duration(value: &OsString) -> Result<Duration, lexopt::Error> {
    let text = value.clone().string()?;
    text.into_duration().map_err(lexopt::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_parsed() {
        let expected = Options {
            port: 0,
            data: PathBuf::from("here"),
            queue: Some(Server::Redis("redis://localhost/1".to_owned())),
            socket: Some(PathBuf::from("run/services.sock")),
            run_for: Some(Duration::from_secs(5)),
            mail_takes: Duration::from_millis(20),
        };
        let line = "--port 0 --data=here --queue redis://localhost/1 --for 5s --mail-takes 20ms --socket run/services.sock";
        assert_eq!(parse_line(line), Ok(Command::Run(expected)));
        assert_eq!(parse_line(""), Ok(Command::Run(Options::default())));
        assert_eq!(parse_line("--port 1 --help"), Ok(Command::Help));
    }

    #[test]
    fn errors_name_the_wrong_argument() {
        for (line, named) in [
            ("--prot 1", "--prot"),
            ("--port", "--port"),
            ("--port 65536", "65536"),
            ("--for 5", "no unit"),
            ("--queue mysql://localhost", "`postgres://..` or `redis://..`"),
            ("open", "open"),
        ] {
            let error = parse_line(line).expect_err(line);
            assert!(error.contains(named), "{line}: {error}");
        }
    }
}
