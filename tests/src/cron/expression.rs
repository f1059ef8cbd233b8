//! A cron expression as plain sets of numbers. The text is assumed to be valid.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::Stretch;

/// A set of numbers, large enough for every field.
type Set = [bool; 60];

/// A parsed cron expression.
#[derive(Debug)]
pub struct Expression {
    seconds: Vec<i64>,
    minutes: Vec<i64>,
    hours: Set,
    days: Vec<Day>,
    months: Set,
    weekdays: Vec<Weekdays>,
    /// Whether both day fields must match, not only one of them.
    both_days: bool,
    /// Whether it runs in both passes through a DST overlap (rule 7).
    pub(super) in_both_passes: bool,
}

/// One item of the field of days of the month.
#[derive(Debug)]
enum Day {
    In(Set),
    /// This many days before the last.
    Last(i8),
    LastWorkday,
    NearestWorkday(i8),
}

/// One item of the field of days of the week, where Sunday is 0.
#[derive(Debug)]
enum Weekdays {
    In(Set),
    Last(usize),
    Nth(usize, i8),
}

/// The range of a field, and the names of its values.
struct Field {
    first: usize,
    last: usize,
    /// The number of distinct values: in the days of the week, 7 is 0.
    count: usize,
    names: &'static [&'static str],
}

const SIXTY: Field = Field { first: 0, last: 59, count: 60, names: &[] };
const HOURS: Field = Field { first: 0, last: 23, count: 24, names: &[] };
const DAYS: Field = Field { first: 1, last: 31, count: 31, names: &[] };
const MONTHS: Field = Field { first: 1, last: 12, count: 12, names: &super::random::MONTHS };
const WEEKDAYS: Field = Field { first: 0, last: 7, count: 7, names: &super::random::WEEKDAYS };

/// Every kind of year: 28 years contain each combination of weekdays and leap days.
static ALL_DAYS: LazyLock<Vec<Date>> =
    LazyLock::new(|| date(2001, 1, 1).series(1.day()).take(28 * 365 + 7).collect());

impl Expression {
    /// Parses an expression.
    ///
    /// # Panics
    ///
    /// If it is not valid; not every mistake is detected.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim().to_ascii_uppercase();
        let text = match text.as_str() {
            "@YEARLY" | "@ANNUALLY" => "0 0 1 1 *",
            "@MONTHLY" => "0 0 1 * *",
            "@WEEKLY" => "0 0 * * 0",
            "@DAILY" | "@MIDNIGHT" => "0 0 * * *",
            "@HOURLY" => "0 * * * *",
            "@EVERY_MINUTE" => "* * * * *",
            "@EVERY_SECOND" => "* * * * * *",
            fields => fields,
        };
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let [second, minute, hour, day, month, weekday] = fields[..] else {
            panic!("`{text}` has neither 5 nor 6 fields");
        };
        let sixty = |field: &str| {
            let all = (0..).zip(SIXTY.set(field));
            all.filter_map(|(value, named)| named.then_some(value)).collect()
        };
        let any = |field: &str| field.starts_with(['*', '?']);
        let is_recurring = |field: &str| field.contains(['*', '-', '/']);
        Self {
            seconds: sixty(second),
            minutes: sixty(minute),
            hours: HOURS.set(hour),
            days: day.split(',').map(Day::parse).collect(),
            months: MONTHS.set(month),
            weekdays: weekday.split(',').map(Weekdays::parse).collect(),
            both_days: any(day) || any(weekday),
            in_both_passes: [second, minute, hour].into_iter().any(is_recurring),
        }
    }

    /// Whether any day matches.
    #[must_use]
    pub fn has_occurrences(&self) -> bool {
        ALL_DAYS.iter().any(|day| self.matches_day(*day))
    }

    /// Whether it matches this day.
    pub(super) fn matches_day(&self, date: Date) -> bool {
        self.months[number(date.month())] && {
            let day = || self.days.iter().any(|item| item.matches(date));
            let weekday = || self.weekdays.iter().any(|item| item.matches(date));
            if self.both_days { day() && weekday() } else { day() || weekday() }
        }
    }

    /// Whether it matches the hour of this stretch.
    pub(super) fn matches_hour(&self, stretch: &Stretch) -> bool {
        self.hours[stretch.hour]
    }

    /// The seconds of this stretch whose minute and second match; the hour is not checked.
    pub(super) fn matching_seconds(&self, stretch: &Stretch) -> impl Iterator<Item = i64> {
        let within = stretch.seconds.clone();
        let seconds = |minute| self.seconds.iter().map(move |second| minute * 60 + second);
        self.minutes.iter().flat_map(seconds).filter(move |second| within.contains(second))
    }

    /// Whether it matches any second of this stretch.
    pub(super) fn matches_any_second(&self, stretch: &Stretch) -> bool {
        self.matches_hour(stretch)
            && self.matches_day(stretch.date)
            && self.matching_seconds(stretch).next().is_some()
    }
}

