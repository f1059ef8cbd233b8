//! Runs a command.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use serde_json::json;

use crate::cli::Cli;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::place::Place;
use crate::verbs;

/// The whole command line of a program that has no other commands.
#[derive(Parser)]
#[command(about = "See and steer the background services of a running program", version)]
struct Main {
    #[command(flatten)]
    cli: Cli,
}

/// Why a command ends early.
pub(crate) enum Stop {
    Failure(Failure),
    /// Nothing can be printed any more.
    Output(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What a command works with.
pub(crate) struct Session<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) program: &'a str,
    pub(crate) output: Output<'a>,
}

/// Parses the arguments, without the name of the program, and runs the command. `program` is how people call it,
/// such as `shop services`.
#[must_use]
pub fn main_of(program: &str, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let wants_json = args.iter().any(|arg| arg == "--json");
    let command = command(program);
    let words = std::iter::once(OsString::from(program)).chain(args);
    let parsed =
        command.try_get_matches_from(words).and_then(|found| Main::from_arg_matches(&found));
    match parsed {
        Ok(Main { cli }) => run_as(program, &cli),
        Err(error) => {
            let is_help =
                matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let exit = if is_help { Exit::Done } else { Exit::Usage };
            if wants_json {
                let text = error.render().to_string();
                let value = match is_help {
                    true => json!({ "help": text }),
                    false => Failure::new(exit, text.trim_end()).json(),
                };
                // Nobody may be reading.
                let _ = writeln!(io::stdout(), "{value}");
            }
            if !(wants_json && is_help) {
                let _ = error.print();
            }
            exit.into()
        }
    }
}

/// Runs a command. Messages call the program by the name of its file.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = std::path::Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
    run_as(&program, cli)
}

/// The command line as clap sees it.
pub(crate) fn command(program: &str) -> clap::Command {
    Main::command().bin_name(program)
}

fn run_as(program: &str, cli: &Cli) -> ExitCode {
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let output = Output { out: &mut out, json: cli.json, style: Style::of_stdout() };
    let mut session = Session { cli, program, output };
    let ended = verbs::run(&mut session);
    let ended = match ended {
        Err(Stop::Failure(failure)) => {
            eprintln!("{program}: {failure}");
            let printed = if cli.json { session.output.value(&failure.json()) } else { Ok(()) };
            printed.map(|()| failure.exit).map_err(Stop::Output)
        }
        ended => ended,
    };
    let ended = ended.and_then(|exit| out.flush().map(|()| exit).map_err(Stop::Output));
    match ended {
        Ok(exit) => exit.into(),
        Err(Stop::Failure(failure)) => failure.exit.into(),
        Err(Stop::Output(error)) => {
            // What is left in the buffer cannot be printed either.
            std::mem::forget(out);
            if error.kind() == io::ErrorKind::BrokenPipe {
                return Exit::Done.into();
            }
            eprintln!("{program}: cannot print: {error}; check the space that is left");
            Exit::Refused.into()
        }
    }
}

impl Session<'_> {
    /// The client of the process that the command line names.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let place = Place::of(self.cli, |name| std::env::var_os(name))?;
        let token = match place {
            // The kernel says who we are.
            Place::Socket(_) => None,
            Place::Port { .. } => self.token()?,
        };
        let timeout = Duration::from_secs(u64::from(self.cli.timeout.max(1)));
        Ok(Client::new(place, timeout, token))
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let token = match &self.cli.token_file {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                Failure::new(
                    Exit::Usage,
                    format!("cannot read the token in {}: {error}", path.display()),
                )
                .hint("write it there, and make the file readable for you only")
            })?),
            None => std::env::var("TINA4_CONSOLE_TOKEN").ok().filter(|token| !token.is_empty()),
        };
        let token = token.map(|token| token.trim().to_owned());
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(Failure::new(Exit::Usage, "the token has a character that no token has")
                .hint("a token consists of printable ASCII characters without spaces"));
        }
        Ok(token)
    }
}
