//! Valid and invalid durations, and the messages of the invalid ones.

use super::*;
use proptest::prelude::*;

fn message(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

#[test]
fn valid_durations() {
    for (text, millis) in [
        ("500ms", 500),
        ("30s", 30_000),
        ("30 sec", 30_000),
        (" 1h 30m ", 5_400_000),
        ("1h30m", 5_400_000),
        ("1.5h", 5_400_000),
        ("2 minutes", 120_000),
        ("1day", 86_400_000),
        ("2w", 1_209_600_000),
        ("0s", 0),
    ] {
        assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
    }
}

#[test]
fn invalid_durations_and_their_messages() {
    for (text, expected) in [
        ("", "the duration is empty; write a number and a unit, such as `\"30s\"`"),
        ("  ", "the duration is empty; write a number and a unit, such as `\"30s\"`"),
        ("30", "`30` has no unit; did you mean `\"30s\"`?"),
        ("0", "`0` has no unit; did you mean `\"0s\"`?"),
        (" 30 ", "`30` has no unit; did you mean `\"30s\"`?"),
        ("1h 30", "`30` has no unit; add one, such as `30s`"),
        ("1.5", "`1.5` has no unit; did you mean `\"1.5s\"`?"),
        ("30S", "unknown unit `S`; did you mean `s`?"),
        ("5 MINUTES", "unknown unit `MINUTES`; did you mean `minutes`?"),
        ("5x", "unknown unit `x`; use `ms`, `s`, `m`, `h`, `d` or `w`, or their long forms"),
        (
            "5M",
            "`M` means months, which have no fixed length; use `m` for minutes, or `cron` for calendar time",
        ),
        ("2months", "unit `months` has no fixed length; use days, or `cron` for calendar time"),
        ("1d 1y", "unit `y` has no fixed length; use days, or `cron` for calendar time"),
        ("-5s", "a duration cannot be negative; remove the `-`"),
        ("1,5s", "unexpected `,` in a duration; write numbers and units, such as `\"1h 30m\"`"),
        ("1.", "unexpected `.` in a duration; write numbers and units, such as `\"1h 30m\"`"),
        (
            "every 5s",
            "expected a number before `every 5s`; write numbers and units, such as `\"1h 30m\"`",
        ),
        (
            "99999999999999999999h",
            "`99999999999999999999h` is out of range; use `1ms` to `366days`",
        ),
        ("0.5ns", "`0.5ns` is out of range; use `1ms` to `366days`"),
    ] {
        assert_eq!(message(text), expected, "{text:?}");
    }
}

#[test]
fn formatted_durations_have_no_months() {
    for (seconds, expected) in [
        (0, "0s"),
        (60, "1m"),
        (86_400, "1day"),
        (86_400 + 61, "1day 1m 1s"),
        (366 * 86_400, "366days"),
    ] {
        assert_eq!(format(Duration::from_secs(seconds)), expected);
    }
}

proptest! {
    #![proptest_config(crate::proptest_config::config())]

    #[test]
    fn formatted_durations_parse_back(seconds in 0..=u64::MAX / 2, nanos in 0..1_000_000_000_u32) {
        let duration = Duration::new(seconds, nanos);
        prop_assert_eq!(parse(&format(duration)), Ok(duration));
    }

    #[test]
    fn no_text_causes_a_panic(text in ".*") {
        if let Err(error) = parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_text_of_plausible_characters_causes_a_panic(text in "[0-9 .smhdwMyµ-]{0,12}") {
        if let Err(error) = parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
