//! Values, ranges and steps of a field, and what is wrong with them.

use super::error::told;
use super::field_kind::Unit;
use super::part::{Guilty, Part, guilty};

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number or a name as a value, whether or not it is allowed.
pub(super) fn value(unit: Unit, text: &str) -> Option<u32> {
    if is_number(text) {
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let (names, first) = unit.names();
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    Some(first + u32::try_from(found).ok()?)
}

pub(super) fn read_value(unit: Unit, part: Part<'_>) -> Result<u32, Guilty> {
    let (least, greatest) = unit.bounds();
    if let Some(value) = value(unit, part.text)
        && (least..=greatest).contains(&value)
    {
        return Ok(value);
    }
    let (noun, allowed) = (unit.noun(), unit.allowed());
    if part.text.is_empty() {
        return guilty(part, format!("{noun} is missing; write {allowed}"));
    }
    let found = told(part.text);
    // Long names and signs of other fields deserve another word.
    let message = if unit.names().0.iter().any(|name| starts_with(part.text, name)) {
        let short = &part.text[..3];
        format!("`{found}` is not {noun}; names have three letters, write `{short}`")
    } else if unit == Unit::Weekday && part.text.len() == 4 && is_number(part.text) {
        format!("`{found}` is not {noun}, and there is no field for the year; write {allowed}")
    } else if !unit.is_day() && is_day_sign(part.text) {
        format!("`{found}` is not {noun}; `L`, `W` and `#` are for days, write {allowed}")
    } else {
        format!("`{found}` is not {noun}; write {allowed}")
    };
    guilty(part, message)
}

fn starts_with(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && text.len() > name.len()
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_day_sign(text: &str) -> bool {
    text.contains('#') || ["L", "W", "LW"].iter().any(|sign| text.eq_ignore_ascii_case(sign))
}

pub(super) fn read_range(
    unit: Unit,
    whole: Part<'_>,
    first: Part<'_>,
    last: Part<'_>,
) -> Result<(u32, u32), Guilty> {
    let missing = match (first.text.is_empty(), last.text.is_empty()) {
        (true, true) => Some("ends"),
        (true, false) => Some("beginning"),
        (false, true) => Some("end"),
        (false, false) => None,
    };
    if let Some(missing) = missing {
        let example = match unit {
            Unit::Second | Unit::Minute => "0-29",
            Unit::Hour => "9-17",
            Unit::Date => "1-7",
            Unit::Month => "JUN-AUG",
            Unit::Weekday => "MON-FRI",
        };
        let message = format!(
            "the range `{}` has no {missing}; write both ends, such as `{example}`",
            told(whole.text)
        );
        return guilty(whole, message);
    }
    Ok((read_value(unit, first)?, read_value(unit, last)?))
}

pub(super) fn read_step(unit: Unit, item: Part<'_>, step: Part<'_>) -> Result<u32, Guilty> {
    let (_, greatest) = unit.bounds();
    let (noun, found) = (unit.noun(), told(step.text));
    if step.text.is_empty() {
        return guilty(item, "the step is missing; write a number after `/`, such as `*/5`");
    }
    if !is_number(step.text) {
        return guilty(
            step,
            format!("`{found}` is not a step; write a number from 1 to {greatest}"),
        );
    }
    match step.text.parse() {
        Ok(0) => guilty(step, "a step of 0 stands still; write 1 or more"),
        Ok(step) if step <= greatest => Ok(step),
        Ok(_) | Err(_) => {
            let message = format!(
                "a step of {found} is more than {noun} can be, so it would never be taken; write 1 to {greatest}, or use `interval`"
            );
            guilty(step, message)
        }
    }
}
