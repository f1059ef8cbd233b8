//! `list`

use serde_json::{Value, json};

use crate::clock;
use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::names::Names;
use crate::output::Mood;
use crate::session::{Session, Stop};
use crate::shown::{List, Service, read};
use crate::times;

pub(super) fn list(session: &mut Session<'_>, names: &[String]) -> Result<Exit, Stop> {
    let client = session.client()?;
    let body = client.get("/services")?;
    let services = Names(names).select(&client, read::<List>(&body)?)?;
    if session.output.json {
        if names.is_empty() {
            session.output.raw(&body)?;
        } else {
            session.output.value(&selected(&body, &services)?)?;
        }
        return Ok(Exit::Done);
    }
    let now = clock::wall();
    let people = session.output.is_for_people();
    let rows = services.iter().map(|service| {
        let when = |at: &Option<String>| match at {
            Some(at) if people => {
                times::parse(at).map_or_else(|| at.clone(), |at| times::relative(at, now))
            }
            Some(at) => at.clone(),
            None => "-".to_owned(),
        };
        let mood = Mood::of(&service.state, service.healthy);
        let row = vec![
            service.name.clone(),
            service.state.clone(),
            when(&service.next_due),
            when(&service.last_end),
            service.last_outcome.clone().unwrap_or_else(|| "-".to_owned()),
            note(service),
        ];
        (mood, row)
    });
    session.output.table(&["NAME", "STATE", "NEXT", "LAST", "OUTCOME", "NOTE"], rows)?;
    Ok(Exit::Done)
}

pub(super) fn names(session: &mut Session<'_>) -> Result<Exit, Stop> {
    let list = List::get(&session.client()?)?;
    if session.output.json {
        let names: Vec<_> = list.services.iter().map(|service| &service.name).collect();
        session.output.value(&json!(names))?;
        return Ok(Exit::Done);
    }
    for service in &list.services {
        session.output.line(&service.name)?;
    }
    Ok(Exit::Done)
}

/// The services with these names, as the console has described them.
pub(super) fn selected(body: &[u8], services: &[Service]) -> Result<Value, Stop> {
    let all: Value = read(body)?;
    let all = all["services"].as_array().cloned().unwrap_or_default();
    let is_selected = |value: &Value| services.iter().any(|service| value["name"] == *service.name);
    let services: Vec<Value> = all.into_iter().filter(is_selected).collect();
    Ok(json!({ "schema": SCHEMA, "services": services }))
}

/// What somebody should know of a service.
pub(super) fn note(service: &Service) -> String {
    if let Some(reason) = &service.reason {
        return reason.clone();
    }
    if !service.healthy || service.state == "backing off" {
        return service.last_error.clone().unwrap_or_default();
    }
    match service.overdue_seconds {
        Some(overdue) => format!("overdue for {}", times::short(times::seconds(overdue))),
        None => String::new(),
    }
}
