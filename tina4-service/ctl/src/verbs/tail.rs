//! `tail`

use std::collections::HashMap;

use serde_json::Value;

use crate::clock;
use crate::exit::Exit;
use crate::names::Names;
use crate::session::{Session, Stop};
use crate::shown::{List, Service, read};
use crate::verbs::list::note;

pub(super) fn tail(
    session: &mut Session<'_>,
    names: &[String],
    count: Option<u64>,
) -> Result<Exit, Stop> {
    let client = session.client()?;
    let all = List::get(&client)?;
    let mut seen: HashMap<String, Seen> =
        all.services.iter().map(|service| (service.name.clone(), Seen::of(service))).collect();
    // Only to refuse names that name nothing.
    drop(Names(names).select(&client, all)?);
    // The stream begins with all services; those that have not changed since are no news.
    let mut events = client.events("/events")?;
    let mut printed = 0;
    if session.output.json {
        session.output.out.write_all(b"[")?;
        session.output.out.flush()?;
    }
    while count.is_none_or(|count| printed < count) {
        let Some(data) = events.next()? else { break };
        let values: Value = read(&data)?;
        let list: List = read(&data)?;
        for (number, service) in list.services.iter().enumerate() {
            let now = Seen::of(service);
            if seen.get(&service.name) == Some(&now) {
                continue;
            }
            seen.insert(service.name.clone(), now);
            let is_wanted = names.is_empty() || Names(names).name(service);
            if !is_wanted || count.is_some_and(|count| printed >= count) {
                continue;
            }
            print(session, service, &values["services"][number], printed)?;
            printed += 1;
        }
    }
    if session.output.json {
        session.output.out.write_all(b"]\n")?;
    }
    Ok(Exit::Done)
}

fn print(
    session: &mut Session<'_>,
    service: &Service,
    value: &Value,
    printed: u64,
) -> Result<(), Stop> {
    if session.output.json {
        let separator: &[u8] = if printed == 0 { b"\n" } else { b",\n" };
        session.output.out.write_all(separator)?;
        session.output.value(value)?;
    } else {
        let at =
            clock::wall().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (hour, minute, second) =
            (at.as_secs() / 3_600 % 24, at.as_secs() / 60 % 60, at.as_secs() % 60);
        let Service { name, state, runs, .. } = service;
        let at = format!("{hour:02}:{minute:02}:{second:02}Z");
        session.output.fields(&[&at, name, state, &format!("{runs} runs"), &note(service)])?;
    }
    // Somebody is watching.
    session.output.out.flush()?;
    Ok(())
}

/// What makes a change worth a line.
#[derive(PartialEq)]
struct Seen {
    state: String,
    runs: u64,
    crashes: u64,
    reason: Option<String>,
    is_healthy: bool,
    is_overdue: bool,
}

impl Seen {
    fn of(service: &Service) -> Self {
        Self {
            state: service.state.clone(),
            runs: service.runs,
            crashes: service.crashes,
            reason: service.reason.clone(),
            is_healthy: service.healthy,
            is_overdue: service.overdue_seconds.is_some(),
        }
    }
}
