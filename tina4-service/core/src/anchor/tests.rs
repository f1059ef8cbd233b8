//! Anchors as text, and the due times of anchored intervals across DST changes.

use super::*;
use crate::Calendar;
use crate::test_zone::{TestZone, at, text};
use proptest::prelude::*;

fn anchored(period: &str, anchor: &str) -> Calendar {
    let period = duration::parse(period).unwrap();
    Calendar::Anchored(Anchored::new(period, Anchor::parse(anchor).unwrap()).unwrap())
}

/// The first `count` occurrences after an instant, in UTC.
fn due(period: &str, anchor: &str, zone: &TestZone, after: &str, count: usize) -> Vec<String> {
    let calendar = anchored(period, anchor);
    let next = |after: &i64| calendar.next_after(*after, zone);
    std::iter::successors(next(&at(after)), next).take(count).map(text).collect()
}

#[test]
fn rule_10_an_anchor_is_a_time_of_day_with_or_without_a_date() {
    for (text, date, second, shown) in [
        ("00:00", None, 0, "00:00"),
        ("9:00", None, 9 * 3_600, "09:00"),
        ("23:59:59", None, 86_399, "23:59:59"),
        (" 09:30:00 ", None, 34_200, "09:30"),
        ("2026-01-02 09:00", Some("2026-01-02"), 32_400, "2026-01-02 09:00"),
        ("2028-02-29  0:00:01", Some("2028-02-29"), 1, "2028-02-29 00:00:01"),
        ("1812-06-24 02:30", Some("1812-06-24"), 9_000, "1812-06-24 02:30"),
        ("0000-01-01 00:00", Some("0000-01-01"), 0, "0000-01-01 00:00"),
        ("9999-12-31 23:59", Some("9999-12-31"), 86_340, "9999-12-31 23:59"),
    ] {
        let found = Anchor::parse(text).unwrap();
        let day = date.map(|date| at(&format!("{date} 00:00:00")) / DAY);
        assert_eq!(found, Anchor { day, second }, "{text}");
        assert_eq!(found.to_string(), shown);
        assert_eq!(Anchor::parse(shown), Ok(found));
    }
}

