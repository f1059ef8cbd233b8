//! Parses the values, ranges and steps of a field.

use super::error::excerpt;
use super::field_kind::FieldKind;
use super::part::{Part, PartError, reject};

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a number or name; a number may be out of bounds.
pub(super) fn value(kind: FieldKind, text: &str) -> Option<u32> {
    if is_number(text) {
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let (names, first) = kind.names();
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    Some(first + u32::try_from(found).ok()?)
}

pub(super) fn read_value(kind: FieldKind, part: Part<'_>) -> Result<u32, PartError> {
    let (min, max) = kind.bounds();
    if let Some(value) = value(kind, part.text)
        && (min..=max).contains(&value)
    {
        return Ok(value);
    }
    let (noun, allowed) = (kind.noun(), kind.allowed());
    if part.text.is_empty() {
        return reject(part, format!("{noun} is missing; write {allowed}"));
    }
    let found = excerpt(part.text);
    // Likely mistakes get a message of their own.
    let message = if kind.names().0.iter().any(|name| is_longer_form(part.text, name)) {
        let short = &part.text[..3];
        format!("`{found}` is too long; names have three letters: write `{short}`")
    } else if kind == FieldKind::DayOfWeek && part.text.len() == 4 && is_number(part.text) {
        format!("`{found}` is not {noun}, and there is no field for the year; write {allowed}")
    } else if !kind.is_day() && is_day_form(part.text) {
        format!("`{found}` is not {noun}, because `L`, `W` and `#` are for days; write {allowed}")
    } else {
        format!("`{found}` is not {noun}; write {allowed}")
    };
    reject(part, message)
}

fn is_longer_form(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && text.len() > name.len()
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_day_form(text: &str) -> bool {
    text.contains('#') || ["L", "W", "LW"].iter().any(|form| text.eq_ignore_ascii_case(form))
}

pub(super) fn read_range(
    kind: FieldKind,
    whole: Part<'_>,
    first: Part<'_>,
    last: Part<'_>,
) -> Result<(u32, u32), PartError> {
    let missing = match (first.text.is_empty(), last.text.is_empty()) {
        (true, true) => Some("ends"),
        (true, false) => Some("start"),
        (false, true) => Some("end"),
        (false, false) => None,
    };
    if let Some(missing) = missing {
        let example = match kind {
            FieldKind::Second | FieldKind::Minute => "0-29",
            FieldKind::Hour => "9-17",
            FieldKind::DayOfMonth => "1-7",
            FieldKind::Month => "JUN-AUG",
            FieldKind::DayOfWeek => "MON-FRI",
        };
        let message = format!(
            "the range `{}` has no {missing}; write both ends, such as `{example}`",
            excerpt(whole.text)
        );
        return reject(whole, message);
    }
    Ok((read_value(kind, first)?, read_value(kind, last)?))
}

pub(super) fn read_step(kind: FieldKind, item: Part<'_>, step: Part<'_>) -> Result<u32, PartError> {
    let (_, max) = kind.bounds();
    let found = excerpt(step.text);
    if step.text.is_empty() {
        return reject(item, "the step is missing; write a number after `/`, such as `*/5`");
    }
    if !is_number(step.text) {
        return reject(step, format!("`{found}` is not a step; write a number from 1 to {max}"));
    }
    match step.text.parse() {
        Ok(0) => reject(step, "a step of 0 never advances; write 1 or more"),
        Ok(step) if step <= max => Ok(step),
        Ok(_) | Err(_) => {
            let message = format!(
                "a step of {found} is too large for this field; write 1 to {max}, or use `interval`"
            );
            reject(step, message)
        }
    }
}
