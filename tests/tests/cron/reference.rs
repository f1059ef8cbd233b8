//! Rules 7 and 160 to 165: the crate is compared with a slow reference implementation that shares
//! no code with it, on random expressions near clock changes and on examples with known results.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tests::cron::{Expression, Walk, random};
use tests::rng::Rng;
use tina4_service::Schedule;

/// The number of random expressions in one comparison.
const EXPRESSIONS: usize = 20_000;

/// The maximum number of due times that are compared for each expression.
const MAX_DUE_TIMES: usize = 25;

const DAY: i64 = 86_400;

/// Time zone, start and length in days of each walk.
const WALKS: [(&str, &str, i64); 14] = [
    // DST of half an hour.
    ("Australia/Lord_Howe", "2026-03-20T00:00:00Z", 400),
    // Changes at midnight, and a 29th of February.
    ("America/Santiago", "2028-02-20T00:00:00Z", 400),
    // A skipped day, and four changes of one hour.
    ("Pacific/Apia", "2010-09-20T00:00:00Z", 600),
    // A repeated day.
    ("Pacific/Apia", "1892-07-01T00:00:00Z", 40),
    // A gap of three hours.
    ("Antarctica/Casey", "2009-10-10T00:00:00Z", 200),
    // DST except in Ramadan.
    ("Africa/Casablanca", "2026-02-01T00:00:00Z", 400),
    // A gap of a quarter of an hour, and an overlap of 11 min 16 s.
    ("Asia/Kathmandu", "1985-12-25T00:00:00Z", 100),
    ("Asia/Kathmandu", "1919-12-25T00:00:00Z", 40),
    ("America/New_York", "2026-03-01T00:00:00Z", 400),
    // An overlap of 3 min 58 s.
    ("America/New_York", "1883-11-10T00:00:00Z", 40),
    ("Europe/Berlin", "2027-10-25T00:00:00Z", 400),
    // A gap of 6 min 32 s.
    ("Europe/Berlin", "1893-03-25T00:00:00Z", 40),
    ("UTC", "2027-12-20T00:00:00Z", 400),
    ("UTC", "1969-12-01T00:00:00Z", 60),
];

/// A time zone with the wall times of a walk.
struct ZoneWalk {
    zone: &'static str,
    walk: Walk,
    /// Instants of interest: the clock changes or, if there are none, one two days after the start.
    moments: Vec<i64>,
    start: i64,
}

