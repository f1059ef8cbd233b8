//! The command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

/// The commands, and where the process is that they speak to.
///
/// It is a part of a clap command: `#[command(flatten)]` or a variant of a subcommand.
#[derive(Args, Clone, Debug)]
pub struct Cli {
    /// The unix socket of the program
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "url")]
    pub socket: Option<PathBuf>,
    /// The console of the program, such as http://localhost:8080/ops
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
    /// A file with the token of the console; default: the variable TINA4_CONSOLE_TOKEN
    #[arg(long, value_name = "FILE", global = true, requires = "url")]
    pub token_file: Option<PathBuf>,
    /// How long an answer may take, in seconds
    #[arg(long, value_name = "SECONDS", global = true, default_value_t = 30)]
    pub timeout: u32,
    /// Print exactly one JSON value
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Services by name. `*` stands for any characters, and `tag:mail` for all with that tag.
#[derive(Args, Clone, Debug)]
pub struct Names {
    /// Names; `*` stands for any characters, and `tag:mail` for all services with that tag
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// Services, and why something is done with them.
#[derive(Args, Clone, Debug)]
pub struct Act {
    /// Which services.
    #[command(flatten)]
    pub names: Names,
    /// Why; it is logged, and shown with the runs that follow
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// List services with their state
    List {
        /// Names, wildcards and tags; default: all
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Show everything about a service
    Show(Names),
    /// Show the next due times
    Plan {
        /// Names, wildcards and tags; default: all
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How many for each service
        #[arg(short = 'n', value_name = "COUNT", default_value_t = 10)]
        count: u32,
    },
    /// Show the last runs, and the last failures
    History(Names),
    /// Show the log lines of the last run
    Logs {
        /// The service
        name: String,
        /// Of the last run that has failed
        #[arg(long)]
        failed: bool,
    },
    /// Run services now
    Run {
        /// Which services, and why.
        #[command(flatten)]
        act: Act,
        /// Wait until the run has ended; 1 if it fails
        #[arg(long)]
        wait: bool,
    },
    /// Start no run until `resume`
    Pause(Act),
    /// End a pause
    Resume(Act),
    /// Start services
    Start(Act),
    /// Stop services
    Stop(Act),
    /// Stop services and start them again
    Restart(Act),
    /// Forget the failures of services
    Reset(Act),
    /// Print a line for each change, until the program stops
    Tail {
        /// Names, wildcards and tags; default: all
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// End after so many lines
        #[arg(short = 'n', value_name = "COUNT")]
        count: Option<u64>,
    },
    /// Say whether the program is healthy; 3: it is not
    Health,
    /// Say whether services are active; 3: one of them is not
    IsActive(Names),
    /// Check the services of this program without starting them
    Check,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// The names of all services, for completions
    #[command(name = "__names", hide = true)]
    Names,
}

/// A shell with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// The Z shell
    Zsh,
    /// fish
    Fish,
}

/// The whole command line of a program that has no other commands.
#[derive(Parser)]
#[command(about = "See and steer the background services of a running program", version)]
pub(crate) struct Main {
    #[command(flatten)]
    pub(crate) cli: Cli,
}

/// The command line as clap sees it.
pub(crate) fn command(program: &str) -> clap::Command {
    Main::command().bin_name(program)
}
