//! `health` and `is-active`

use serde::Deserialize;
use serde_json::json;

use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::names::Names;
use crate::output::Mood;
use crate::session::{Session, Stop};
use crate::shown::{List, Service, is_active as is_active_state, read};

/// Whether the program is ready, and nothing is wrong with any service.
pub(super) fn health(session: &mut Session<'_>) -> Result<Exit, Stop> {
    let body = session.client()?.get_even_if_down("/health")?;
    let health: Health = read(&body)?;
    let exit = if health.status == "ok" { Exit::Done } else { Exit::Not };
    if session.output.json {
        session.output.raw(&body)?;
        return Ok(exit);
    }
    session.output.line(&health.status)?;
    if !health.live {
        session.output.line("the engine does not move")?;
    }
    let Readiness { runner, waiting_for, omitted } = health.readiness;
    if let Some(runner) = runner {
        session.output.line(&runner)?;
    }
    let is_told = |one: &Wrong| waiting_for.iter().any(|other| other.name == one.name);
    let unhealthy = health.unhealthy.iter().filter(|one| !is_told(one));
    let rows = waiting_for.iter().chain(unhealthy);
    let rows = rows.map(|one| (Mood::Bad, vec![one.name.clone(), one.why.clone()]));
    session.output.table(&["NAME", "WHY"], rows)?;
    match omitted + health.omitted {
        0 => {}
        more => session.output.line(&format!("and {more} more"))?,
    }
    Ok(exit)
}

/// What the console says of the health of a program.
#[derive(Deserialize)]
struct Health {
    status: String,
    live: bool,
    readiness: Readiness,
    unhealthy: Vec<Wrong>,
    omitted: u64,
}

#[derive(Deserialize)]
struct Readiness {
    runner: Option<String>,
    waiting_for: Vec<Wrong>,
    omitted: u64,
}

/// A service with which something is wrong.
#[derive(Deserialize)]
struct Wrong {
    name: String,
    why: String,
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
