//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, ValueExt as _};
use tina4_service::IntoDuration as _;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A small shop: takes orders over HTTP, and mails, pays, counts and reports them beside it.

Usage: shop [OPTIONS]

Options:
  --port PORT       Where to listen on 127.0.0.1; 0 takes any that is free [default: 8080]
  --data DIR        Folder of the database and the outbox [default: target/shop]
  --for TIME        Close by itself after this long, such as 5s
  --mail-takes TIME How long the mail server needs for one mail [default: 0s]
  --help            Print this
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Open the shop.
    Open(Options),
    /// Print the help.
    Help,
}

/// How to open the shop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) data: PathBuf,
    pub(crate) closing_time: Option<Duration>,
    pub(crate) mail_takes: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 8080,
            data: PathBuf::from("target/shop"),
            closing_time: None,
            mail_takes: Duration::ZERO,
        }
    }
}

/// Reads the arguments, without the program's name.
pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("port") => options.port = parser.value()?.parse()?,
            Arg::Long("data") => options.data = parser.value()?.into(),
            Arg::Long("for") => options.closing_time = Some(time(&parser.value()?)?),
            Arg::Long("mail-takes") => options.mail_takes = time(&parser.value()?)?,
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => return Err(arg.unexpected()),
        }
    }
    Ok(Command::Open(options))
}

/// The same texts as in the attribute: `"500ms"`, `"1h 30m"`.
fn time(value: &OsString) -> Result<Duration, lexopt::Error> {
    let text = value.clone().string()?;
    text.into_duration().map_err(lexopt::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(line: &str) -> Result<Command, String> {
        read(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let expected = Options {
            port: 0,
            data: PathBuf::from("here"),
            closing_time: Some(Duration::from_secs(5)),
            mail_takes: Duration::from_millis(20),
        };
        let line = "--port 0 --data=here --for 5s --mail-takes 20ms";
        assert_eq!(read_words(line), Ok(Command::Open(expected)));
        assert_eq!(read_words(""), Ok(Command::Open(Options::default())));
        assert_eq!(read_words("--port 1 --help"), Ok(Command::Help));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, named) in [
            ("--prot 1", "--prot"),
            ("--port", "--port"),
            ("--port 65536", "65536"),
            ("--for 5", "no unit"),
            ("open", "open"),
        ] {
            let error = read_words(line).expect_err(line);
            assert!(error.contains(named), "{line}: {error}");
        }
    }
}
