//! Rules 101 and 104: every key that a deployment may set, right and wrong, from the environment and from
//! `Settings`.

use tina4_service::{Job, MemoryEngine, Queue, Queues, Runner, Service, Settings};
use tina4_service_core::deployment::SettableKey;

/// A case: the service, the key, the value, and a part of the message. Without a message the value is right.
pub(super) type Case = (Kind, &'static str, &'static str, Option<&'static str>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `interval = "30s"`
    Every,
    /// `interval = "30s", timeout = "10s"`
    Timed,
    /// `interval = "30s", max_restarts = 5`
    Limited,
    /// `delay = "30s"`
    Pauses,
    /// `cron = "0 8 * * *"`
    Daily,
    /// `interval = "90m", anchor = "00:00", timezone = "UTC"`
    Anchored,
    /// Continuous.
    Once,
    /// `queue = JOBS`
    Queued,
}

use Kind::{Anchored, Daily, Every, Limited, Once, Pauses, Queued, Timed};

pub(super) const JOBS: Queue<String> = Queue::new("jobs");

impl Kind {
    fn service(self) -> Service {
        let service = Service::new("s", |_| {});
        match self {
            Every => service.interval("30s"),
            Timed => service.interval("30s").timeout("10s"),
            Limited => service.interval("30s").max_restarts(5),
            Pauses => service.delay("30s"),
            Daily => service.cron("0 8 * * *"),
            Anchored => service.interval("90m").anchor("00:00").timezone("UTC"),
            Once => service,
            Queued => Service::of("s", |_: Job<String>| {}).queue(JOBS),
        }
    }
}