impl Day {
    fn parse(item: &str) -> Self {
        if item == "L" {
            Self::Last(0)
        } else if item == "LW" {
            Self::LastWorkday
        } else if let Some(back) = item.strip_prefix("L-") {
            Self::Last(back.parse().expect("a number of days"))
        } else if let Some(day) = item.strip_suffix('W') {
            Self::NearestWorkday(day.parse().expect("a day"))
        } else {
            Self::In(DAYS.item(item))
        }
    }

    fn matches(&self, date: Date) -> bool {
        let (day, last) = (date.day(), date.days_in_month());
        let saturday = day - date.weekday().to_sunday_zero_offset() - 1;
        let is_workday = |day: &i8| (day - saturday).rem_euclid(7) > 1;
        let mut workdays = (1..=last).filter(is_workday);
        match self {
            Self::In(set) => set[number(day)],
            Self::Last(back) => day == last - back,
            Self::LastWorkday => workdays.next_back() == Some(day),
            Self::NearestWorkday(wanted) => {
                let nearest = workdays.min_by_key(|day| (day - wanted).abs());
                *wanted <= last && nearest == Some(day)
            }
        }
    }
}

impl Weekdays {
    fn parse(item: &str) -> Self {
        if let Some((day, nth)) = item.split_once('#') {
            Self::Nth(WEEKDAYS.value(day) % 7, nth.parse().expect("a count"))
        } else if let Some(day) = item.strip_suffix('L') {
            Self::Last(WEEKDAYS.value(day) % 7)
        } else {
            Self::In(WEEKDAYS.item(item))
        }
    }

    fn matches(&self, date: Date) -> bool {
        let weekday = number(date.weekday().to_sunday_zero_offset());
        match self {
            Self::In(set) => set[weekday],
            Self::Last(day) => weekday == *day && date.day() + 7 > date.days_in_month(),
            Self::Nth(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

impl Field {
    fn set(&self, list: &str) -> Set {
        let mut all = [false; 60];
        for item in list.split(',') {
            for (named, more) in all.iter_mut().zip(self.item(item)) {
                *named |= more;
            }
        }
        all
    }

    fn item(&self, item: &str) -> Set {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().expect("a step"))),
            None => (item, None),
        };
        let (from, to) = if range == "*" || range == "?" {
            (self.first, self.last)
        } else if let Some((from, to)) = range.split_once('-') {
            (self.value(from), self.value(to))
        } else {
            let from = self.value(range);
            (from, if step.is_some() { self.last } else { from })
        };
        // A wrapped range continues past the end of the field.
        let to = if to < from { to + self.count } else { to };
        let mut set = [false; 60];
        for value in (from..=to).step_by(step.unwrap_or(1)) {
            set[(value - self.first) % self.count + self.first] = true;
        }
        set
    }

    fn value(&self, text: &str) -> usize {
        match self.names.iter().position(|name| *name == text) {
            Some(position) => self.first + position,
            None => text.parse().expect("a number or a name"),
        }
    }
}

fn number(small: i8) -> usize {
    small.unsigned_abs().into()
}
