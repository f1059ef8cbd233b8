//! Rule 10: anchored intervals are compared with a slow walk through two years of wall time.
//!
//! The walk shares no code and no algorithm with the crate. It reads the clock of a zone minute by
//! minute, never asks the zone for its transitions, and looks every wall time up in a list that it has
//! made by counting from the anchor.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use tina4_service::Schedule;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The longest DST gap after which a skipped time runs (rule 7).
const LONGEST_GAP: i64 = 3 * HOUR;

/// How far before its start a walk begins, so that repeated times are recognized.
const LOOK_BACK: i64 = 2 * DAY;

/// Time zones, each with the year in which its walk begins.
static ZONES: [(&str, i16); 8] = [
    ("Europe/Berlin", 2026),
    ("America/New_York", 2027),
    // DST of half an hour, in the southern hemisphere.
    ("Australia/Lord_Howe", 2026),
    // Changes at midnight, in the southern hemisphere.
    ("America/Santiago", 2026),
    // An offset of 12 h 45 min.
    ("Pacific/Chatham", 2028),
    // DST of two hours.
    ("Antarctica/Troll", 2026),
    // A skipped day, at the end of 2011.
    ("Pacific/Apia", 2010),
    // No changes.
    ("Asia/Kolkata", 2026),
];

/// Intervals that divide a day, in minutes, with an anchor. Its date makes no difference.
const PARTS_OF_A_DAY: [(i64, &str); 8] = [
    (480, "00:00"),
    (45, "2026-01-02 09:10"),
    (90, "00:00"),
    (90, "1899-12-31 23:45"),
    (120, "2199-12-31 02:30"),
    (180, "02:00"),
    (720, "02:30"),
    (720, "12:00"),
];

/// Intervals in days, with an anchor in the far past, near the walk or in the far future.
const DAYS: [(i64, &str); 10] = [
    (1, "00:00"),
    (1, "02:30"),
    (1, "2026-07-07 01:45"),
    (2, "1812-06-24 02:30"),
    (7, "2026-03-22 02:15"),
    (7, "2199-12-29 03:00"),
    (14, "2026-01-02 09:00"),
    (45, "0900-01-01 00:30"),
    (100, "9999-06-01 23:59"),
    (366, "2026-10-25 02:59"),
];

/// A reading of the clock of a zone.
struct Reading {
    at: i64,
    /// What the clock shows, in seconds since 1970 as if it were UTC.
    wall: i64,
    /// Whether the clock has shown it before.
    repeated: bool,
    /// The times that the clock skipped immediately before.
    skipped: Vec<i64>,
}

/// Reads the clock of `zone` in `start..end`, every minute or every second.
fn walk(zone: &str, start: i64, end: i64, step: i64) -> Vec<Reading> {
    let zone = TimeZone::get(zone).expect("a known zone");
    let stride = usize::try_from(step).expect("a step");
    let mut latest = None;
    let mut readings = Vec::new();
    for at in (start - LOOK_BACK..end).step_by(stride) {
        let instant = Timestamp::from_second(at).expect("a time");
        let wall = at + i64::from(zone.to_offset(instant).seconds());
        let expected = latest.map_or(wall, |latest: i64| latest + step);
        let gap = if wall - expected <= LONGEST_GAP { expected..wall } else { wall..wall };
        let repeated = latest.is_some_and(|latest| wall <= latest);
        latest = Some(latest.map_or(wall, |latest| latest.max(wall)));
        if at >= start {
            let skipped = gap.step_by(stride).collect();
            readings.push(Reading { at, wall, repeated, skipped });
        }
    }
    readings
}

/// The wall time that a text with a date names, in seconds since 1970 as if it were UTC.
fn wall_of(text: &str) -> i64 {
    let time: DateTime = text.replace(' ', "T").parse().expect("a date and time");
    Offset::UTC.to_timestamp(time).expect("a time").as_second()
}

/// The due times in a walk. `on_grid` says which wall times are on the grid; `both_passes`, whether
/// those in a DST overlap are due twice.
fn due(readings: &[Reading], both_passes: bool, on_grid: impl Fn(i64) -> bool) -> Vec<i64> {
    let is_due = |reading: &&Reading| {
        (on_grid(reading.wall) && (both_passes || !reading.repeated))
            || reading.skipped.iter().any(|wall| on_grid(*wall))
    };
    readings.iter().filter(is_due).map(|reading| reading.at).collect()
}

/// The wall times of one day on the grid of an interval of `period` seconds: counted from the anchor's
/// time of day to the end of the day, and back to its beginning.
fn times_of_day(period: i64, anchor: &str) -> HashSet<i64> {
    let (_, time) = anchor.rsplit_once(' ').unwrap_or(("", anchor));
    let first = wall_of(&format!("1970-01-01 {time}"));
    let mut times = HashSet::new();
    let mut time = first;
    while time < DAY {
        times.insert(time);
        time += period;
    }
    time = first;
    while time >= 0 {
        times.insert(time);
        time -= period;
    }
    times
}

/// The wall times between `from` and `to` on the grid of an interval of `days`: counted day by day from
/// the anchor.
fn times_of_days(days: i64, anchor: &str, from: i64, to: i64) -> HashSet<i64> {
    let dated =
        if anchor.contains(' ') { anchor.to_owned() } else { format!("2000-01-01 {anchor}") };
    let mut wall = wall_of(&dated);
    let (until, direction) = if wall < from { (to, 1) } else { (from, -1) };
    let mut times = HashSet::from([wall]);
    let mut days_left = days;
    while (until - wall) * direction > 0 {
        wall += direction * DAY;
        days_left -= 1;
        if days_left == 0 {
            times.insert(wall);
            days_left = days;
        }
    }
    // If the anchor is in between, the other direction is missing.
    let mut wall = wall_of(&dated);
    while wall >= from && wall < to {
        wall += days * DAY;
        times.insert(wall);
    }
    times
}