const OK: Option<&str> = None;
const NO_UNIT: Option<&str> = Some("has no unit; did you mean");
const ZERO: Option<&str> = Some("cannot be zero; use at least `1ms`");
const SHORT: Option<&str> = Some("is too short; use at least `1ms`");
const LONG: Option<&str> = Some("is too long; use at most `366days`");
const SCHEDULE_STAYS: Option<&str> = Some("a service cannot lose its schedule; write `off`");
const HAS_DEFAULT: Option<&str> = Some("always has a value; write one, such as");
const NO_QUEUE: Option<&str> = Some("has no effect without `queue`; add `queue`, or");
const WITH_QUEUE: Option<&str> = Some("has no effect with `queue`");
const CONTINUOUS: Option<&str> = Some("cannot be set for a continuous service");
const NOT_SHORTER: Option<&str> = Some("is not shorter than the");
const FIXED: Option<&str> = Some("cannot be changed at deployment, because the code depends on it");

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (Every, "interval", "1ms", OK), (Every, "interval", "366days", OK), (Every, "interval", "1h 30m", OK),
    (Every, "interval", "off", OK), (Every, "interval", "30", NO_UNIT), (Every, "interval", "0s", ZERO),
    (Every, "interval", "1us", SHORT), (Every, "interval", "367days", LONG), (Every, "interval", "none", SCHEDULE_STAYS),
    (Every, "interval", "-1s", Some("a duration cannot be negative")), (Every, "interval", "1month", Some("has no fixed length")),
    (Every, "interval", "1x", Some("unknown unit `x`")), (Every, "interval", "soon", Some("expected a number")),
    (Every, "interval", "1S", Some("did you mean `s`?")), (Every, "interval", "\"30s\"", Some("quotation marks")),
    (Pauses, "interval", "1m", OK), (Daily, "interval", "1m", OK), (Anchored, "interval", "2h", OK),
    (Anchored, "interval", "7m", Some("must divide 24 hours")), (Once, "interval", "1s", CONTINUOUS), (Once, "interval", "off", OK),
    (Pauses, "delay", "1ms", OK), (Pauses, "delay", "366days", OK), (Pauses, "delay", "off", OK), (Pauses, "delay", "5", NO_UNIT),
    (Pauses, "delay", "0ms", ZERO), (Pauses, "delay", "1ns", SHORT), (Pauses, "delay", "400d", LONG), (Pauses, "delay", "none", SCHEDULE_STAYS),
    (Every, "delay", "5s", OK), (Daily, "delay", "5s", OK), (Anchored, "delay", "5s", OK), (Once, "delay", "5s", CONTINUOUS), (Once, "delay", "off", OK),
    (Daily, "cron", "0 9 * * MON-FRI", OK), (Daily, "cron", "*/5 * * * * *", OK), (Daily, "cron", "@hourly", OK), (Daily, "cron", "off", OK),
    (Daily, "cron", "none", SCHEDULE_STAYS), (Daily, "cron", "0 25 * * *", Some("`25` is not an hour")), (Daily, "cron", "* * *", Some("field")),
    (Daily, "cron", "0 0 30 2 *", Some("no day ever matches `30 2 *`")), (Daily, "cron", "0 8 * * FOO", Some("`FOO`")), (Daily, "cron", "\"@daily\"", Some("quotation marks")),
    (Every, "cron", "@daily", OK), (Pauses, "cron", "@daily", OK), (Anchored, "cron", "@daily", OK), (Once, "cron", "@daily", CONTINUOUS), (Once, "cron", "off", OK),
    (Daily, "timezone", "UTC", OK), (Daily, "timezone", "Europe/Berlin", OK), (Daily, "timezone", "local", OK), (Daily, "timezone", "none", HAS_DEFAULT),
    (Daily, "timezone", "UTC+2", Some("is an offset, not a time zone")), (Daily, "timezone", "Europa/Berlin", Some("did you mean `Europe`?")),
    (Daily, "timezone", "Europe/Berlinn", Some("unknown to this machine")), (Daily, "timezone", "Berlin", Some("is not a time zone")),
    (Anchored, "timezone", "Europe/Berlin", OK), (Every, "timezone", "UTC", Some("`timezone` has no effect without")), (Once, "timezone", "UTC", Some("`timezone` has no effect without")),
    (Anchored, "anchor", "00:30", OK), (Anchored, "anchor", "none", OK), (Anchored, "anchor", "25:00", Some("25:00")), (Anchored, "anchor", "noon", Some("noon")),
    (Every, "anchor", "00:00", OK), (Daily, "anchor", "00:00", Some("`anchor` has no effect with `cron`")), (Pauses, "anchor", "00:00", Some("`anchor` has no effect with `delay`")),
    (Once, "anchor", "00:00", Some("`anchor` has no effect without `interval`")),
    (Every, "tolerance", "1s", OK), (Every, "tolerance", "none", OK), (Every, "tolerance", "30s", NOT_SHORTER), (Every, "tolerance", "1", NO_UNIT),
    (Every, "tolerance", "0s", ZERO), (Every, "tolerance", "off", Some("expected a number")), (Daily, "tolerance", "1m", OK), (Once, "tolerance", "1s", Some("has no effect on a continuous service")),
    (Every, "initial_delay", "0s", OK), (Every, "initial_delay", "5s", OK), (Once, "initial_delay", "5s", OK), (Every, "initial_delay", "5", NO_UNIT),
    (Every, "initial_delay", "1us", SHORT), (Every, "initial_delay", "367d", LONG), (Every, "initial_delay", "none", HAS_DEFAULT),
    (Daily, "initial_delay", "5s", Some("`initial_delay` has no effect with `cron`")), (Anchored, "initial_delay", "5s", Some("`initial_delay` has no effect with `anchor`")),
    (Every, "jitter", "1s", OK), (Every, "jitter", "none", OK), (Every, "jitter", "30s", NOT_SHORTER), (Every, "jitter", "1", NO_UNIT), (Every, "jitter", "0s", ZERO),
    (Pauses, "jitter", "29s", OK), (Pauses, "jitter", "31s", NOT_SHORTER), (Daily, "jitter", "1h", OK), (Daily, "jitter", "2d", NOT_SHORTER),
    (Once, "jitter", "1s", Some("has no effect on a continuous service")),
    (Every, "timeout", "1m", OK), (Every, "timeout", "none", OK), (Once, "timeout", "1m", OK), (Every, "timeout", "1", NO_UNIT), (Every, "timeout", "0s", ZERO), (Every, "timeout", "367d", LONG),
    (Every, "on_timeout", "report", Some("`on_timeout` has no effect without `timeout`")), (Every, "on_timeout", "cancel", Some("`on_timeout` has no effect without `timeout`")),
    (Timed, "on_timeout", "report", OK), (Timed, "on_timeout", "cancel", OK), (Timed, "timeout", "none", OK), (Timed, "timeout", "30s", OK),
    (Every, "on_timeout", "cancle", Some("did you mean `cancel`?")), (Every, "on_timeout", "kill", Some("use `report` or `cancel`")), (Every, "on_timeout", "none", HAS_DEFAULT),
    (Every, "restart", "on-failure", OK), (Every, "restart", "never", OK), (Once, "restart", "always", OK), (Once, "restart", "never", OK),
    (Every, "restart", "always", Some("`restart = \"always\"` has no effect with `interval`")), (Daily, "restart", "always", Some("has no effect with `cron`")),
    (Every, "restart", "on_failure", Some("did you mean `on-failure`?")), (Every, "restart", "Never", Some("did you mean `never`?")),
    (Every, "restart", "sometimes", Some("use `on-failure`, `always` or `never`")), (Every, "restart", "none", HAS_DEFAULT), (Every, "restart", "true", Some("unknown value `true`")),
    (Every, "max_restarts", "0", OK), (Every, "max_restarts", "4294967295", OK), (Every, "max_restarts", "1_000", OK), (Every, "max_restarts", "none", OK),
    (Every, "max_restarts", "0x10", OK), (Every, "max_restarts", "5u32", OK), (Every, "max_restarts", "0x", Some("expected a whole number")), (Every, "max_restarts", "0b2", Some("expected a whole number")),
    (Every, "max_restarts", "4294967296", Some("is too large; use at most `4294967295`")), (Every, "max_restarts", "-1", Some("cannot be negative")),
    (Every, "max_restarts", "1.5", Some("expected a whole number")), (Every, "max_restarts", "five", Some("expected a whole number")), (Every, "max_restarts", "5x", Some("expected a whole number")),
    (Limited, "restart_window", "32s", OK), (Limited, "restart_window", "5s", Some("is too short for `max_restarts = 5`")), (Limited, "restart_window", "none", OK), (Limited, "max_restarts", "none", OK), (Limited, "max_restarts", "2", OK),
    (Every, "restart_window", "1h", Some("`restart_window` has no effect without `max_restarts`")), (Every, "restart_window", "none", OK),
    (Every, "restart_window", "1", NO_UNIT), (Every, "restart_window", "0s", ZERO),
    (Every, "backoff", "5s", OK), (Every, "backoff", "1m", OK), (Every, "backoff", "2m", Some("is longer than the default `max_backoff`")), (Every, "backoff", "5", NO_UNIT),
    (Every, "backoff", "0s", ZERO), (Every, "backoff", "none", HAS_DEFAULT), (Every, "backoff", "off", Some("expected a number")),
    (Every, "max_backoff", "5m", OK), (Every, "max_backoff", "1s", OK), (Every, "max_backoff", "1ms", Some("is shorter than the default `backoff`")), (Every, "max_backoff", "5", NO_UNIT),
    (Every, "max_backoff", "none", HAS_DEFAULT),
    (Every, "stop_timeout", "1ms", OK), (Once, "stop_timeout", "1h", OK), (Every, "stop_timeout", "0s", ZERO), (Every, "stop_timeout", "10", NO_UNIT), (Every, "stop_timeout", "367d", LONG),
    (Every, "stop_timeout", "none", HAS_DEFAULT),
    (Every, "autostart", "true", OK), (Every, "autostart", "false", OK), (Every, "autostart", "TRUE", Some("did you mean `true`?")), (Every, "autostart", "1", Some("did you mean `true`?")),
    (Every, "autostart", "no", Some("did you mean `false`?")), (Every, "autostart", "maybe", Some("expected `true` or `false`")), (Every, "autostart", "none", HAS_DEFAULT),
    (Every, "enabled", "true", OK), (Every, "enabled", "false", OK), (Once, "enabled", "false", OK), (Every, "enabled", "off", Some("did you mean `false`?")),
    (Every, "enabled", "on", Some("did you mean `true`?")), (Every, "enabled", "none", Some("expected `true` or `false`")), (Every, "enabled", "'true'", Some("quotation marks")),
    (Every, "tags", "mail", OK), (Every, "tags", "mail,slow", OK), (Every, "tags", "mail, slow", OK), (Every, "tags", "none", OK), (Every, "tags", "mail,,slow", Some("the tag is empty")),
    (Every, "tags", "2nd", Some("a tag cannot start with `2`")), (Every, "tags", "a b", Some("a tag cannot contain spaces")), (Every, "tags", "a,a", Some("given more than once")),
    (Queued, "queue", "off", OK), (Queued, "queue", "MAILS", Some("the code chooses the queue; write `off`")), (Queued, "queue", "none", SCHEDULE_STAYS), (Every, "queue", "JOBS", Some("the code chooses the queue; write `off`")),
    (Queued, "interval", "1s", Some("cannot be set for a queue service")), (Queued, "cron", "@daily", Some("cannot be set for a queue service")), (Queued, "enabled", "false", OK),
    (Queued, "attempts", "1", OK), (Queued, "attempts", "1_000", OK), (Queued, "attempts", "0", Some("`attempts` cannot be zero")), (Queued, "attempts", "-1", Some("cannot be negative; use at least `1`")),
    (Queued, "attempts", "4294967296", Some("is too large; use at most `4294967295`")), (Queued, "attempts", "some", Some("expected a whole number")), (Queued, "attempts", "none", HAS_DEFAULT), (Every, "attempts", "3", NO_QUEUE),
    (Queued, "concurrency", "1", OK), (Queued, "concurrency", "1024", OK), (Queued, "concurrency", "0", Some("`concurrency` cannot be zero")), (Queued, "concurrency", "1025", Some("is too large; use at most `1024`")),
    (Queued, "concurrency", "none", HAS_DEFAULT), (Once, "concurrency", "2", NO_QUEUE),
    (Queued, "lease", "1s", OK), (Queued, "lease", "1h", OK), (Queued, "lease", "500ms", Some("is too short to be renewed in time")), (Queued, "lease", "30", NO_UNIT), (Queued, "lease", "none", HAS_DEFAULT), (Every, "lease", "30s", NO_QUEUE),
    (Queued, "poll", "10ms", OK), (Queued, "poll", "1h", OK), (Queued, "poll", "0s", ZERO), (Queued, "poll", "none", HAS_DEFAULT), (Daily, "poll", "1s", NO_QUEUE),
    (Queued, "keep_dead", "90d", OK), (Queued, "keep_dead", "367d", LONG), (Queued, "keep_dead", "none", HAS_DEFAULT), (Every, "keep_dead", "1d", NO_QUEUE),
    (Queued, "keep_done", "1d", OK), (Queued, "keep_done", "367d", LONG), (Queued, "keep_done", "0s", ZERO), (Queued, "keep_done", "none", OK), (Queued, "keep_done", "7", NO_UNIT), (Every, "keep_done", "1d", NO_QUEUE),
    (Queued, "backoff", "5s", OK), (Queued, "backoff", "2h", Some("is longer than the default `max_backoff` of `1h`")), (Queued, "max_backoff", "1d", OK), (Queued, "timeout", "1m", OK), (Queued, "stop_timeout", "1m", OK),
    (Queued, "jitter", "1s", WITH_QUEUE), (Queued, "max_restarts", "1", WITH_QUEUE), (Queued, "tolerance", "1s", WITH_QUEUE), (Queued, "shared", "true", FIXED), (Queued, "on_dead", "x", FIXED),
    (Every, "name", "x", FIXED), (Every, "after", "x", FIXED), (Every, "requires", "x", FIXED), (Every, "ready", "notified", FIXED), (Every, "on_stop", "x", FIXED),
    (Every, "critical", "true", FIXED), (Every, "crate", "x", FIXED), (Every, "port", "80", Some("there is no such key; the keys are `enabled`, `interval`")),
    (Every, "every", "1s", Some("there is no such key; did you mean")), (Every, "retries", "1", Some("there is no such key; did you mean")),
];

