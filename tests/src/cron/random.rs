//! Random cron expressions: every element of the syntax, with a liking for what meets the jumps of
//! clocks.

/// The names of months.
pub const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The names of days of the week.
pub const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Short forms of whole expressions.
const WHOLE: [&str; 9] = [
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

/// Random numbers that a seed decides (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed makes the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let count = (high - low).unsigned_abs() + 1;
        low + i64::try_from(self.next() % count).expect("less than the distance")
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, cases: i64) -> bool {
        self.between(1, cases) == 1
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<T: Copy>(&mut self, choice: &[T]) -> T {
        let last = i64::try_from(choice.len()).expect("few") - 1;
        choice[usize::try_from(self.between(0, last)).expect("an index")]
    }
}

/// The range of a field, its names, and the values that are tried more often than others.
struct Field {
    first: i64,
    last: i64,
    /// The longest step.
    step: i64,
    names: &'static [&'static str],
    liked: &'static [i64],
}

const SIXTY: Field =
    Field { first: 0, last: 59, step: 59, names: &[], liked: &[0, 1, 15, 29, 30, 45, 59] };
const HOURS: Field =
    Field { first: 0, last: 23, step: 23, names: &[], liked: &[0, 0, 1, 1, 2, 2, 3, 4, 12, 23] };
const DAYS: Field =
    Field { first: 1, last: 31, step: 31, names: &[], liked: &[1, 15, 28, 29, 30, 31] };
const MONTH: Field = Field { first: 1, last: 12, step: 12, names: &MONTHS, liked: &[2, 3, 4, 9] };
const WEEKDAY: Field = Field { first: 0, last: 7, step: 6, names: &WEEKDAYS, liked: &[0, 7, 1, 6] };

/// A valid expression; some can never come.
pub fn expression(dice: &mut Dice) -> String {
    if dice.one_in(50) {
        let whole = dice.pick(&WHOLE);
        return in_any_case(dice, whole);
    }
    let mut fields = Vec::new();
    if dice.one_in(3) {
        fields.push(SIXTY.text(dice));
    }
    fields.push(SIXTY.text(dice));
    fields.push(HOURS.text(dice));
    fields.push(days(dice));
    fields.push(if dice.one_in(3) { MONTH.text(dice) } else { "*".to_owned() });
    fields.push(weekdays(dice));
    let space = if dice.one_in(20) { dice.pick(&["  ", "\t", " \t "]) } else { " " };
    let text = fields.join(space);
    let text = if dice.one_in(20) { format!(" {text}  ") } else { text };
    in_any_case(dice, &text)
}

fn days(dice: &mut Dice) -> String {
    match dice.between(0, 11) {
        0 => "?".to_owned(),
        1 => "L".to_owned(),
        2 => "LW".to_owned(),
        3 => format!("L-{}", dice.between(1, 30)),
        4 | 5 => format!("{}W", DAYS.number(dice)),
        6 | 7 => DAYS.text(dice),
        _ => "*".to_owned(),
    }
}

fn weekdays(dice: &mut Dice) -> String {
    match dice.between(0, 9) {
        0 => "?".to_owned(),
        1 => format!("{}L", dice.between(0, 7)),
        2 => format!("{}#{}", WEEKDAY.value(dice), dice.between(1, 5)),
        3..=5 => WEEKDAY.text(dice),
        _ => "*".to_owned(),
    }
}

impl Field {
    fn text(&self, dice: &mut Dice) -> String {
        match dice.between(0, 9) {
            0 => "*".to_owned(),
            1 => format!("*/{}", self.step(dice)),
            2 => {
                let count = dice.between(2, 4);
                let items: Vec<String> = (0..count).map(|_| self.item(dice)).collect();
                items.join(",")
            }
            // Without any of these an expression is fixed, which matters where times are repeated.
            3 => format!("{},{}", self.value(dice), self.value(dice)),
            4..=6 => self.value(dice),
            _ => self.item(dice),
        }
    }

    fn item(&self, dice: &mut Dice) -> String {
        match dice.between(0, 5) {
            0 => format!("{}-{}", self.value(dice), self.value(dice)),
            1 => format!("{}-{}/{}", self.value(dice), self.value(dice), self.step(dice)),
            2 => format!("{}/{}", self.value(dice), self.step(dice)),
            _ => self.value(dice),
        }
    }

    fn step(&self, dice: &mut Dice) -> i64 {
        let short = self.step.min(7);
        if dice.one_in(3) { dice.between(1, self.step) } else { dice.between(1, short) }
    }

    fn number(&self, dice: &mut Dice) -> i64 {
        if dice.one_in(2) { dice.pick(self.liked) } else { dice.between(self.first, self.last) }
    }

    fn value(&self, dice: &mut Dice) -> String {
        if !self.names.is_empty() && dice.one_in(2) {
            return dice.pick(self.names).to_owned();
        }
        let number = self.number(dice);
        if dice.one_in(10) { format!("{number:02}") } else { number.to_string() }
    }
}

/// As it is, in small letters, or mixed.
fn in_any_case(dice: &mut Dice, text: &str) -> String {
    match dice.between(0, 2) {
        0 => text.to_ascii_lowercase(),
        1 => {
            let mut mix = |c: char| if dice.one_in(2) { c.to_ascii_lowercase() } else { c };
            text.chars().map(&mut mix).collect()
        }
        _ => text.to_owned(),
    }
}