#[test]
fn rule_10_and_82_a_text_that_is_no_anchor_is_refused_with_a_remedy() {
    let malformed = |found| {
        format!(
            "`{found}` is neither a date with a time, such as `2026-01-02 09:00`, nor a time of day, such as `00:00`; write one of these forms"
        )
    };
    let offset = |found| {
        format!(
            "`{found}` has an offset or a time zone; write the time that a local clock shows, such as `2026-01-02 09:00`, and set `timezone`"
        )
    };
    for text in [
        "9",
        "noon",
        "9:0",
        "09:00:0",
        "009:00",
        "09:00:00:00",
        "9h30",
        "09:00 am",
        "-1:00",
        "2026-1-2 09:00",
        "26-01-02 09:00",
        "2026/01/02 09:00",
        "02.01.2026 09:00",
        "2026-01-02 noon",
        "09:00 2026-01-02",
        "2026-01-02 09:00 x",
        "2026-01-02-03 09:00",
        "2026-01-02 09:00.5",
        "٠٩:٠٠",
    ] {
        assert_eq!(Anchor::parse(text).unwrap_err().to_string(), malformed(text), "{text}");
    }
    for text in [
        "09:00Z",
        "2026-01-02 09:00+01:00",
        "2026-01-02 09:00 +01:00",
        "2026-01-02T09:00:00Z",
        "2026-01-02 09:00[Europe/Berlin]",
    ] {
        assert_eq!(Anchor::parse(text).unwrap_err().to_string(), offset(text), "{text}");
    }
    for (text, message) in [
        (
            " ",
            "the anchor is empty; write a date and a time, such as `\"2026-01-02 09:00\"`, or a time of day, such as `\"00:00\"`",
        ),
        (
            "2026-01-02T09:00",
            "`2026-01-02T09:00` has a `T` between date and time; did you mean `\"2026-01-02 09:00\"`?",
        ),
        ("2026-01-02", "`2026-01-02` has no time of day; add one, such as `2026-01-02 09:00`"),
        ("2026-13-02 09:00", "`13` is not a month; write 01 to 12"),
        ("2026-00-02", "`00` is not a month; write 01 to 12"),
        ("2026-02-29 09:00", "`29` is not a day of 2026-02; write 01 to 28"),
        ("2028-02-30", "`30` is not a day of 2028-02; write 01 to 29"),
        ("2026-04-00 09:00", "`00` is not a day of 2026-04; write 01 to 30"),
        ("24:00", "`24` is not an hour; write 00 to 23"),
        ("23:60", "`60` is not a minute; write 00 to 59"),
        ("2026-01-02 23:59:60", "`60` is not a second; write 00 to 59"),
    ] {
        assert_eq!(Anchor::parse(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn rule_10_the_grid_extends_before_and_after_the_anchor() {
    let utc = TestZone { first: 0, changes: vec![] };
    for anchor in ["2026-01-02 09:00", "1801-01-16 09:00", "2999-12-13 09:00"] {
        assert_eq!(
            due("14d", anchor, &utc, "2025-12-19 08:59:59", 3),
            ["2025-12-19 09:00:00", "2026-01-02 09:00:00", "2026-01-16 09:00:00"],
            "{anchor}"
        );
    }
    // Only the time of day matters to an interval that divides a day.
    for anchor in ["00:00", "10:30", "2026-01-02 22:30", "2999-12-31 01:30"] {
        assert_eq!(
            due("90m", anchor, &utc, "2026-05-05 22:29:59", 3),
            ["2026-05-05 22:30:00", "2026-05-06 00:00:00", "2026-05-06 01:30:00"],
            "{anchor}"
        );
    }
    assert_eq!(
        due("45s", "00:00:10", &utc, "1969-12-31 23:59:00", 3),
        ["1969-12-31 23:59:25", "1970-01-01 00:00:10", "1970-01-01 00:00:55"],
    );
}

#[test]
fn rule_10_periods_that_do_not_fit_on_the_wall_clock_are_refused() {
    let nine = Anchor { day: Some(0), second: 9 * 3_600 };
    let period = |seconds| Anchored::new(Duration::from_secs(seconds), nine);
    for seconds in 1..=DAY_LENGTH {
        assert_eq!(fits(seconds), (DAY_LENGTH / seconds) * seconds == DAY_LENGTH, "{seconds}");
    }
    for seconds in [0, DAY_LENGTH + 1, 3 * DAY_LENGTH / 2, 36 * 3_600 + 1, u64::MAX] {
        assert!(period(seconds).unwrap_err().is_in_interval(), "{seconds}");
    }
    // Far beyond what a key accepts, but nothing overflows.
    let longest = period(u64::MAX / DAY_LENGTH * DAY_LENGTH).unwrap();
    let longest = Calendar::Anchored(longest);
    for instant in [i64::MIN, -1_000_000_000_000_000, 0, 9 * 3_600, 999_999_999_999_999, i64::MAX] {
        assert!(longest.next_after(instant, &crate::Utc).is_none_or(|next| next > instant));
        assert!(longest.count_between(instant, i64::MAX, &crate::Utc) <= 1);
    }
    let error = Anchored::new(Duration::from_millis(1), nine).unwrap_err().to_string();
    assert!(error.contains("whole seconds; use `1s`, or remove"), "{error}");
}

#[test]
fn rule_7_and_10_times_in_a_dst_gap_run_once_after_it() {
    let spring = TestZone { first: 0, changes: vec![(at("2026-03-29 01:00:00"), 3_600)] };
    for (period, anchor, want) in [
        ("1d", "01:30", ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]),
        ("14d", "2026-03-15 01:30", ["2026-03-29 01:00:00", "2026-04-12 00:30:00"]),
        ("1h", "00:10", ["2026-03-29 00:10:00", "2026-03-29 01:00:00"]),
        ("2h", "01:10", ["2026-03-29 01:00:00", "2026-03-29 02:10:00"]),
        // The first instant after the gap is on the grid anyway.
        ("30m", "00:00", ["2026-03-29 00:30:00", "2026-03-29 01:00:00"]),
        ("1h", "00:45", ["2026-03-29 00:45:00", "2026-03-29 01:00:00"]),
    ] {
        assert_eq!(due(period, anchor, &spring, "2026-03-29 00:00:00", 2), want, "{period}");
    }
    // Samoa skipped a day: nothing runs for it, and the grid does not move.
    let samoa = TestZone { first: -36_000, changes: vec![(at("2011-12-30 10:00:00"), 50_400)] };
    for (period, anchor, want) in [
        ("2d", "2011-12-30 12:00", ["2011-12-28 22:00:00", "2011-12-31 22:00:00"]),
        ("1d", "12:00", ["2011-12-28 22:00:00", "2011-12-29 22:00:00"]),
    ] {
        assert_eq!(due(period, anchor, &samoa, "2011-12-28 20:00:00", 2), want, "{period}");
    }
}

#[test]
fn rule_7_and_10_in_a_dst_overlap_only_intervals_of_less_than_a_day_run_twice() {
    let autumn = TestZone { first: 3_600, changes: vec![(at("2026-10-25 01:00:00"), 0)] };
    for (period, anchor, want) in [
        ("1d", "01:30", ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]),
        ("14d", "2026-10-11 01:30", ["2026-10-25 00:30:00", "2026-11-08 01:30:00"]),
        ("12h", "01:30", ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]),
        ("1h", "00:30", ["2026-10-25 00:30:00", "2026-10-25 01:30:00"]),
    ] {
        assert_eq!(due(period, anchor, &autumn, "2026-10-25 00:00:00", 2), want, "{period}");
    }
}

#[test]
fn rule_10_an_anchor_in_a_gap_is_an_error() {
    let zone = TestZone {
        first: 0,
        changes: vec![
            (at("2026-03-29 01:00:00"), 3_600),
            (at("2026-10-25 01:00:00"), 0),
            (at("2026-12-30 00:00:00"), 86_400),
        ],
    };
    let berlin = Timezone::Named("Europe/Berlin".into());
    let check = |anchor: &str| {
        let Anchor { day, second } = Anchor::parse(anchor).unwrap();
        let anchored = Anchored::new(Duration::from_secs(60), Anchor { day, second }).unwrap();
        anchored.check_in(&berlin, &zone).map_err(|error| error.to_string())
    };
    for exists in [
        "01:30",
        "2026-03-29 00:59:59",
        "2026-03-29 02:00",
        "2026-10-25 01:30",
        "2026-12-29 23:59",
        "2026-12-31 00:00",
        "1500-03-29 01:30",
        "9999-03-29 01:30",
    ] {
        assert_eq!(check(exists), Ok(()), "{exists}");
    }
    for skipped in ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 01:59:59"] {
        assert_eq!(
            check(skipped),
            Err(format!(
                "`{skipped}` does not exist in the time zone `Europe/Berlin`, where the clocks go forward from `2026-03-29 01:00` to `2026-03-29 02:00`; write a time outside this gap"
            ))
        );
    }
    let error = check("2026-12-30 12:00").unwrap_err();
    assert!(error.contains("from `2026-12-30 00:00` to `2026-12-31 00:00`"), "{error}");
}