#[test]
fn rule_101_there_is_a_right_and_a_wrong_value_for_every_key() {
    for key in SettableKey::all().map(SettableKey::as_str) {
        let of_key = || CASES.iter().filter(|(_, known, ..)| *known == key);
        let right = of_key().filter(|(.., fault)| fault.is_none()).count();
        assert!(right > 0 && right < of_key().count(), "{key}: {right} of {}", of_key().count());
    }
}

/// The faults of a service with these changes, and whether they concern the service.
fn found(kind: Kind, settings: Settings, variables: &[(String, &str)]) -> Vec<String> {
    let builder = Runner::builder().only::<&str>([]).settings(settings);
    let variables = variables.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let runner = builder.env_vars(variables).build();
    runner.provide(Queues::new(MemoryEngine::new()));
    runner.register(kind.service()).expect("the code has no fault");
    match runner.check() {
        Ok(_) => Vec::new(),
        Err(tina4_service::StartError::Faults(faults)) => {
            faults.iter().map(ToString::to_string).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn check(case: &Case, found: &[String], source: &str) {
    let (kind, key, value, expected) = case;
    let place = format!("`s` at {}:", file!());
    match (found, expected) {
        ([], None) => {}
        ([fault], Some(part)) => {
            // In `Settings` words are in quotation marks, as in the attribute.
            let plain = fault.replace("`\"", "`").replace("\"`", "`");
            let part = part.replace("`\"", "`").replace("\"`", "`");
            assert!(plain.contains(&part), "{kind:?} {key}={value} ({source}): {fault}");
            assert!(fault.starts_with(&place), "{fault}");
            assert!(fault.contains(source), "{kind:?} {key}={value}: no {source} in {fault}");
        }
        _ => panic!("{kind:?} {key}={value} ({source}): {found:#?}"),
    }
}

#[test]
fn rule_101_every_key_from_the_environment() {
    assert!(CASES.len() >= 150, "{}", CASES.len());
    for case in CASES {
        let (kind, key, value, _) = case;
        let name = format!("TINA4_SERVICES__S__{}", key.to_uppercase());
        let found = found(*kind, Settings::new(), &[(name.clone(), value)]);
        check(case, &found, &name);
    }
}

#[test]
fn rule_104_every_key_from_settings() {
    for case in CASES {
        let (kind, key, value, _) = case;
        let found = found(*kind, Settings::new().set("s", *key, *value), &[]);
        check(case, &found, &format!("services.s.{key}"));
    }
}

/// Faults in both sources are reported together.
#[test]
fn rule_30_faults_of_both_sources_are_reported() {
    let variables = [("TINA4_SERVICES__S__JITTER".to_owned(), "soon")];
    let found = found(Every, Settings::new().set("s", "interval", "30"), &variables);
    assert_eq!(found.len(), 2, "{found:#?}");
}
