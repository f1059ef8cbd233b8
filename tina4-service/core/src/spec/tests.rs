//! Every rule of a draft: its message, its bound, and the follow-up faults it must not report.

use super::*;
use crate::{Anchor, Cron, Key, OnTimeout, QueueSpec, Ready, Restart, Timezone};
use proptest::prelude::*;

fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn millis(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

fn faults(draft: &Draft) -> Vec<String> {
    match draft.check() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// Each draft has exactly these faults.
fn check(cases: &[(Draft, &[&str])]) {
    for (draft, expected) in cases {
        assert_eq!(faults(draft), *expected, "{draft:?}");
    }
}

fn draft() -> Draft {
    Draft::default()
}

#[test]
fn an_empty_draft_has_the_defaults() {
    assert_eq!(draft().check(), Ok(Spec::DEFAULT));
    assert_eq!(Spec::default(), Spec::DEFAULT);
}

#[test]
fn ready_fits_the_schedule_and_the_restarts() {
    let with = |ready| Draft { ready: Some(ready), ..draft() };
    let every = |ready| Draft { interval: secs(30), ..with(ready) };
    check(&[
        (with(Ready::Started), &[]),
        (with(Ready::Finished), &[]),
        (with(Ready::Notified), &[]),
        (every(Ready::Notified), &[]),
        (
            every(Ready::Started),
            &[
                "`ready = \"started\"` is for continuous services, and a service with `interval` is ready once its first run has ended well; remove `ready`, or use `\"notified\"`",
            ],
        ),
        (
            Draft { cron: Some(Cron::parse("0 8 * * *").unwrap()), ..with(Ready::Finished) },
            &[
                "`ready = \"finished\"` is for continuous services, and a service with `cron` is ready as soon as its first run is planned; remove `ready`, or use `\"notified\"`",
            ],
        ),
        (
            Draft { restart: Some(Restart::Always), ..with(Ready::Finished) },
            &[
                "`ready = \"finished\"` has no meaning with `restart = \"always\"`, because the service never finishes; use `\"started\"` or `\"notified\"`, or remove `restart`",
            ],
        ),
        (Draft { restart: Some(Restart::Always), ..with(Ready::Started) }, &[]),
        // A schedule that could not be read is a schedule.
        (Draft { unreadable: vec![Key::Restart], ..with(Ready::Finished) }, &[]),
    ]);
}

/// A draft with values in as many fields as can be combined, and its spec.
fn full() -> (Draft, Spec) {
    let draft = Draft {
        interval: secs(30),
        delay: None,
        cron: None,
        timezone: None,
        anchor: None,
        tolerance: secs(8),
        initial_delay: secs(1),
        jitter: secs(2),
        timeout: secs(3),
        on_timeout: Some(OnTimeout::Cancel),
        restart: Some(Restart::OnFailure),
        max_restarts: Some(2),
        restart_window: secs(60),
        backoff: secs(5),
        max_backoff: secs(6),
        stop_timeout: secs(7),
        autostart: Some(false),
        critical: Some(true),
        ready: Some(Ready::Notified),
        // The keys of queues cannot be combined with these.
        queue: false,
        attempts: None,
        concurrency: None,
        lease: None,
        poll: None,
        keep_dead: None,
        keep_done: None,
        shared: None,
        on_dead: false,
        unreadable: vec![],
    };
    let spec = Spec {
        schedule: Schedule::Interval(Duration::from_secs(30)),
        tolerance: secs(8),
        initial_delay: Duration::from_secs(1),
        jitter: Duration::from_secs(2),
        timeout: secs(3),
        on_timeout: OnTimeout::Cancel,
        restart_policy: RestartPolicy {
            restart: Restart::OnFailure,
            max_restarts: Some(2),
            window: secs(60),
            backoff: Duration::from_secs(5),
            max_backoff: Duration::from_secs(6),
        },
        stop_timeout: Duration::from_secs(7),
        autostart: false,
        critical: true,
        ready: Some(Ready::Notified),
    };
    (draft, spec)
}

#[test]
fn every_value_arrives_in_the_spec() {
    let (draft, spec) = full();
    assert_eq!(draft.check(), Ok(spec));
}

#[test]
fn every_setting_arrives_in_its_field() {
    let second = Duration::from_secs;
    let mut found = draft();
    for setting in [
        Setting::Interval(second(30)),
        Setting::Tolerance(second(8)),
        Setting::InitialDelay(second(1)),
        Setting::Jitter(second(2)),
        Setting::Timeout(second(3)),
        Setting::OnTimeout(OnTimeout::Cancel),
        Setting::Restart(Restart::OnFailure),
        Setting::MaxRestarts(2),
        Setting::RestartWindow(second(60)),
        Setting::Backoff(second(5)),
        Setting::MaxBackoff(second(6)),
        Setting::StopTimeout(second(7)),
        Setting::Autostart(false),
        Setting::Critical(true),
        Setting::Ready(Ready::Notified),
    ] {
        found.set(setting);
    }
    assert_eq!(found, full().0);
    let (daily, utc) = (Cron::parse("@daily").unwrap(), Timezone::parse("UTC").unwrap());
    let noon = Anchor::parse("12:00").unwrap();
    let mut found = draft();
    for setting in [
        Setting::Delay(second(1)),
        Setting::Delay(second(2)),
        Setting::Cron(daily.clone()),
        Setting::Timezone(utc.clone()),
        Setting::Anchor(noon),
    ] {
        found.set(setting);
    }
    let (delay, cron, timezone) = (secs(2), Some(daily), Some(utc));
    let expected = Draft { delay, cron, timezone, anchor: Some(noon), ..draft() };
    assert_eq!(found, expected);
}

#[test]
fn schedules_exclude_each_other() {
    let two = "`interval` and `delay` cannot be combined; keep `interval` for a fixed rate or `delay` for a fixed pause";
    let zero = "`interval` cannot be zero; use at least `1ms`, or remove it";
    check(&[
        (Draft { delay: secs(5), ..draft() }, &[]),
        (Draft { interval: secs(5), delay: secs(5), ..draft() }, &[two]),
        (Draft { interval: secs(0), delay: secs(5), ..draft() }, &[zero, two]),
        (Draft { delay: secs(5), unreadable: vec![Key::Interval], ..draft() }, &[]),
        // Allowed: a slow run misses due times.
        (Draft { interval: secs(5), timeout: secs(60), ..draft() }, &[]),
    ]);
    let found = Draft { interval: secs(1), delay: secs(1), ..draft() }.check().unwrap_err();
    assert_eq!((found[0].key, found[0].related_key), (Key::Delay, Some(Key::Interval)));
}

fn cron(text: &str) -> Option<Cron> {
    Some(Cron::parse(text).unwrap())
}

#[test]
fn keys_that_conflict_with_cron_or_require_it() {
    let (daily, utc) = (cron("@daily"), Some(Timezone::parse("UTC").unwrap()));
    let zone =
        "`timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`";
    let delay = "`initial_delay` has no effect with `cron`, which determines the first run; remove `initial_delay`";
    let always = "`restart = \"always\"` has no effect with `cron`, which runs the service again anyway; remove `restart`";
    let with =
        |other: &str| format!("`{other}` and `cron` cannot be combined; keep `{other}` or `cron`");
    let (interval, pause) = (with("interval"), with("delay"));
    let both = "`interval` and `delay` cannot be combined; keep `interval` for a fixed rate or `delay` for a fixed pause";
    check(&[
        (Draft { cron: daily.clone(), timezone: utc.clone(), ..draft() }, &[]),
        (Draft { timezone: utc.clone(), ..draft() }, &[zone]),
        (Draft { timezone: utc.clone(), interval: secs(5), ..draft() }, &[zone]),
        (Draft { timezone: utc.clone(), unreadable: vec![Key::Cron], ..draft() }, &[]),
        (Draft { cron: daily.clone(), initial_delay: secs(0), ..draft() }, &[delay]),
        (Draft { initial_delay: secs(0), unreadable: vec![Key::Cron], ..draft() }, &[delay]),
        (Draft { cron: daily.clone(), restart: Some(Restart::Always), ..draft() }, &[always]),
        (Draft { cron: daily.clone(), interval: secs(5), ..draft() }, &[&interval]),
        (Draft { cron: daily.clone(), delay: secs(5), timezone: utc, ..draft() }, &[&pause]),
        (
            Draft { cron: daily.clone(), delay: secs(5), interval: secs(5), ..draft() },
            &[both, &interval],
        ),
    ]);
    let found = Draft { cron: daily, ..draft() }.check().unwrap().schedule;
    assert_eq!(found.to_string(), "@daily (local)");
}

fn anchor(text: &str) -> Option<Anchor> {
    Some(Anchor::parse(text).unwrap())
}

#[test]
fn rule_10_an_anchor_requires_an_interval_that_fits_on_the_wall_clock() {
    let hours = |count: u64| secs(count * 3_600);
    let period = |found, nearest| {
        format!(
            "an `interval` of `{found}` with `anchor` must divide 24 hours or be a multiple of them; use {nearest}, or use `cron` instead"
        )
    };
    let (seven, long) = (period("7h", "`6h` or `8h`"), period("1day 1h", "`1day` or `2days`"));
    let uneven = period("1h 40m", "`1h 36m` or `2h`");
    let short = "an `interval` of `500ms` with `anchor` must be in whole seconds; use `1s`, or remove `anchor`";
    let fraction = "an `interval` of `1s 500ms` with `anchor` must be in whole seconds; use `1s` or `2s`, or remove `anchor`";
    let date = "`09:00` does not say on which days an `interval` of `14days` is due; add the date of one, such as `2026-01-02 09:00`";
    let (nine, friday) = (anchor("09:00"), anchor("2026-01-02 09:00"));
    check(&[
        (Draft { interval: hours(24), anchor: nine, ..draft() }, &[]),
        (Draft { interval: hours(8), anchor: friday, ..draft() }, &[]),
        (Draft { interval: secs(1), anchor: nine, ..draft() }, &[]),
        (Draft { interval: hours(366 * 24), anchor: friday, ..draft() }, &[]),
        (Draft { interval: hours(14 * 24), anchor: nine, ..draft() }, &[date]),
        (Draft { interval: hours(7), anchor: nine, ..draft() }, &[&seven]),
        (Draft { interval: hours(25), anchor: friday, ..draft() }, &[&long]),
        (Draft { interval: secs(6_000), anchor: nine, ..draft() }, &[&uneven]),
        (Draft { interval: millis(500), anchor: nine, ..draft() }, &[short]),
        (Draft { interval: millis(1_500), anchor: nine, ..draft() }, &[fraction]),
    ]);
    let found = |interval| Draft { interval, anchor: nine, ..draft() }.check().unwrap_err();
    let at = |interval| {
        let faults = found(interval);
        (faults[0].key, faults[0].related_key, faults[0].is_in_value)
    };
    assert_eq!(at(hours(7)), (Key::Interval, Some(Key::Anchor), true));
    assert_eq!(at(hours(48)), (Key::Anchor, Some(Key::Interval), true));
    let schedule = |timezone| {
        let draft = Draft { interval: hours(14 * 24), anchor: friday, timezone, ..draft() };
        draft.check().unwrap().schedule.to_string()
    };
    assert_eq!(schedule(None), "every 14days anchored at 2026-01-02 09:00 (local)");
    let utc = Some(Timezone::parse("UTC").unwrap());
    assert_eq!(schedule(utc), "every 14days anchored at 2026-01-02 09:00 (UTC)");
}

#[test]
fn rule_157_keys_that_conflict_with_anchor_or_require_it() {
    let (nine, utc) = (anchor("09:00"), Some(Timezone::parse("UTC").unwrap()));
    let alone = "`anchor` has no effect without `interval`; add `interval` or remove `anchor`";
    let with_cron = "`anchor` has no effect with `cron`, which follows the wall clock by itself; remove `anchor`";
    let with_delay = "`anchor` has no effect with `delay`, which counts from the end of each run; replace `delay` with `interval`, or remove `anchor`";
    let first = "`initial_delay` has no effect with `anchor`, which determines the first run; remove `initial_delay`";
    let jitter = "`jitter` of `1h` is not shorter than the `interval` of `1h`; make `jitter` shorter than `1h`";
    let zero = "`interval` cannot be zero; use at least `1ms`, or remove it";
    let both = "`interval` and `delay` cannot be combined; keep `interval` for a fixed rate or `delay` for a fixed pause";
    let hour = secs(3_600);
    check(&[
        (Draft { anchor: nine, ..draft() }, &[alone]),
        (Draft { anchor: nine, cron: cron("@daily"), ..draft() }, &[with_cron]),
        (Draft { anchor: nine, delay: hour, ..draft() }, &[with_delay]),
        (Draft { anchor: nine, interval: hour, initial_delay: secs(0), ..draft() }, &[first]),
        (Draft { anchor: nine, interval: hour, timezone: utc.clone(), ..draft() }, &[]),
        (Draft { anchor: nine, interval: hour, jitter: secs(3_599), ..draft() }, &[]),
        (Draft { anchor: nine, interval: hour, jitter: hour, ..draft() }, &[jitter]),
        // One mistake is reported once.
        (Draft { anchor: nine, jitter: hour, timezone: utc.clone(), ..draft() }, &[alone]),
        (Draft { anchor: nine, delay: hour, initial_delay: hour, ..draft() }, &[with_delay]),
        (Draft { anchor: nine, interval: secs(0), ..draft() }, &[zero]),
        (Draft { anchor: nine, unreadable: vec![Key::Interval], ..draft() }, &[]),
        (Draft { anchor: nine, interval: hour, delay: hour, ..draft() }, &[both]),
        (
            Draft {
                interval: hour,
                timezone: utc,
                initial_delay: hour,
                unreadable: vec![Key::Anchor],
                ..draft()
            },
            &[first],
        ),
    ]);
}

#[test]
fn jitter_of_cron_is_shorter_than_the_shortest_interval() {
    let short = "`jitter` of `10m` is not shorter than the `5m` between two occurrences of `cron`; make `jitter` shorter than `5m`";
    check(&[
        (Draft { jitter: secs(600), cron: cron("*/5 * * * *"), ..draft() }, &[short]),
        (Draft { jitter: secs(600), cron: cron("5,10,40 8 * * *"), ..draft() }, &[short]),
        (Draft { jitter: secs(600), cron: cron("57 23 L * *"), ..draft() }, &[]),
        (Draft { jitter: secs(600), cron: cron("57 23 * * *"), ..draft() }, &[]),
        (Draft { jitter: secs(600), cron: cron("2,57 0,23 * * *"), ..draft() }, &[short]),
    ]);
}

#[test]
fn jitter_is_shorter_than_the_period() {
    let continuous = "`jitter` has no effect on a continuous service; add `interval`, `delay` or `cron`, or remove `jitter`";
    check(&[
        (Draft { jitter: secs(1), ..draft() }, &[continuous]),
        (Draft { jitter: secs(1), interval: millis(1001), ..draft() }, &[]),
        (
            Draft { jitter: secs(1), interval: secs(1), ..draft() },
            &[
                "`jitter` of `1s` is not shorter than the `interval` of `1s`; make `jitter` shorter than `1s`",
            ],
        ),
        (
            Draft { jitter: secs(90), delay: secs(1), ..draft() },
            &[
                "`jitter` of `1m 30s` is not shorter than the `delay` of `1s`; make `jitter` shorter than `1s`",
            ],
        ),
        // The schedule itself is at fault, so the jitter cannot be judged.
        (Draft { jitter: secs(1), unreadable: vec![Key::Interval], ..draft() }, &[]),
        (Draft { jitter: secs(1), unreadable: vec![Key::Cron], ..draft() }, &[]),
        (
            Draft { jitter: secs(1), interval: secs(0), ..draft() },
            &["`interval` cannot be zero; use at least `1ms`, or remove it"],
        ),
    ]);
}

#[test]
fn rule_29_and_157_on_timeout_requires_a_timeout() {
    let alone =
        "`on_timeout` has no effect without `timeout`; add `timeout` or remove `on_timeout`";
    let short = "`timeout` cannot be zero; use at least `1ms`, or remove it";
    for on_timeout in OnTimeout::ALL.map(Some) {
        check(&[
            (Draft { on_timeout, timeout: secs(1), ..draft() }, &[]),
            (Draft { on_timeout, timeout: secs(1), interval: secs(1), ..draft() }, &[]),
            (Draft { on_timeout, ..draft() }, &[alone]),
            // The timeout is at fault itself.
            (Draft { on_timeout, timeout: secs(0), ..draft() }, &[short]),
            (Draft { on_timeout, unreadable: vec![Key::Timeout], ..draft() }, &[]),
        ]);
    }
    let found = Draft { on_timeout: Some(OnTimeout::Cancel), ..draft() }.check().unwrap_err();
    assert_eq!((found[0].key, found[0].related_key), (Key::OnTimeout, Some(Key::Timeout)));
}

#[test]
fn tolerance_is_shorter_than_the_period() {
    let continuous = "`tolerance` has no effect on a continuous service; add `interval`, `delay` or `cron`, or remove `tolerance`";
    let interval = "`tolerance` of `1s` is not shorter than the `interval` of `1s`; make `tolerance` shorter than `1s`";
    let delay = "`tolerance` of `1m 30s` is not shorter than the `delay` of `1s`; make `tolerance` shorter than `1s`";
    let occurrences = "`tolerance` of `10m` is not shorter than the `5m` between two occurrences of `cron`; make `tolerance` shorter than `5m`";
    let jitter = "`jitter` of `1s` is not shorter than the `interval` of `1s`; make `jitter` shorter than `1s`";
    check(&[
        (Draft { tolerance: secs(1), ..draft() }, &[continuous]),
        (Draft { tolerance: secs(1), interval: millis(1001), ..draft() }, &[]),
        (Draft { tolerance: secs(1), interval: secs(1), ..draft() }, &[interval]),
        (Draft { tolerance: secs(90), delay: secs(1), ..draft() }, &[delay]),
        (Draft { tolerance: secs(600), cron: cron("5,10,40 8 * * *"), ..draft() }, &[occurrences]),
        (Draft { tolerance: secs(299), cron: cron("*/5 * * * *"), ..draft() }, &[]),
        (Draft { tolerance: secs(1), unreadable: vec![Key::Interval], ..draft() }, &[]),
        // Each of two keys has its own fault.
        (
            Draft { tolerance: secs(1), jitter: secs(1), interval: secs(1), ..draft() },
            &[interval, jitter],
        ),
    ]);
}

#[test]
fn the_shortest_period_of_each_schedule() {
    let schedule = |draft: Draft| draft.check().unwrap().schedule;
    for (draft, expected) in [
        (draft(), None),
        (Draft { interval: secs(5), ..draft() }, secs(5)),
        (Draft { delay: secs(6), ..draft() }, secs(6)),
        (Draft { cron: cron("5,10,40 8 * * *"), ..draft() }, secs(300)),
    ] {
        assert_eq!(schedule(draft).shortest_period(), expected);
    }
}

#[test]
fn keys_without_effect_if_restarts_never_happen() {
    let never = |key| {
        format!(
            "`{key}` has no effect with `restart = \"never\"`; remove `{key}` or allow restarts"
        )
    };
    let restart = Some(Restart::Never);
    let (max, window) = (never(Key::MaxRestarts), never(Key::RestartWindow));
    let (backoff, max_backoff) = (never(Key::Backoff), never(Key::MaxBackoff));
    check(&[
        (Draft { restart, ..draft() }, &[]),
        (Draft { restart, max_restarts: Some(0), ..draft() }, &[&max]),
        (Draft { restart, restart_window: secs(1), ..draft() }, &[&window]),
        (
            Draft {
                restart,
                max_restarts: Some(5),
                restart_window: secs(1),
                backoff: secs(9),
                max_backoff: secs(8),
                ..draft()
            },
            &[&max, &window, &backoff, &max_backoff],
        ),
    ]);
}

#[test]
fn restart_always_is_for_continuous_services() {
    let restart = Some(Restart::Always);
    check(&[
        (Draft { restart, ..draft() }, &[]),
        (
            Draft { restart, delay: secs(1), ..draft() },
            &[
                "`restart = \"always\"` has no effect with `delay`, which runs the service again anyway; remove `restart`",
            ],
        ),
    ]);
}

#[test]
fn backoff_is_at_most_max_backoff() {
    check(&[
        (Draft { backoff: secs(60), ..draft() }, &[]),
        (
            Draft { backoff: secs(61), ..draft() },
            &[
                "`backoff` of `1m 1s` is longer than the default `max_backoff` of `1m`; set `max_backoff` to `1m 1s` or more",
            ],
        ),
        (Draft { backoff: secs(2), max_backoff: secs(2), ..draft() }, &[]),
        (
            Draft { backoff: secs(3), max_backoff: secs(2), ..draft() },
            &["`backoff` of `3s` is longer than the `max_backoff` of `2s`; make it at most `2s`"],
        ),
        (
            Draft { max_backoff: millis(999), ..draft() },
            &[
                "`max_backoff` of `999ms` is shorter than the default `backoff` of `1s`; make it at least `1s`, or set a shorter `backoff`",
            ],
        ),
        (Draft { max_backoff: millis(999), unreadable: vec![Key::Backoff], ..draft() }, &[]),
    ]);
}

#[test]
fn rule_23_a_window_too_short_for_its_restarts() {
    check(&[
        (
            Draft { restart_window: secs(60), ..draft() },
            &[
                "`restart_window` has no effect without `max_restarts`; add `max_restarts` or remove `restart_window`",
            ],
        ),
        (Draft { restart_window: secs(60), unreadable: vec![Key::MaxRestarts], ..draft() }, &[]),
        (Draft { restart_window: millis(1), max_restarts: Some(0), ..draft() }, &[]),
        (Draft { restart_window: secs(32), max_restarts: Some(5), ..draft() }, &[]),
        (
            Draft { restart_window: secs(31), max_restarts: Some(5), ..draft() },
            &[
                "`restart_window` of `31s` is too short for `max_restarts = 5`: the backoffs before the restarts add up to `31s` (`1s`, `2s`, `4s`, `8s`, `16s`); make `restart_window` longer than `31s`, or lower `max_restarts` or `backoff`",
            ],
        ),
        (
            Draft { restart_window: secs(1), max_restarts: Some(1), ..draft() },
            &[
                "`restart_window` of `1s` is too short for `max_restarts = 1`: the backoffs before the restarts add up to `1s` (`1s`); make `restart_window` longer than `1s`, or lower `max_restarts` or `backoff`",
            ],
        ),
        (
            Draft { restart_window: secs(60), max_restarts: Some(20), ..draft() },
            &[
                "`restart_window` of `1m` is too short for `max_restarts = 20`: the backoffs before the restarts add up to `15m 3s` (`1s`, `2s`, `4s`, `8s` .. `1m`); make `restart_window` longer than `15m 3s`, or lower `max_restarts` or `backoff`",
            ],
        ),
        (
            Draft { restart_window: secs(60), max_restarts: Some(u32::MAX), ..draft() },
            &[
                "`restart_window` of `1m` is too short for `max_restarts = 4294967295`: the backoffs before the restarts add up to `2982616days 4h 10m 3s` (`1s`, `2s`, `4s`, `8s` .. `1m`); lower `max_restarts`, `backoff` or `max_backoff`",
            ],
        ),
        // The backoffs contradict each other, so the delays are unknown.
        (
            Draft {
                restart_window: secs(1),
                max_restarts: Some(9),
                backoff: secs(3),
                max_backoff: secs(2),
                ..draft()
            },
            &["`backoff` of `3s` is longer than the `max_backoff` of `2s`; make it at most `2s`"],
        ),
    ]);
}

#[test]
fn all_faults_at_once_in_the_order_of_the_keys() {
    let found = Draft {
        interval: secs(1),
        delay: secs(1),
        jitter: secs(0),
        timeout: secs(400 * 86_400),
        restart: Some(Restart::Always),
        restart_window: secs(5),
        backoff: secs(100),
        stop_timeout: Some(Duration::from_nanos(1)),
        ..draft()
    }
    .check()
    .unwrap_err();
    let keys: Vec<_> = found.iter().map(|fault| fault.key).collect();
    assert_eq!(
        keys,
        [
            Key::Delay,
            Key::Jitter,
            Key::Timeout,
            Key::Restart,
            Key::RestartWindow,
            Key::Backoff,
            Key::StopTimeout
        ]
    );
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((0..=40_000_u64).prop_map(Duration::from_millis))
}

proptest! {
    #![proptest_config(crate::proptest_config::config())]

    #[test]
    fn every_accepted_draft_obeys_the_rules(
        interval in duration(), delay in duration(), jitter in duration(), window in duration(),
        backoff in duration(), max_backoff in duration(), max in proptest::option::of(0..50_u32),
    ) {
        let draft = Draft {
            interval, delay, jitter, backoff, max_backoff,
            restart_window: window, max_restarts: max, ..draft()
        };
        match draft.check() {
            Ok(spec) => {
                prop_assert!(interval.is_none() || delay.is_none());
                if let Schedule::Interval(period) | Schedule::Delay(period) = spec.schedule {
                    prop_assert!(spec.jitter < period);
                }
                let policy = spec.restart_policy;
                prop_assert!(policy.backoff <= policy.max_backoff);
                if let (Some(window), Some(max)) = (policy.window, policy.max_restarts) {
                    let sum: Duration = (1..=max).map(|k| policy.backoff_after(k)).sum();
                    prop_assert!(window > sum || max == 0);
                }
            }
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }
}

#[test]
fn the_settings_of_a_queue_have_defaults() {
    let queue = Draft { queue: true, ..draft() };
    let spec = queue.check().unwrap();
    assert_eq!(spec, Spec { schedule: Schedule::Queue(QueueSpec::DEFAULT), ..Spec::DEFAULT });
    assert_eq!(QueueSpec::DEFAULT.lease(), Duration::from_secs(30));
    let mut all = queue;
    for setting in [
        Setting::Queue,
        Setting::Attempts(3),
        Setting::Backoff(Duration::from_secs(5)),
        Setting::MaxBackoff(Duration::from_secs(6)),
        Setting::Concurrency(1024),
        Setting::Lease(Duration::from_secs(1)),
        Setting::Poll(Duration::from_secs(7)),
        Setting::KeepDead(Duration::from_secs(8)),
        Setting::KeepDone(Duration::from_secs(9)),
        Setting::Shared(true),
        Setting::OnDead,
        Setting::Critical(true),
        Setting::Ready(Ready::Notified),
    ] {
        all.set(setting);
    }
    let spec = all.check().unwrap();
    let expected = QueueSpec {
        attempts: 3,
        backoff: Duration::from_secs(5),
        max_backoff: Duration::from_secs(6),
        concurrency: 1024,
        lease: secs(1),
        poll: Duration::from_secs(7),
        keep_dead: secs(8),
        keep_done: secs(9),
        shared: true,
    };
    assert_eq!(spec.schedule, Schedule::Queue(expected));
    // The backoff is that of jobs. After a failure of the engine, the default applies.
    assert_eq!(spec.restart_policy, RestartPolicy::DEFAULT);
    assert_eq!((spec.critical, spec.ready), (true, Some(Ready::Notified)));
}

#[test]
fn rule_157_the_keys_of_a_queue_that_was_not_read_are_not_judged() {
    let draft = Draft {
        unreadable: vec![Key::Queue],
        attempts: Some(3),
        backoff: secs(100),
        ready: Some(Ready::Notified),
        ..draft()
    };
    assert_eq!(draft.check().map(|_| ()), Ok(()));
}
