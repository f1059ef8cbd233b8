//! Expressions to masks, masks to occurrences, and occurrences across DST changes.

use super::*;
use crate::test_zone::{TestZone, at, text};
use crate::{Utc, Zone};
use proptest::prelude::*;

mod errors;

fn cron(text: &str) -> Cron {
    Cron::parse(text).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The first `count` occurrences after an instant, in UTC.
fn due(expression: &str, zone: &impl Zone, after: &str, count: usize) -> Vec<String> {
    let cron = cron(expression);
    let next = |after: &i64| cron.next_after(*after, zone);
    std::iter::successors(next(&at(after)), next).take(count).map(text).collect()
}

#[test]
fn each_form_of_the_day_fields_matches_its_days() {
    // January 2026 begins on a Thursday and ends on a Saturday; 31 January is its last day.
    for (fields, days) in [
        ("13 * *", vec![13]),
        ("*/10 * *", vec![1, 11, 21, 31]),
        ("25/3 * *", vec![25, 28, 31]),
        ("30-2 * *", vec![1, 2, 30, 31]),
        ("20-5/5 * *", vec![4, 20, 25, 30]),
        ("L * *", vec![31]),
        ("1,L-3 * *", vec![1, 28]),
        ("LW * *", vec![30]),
        ("l-6w * *", vec![26]),
        ("10W * *", vec![9]),
        ("11W * *", vec![12]),
        ("31W * *", vec![30]),
        ("3W * *", vec![2]),
        ("* * THU#1,5#5", vec![1, 30]),
        ("* * mon#2", vec![12]),
        ("? * 5L,SUN#4", vec![25, 30]),
        ("* * 0", vec![4, 11, 18, 25]),
        ("* * 7", vec![4, 11, 18, 25]),
        ("* * 7-1", vec![4, 5, 11, 12, 18, 19, 25, 26]),
        ("* * FRI-MON/3", vec![2, 5, 9, 12, 16, 19, 23, 26, 30]),
        ("* * 5/2", vec![2, 4, 9, 11, 16, 18, 23, 25, 30]),
        ("* * 7-7", vec![4, 11, 18, 25]),
        // Both fields are restricted: either is enough, unless one of them starts with `*`.
        ("13 * FRI", vec![2, 9, 13, 16, 23, 30]),
        ("*/13 * WED", vec![14]),
        ("13,14 * */3", vec![14]),
        ("13 * ?", vec![13]),
        ("* FEB *", vec![]),
        ("4-07 jan *", vec![4, 5, 6, 7]),
        ("15 9-8/3 *", vec![]),
    ] {
        let found = cron(&format!("0 0 {fields}")).days_of(YearMonth { year: 2026, month: 1 });
        let found: Vec<u32> = (0..32).filter(|day| is_set(found, *day)).collect();
        assert_eq!(found, days, "{fields}");
    }
}

#[test]
fn nearest_weekdays_stay_in_their_month() {
    let day = |expression: &str, length, first| cron(expression).days.of(length, first);
    // A month of 30 days that starts on a Saturday: the 30th is a Sunday, the 28th a Friday.
    assert_eq!(day("0 0 1W * *", 30, 6), 1 << 3);
    assert_eq!(day("0 0 30W * *", 30, 6), 1 << 28);
    assert_eq!(day("0 0 31W * *", 30, 6), 0, "the month has no 31st");
    // A month of 28 days that starts on a Sunday.
    assert_eq!(day("0 0 1W * *", 28, 0), 1 << 2);
    assert_eq!(day("0 0 28W * *", 28, 0), 1 << 27);
}

#[test]
fn time_fields_and_nicknames() {
    for (expression, seconds, minutes, hours, recurring) in [
        ("5 4 * * *", 1, 1 << 5, 1 << 4, false),
        ("1,2 5 4 * * *", 0b110, 1 << 5, 1 << 4, false),
        ("* 4 * * *", 1, (1 << 60) - 1, 1 << 4, true),
        ("56-4/4 0 * * *", 1, 1 << 56 | 1 | 1 << 4, 1, true),
        ("5 22-2 * * *", 1, 1 << 5, 0b11 << 22 | 0b111, true),
        ("5 8/10 * * *", 1, 1 << 5, 1 << 8 | 1 << 18, true),
        ("5 8-8 * * *", 1, 1 << 5, 1 << 8, true),
        ("@hourly", 1, 1, (1 << 24) - 1, true),
        ("@Midnight", 1, 1, 1, false),
    ] {
        let cron = cron(expression);
        let found = (cron.seconds, cron.minutes, cron.hours, cron.recurring);
        assert_eq!(found, (seconds, minutes, hours, recurring), "{expression}");
        assert_eq!(cron.to_string(), expression);
    }
}

#[test]
fn leap_days_occur_and_impossible_dates_are_refused() {
    assert_eq!(due("0 0 29 2 *", &Utc, "2096-03-01 00:00:00", 1), ["2104-02-29 00:00:00"]);
    // Leap days that fall on a Sunday, a Wednesday or a Saturday.
    assert_eq!(
        due("0 0 29 2 */3", &Utc, "2084-03-01 00:00:00", 2),
        ["2088-02-29 00:00:00", "2096-02-29 00:00:00"]
    );
    // Parsing each of these searches 400 years. Miri is about a hundred times slower, so under Miri
    // only one is tried.
    let count = if cfg!(miri) { 1 } else { 4 };
    for never in &["0 0 30 2 *", "0 0 31 4,6 *", "0 0 31W 2 *", "0 0 L-30 2 *"][..count] {
        assert!(Cron::parse(never).is_err(), "{never}");
    }
}

#[test]
fn rule_7_occurrences_in_a_dst_gap_run_once_after_it() {
    let spring = TestZone { first: 0, changes: vec![(at("2026-03-29 01:00:00"), 3_600)] };
    for (expression, want) in [
        ("30 1 * * *", ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]),
        ("0 1 * * *", ["2026-03-29 01:00:00", "2026-03-30 00:00:00"]),
        ("15,45 1 * * *", ["2026-03-29 01:00:00", "2026-03-30 00:15:00"]),
        // The first instant after the gap matches anyway.
        ("0,30 1,2 * * *", ["2026-03-29 01:00:00", "2026-03-29 01:30:00"]),
        ("*/40 * * * *", ["2026-03-29 00:40:00", "2026-03-29 01:00:00"]),
        ("10 * * * *", ["2026-03-29 00:10:00", "2026-03-29 01:00:00"]),
        ("59 59 1 * * *", ["2026-03-29 01:00:00", "2026-03-30 00:59:59"]),
    ] {
        assert_eq!(due(expression, &spring, "2026-03-29 00:00:00", 2), want, "{expression}");
    }
}

