//! Random cron expressions: every element of the syntax, with a preference for values near clock
//! changes.

use crate::rng::Rng;

/// The names of months.
pub const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The names of days of the week.
pub const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Nicknames for whole expressions.
const NICKNAMES: [&str; 9] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
    "@every_minute",
    "@every_second",
];

/// The range of a field, its names, and its preferred values.
struct Field {
    first: i64,
    last: i64,
    /// The largest step.
    step: i64,
    names: &'static [&'static str],
    preferred: &'static [i64],
}

const SIXTY: Field =
    Field { first: 0, last: 59, step: 59, names: &[], preferred: &[0, 1, 15, 29, 30, 45, 59] };
const HOURS: Field = Field {
    first: 0,
    last: 23,
    step: 23,
    names: &[],
    preferred: &[0, 0, 1, 1, 2, 2, 3, 4, 12, 23],
};
const DAYS: Field =
    Field { first: 1, last: 31, step: 31, names: &[], preferred: &[1, 15, 28, 29, 30, 31] };
const MONTH: Field =
    Field { first: 1, last: 12, step: 12, names: &MONTHS, preferred: &[2, 3, 4, 9] };
const WEEKDAY: Field =
    Field { first: 0, last: 7, step: 6, names: &WEEKDAYS, preferred: &[0, 7, 1, 6] };

/// A valid expression; some have no occurrence.
pub fn expression(rng: &mut Rng) -> String {
    if rng.one_in(50) {
        let nickname = rng.pick(&NICKNAMES);
        return in_any_case(rng, nickname);
    }
    let mut fields = Vec::new();
    if rng.one_in(3) {
        fields.push(SIXTY.text(rng));
    }
    fields.push(SIXTY.text(rng));
    fields.push(HOURS.text(rng));
    fields.push(days(rng));
    fields.push(if rng.one_in(3) { MONTH.text(rng) } else { "*".to_owned() });
    fields.push(weekdays(rng));
    let space = if rng.one_in(20) { rng.pick(&["  ", "\t", " \t "]) } else { " " };
    let text = fields.join(space);
    let text = if rng.one_in(20) { format!(" {text}  ") } else { text };
    in_any_case(rng, &text)
}

fn days(rng: &mut Rng) -> String {
    match rng.between(0, 11) {
        0 => "?".to_owned(),
        1 => "L".to_owned(),
        2 => "LW".to_owned(),
        3 => format!("L-{}", rng.between(1, 30)),
        4 | 5 => format!("{}W", DAYS.number(rng)),
        6 | 7 => DAYS.text(rng),
        _ => "*".to_owned(),
    }
}

fn weekdays(rng: &mut Rng) -> String {
    match rng.between(0, 9) {
        0 => "?".to_owned(),
        1 => format!("{}L", rng.between(0, 7)),
        2 => format!("{}#{}", WEEKDAY.value(rng), rng.between(1, 5)),
        3..=5 => WEEKDAY.text(rng),
        _ => "*".to_owned(),
    }
}

impl Field {
    fn text(&self, rng: &mut Rng) -> String {
        match rng.between(0, 9) {
            0 => "*".to_owned(),
            1 => format!("*/{}", self.step(rng)),
            2 => {
                let count = rng.between(2, 4);
                let items: Vec<String> = (0..count).map(|_| self.item(rng)).collect();
                items.join(",")
            }
            // Without `*`, ranges and steps an expression is fixed, which matters in a DST overlap.
            3 => format!("{},{}", self.value(rng), self.value(rng)),
            4..=6 => self.value(rng),
            _ => self.item(rng),
        }
    }

    fn item(&self, rng: &mut Rng) -> String {
        match rng.between(0, 5) {
            0 => format!("{}-{}", self.value(rng), self.value(rng)),
            1 => format!("{}-{}/{}", self.value(rng), self.value(rng), self.step(rng)),
            2 => format!("{}/{}", self.value(rng), self.step(rng)),
            _ => self.value(rng),
        }
    }

    fn step(&self, rng: &mut Rng) -> i64 {
        let small = self.step.min(7);
        if rng.one_in(3) { rng.between(1, self.step) } else { rng.between(1, small) }
    }

    fn number(&self, rng: &mut Rng) -> i64 {
        if rng.one_in(2) { rng.pick(self.preferred) } else { rng.between(self.first, self.last) }
    }

    fn value(&self, rng: &mut Rng) -> String {
        if !self.names.is_empty() && rng.one_in(2) {
            return rng.pick(self.names).to_owned();
        }
        let number = self.number(rng);
        if rng.one_in(10) { format!("{number:02}") } else { number.to_string() }
    }
}

/// In upper case, lower case or mixed case.
fn in_any_case(rng: &mut Rng, text: &str) -> String {
    match rng.between(0, 2) {
        0 => text.to_ascii_lowercase(),
        1 => {
            let mut mix = |c: char| if rng.one_in(2) { c.to_ascii_lowercase() } else { c };
            text.chars().map(&mut mix).collect()
        }
        _ => text.to_owned(),
    }
}
