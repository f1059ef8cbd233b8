//! Rule 70: the instants of the test kit are printed, parsed, compared and added to.

use std::time::{Duration, SystemTime};

use tests::{panic_text, secs};
use tina4_service::testing::{Builder, TestRunner};
use tina4_service::{Context, Service};

fn builder() -> Builder {
    TestRunner::builder().only::<&str>([])
}

#[test]
fn rule_70_instants_print_as_the_clock_of_the_test_shows_them() {
    let builder = builder().at("2026-03-28T12:00:00[Europe/Berlin]");
    let nightly = Service::new("nightly", |ctx: &Context| assert!(ctx.sleep(secs(1))));
    let mut t = builder.service(nightly.cron("30 2 * * *")).build().unwrap();
    let start = t.now();
    assert_eq!(start.to_string(), "2026-03-28 12:00:00 +01:00[Europe/Berlin]");
    assert_eq!(format!("{start:?}"), start.to_string());
    t.advance("1d");
    let info = t.info("nightly");
    assert_eq!(info.last_start, Some(t.time("2026-03-29T03:00")), "half past two does not exist");
    assert_eq!(info.last_end, Some(t.time("2026-03-29T03:00") + secs(1)));
    // In messages of assertions and in `Debug` output, wherever the instant comes from.
    for (text, found) in [
        (
            "left: 2026-03-28 12:00:00 +01:00[Europe/Berlin]\n right: 2026-03-29 13:00:00 +02:00[Europe/Berlin]",
            { panic_text(|| assert_eq!(start, t.now())) },
        ),
        ("left: Some(2026-03-30 02:30:00 +02:00[Europe/Berlin])\n right: None", {
            panic_text(|| assert_eq!(t.info("nightly").next_due, None))
        }),
        ("last_start: Some(2026-03-29 03:00:00 +02:00[Europe/Berlin])", format!("{info:?}")),
        ("since: 2026-03-29 03:00:01 +02:00[Europe/Berlin]", format!("{info:?}")),
        ("at: 2026-03-28 12:00:00 +01:00[Europe/Berlin]", format!("{:?}", t.events()[0])),
        ("now: 2026-03-29 13:00:00 +02:00[Europe/Berlin]", format!("{t:?}")),
    ] {
        assert!(found.contains(text), "no `{text}` in {found}");
    }
    // A service records system times, without a time zone.
    let noted = SystemTime::from(start);
    assert_eq!(t.civil(noted).to_string(), start.to_string());
}

#[test]
fn instants_can_be_parsed_compared_and_added_to() {
    let t = builder().at("2026-10-25T02:30:00+01:00[Europe/Berlin]").build().unwrap();
    let second = t.now();
    let first = second - secs(3_600);
    // The same wall time, an hour apart.
    assert_eq!(first.to_string(), "2026-10-25 02:30:00 +02:00[Europe/Berlin]");
    assert_eq!(second.to_string(), "2026-10-25 02:30:00 +01:00[Europe/Berlin]");
    assert!(first < second && first != second);
    assert_eq!(second - first, secs(3_600));
    assert_eq!(second.duration_since(first).unwrap(), secs(3_600));
    assert_eq!(first.duration_since(second).unwrap_err().duration(), secs(3_600));
    let text = panic_text(|| assert_eq!(first - second, secs(0)));
    assert_eq!(text, format!("{first} is before {second}"));
    // Only the instant counts, with or without a time zone.
    assert_eq!(t.time("2026-10-25T01:30:00Z"), second);
    assert_eq!(t.time("2026-10-25T09:30:00[Asia/Hong_Kong]"), second);
    let known = SystemTime::from(second);
    assert_eq!(known, second);
    assert_eq!(second, known);
    assert!(first < known);
    assert!(known > first);
    assert_eq!(second - SystemTime::from(first), secs(3_600));
    let text = panic_text(|| assert_eq!(first - known, secs(0)));
    assert_eq!(text, format!("{first} is before {second}"));
    assert_eq!([second, first].iter().min(), Some(&first));
    // Printed at the resolution of the system (100 ns on Windows), so that different instants look
    // different, and what is printed can be parsed.
    let step = Duration::from_nanos(100);
    let mut close = second + Duration::from_millis(500);
    assert_eq!(close.to_string(), "2026-10-25 02:30:00.5 +01:00[Europe/Berlin]");
    close += step;
    assert_eq!(close.to_string(), "2026-10-25 02:30:00.5000001 +01:00[Europe/Berlin]");
    for time in [first, second, close] {
        assert_eq!(t.time(&time.to_string()), time);
        let there = builder().at(time.to_string()).build().unwrap();
        assert_eq!((there.now(), there.now().to_string()), (time, time.to_string()));
    }
    close -= Duration::from_millis(500) + step;
    assert_eq!(close, second);
}

#[test]
fn the_time_zone_of_a_test_is_the_one_it_names() {
    for (at, prints) in [
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00 +00:00[UTC]"),
        ("2026-01-01T00:00:00[Etc/UTC]", "2026-01-01 00:00:00 +00:00[UTC]"),
        ("2026-01-01T00:00:00Z[utc]", "2026-01-01 00:00:00 +00:00[UTC]"),
        ("2026-01-01T00:00:00-05:00", "2026-01-01 05:00:00 +00:00[UTC]"),
        ("2026-01-01T00:00[Europe/Oslo]", "2026-01-01 00:00:00 +01:00[Europe/Oslo]"),
        // The same zone under another name.
        (
            "2026-01-01T00:00[Arctic/Longyearbyen]",
            "2026-01-01 00:00:00 +01:00[Arctic/Longyearbyen]",
        ),
        (
            "2026-01-01 00:00:00 -05:00[America/New_York]",
            "2026-01-01 00:00:00 -05:00[America/New_York]",
        ),
        ("1883-11-18T12:00[America/New_York]", "1883-11-18 12:00:00 -04:56:02[America/New_York]"),
    ] {
        for at in [at, prints] {
            assert_eq!(builder().at(at).build().unwrap().now().to_string(), prints, "{at}");
        }
    }
    for (wrong, why) in [("2026-01-01T00:00:00+02:00[UTC]", "offset"), ("2026-01-01T00:00[UTC", "")]
    {
        let error = builder().at(wrong).build().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{wrong}` is not a time: ")), "{error}");
        assert!(error.contains(why), "{error}");
    }
}
