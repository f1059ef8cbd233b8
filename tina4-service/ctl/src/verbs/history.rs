//! `history`

use serde_json::json;

use crate::clock;
use crate::exit::Exit;
use crate::json::{SCHEMA, named};
use crate::names::{Names, path};
use crate::output::Mood;
use crate::session::{Session, Stop};
use crate::shown::{By, History, Run, read};
use crate::times;

pub(super) fn history(session: &mut Session<'_>, names: &[String]) -> Result<Exit, Stop> {
    let client = session.client()?;
    let mut bodies = Vec::new();
    for name in Names(names).resolve(&client)? {
        let body = client.get(&path(&name, "/runs"))?;
        bodies.push((name, body));
    }
    if session.output.json {
        let histories: Result<Vec<_>, _> =
            bodies.iter().map(|(name, body)| named(name, body)).collect();
        session.output.value(&json!({ "schema": SCHEMA, "histories": histories? }))?;
        return Ok(Exit::Done);
    }
    let now = clock::wall();
    let people = session.output.is_for_people();
    let mut rows = Vec::new();
    for (name, body) in &bodies {
        let History { runs, failures } = read(body)?;
        // The failures that are too old to be among the last runs come first.
        let is_old = |failure: &&Run| runs.first().is_none_or(|first| failure.run < first.run);
        for run in failures.iter().filter(is_old).chain(&runs) {
            let start = match (&run.start, people) {
                (Some(at), true) => {
                    times::parse(at).map_or_else(|| at.clone(), |at| times::relative(at, now))
                }
                (Some(at), false) => at.clone(),
                (None, _) => "-".to_owned(),
            };
            let number = match run.count {
                1 => run.run.to_string(),
                count => format!("{}-{}", run.run, run.run + count - 1),
            };
            let took = times::short(times::seconds(run.took_seconds));
            let mood = match &*run.outcome {
                "ok" => Mood::Good,
                "error" | "panic" => Mood::Bad,
                _ => Mood::Quiet,
            };
            let note = run.error.clone().or_else(|| run.by.as_ref().map(by)).unwrap_or_default();
            rows.push((
                mood,
                vec![
                    name.clone(),
                    number,
                    start,
                    took,
                    run.outcome.clone(),
                    run.trigger.clone(),
                    note,
                ],
            ));
        }
    }
    session
        .output
        .table(&["NAME", "RUN", "STARTED", "TOOK", "OUTCOME", "TRIGGER", "NOTE"], rows)?;
    Ok(Exit::Done)
}

fn by(by: &By) -> String {
    match &by.reason {
        Some(reason) => format!("by {} ({reason})", by.name),
        None => format!("by {}", by.name),
    }
}
