//! `show`

use serde_json::{Value, json};

use crate::clock;
use crate::exit::Exit;
use crate::json::SCHEMA;
use crate::names::{Names, path};
use crate::session::{Session, Stop};
use crate::shown::read;
use crate::times;

pub(super) fn show(session: &mut Session<'_>, names: &[String]) -> Result<Exit, Stop> {
    let client = session.client()?;
    let mut services = Vec::new();
    for name in Names(names).resolve(&client)? {
        services.push(read::<Value>(&client.get(&path(&name, ""))?)?);
    }
    if session.output.json {
        session.output.value(&json!({ "schema": SCHEMA, "services": services }))?;
        return Ok(Exit::Done);
    }
    for (number, service) in services.iter().enumerate() {
        if number > 0 {
            session.output.line("")?;
        }
        show_one(session, service)?;
    }
    Ok(Exit::Done)
}

/// Prints each field on a line of its own, those that say nothing left out.
fn show_one(session: &mut Session<'_>, service: &Value) -> Result<(), Stop> {
    let Some(fields) = service.as_object() else { return Ok(()) };
    // The most important ones first, then all others.
    let first = ["name", "state", "reason", "healthy", "last_error"];
    let is_other = |key: &&String| !first.contains(&&***key) && *key != "version";
    let order = first.into_iter().filter(|key| fields.contains_key(*key));
    let order: Vec<&str> = order.chain(fields.keys().filter(is_other).map(|key| &**key)).collect();
    let width = order.iter().map(|key| key.len()).max().unwrap_or(0);
    for key in order {
        let Some(text) = text_of(key, &fields[key]) else { continue };
        let key = match session.output.is_for_people() {
            true => format!("{:width$}", key.replace('_', " ")),
            false => key.to_owned(),
        };
        session.output.fields(&[&key, &text])?;
    }
    Ok(())
}

/// A value as text; `None`: it says nothing.
fn text_of(key: &str, value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Number(number) if key.ends_with("_seconds") => {
            times::short(times::seconds(number.as_f64()?))
        }
        Value::Number(number) => number.to_string(),
        Value::String(text) => match times::parse(text) {
            Some(at) => format!("{text} ({})", times::relative(at, clock::wall())),
            None => text.clone(),
        },
        Value::Array(values) if values.is_empty() => return None,
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().filter_map(|value| text_of(key, value)).collect();
            texts.join(", ")
        }
        Value::Object(fields) if fields.contains_key("text") => text_of(key, &fields["text"])?,
        Value::Object(fields) => {
            let texts = fields.iter().filter_map(|(key, value)| {
                let name = key.trim_end_matches("_seconds").replace('_', " ");
                Some(format!("{name} {}", text_of(key, value)?))
            });
            texts.collect::<Vec<_>>().join(", ")
        }
    })
}
