//! Rule 82: wrong settings of a `Service` are faults.

use tina4_service::{Runner, Service};

#[test]
fn rule_82_every_wrong_setting_is_a_fault_with_a_remedy() {
    type Case = (fn() -> Service, &'static [&'static str]);
    let new = || Service::new("s", |_| {});
    assert!(check(new()).is_empty());
    let cases: [Case; 18] = [
        (|| Service::new("", |_| {}), &["name"]),
        (|| Service::new("2nd", |_| {}), &["cannot start with `2`"]),
        (|| Service::new("a b", |_| {}), &["cannot contain spaces"]),
        (|| Service::new("x".repeat(65), |_| {}), &["65"]),
        (|| Service::new("s", |_| {}).interval("30"), &["`interval`", "did you mean `\"30s\"`?"]),
        (|| Service::new("s", |_| {}).interval(""), &["`interval`"]),
        (|| Service::new("s", |_| {}).interval("0s"), &["`interval`"]),
        (|| Service::new("s", |_| {}).interval("1us"), &["`interval`", "1ms"]),
        (|| Service::new("s", |_| {}).delay("367 days"), &["`delay`", "366"]),
        (|| Service::new("s", |_| {}).interval("1 month"), &["`interval`", "month"]),
        (|| Service::new("s", |_| {}).interval("1s").delay("1s"), &["cannot be combined"]),
        (|| Service::new("s", |_| {}).interval("1s").jitter("1s"), &["`jitter`", "shorter"]),
        (|| Service::new("s", |_| {}).jitter("1s"), &["`jitter`", "continuous"]),
        (|| Service::new("s", |_| {}).delay("1s").tolerance("1s"), &["`tolerance`", "shorter"]),
        (|| Service::new("s", |_| {}).tolerance("1s"), &["`tolerance`", "continuous"]),
        (|| Service::new("s", |_| {}).backoff("2m"), &["`backoff`", "`max_backoff`"]),
        (
            || Service::new("s", |_| {}).max_restarts(3).restart_window("2s"),
            &["`restart_window`", "`1s`, `2s`, `4s`"],
        ),
        (
            || Service::new("s", |_| {}).timeout("soon").stop_timeout("later"),
            &["`timeout`", "`stop_timeout`"],
        ),
    ];
    for (make, words) in cases {
        let faults = check(make());
        assert!(!faults.is_empty(), "{words:?} is no fault");
        for word in words {
            assert!(faults.contains(word), "`{word}` is missing in: {faults}");
        }
    }
}

/// An unreadable value causes no further faults.
#[test]
fn rule_82_one_mistake_is_reported_once() {
    for service in [
        Service::new("s", |_| {}).interval("abc").jitter("1s"),
        Service::new("s", |_| {}).max_restarts(3).restart_window("abc"),
        Service::new("s", |_| {}).backoff("abc").max_backoff("500ms"),
    ] {
        let faults = check(service);
        assert_eq!(faults.lines().count(), 2, "a heading and one fault: {faults}");
    }
}

/// The error of `register` for a service, or an empty text.
fn check(service: Service) -> String {
    let refused = Runner::new().register(service).err();
    refused.map(|error| error.to_string()).unwrap_or_default()
}
