//! What a command works with.

use std::io;
use std::time::Duration;

use crate::cli::Cli;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;

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
