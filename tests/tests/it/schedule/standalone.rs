//! Rule 179: a `Schedule` without a runner.

use std::time::{Duration, SystemTime};

use tests::{secs, utc};
use tina4_service::Schedule;

#[test]
fn rule_179_a_schedule_works_without_a_runner() {
    let noon = SystemTime::UNIX_EPOCH + secs(43_200);
    let every = Schedule::interval(secs(30));
    assert_eq!(every.next_after(noon), Some(noon + secs(30)));
    assert_eq!(every.upcoming(noon, 2), [noon + secs(30), noon + secs(60)]);
    assert_eq!(Schedule::delay(secs(5)).next_after(noon), Some(noon + secs(5)));
    assert_eq!(Schedule::continuous().next_after(noon), None);
    assert_eq!(every.to_string(), "every 30s");
}

#[test]
fn rule_179_a_schedule_reports_what_is_wrong_with_it() {
    let error = |expression, zone| Schedule::cron(expression, zone).unwrap_err();
    assert_eq!(
        format!("{:#}", error("60 * * * *", "UTC")),
        "`60` is not a minute; write 0 to 59\n    60 * * * *\n    ^^"
    );
    let nowhere = error("@daily", "Europe/Nowhere").to_string();
    assert!(
        nowhere.starts_with("the time zone `Europe/Nowhere` is unknown to this machine; "),
        "{nowhere}"
    );
    assert!(Schedule::cron("@daily", "local").is_ok());
}

#[test]
fn rule_10_and_179_an_anchored_schedule_works_without_a_runner() {
    let day = secs(86_400);
    let weekly = Schedule::anchored(7 * day, "2026-01-02 09:00", "UTC").unwrap();
    assert_eq!(
        weekly.upcoming(utc("2026-03-01 00:00:00"), 2),
        [utc("2026-03-06 09:00:00"), utc("2026-03-13 09:00:00")]
    );
    // Before the anchor, long before and long after.
    for (after, next) in [
        ("1971-01-01 00:00:00", "1971-01-01 09:00:00"),
        ("9998-12-25 09:00:00", "9999-01-01 09:00:00"),
    ] {
        assert_eq!(weekly.next_after(utc(after)), Some(utc(next)), "{after}");
    }
    assert_eq!(weekly.to_string(), "every 7days anchored at 2026-01-02 09:00 (UTC)");
    for (period, anchor, zone, message) in [
        (day, "9", "UTC", "`9` is neither a date with a time"),
        (2 * day, "09:00", "UTC", "`09:00` does not say on which days"),
        (secs(0), "09:00", "UTC", "an `interval` of `0s` with `anchor` must divide 24 hours"),
        (day, "09:00", "UTC+2", "`UTC+2` is an offset"),
        (day, "09:00", "Europe/Nowhere", "the time zone `Europe/Nowhere` is unknown"),
        (day, "2026-03-29 02:30", "Europe/Berlin", "`2026-03-29 02:30` does not exist"),
    ] {
        let error = Schedule::anchored(period, anchor, zone).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn rule_179_a_schedule_works_far_from_the_present() {
    let yearly = Schedule::cron("0 0 1 1 *", "UTC").unwrap();
    for (after, next) in [
        ("2262-12-31 23:59:59", "2263-01-01 00:00:00"),
        ("9998-06-01 00:00:00", "9999-01-01 00:00:00"),
    ] {
        assert_eq!(yearly.next_after(utc(after)), Some(utc(next)), "{after}");
    }
    // Half a second before 1969 begins.
    let before = SystemTime::UNIX_EPOCH - secs(365 * 86_400) - Duration::from_millis(500);
    assert_eq!(yearly.next_after(before), Some(SystemTime::UNIX_EPOCH - secs(365 * 86_400)));
}
