//! Runs a command.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::error::ErrorKind;
use serde_json::json;

use crate::cli::{Cli, Main, command};
use crate::complain::complain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::session::{Session, Stop};
use crate::verbs;

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

fn run_as(program: &str, cli: &Cli) -> ExitCode {
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let output = Output { out: &mut out, json: cli.json, style: Style::of_stdout() };
    let mut session = Session { cli, program, output };
    let ended = verbs::run(&mut session);
    let ended = match ended {
        Err(Stop::Failure(failure)) => {
            complain(format_args!("{program}: {failure}"));
            let printed = if cli.json { session.output.value(&failure.json()) } else { Ok(()) };
            printed.map(|()| failure.exit).map_err(Stop::Output)
        }
        ended => ended,
    };
    let ended = ended.map(|exit| (exit, out.flush()));
    match ended {
        Ok((exit, Ok(()))) => exit.into(),
        // Whoever reads has had enough, but the command has ended like this.
        Ok((exit, Err(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            std::mem::forget(out);
            exit.into()
        }
        Ok((_, Err(error))) => cannot_print(program, out, &error),
        Err(Stop::Failure(failure)) => failure.exit.into(),
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            std::mem::forget(out);
            Exit::Done.into()
        }
        Err(Stop::Output(error)) => cannot_print(program, out, &error),
    }
}

fn cannot_print(program: &str, out: BufWriter<io::StdoutLock<'_>>, error: &io::Error) -> ExitCode {
    // What is left in the buffer cannot be printed either.
    std::mem::forget(out);
    complain(format_args!("{program}: cannot print: {error}; check the space that is left"));
    Exit::Refused.into()
}