fn system(second: i64) -> SystemTime {
    SystemTime::try_from(Timestamp::from_second(second).expect("a time")).expect("a time")
}

/// Checks that a schedule is due exactly at `expected` in `start..end`.
fn compare(zone: &str, period: i64, anchor: &str, expected: &[i64], start: i64, end: i64) {
    let length = Duration::from_secs(period.unsigned_abs());
    let schedule = Schedule::anchored(length, anchor, zone).expect("it is valid");
    let found = schedule.upcoming(system(start - 1), expected.len() + 1);
    let second = |at: &SystemTime| Timestamp::try_from(*at).expect("a time").as_second();
    let found: Vec<i64> = found.iter().map(second).filter(|at| *at < end).collect();
    let differs = found.iter().zip(expected).find(|(found, expected)| found != expected);
    let local = |at: &i64| {
        Timestamp::from_second(*at).expect("a time").in_tz(zone).expect("a zone").to_string()
    };
    let first = differs.map(|(found, expected)| (local(found), local(expected)));
    assert_eq!(
        (found.len(), first),
        (expected.len(), None),
        "{schedule}: the number of due times, and the first one that differs"
    );
}

/// Compares an interval of `period` seconds, which divides a day, and returns the number of due times.
fn compare_part_of_day(
    zone: &str,
    readings: &[Reading],
    period: i64,
    anchor: &str,
    start: i64,
    end: i64,
) -> usize {
    let times = times_of_day(period, anchor);
    assert_eq!(times.len(), usize::try_from(DAY / period).expect("a count"));
    let expected = due(readings, true, |wall| times.contains(&wall.rem_euclid(DAY)));
    compare(zone, period, anchor, &expected, start, end);
    expected.len()
}

/// Compares both kinds of intervals in one zone, and returns the number of due times and of clock
/// changes.
fn compare_in(zone: &str, year: i16) -> (usize, usize) {
    let [start, end] = [year, year + 2].map(|year| wall_of(&format!("{year:04}-01-01 00:00")));
    let readings = walk(zone, start, end, MINUTE);
    let mut count = 0;
    for (minutes, anchor) in PARTS_OF_A_DAY {
        count += compare_part_of_day(zone, &readings, minutes * MINUTE, anchor, start, end);
    }
    for (days, anchor) in DAYS {
        let times = times_of_days(days, anchor, start - LOOK_BACK, end + LOOK_BACK);
        let expected = due(&readings, false, |wall| times.contains(&wall));
        assert!(!expected.is_empty(), "{days} days from {anchor}");
        compare(zone, days * DAY, anchor, &expected, start, end);
        count += expected.len();
    }
    let changes = readings.windows(2).filter(|pair| pair[1].wall - pair[0].wall != MINUTE);
    (count, changes.count())
}

fn compare_all(zones: &[(&str, i16)]) {
    for (zone, year) in zones {
        let (count, changes) = compare_in(zone, *year);
        assert!(count > 60_000, "{zone}: {count} due times");
        // Two changes a year. In Apia, the last of the four is the skipped day.
        assert_eq!(changes, if *zone == "Asia/Kolkata" { 0 } else { 4 }, "{zone}");
    }
}

#[test]
fn rule_7_and_10_two_years_of_anchored_intervals_agree_with_a_walk_minute_by_minute() {
    let (left, right) = ZONES.split_at(ZONES.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| compare_all(right));
        compare_all(left);
    });
}

#[test]
fn rule_7_and_10_intervals_of_seconds_agree_with_a_walk_second_by_second() {
    for (zone, start) in [
        ("Europe/Berlin", "2026-03-28 12:00"),
        ("Europe/Berlin", "2026-10-24 12:00"),
        ("Australia/Lord_Howe", "2026-04-04 06:00"),
        ("Australia/Lord_Howe", "2026-10-03 06:00"),
        // An overlap of 3 min 58 s, before there were zones of whole hours.
        ("America/New_York", "1883-11-18 06:00"),
    ] {
        let start = wall_of(start);
        let end = start + DAY;
        let readings = walk(zone, start, end, 1);
        for (period, anchor) in
            [(45, "00:00:10"), (20, "00:00"), (675, "23:59:59"), (640, "02:00:01")]
        {
            compare_part_of_day(zone, &readings, period, anchor, start, end);
        }
        for anchor in ["02:29:59", "02:00:00", "01:59:59", "12:00:30"] {
            let times = times_of_days(1, anchor, start - LOOK_BACK, end + LOOK_BACK);
            let expected = due(&readings, false, |wall| times.contains(&wall));
            compare(zone, DAY, anchor, &expected, start, end);
        }
    }
}

#[test]
fn rule_10_every_second_friday_at_nine() {
    let two_weeks = Duration::from_secs(14 * DAY.unsigned_abs());
    let schedule = Schedule::anchored(two_weeks, "2026-01-02 09:00", "Europe/Berlin").unwrap();
    let start = system(wall_of("2026-03-14 00:00"));
    let days = ["2026-03-27T08:00", "2026-04-10T07:00", "2026-04-24T07:00"];
    let expected = days.map(|day| system(wall_of(day)));
    assert_eq!(schedule.upcoming(start, 3), expected);
    assert_eq!(schedule.to_string(), "every 14days anchored at 2026-01-02 09:00 (Europe/Berlin)");
}
