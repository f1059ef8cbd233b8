//! `plan`

use serde_json::json;

use crate::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::json::{SCHEMA, named};
use crate::names::{Names, path};
use crate::output::Mood;
use crate::session::{Session, Stop};
use crate::shown::{List, Plan, read};
use crate::times;

pub(super) fn plan(session: &mut Session<'_>, names: &[String], count: u32) -> Result<Exit, Stop> {
    match live(session, names, count) {
        Err(Stop::Failure(failure)) if failure.exit == Exit::Unreachable => {
            without(session, failure)
        }
        ended => ended,
    }
}

#[cfg(feature = "embedded")]
fn without(session: &mut Session<'_>, failure: Failure) -> Result<Exit, Stop> {
    crate::complain::complain(format_args!(
        "{}: {failure}; this is the plan of the program itself, as if it started now",
        session.program
    ));
    super::check::check(session)
}

#[cfg(not(feature = "embedded"))]
fn without(_: &mut Session<'_>, failure: Failure) -> Result<Exit, Stop> {
    Err(failure.into())
}

fn live(session: &mut Session<'_>, names: &[String], count: u32) -> Result<Exit, Stop> {
    let client = session.client()?;
    let names = match names {
        [] => List::get(&client)?.services.into_iter().map(|service| service.name).collect(),
        names => Names(names).resolve(&client)?,
    };
    let mut bodies = Vec::new();
    for name in names {
        let body = client.get(&path(&name, &format!("/plan?n={count}")))?;
        bodies.push((name, body));
    }
    if session.output.json {
        let plans: Result<Vec<_>, _> =
            bodies.iter().map(|(name, body)| named(name, body)).collect();
        session.output.value(&json!({ "schema": SCHEMA, "plans": plans? }))?;
        return Ok(Exit::Done);
    }
    let now = clock::wall();
    let people = session.output.is_for_people();
    let mut rows = Vec::new();
    for (name, body) in &bodies {
        let Plan { schedule, active, next } = read(body)?;
        let mood = if active { Mood::Good } else { Mood::Quiet };
        let times: Vec<String> = next.into_iter().flatten().collect();
        if times.is_empty() && people {
            rows.push((mood, vec![name.clone(), "-".to_owned(), "-".to_owned(), schedule.clone()]));
        }
        for at in times {
            let left = times::parse(&at).map_or_else(String::new, |at| times::relative(at, now));
            rows.push((mood, vec![name.clone(), at, left, schedule.clone()]));
        }
    }
    session.output.table(&["NAME", "AT", "", "SCHEDULE"], rows)?;
    Ok(Exit::Done)
}