#[test]
fn rule_7_occurrences_in_a_gap_of_more_than_three_hours_do_not_run() {
    // Local midnight at the start of 30 December.
    let from = at("2011-12-30 10:00:00");
    for (skipped, expression, want) in [
        (3 * 3_600, "30 2 * * *", "2011-12-30 10:00:00"),
        (3 * 3_600 + 1, "30 2 * * *", "2011-12-31 09:29:59"),
        // Samoa skipped this day, and its occurrences are dropped.
        (24 * 3_600, "0 2 * * *", "2011-12-30 12:00:00"),
        (24 * 3_600, "0 2 30 * *", "2012-01-29 12:00:00"),
    ] {
        let zone = TestZone { first: -36_000, changes: vec![(from, skipped - 36_000)] };
        assert_eq!(due(expression, &zone, "2011-12-30 09:00:00", 1), [want], "{skipped}");
    }
}

#[test]
fn rule_7_in_a_dst_overlap_only_recurring_expressions_run_twice() {
    let autumn = TestZone { first: 3_600, changes: vec![(at("2026-10-25 01:00:00"), 0)] };
    for (expression, want) in [
        ("30 1 * * *", ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]),
        ("0,30 1 * * *", ["2026-10-25 00:00:00", "2026-10-25 00:30:00"]),
        ("30 * * * *", ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]),
        ("30 1-1 * * *", ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]),
        ("30 1/23 * * *", ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]),
        // At the end of the overlap.
        ("0 2 * * *", ["2026-10-25 02:00:00", "2026-10-26 02:00:00"]),
    ] {
        assert_eq!(due(expression, &autumn, "2026-10-24 23:30:00", 2), want, "{expression}");
    }
    // A search that starts in the second copy of the hour knows that the first has run.
    assert_eq!(due("30 1 * * *", &autumn, "2026-10-25 01:10:00", 1), ["2026-10-26 01:30:00"]);
}

#[test]
fn instants_outside_the_supported_range_have_no_occurrence() {
    let cron = cron("0 0 1 1 *");
    for instant in [i64::MIN, i64::MAX, i64::MAX - 1, i64::MIN + 1] {
        assert_eq!(cron.next_after(instant, &Utc), None, "{instant}");
    }
    assert_eq!(cron.count_between(0, -1, &Utc), 0);
    assert!(cron.count_between(i64::MIN, i64::MAX, &Utc) > 60_000_000);
    // A zone whose transitions do not advance.
    struct Stuck;
    impl Zone for Stuck {
        fn offset(&self, _: i64) -> i64 {
            0
        }
        fn next_transition(&self, instant: i64) -> Option<i64> {
            Some(instant)
        }
    }
    assert_eq!(cron.next_after(0, &Stuck), None);
}

/// Sparse and dense expressions.
fn expressions() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "*/10 * * * *",
        "30 1 * * *",
        "0,15 */2 * * *",
        "7,37 0-5 * * *",
        "0 0 * * *",
        "59 23 * * SUN",
        "*/50 30 1,2,3 * * *",
        "30 2 L * *",
    ])
}

fn zones() -> impl Strategy<Value = TestZone> {
    let offsets = || (-14_i64..=14).prop_map(|half| half * 1_800);
    let changes = proptest::collection::vec((0..10 * DAY / 600, offsets()), 0..4);
    (offsets(), changes).prop_map(|(first, mut changes)| {
        changes.sort_unstable();
        changes.dedup_by_key(|(from, _)| *from);
        for (from, _) in &mut changes {
            *from = *from * 600 + at("2026-01-28 00:00:00");
        }
        TestZone { first, changes }
    })
}

proptest! {
    #![proptest_config(crate::proptest_config::config())]

    #[test]
    fn the_count_agrees_with_enumeration(
        expression in expressions(), zone in zones(),
        from in 0..10 * DAY, length in 0..4 * DAY,
    ) {
        let cron = cron(expression);
        let from = from + at("2026-01-28 00:00:00");
        let until = from + length;
        let next = |after: &i64| cron.next_after(*after, &zone);
        let enumerated = std::iter::successors(next(&(from - 1)), next).take_while(|due| *due < until);
        prop_assert_eq!(cron.count_between(from, until, &zone), enumerated.count() as u64);
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_a_span(text in "[ -~\\t]{0,24}|.{0,8}|[0-9*/,#LW?@ -]{0,20}") {
        if let Err(error) = Cron::parse(&text) {
            let span = error.span();
            prop_assert!(text.get(span).is_some(), "{:?}", error);
            let _ = format!("{error:#}");
        }
    }
}
