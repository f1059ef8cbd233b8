//! `completions`

use clap_complete::generate;
use clap_complete::shells::{Bash, Fish, Zsh};
use serde_json::json;

use crate::cli::{self, Shell};
use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::session::{Session, Stop};

pub(super) fn completions(session: &mut Session<'_>, shell: Shell) -> Result<Exit, Stop> {
    // Shells complete the arguments of the first word. `shop services` is a part of another program, which has
    // completions of its own.
    let program = session.program.split(' ').next().unwrap_or_default();
    let mut command = cli::command(program);
    let mut script = Vec::new();
    match shell {
        Shell::Bash => generate(Bash, &mut command, program, &mut script),
        Shell::Zsh => generate(Zsh, &mut command, program, &mut script),
        Shell::Fish => generate(Fish, &mut command, program, &mut script),
    }
    if session.output.json {
        let script = String::from_utf8_lossy(&script);
        session.output.value(&json!({ "schema": SCHEMA, "script": script }))?;
    } else {
        session.output.out.write_all(&script)?;
    }
    Ok(Exit::Done)
}
