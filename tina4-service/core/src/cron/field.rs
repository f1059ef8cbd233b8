//! Parses one field of a cron expression: a comma-separated list of values, ranges and steps, and
//! the `L`, `W` and `#` forms of the day fields.

use super::error::excerpt;
use super::field_kind::FieldKind;
use super::part::{Part, PartError, reject};
use super::value::{is_number, read_range, read_step, read_value, value};

/// A parsed field; its day masks have the layout of those in [`Days`](super::Days).
#[derive(Default)]
pub(super) struct Field {
    pub(super) values: u64,
    pub(super) days_from_end: u32,
    pub(super) nearest_weekdays: u32,
    pub(super) nearest_weekdays_from_end: u32,
    pub(super) nth_days_of_week: [u8; 5],
    pub(super) last_days_of_week: u8,
    /// Whether it is `?` or starts with `*`; if so, a day must match both day fields.
    pub(super) starts_with_star: bool,
    /// Whether it has a `*`, a range or a step.
    pub(super) recurring: bool,
}

impl Field {
    pub(super) fn read(kind: FieldKind, part: Part<'_>) -> Result<Self, PartError> {
        let mut field = Self {
            starts_with_star: part.text.starts_with('*') || part.text == "?",
            recurring: part.text.contains(['*', '-', '/']),
            ..Self::default()
        };
        let is_list = part.text.contains(',');
        for item in part.split(|c| c == ',') {
            if item.text.is_empty() {
                let message = format!(
                    "{} is missing next to a comma; write one, or remove the comma",
                    kind.noun()
                );
                return reject(part, message);
            }
            field.read_item(kind, item, is_list)?;
        }
        Ok(field)
    }

    fn read_item(
        &mut self,
        kind: FieldKind,
        item: Part<'_>,
        is_list: bool,
    ) -> Result<(), PartError> {
        let special = match kind {
            FieldKind::DayOfMonth => self.read_day_of_month(item, is_list)?,
            FieldKind::DayOfWeek => self.read_day_of_week(item)?,
            FieldKind::Second | FieldKind::Minute | FieldKind::Hour | FieldKind::Month => false,
        };
        if special {
            return Ok(());
        }
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(read_step(kind, item, step)?)),
            None => (item, None),
        };
        let (min, max) = kind.bounds();
        let (first, last) = match base.text {
            "*" => (min, max),
            "?" if !kind.is_day() => {
                return reject(
                    base,
                    "`?` is allowed only in the two day fields; write `*` for any value",
                );
            }
            "?" if is_list || step.is_some() => {
                return reject(item, "`?` cannot be combined with anything; write `*`");
            }
            "?" => (min, max),
            _ => match base.split_once('-') {
                Some((first, last)) => read_range(kind, base, first, last)?,
                None => {
                    let value = read_value(kind, base)?;
                    (value, if step.is_some() { max } else { value })
                }
            },
        };
        self.add(kind, first, last, step.unwrap_or(1));
        Ok(())
    }

    /// Adds the values from `first` to `last`, wrapping around; if the two are equal, that is one
    /// value.
    fn add(&mut self, kind: FieldKind, first: u32, last: u32, step: u32) {
        let (count, (min, _)) = (kind.count(), kind.bounds());
        // `0-7` is the whole week, although both ends are Sunday.
        let same = first % count == last % count && (first, last) != (0, 7);
        let length = match last.checked_sub(first) {
            _ if same => 0,
            Some(length) => length,
            None => last + count - first,
        };
        for value in (0..=length).step_by(step as usize).map(|offset| first + offset) {
            self.values |= 1 << (min + (value - min) % count);
        }
    }

    pub(super) fn days_of_week(&self) -> u8 {
        // Only seven bits are used, so the mask fits.
        u8::try_from(self.values).unwrap_or(u8::MAX)
    }

    /// Reads `L`, `L-3`, `LW` and `15W`; `false` if the item is none of these.
    fn read_day_of_month(&mut self, item: Part<'_>, is_list: bool) -> Result<bool, PartError> {
        let (item, nearest) = match item.strip('W') {
            Some(rest) => (rest, Some(item)),
            None => (item, None),
        };
        let (mask, day) = if item.eq_ignore_case("L") {
            (
                if nearest.is_some() {
                    &mut self.nearest_weekdays_from_end
                } else {
                    &mut self.days_from_end
                },
                0,
            )
        } else if let Some((_, back)) =
            item.split_once('-').filter(|(last, _)| last.eq_ignore_case("L"))
        {
            let day = match back.text.parse() {
                Ok(day @ 0..=30) if is_number(back.text) => day,
                _ => {
                    let message = format!(
                        "`{}` is not a valid day counted back from the end of the month; write `L-1` to `L-30`",
                        excerpt(item.text)
                    );
                    return reject(item, message);
                }
            };
            (
                if nearest.is_some() {
                    &mut self.nearest_weekdays_from_end
                } else {
                    &mut self.days_from_end
                },
                day,
            )
        } else if let Some(whole) = nearest {
            if !is_number(item.text) {
                let message = format!(
                    "`{}` does not name a nearest weekday; write `W` after a single day, as in `15W` or `LW`",
                    excerpt(whole.text)
                );
                return reject(whole, message);
            }
            (&mut self.nearest_weekdays, read_value(FieldKind::DayOfMonth, item)?)
        } else {
            return Ok(false);
        };
        if let Some(whole) = nearest.filter(|_| is_list) {
            let message = format!(
                "`{}` cannot be part of a list; write `W` after a single day",
                excerpt(whole.text)
            );
            return reject(whole, message);
        }
        *mask |= 1 << day;
        Ok(true)
    }

    /// Reads `5L` and `MON#2`; `false` if the item is neither.
    fn read_day_of_week(&mut self, item: Part<'_>) -> Result<bool, PartError> {
        if item.eq_ignore_case("L") {
            return reject(
                item,
                "`L` needs a day of the week before it; write `5L` for the last Friday of the month, or `SAT` for every Saturday",
            );
        }
        if let Some((day, nth)) = item.split_once('#') {
            let bit = 1 << (read_value(FieldKind::DayOfWeek, day)? % 7);
            let nth = match nth.text {
                "1" => 0,
                "2" => 1,
                "3" => 2,
                "4" => 3,
                "5" => 4,
                found => {
                    let found = excerpt(found);
                    let message = format!(
                        "`#{found}` is not an occurrence in the month; write `#1` to `#5`, or `5L` for the last Friday"
                    );
                    return reject(item, message);
                }
            };
            self.nth_days_of_week[nth] |= bit;
            return Ok(true);
        }
        match item.strip('L').filter(|day| value(FieldKind::DayOfWeek, day.text).is_some()) {
            Some(day) => {
                self.last_days_of_week |= 1 << (read_value(FieldKind::DayOfWeek, day)? % 7);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
