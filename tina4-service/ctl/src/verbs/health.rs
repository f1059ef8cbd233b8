//! `health` and `is-active`

use serde_json::json;

use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::names::Names;
use crate::output::Mood;
use crate::run::{Session, Stop};
use crate::shown::{List, Service, is_active as is_active_state, read};
use crate::verbs::list::{note, selected};

/// Whether every service is healthy.
pub(super) fn health(session: &mut Session<'_>) -> Result<Exit, Stop> {
    let client = session.client()?;
    let body = client.get("/services")?;
    let all = read::<List>(&body)?.services;
    let count = all.len();
    let unhealthy: Vec<Service> = all.into_iter().filter(|service| !service.healthy).collect();
    let exit = if unhealthy.is_empty() { Exit::Done } else { Exit::Not };
    if session.output.json {
        let mut value = selected(&body, &unhealthy)?;
        value["healthy"] = json!(unhealthy.is_empty());
        session.output.value(&value)?;
        return Ok(exit);
    }
    if session.output.is_for_people() || unhealthy.is_empty() {
        let services = if count == 1 { "service" } else { "services" };
        let line = match unhealthy.len() {
            0 => format!("healthy: {count} {services}"),
            bad => format!("not healthy: {bad} of {count} {services}"),
        };
        session.output.line(&line)?;
    }
    let rows = unhealthy.iter().map(|service| {
        (Mood::Bad, vec![service.name.clone(), service.state.clone(), note(service)])
    });
    session.output.table(&["NAME", "STATE", "NOTE"], rows)?;
    Ok(exit)
}

/// Whether all of these services are active.
pub(super) fn is_active(session: &mut Session<'_>, names: &[String]) -> Result<Exit, Stop> {
    let client = session.client()?;
    let services = Names(names).select(&client, List::get(&client)?)?;
    let all = services.iter().all(|service| is_active_state(&service.state));
    if session.output.json {
        let services: Vec<_> = services
            .iter()
            .map(|service| {
                let Service { name, state, .. } = service;
                json!({ "name": name, "state": state, "active": is_active_state(state) })
            })
            .collect();
        session.output.value(&json!({ "schema": SCHEMA, "active": all, "services": services }))?;
    } else if let [only] = &services[..] {
        session.output.line(&only.state)?;
    } else {
        for service in &services {
            session.output.line(&format!("{} {}", service.name, service.state))?;
        }
    }
    Ok(if all { Exit::Done } else { Exit::Not })
}