impl ZoneWalk {
    fn new((zone, start, days): (&'static str, &str, i64)) -> Self {
        let start = instant(start).as_second();
        let walk = Walk::new(zone, start, start + days * DAY);
        let jumps = walk.clock_changes();
        let moments = if jumps.is_empty() { vec![start + 2 * DAY] } else { jumps };
        Self { zone, walk, moments, start }
    }

    /// A random instant to compute due times from, usually near one of `moments`.
    fn random_instant(&self, rng: &mut Rng) -> i64 {
        let moment = rng.pick(&self.moments);
        let at = match rng.between(0, 7) {
            0 => moment + rng.between(-2, 1),
            1 => moment + rng.between(-90, 90),
            2..=4 => moment + rng.between(-5_400, 5_400),
            5 => moment + 900 * rng.between(-10, 10),
            6 => moment + rng.between(-30 * 3_600, 3_600),
            _ => rng.between(self.start, self.walk.end() - 10 * DAY),
        };
        at.max(self.start)
    }

    /// Compares one expression; the error describes the difference.
    fn compare(&self, text: &str, after: i64, nanos: u32) -> Result<(), String> {
        let expression = Expression::parse(text);
        let schedule = match Schedule::cron(text, self.zone) {
            Ok(schedule) => schedule,
            Err(_) if !expression.has_occurrences() => return Ok(()),
            Err(error) => return Err(format!("`{text}` is refused: {error}")),
        };
        if !expression.has_occurrences() {
            return Err(format!("`{text}` has no occurrence, and is accepted"));
        }
        let expected = self.walk.due(&expression, after, MAX_DUE_TIMES);
        // One more, to check that nothing is due between the last one and the end of the walk.
        let count = MAX_DUE_TIMES.min(expected.len() + 1);
        let from = system(after) + Duration::from_nanos(nanos.into());
        let due = schedule.upcoming(from, count);
        let first = schedule.next_after(from);
        let found: Vec<i64> = due.iter().map(|at| second(*at)).collect();
        let found: Vec<i64> = found.into_iter().filter(|at| *at < self.walk.end()).collect();
        if found == expected && first == due.first().copied() {
            return Ok(());
        }
        let zone = self.zone;
        let after = Timestamp::from_second(after).expect("a time");
        let (found, first) = (local(zone, &found), first.map(|at| local(zone, &[second(at)])));
        let expected = local(zone, &expected);
        Err(format!(
            "`{text}` in {zone} after {after} + {nanos} ns: {found:#?}, the first {first:?}, not {expected:#?}"
        ))
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn system(second: i64) -> SystemTime {
    let at = Timestamp::from_second(second).expect("a time");
    SystemTime::try_from(at).expect("a time")
}

/// The second of a due time, which must be a whole one.
fn second(at: SystemTime) -> i64 {
    let at = Timestamp::try_from(at).expect("a time");
    assert_eq!(at.subsec_nanosecond(), 0, "{at} is not a whole second");
    at.as_second()
}

fn local(zone: &str, due: &[i64]) -> Vec<String> {
    let at = |second: &i64| Timestamp::from_second(*second).expect("a time");
    due.iter().map(|second| at(second).in_tz(zone).expect("a zone").to_string()).collect()
}

/// Compares random expressions on two threads.
fn compare(seed: u64) {
    // Printed if the test fails, even if the crate panics.
    println!("CRON_SEED={seed}");
    let walks: Vec<ZoneWalk> = WALKS.into_iter().map(ZoneWalk::new).collect();
    let half = |number: u64| {
        let mut rng = Rng::new(seed.wrapping_add(number));
        let mut wrong = Vec::new();
        for number in 0..EXPRESSIONS / 2 {
            let walk = &walks[number % walks.len()];
            let text = random::expression(&mut rng);
            let after = walk.random_instant(&mut rng);
            let nanos = if rng.one_in(8) { rng.pick(&[1, 500_000_000, 999_999_999]) } else { 0 };
            wrong.extend(walk.compare(&text, after, nanos).err());
        }
        wrong
    };
    let wrong = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut wrong = half(0);
        wrong.extend(other.join().expect("the other half"));
        wrong
    });
    let count = wrong.len();
    let some = &wrong[..count.min(8)];
    assert!(wrong.is_empty(), "CRON_SEED={seed}: {count} differ, such as\n{}", some.join("\n"));
}

#[test]
fn rule_7_and_160_the_same_random_expressions_agree_with_the_reference() {
    compare(20_260_101);
}

/// `CRON_SEED` repeats a failed run.
#[test]
fn rule_7_and_160_new_random_expressions_agree_with_the_reference() {
    let given = std::env::var("CRON_SEED").ok();
    let given = given.map(|seed| seed.parse().expect("`CRON_SEED` is a whole number"));
    compare(given.unwrap_or_else(|| RandomState::new().build_hasher().finish()));
}

/// Checks that for both implementations exactly these are due after `from` and before `to`.
#[track_caller]
fn assert_due(expression: &str, zone: &str, from: &str, to: &str, expected: &[&str]) {
    let expected: Vec<Timestamp> = expected.iter().map(|text| instant(text)).collect();
    let (from, to) = (instant(from), instant(to));
    let schedule = Schedule::cron(expression, zone).expect("it is valid");
    let found = schedule.upcoming(SystemTime::try_from(from).expect("a time"), expected.len() + 1);
    let found = found.into_iter().map(|at| Timestamp::try_from(at).expect("a time"));
    let found: Vec<Timestamp> = found.filter(|at| *at < to).collect();
    assert_eq!(found, expected, "`{expression}`");
    let walk = Walk::new(zone, from.as_second(), to.as_second());
    let reference = walk.due(&Expression::parse(expression), from.as_second(), usize::MAX);
    let reference = reference.into_iter().map(|at| Timestamp::from_second(at).expect("a time"));
    assert_eq!(reference.collect::<Vec<_>>(), expected, "the reference, `{expression}`");
}

#[test]
fn rule_7_a_fixed_time_in_a_dst_overlap_runs_once_in_the_first_pass() {
    let day = ("America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00");
    assert_due("30 1 * * *", day.0, day.1, day.2, &["2026-11-01T01:30:00-04:00"]);
    // Computed from between the two instants, and from inside the second pass.
    for from in ["2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00"] {
        assert_due(
            "30 1 * * *",
            day.0,
            from,
            "2026-11-03T00:00:00-05:00",
            &["2026-11-02T01:30:00-05:00"],
        );
    }
}

#[test]
fn rule_7_a_time_in_a_dst_gap_runs_once_at_the_first_instant_after_it() {
    let day = ("America/New_York", "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00");
    let first = "2026-03-08T03:00:00-04:00";
    for expression in ["0 2 * * *", "15,45 2 * * *", "0 2,3 * * *", "59 59 2 * * *"] {
        assert_due(expression, day.0, day.1, day.2, &[first]);
    }
    assert_due("0 2 * * *", day.0, first, day.2, &[]);
    assert_due("30 2,3 * * *", day.0, day.1, day.2, &[first, "2026-03-08T03:30:00-04:00"]);
    assert_due(
        "7 14,0 * * *",
        "America/Santiago",
        "2028-09-02T20:00:00-04:00",
        "2028-09-04T00:00:00-03:00",
        &["2028-09-03T01:00:00-03:00", "2028-09-03T14:07:00-03:00"],
    );
}

#[test]
fn rule_7_a_star_range_or_step_runs_in_both_passes_through_a_dst_overlap() {
    let night = ("America/New_York", "2026-11-01T00:45:00-04:00", "2026-11-01T02:15:00-05:00");
    let halves = [
        "2026-11-01T01:00:00-04:00",
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:00:00-05:00",
        "2026-11-01T01:30:00-05:00",
        "2026-11-01T02:00:00-05:00",
    ];
    for expression in ["*/30 * * * *", "0,30 * * * *", "0/30 1-2 * * *", "0 0,30 1,2/1 * * *"] {
        assert_due(expression, night.0, night.1, night.2, &halves);
    }
    // A range in a day field makes no difference.
    assert_due("30 1 1-7 * SUN-MON", night.0, night.1, night.2, &[halves[1]]);
    // A range in the second field does, even with a single value.
    assert_due("0-0 30 1 * * *", night.0, night.1, night.2, &[halves[1], halves[3]]);
}

#[test]
fn rule_7_nothing_runs_in_a_gap_of_more_than_three_hours() {
    let (zone, from, to) =
        ("Pacific/Apia", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00");
    assert_due("30 12 30 12 *", zone, from, to, &[]);
    assert_due(
        "30 12 * * *",
        zone,
        from,
        to,
        &["2011-12-29T12:30:00-10:00", "2011-12-31T12:30:00+14:00"],
    );
    // Midnight of the 31st exists.
    assert_due("0 0 * * *", zone, from, to, &["2011-12-31T00:00:00+14:00"]);
    let (zone, from, to) =
        ("Antarctica/Mawson", "1954-02-12T00:00:00Z", "1954-02-14T00:00:00+06:00");
    assert_due("0 3 13 2 *", zone, from, to, &[]);
    // A gap of exactly three hours is bridged.
    let (zone, from, to) =
        ("Antarctica/Casey", "2009-10-17T12:00:00+08:00", "2009-10-19T00:00:00+11:00");
    assert_due("0 2-4 * * *", zone, from, to, &["2009-10-18T05:00:00+11:00"]);
}

/// Checks the days of 2026, from January 2 on, on which an expression matches midnight.
#[track_caller]
fn assert_days(fields: &str, expected: &[&str]) {
    let expected: Vec<String> =
        expected.iter().map(|day| format!("2026-{day}T00:00:00Z")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let (from, to) = ("2026-01-01T12:00:00Z", "2027-01-01T00:00:00Z");
    assert_due(&format!("0 0 {fields}"), "UTC", from, to, &expected);
}

#[test]
fn rule_161_special_days_of_the_month() {
    assert_days("L 1-4 *", &["01-31", "02-28", "03-31", "04-30"]);
    assert_days("L-3 2,3 *", &["02-25", "03-28"]);
    assert_days("L-30 * ?", &["03-01", "05-01", "07-01", "08-01", "10-01", "12-01"]);
    // January 31 is a Saturday, and May 31 is a Sunday.
    assert_days("LW JAN,MAY *", &["01-30", "05-29"]);
    // August 15 is a Saturday, and November 15 is a Sunday.
    assert_days("15W 8,10,11 *", &["08-14", "10-15", "11-16"]);
    // August 1 is a Saturday, and November 1 is a Sunday; the nearest weekday stays within the
    // month.
    assert_days("1W 8,11 *", &["08-03", "11-02"]);
    // May 31 is a Sunday, and October 31 is a Saturday; the other months have no 31st.
    assert_days("31W 4-6,9-11 *", &["05-29", "10-30"]);
    assert_days("30W 2-3 *", &["03-30"]);
}

#[test]
fn rule_162_special_days_of_the_week() {
    assert_days("* 1-2 5L", &["01-30", "02-27"]);
    assert_days("* 5 0L", &["05-31"]);
    assert_days("* 5 7L", &["05-31"]);
    assert_days("* 1-2 MON#2", &["01-12", "02-09"]);
    assert_days("* 1-6 sat#5", &["01-31", "05-30"]);
    assert_days("? 5 7#5", &["05-31"]);
}

#[test]
fn rule_163_either_restricted_day_field_may_match_unless_one_begins_with_a_star() {
    assert_days("13 1-3 FRI#1", &["01-02", "01-13", "02-06", "02-13", "03-06", "03-13"]);
    assert_days("LW 1 5", &["01-02", "01-09", "01-16", "01-23", "01-30"]);
    assert_days("*/2 1 FRI", &["01-09", "01-23"]);
    assert_days("1-9 1 */5", &["01-02", "01-04", "01-09"]);
    assert_days(
        "1-9 1 ?",
        &["01-02", "01-03", "01-04", "01-05", "01-06", "01-07", "01-08", "01-09"],
    );
}

#[test]
fn rule_164_wrapped_ranges_continue_past_the_end_of_the_field() {
    assert_days("30-2 2 *", &["02-01", "02-02"]);
    assert_days("1 NOV-FEB/2 *", &["11-01"]);
    assert_days("1 11-4/3 *", &["02-01", "11-01"]);
    assert_days(
        "* 2 SAT-MON/2",
        &["02-02", "02-07", "02-09", "02-14", "02-16", "02-21", "02-23", "02-28"],
    );
    assert_days("* 2 FRI-FRI", &["02-06", "02-13", "02-20", "02-27"]);
    let (from, to) = ("2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z");
    let hours = ["2026-01-01T22:00:00Z", "2026-01-02T01:00:00Z"];
    assert_due("0 22-2/3 * * *", "UTC", from, to, &hours);
}

#[test]
fn rule_165_an_expression_without_occurrences_is_an_error() {
    for never in
        ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30W FEB *", "0 0 L-29 2 *", "0 0 */31 1 1#2"]
    {
        assert!(!Expression::parse(never).has_occurrences(), "`{never}`");
        assert!(Schedule::cron(never, "UTC").is_err(), "`{never}`");
    }
    // Rare occurrences are fine: the 29th of February 2044 is a Monday.
    let rare = Schedule::cron("0 0 * 2 MON#5", "UTC").expect("it has occurrences");
    let from = SystemTime::try_from(instant("2026-01-01T00:00:00Z")).expect("a time");
    let due = rare.next_after(from).map(second);
    assert_eq!(due, Some(instant("2044-02-29T00:00:00Z").as_second()));
}