#[test]
fn the_affected_occurrences_are_marked() {
    use crate::ClockChange::{AfterGap, InOverlap};
    let changes = vec![(at("2026-03-29 01:00:00"), 3_600), (at("2026-10-25 01:00:00"), 0)];
    let zone = TestZone { first: 0, changes };
    let hourly = anchored("1h", "00:30");
    for (instant, want) in [
        ("2026-03-29 01:00:00", Some(AfterGap)),
        ("2026-03-29 01:30:00", None),
        ("2026-10-25 00:30:00", None),
        ("2026-10-25 01:30:00", Some(InOverlap)),
    ] {
        assert_eq!(hourly.clock_change(at(instant), &zone), want, "{instant}");
    }
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
        period in proptest::sample::select(vec!["10m", "45m", "90m", "8h", "1d", "2d", "7d"]),
        anchor in proptest::sample::select(vec!["1970-01-01 01:30", "2026-02-01 00:00", "2199-07-07 23:59:59"]),
        zone in zones(), from in 0..10 * DAY, length in 0..4 * DAY,
    ) {
        let calendar = anchored(period, anchor);
        let from = from + at("2026-01-28 00:00:00");
        let until = from + length;
        let next = |after: &i64| calendar.next_after(*after, &zone);
        let enumerated = std::iter::successors(next(&(from - 1)), next).take_while(|due| *due < until);
        prop_assert_eq!(calendar.count_between(from, until, &zone), enumerated.count() as u64);
    }

    #[test]
    fn any_text_is_an_anchor_or_refused_with_a_message(text in ".{0,16}|[0-9: TZ+-]{0,20}|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{1,2}:[0-9]{2}") {
        match Anchor::parse(&text) {
            Ok(anchor) => prop_assert_eq!(Anchor::parse(&anchor.to_string()), Ok(anchor)),
            Err(error) => prop_assert!(error.to_string().contains("; ") || error.to_string().contains('?')),
        }
    }
}
