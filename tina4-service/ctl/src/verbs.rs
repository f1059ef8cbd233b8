//! The commands.

mod act;
mod check;
mod completions;
mod health;
mod history;
mod list;
mod logs;
mod plan;
mod show;
mod tail;

use crate::cli::Command;
use crate::exit::Exit;
use crate::session::{Session, Stop};

/// Runs the command of a session.
pub(crate) fn run(session: &mut Session<'_>) -> Result<Exit, Stop> {
    match &session.cli.command {
        Command::List { names } => list::list(session, names),
        Command::Show(names) => show::show(session, &names.names),
        Command::Plan { names, count } => plan::plan(session, names, *count),
        Command::History(names) => history::history(session, &names.names),
        Command::Logs { name, failed } => logs::logs(session, name, *failed),
        Command::Run { act, wait } => act::run(session, act, *wait),
        Command::Pause(act) => act::act(session, "pause", act),
        Command::Resume(act) => act::act(session, "resume", act),
        Command::Start(act) => act::act(session, "start", act),
        Command::Stop(act) => act::act(session, "stop", act),
        Command::Restart(act) => act::act(session, "restart", act),
        Command::Reset(act) => act::act(session, "reset", act),
        Command::Tail { names, count } => tail::tail(session, names, *count),
        Command::Health => health::health(session),
        Command::IsActive(names) => health::is_active(session, &names.names),
        Command::Check => check::check(session),
        Command::Completions { shell } => completions::completions(session, *shell),
        Command::Names => list::names(session),
    }
}
