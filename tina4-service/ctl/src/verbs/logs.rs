//! `logs`

use serde_json::json;

use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::names::path;
use crate::session::{Session, Stop};

pub(super) fn logs(session: &mut Session<'_>, name: &str, failed: bool) -> Result<Exit, Stop> {
    let of = if failed { "last-failing" } else { "last" };
    let body = session.client()?.get(&path(name, &format!("/runs/{of}/log")))?;
    let text = String::from_utf8_lossy(&body);
    if session.output.json {
        let lines: Vec<_> = text.lines().collect();
        session.output.value(&json!({ "schema": SCHEMA, "name": name, "lines": lines }))?;
        return Ok(Exit::Done);
    }
    for line in text.lines() {
        session.output.line(line)?;
    }
    Ok(Exit::Done)
}
