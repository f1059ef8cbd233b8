//! `check`: the services of this program, without a live process.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, Stop};

#[cfg(feature = "embedded")]
pub(super) fn check(session: &mut Session<'_>) -> Result<Exit, Stop> {
    let plan = match tina4_service::check() {
        Ok(plan) => plan,
        Err(error) => {
            // The list of the faults has a line for each.
            let text = error.to_string();
            crate::complain::complain(format_args!("{}: {text}", session.program));
            if session.output.json {
                session.output.value(&Failure::new(Exit::Refused, text).json())?;
            }
            return Ok(Exit::Refused);
        }
    };
    if session.output.json {
        let value = serde_json::to_value(&plan).unwrap_or_default();
        session.output.value(&value)?;
        return Ok(Exit::Done);
    }
    for line in plan.to_string().lines() {
        session.output.line(line)?;
    }
    Ok(Exit::Done)
}

#[cfg(not(feature = "embedded"))]
pub(super) fn check(session: &mut Session<'_>) -> Result<Exit, Stop> {
    Err(Failure::new(
        Exit::Usage,
        format!("`{}` has no services of its own to check", session.program),
    )
    .hint("call the command of the program itself, if it has one, such as `shop services check`")
    .into())
}
