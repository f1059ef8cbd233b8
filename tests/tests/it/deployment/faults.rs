//! Rules 30, 101 and 103: what is wrong in the environment is reported before anything starts, all at once,
//! with the variable, the service and its place.

use tests::virtual_time_builder;
use tina4_service::{Fault, Res, Service, StartError, testing::TestRunner};

use super::environment::{builder, faults, run};

fn heartbeat() -> Service {
    Service::new("heartbeat", |_| {}).interval("30s").jitter("5s")
}

/// The faults that these variables, without their prefix, cause in `heartbeat` and `report`.
#[track_caller]
fn check(variables: &[(&str, &str)], expected: &[&str]) {
    let names: Vec<_> = variables.iter().map(|(name, _)| format!("TINA4_SERVICES{name}")).collect();
    let variables: Vec<_> =
        names.iter().zip(variables).map(|(name, (_, value))| (name.as_str(), *value)).collect();
    let runner = builder(&variables).build();
    runner.register(heartbeat()).unwrap();
    runner.register(Service::new("daily_report", |_| {}).cron("0 8 * * *")).unwrap();
    let place = |text: &str| {
        // `name` at file:line: ..
        let (start, rest) = text.split_once(&format!(" at {}:", file!())).unwrap_or((text, ""));
        let rest = rest.split_once(": ").map_or("", |(_, rest)| rest);
        if rest.is_empty() { start.to_owned() } else { format!("{start}: {rest}") }
    };
    let found: Vec<_> = faults(&runner).iter().map(|fault| place(fault)).collect();
    assert_eq!(found, expected, "{variables:?}");
}

#[test]
fn rule_101_a_wrong_value_is_reported_in_the_words_of_the_attribute() {
    check(
        &[("__HEARTBEAT__INTERVAL", "30")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__INTERVAL=30`: `30` has no unit; did you mean `30s`?",
        ],
    );
    check(
        &[("__HEARTBEAT__INTERVAL", "1us")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__INTERVAL`: `interval` of `1us` is too short; use at least `1ms`",
        ],
    );
    check(
        &[("__DAILY_REPORT__CRON", "0 25 * * *")],
        &[
            "`daily_report`: `TINA4_SERVICES__DAILY_REPORT__CRON=0 25 * * *`: `25` is not an hour; write 0 to 23\n    0 25 * * *\n      ^^",
        ],
    );
    check(
        &[("__DAILY_REPORT__CRON", "0 0 30 2 *")],
        &[
            "`daily_report`: `TINA4_SERVICES__DAILY_REPORT__CRON=0 0 30 2 *`: no day ever matches `30 2 *`; check the day of the month against the month\n    0 0 30 2 *\n        ^^^^^^",
        ],
    );
    check(
        &[("__HEARTBEAT__ENABLED", "no")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__ENABLED=no`: expected `true` or `false`, found `no`; did you mean `false`?",
        ],
    );
    check(
        &[("__DAILY_REPORT__TIMEZONE", "Europe/Berlinn")],
        &[
            "`daily_report`: `TINA4_SERVICES__DAILY_REPORT__TIMEZONE`: `timezone`: the time zone `Europe/Berlinn` is unknown to this machine; did you mean `Europe/Berlin`?",
        ],
    );
}

#[test]
fn rule_101_an_unknown_name_or_key_is_reported_with_the_variable_that_was_meant() {
    check(
        &[("__HEARBEAT__INTERVAL", "1s")],
        &[
            "`TINA4_SERVICES__HEARBEAT__INTERVAL`: there is no service `HEARBEAT`; did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?",
        ],
    );
    check(
        &[("__HEARTBEAT__INTERVALL", "1s")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__INTERVALL=1s`: there is no such key; did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?",
        ],
    );
    check(
        &[("__HEARBEAT__INTERVALL", "1s")],
        &[
            "`TINA4_SERVICES__HEARBEAT__INTERVALL`: there is no service `HEARBEAT`; did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?",
        ],
    );
    check(
        &[("__DAILY-REPORT__CRON", "@daily")],
        &[
            "`TINA4_SERVICES__DAILY-REPORT__CRON`: there is no service `DAILY-REPORT`; did you mean `TINA4_SERVICES__DAILY_REPORT__CRON`?",
        ],
    );
    check(
        &[("__WEB__INTERVAL", "1s")],
        &[
            "`TINA4_SERVICES__WEB__INTERVAL`: there is no service `WEB`; the services are `daily_report` and `heartbeat`",
        ],
    );
    check(
        &[("__HEARTBEAT__CRITICAL", "true")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__CRITICAL=true`: `critical` cannot be changed at deployment, because the code depends on it; change it there",
        ],
    );
    check(
        &[("__HEARTBEAT__PORT", "80")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__PORT=80`: there is no such key; the keys are `enabled`, `interval`, `delay`, `cron`, `queue`, `timezone`, `anchor`, `tolerance`, `initial_delay`, `jitter`, `timeout`, `on_timeout`, `restart`, `max_restarts`, `restart_window`, `backoff`, `max_backoff`, `stop_timeout`, `attempts`, `concurrency`, `lease`, `poll`, `keep_dead`, `keep_done`, `autostart`, `tags`",
        ],
    );
    check(
        &[("__HEARTBEAT", "1s"), ("__SHUTDOWN_TIMOUT", "1s")],
        &[
            "`TINA4_SERVICES__HEARTBEAT`: it names neither a service with a key nor a setting of the runner; the name of a variable is `TINA4_SERVICES__<SERVICE>__<KEY>`, `TINA4_SERVICES__SHUTDOWN_TIMEOUT`, `TINA4_SERVICES__QUIESCE`, `TINA4_SERVICES__UNHEALTHY_AFTER` or `TINA4_SERVICES__DUMP_ON_SIGUSR1`",
            "`TINA4_SERVICES__SHUTDOWN_TIMOUT`: it names neither a service with a key nor a setting of the runner; did you mean `TINA4_SERVICES__SHUTDOWN_TIMEOUT`?",
        ],
    );
}

/// Otherwise one of two spellings would win without a word. On Windows there is only one.
#[cfg(not(windows))]
#[test]
fn rule_101_a_variable_has_one_spelling() {
    check(
        &[("__HEARTBEAT__INTERVAL", "10s"), ("__HEARTBEAT__interval", "20s")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__interval=20s`: there is no such key; did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?",
        ],
    );
    check(
        &[("__Shutdown_Timeout", "1s")],
        &[
            "`TINA4_SERVICES__Shutdown_Timeout`: it names neither a service with a key nor a setting of the runner; did you mean `TINA4_SERVICES__SHUTDOWN_TIMEOUT`?",
        ],
    );
    check(
        &[("__heartbeat__INTERVAL", "1s")],
        &[
            "`TINA4_SERVICES__heartbeat__INTERVAL`: there is no service `heartbeat`; did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?",
        ],
    );
}

#[test]
fn rule_101_a_variable_that_is_nearly_one_for_a_service_is_reported() {
    let of = |name: &str| {
        let runner = builder(&[(name, "1s")]).build();
        runner.register(Service::new("daily_report", |_| {}).interval("1h")).unwrap();
        // The start of this one service is refused, too.
        let refused = runner.start("daily_report");
        assert_eq!(refused.is_err(), runner.check().is_err(), "{name}: {refused:?}");
        runner.stop_all();
        runner.check().is_err().then(|| faults(&runner))
    };
    for (name, meant) in [
        ("TINA4_SERVICES_DAILY_REPORT_INTERVAL", "TINA4_SERVICES__DAILY_REPORT__INTERVAL"),
        ("TINA4_SERVICE__DAILY_REPORT__MAX_RESTARTS", "TINA4_SERVICES__DAILY_REPORT__MAX_RESTARTS"),
        ("TINA4_SERVICES_DAILY_REPORT__ENABLED", "TINA4_SERVICES__DAILY_REPORT__ENABLED"),
        ("tina4_services__daily_report__interval", "TINA4_SERVICES__DAILY_REPORT__INTERVAL"),
        ("TINA4_SERVICES_SHUTDOWN_TIMEOUT", "TINA4_SERVICES__SHUTDOWN_TIMEOUT"),
        ("Tina4_Services", "TINA4_SERVICES"),
        ("TINA4_SERVICE", "TINA4_SERVICES"),
    ] {
        // Windows does not distinguish the letter case.
        if cfg!(windows) && name.to_ascii_uppercase() == meant {
            continue;
        }
        let expected = format!("`{name}`: it has no effect; did you mean `{meant}`?");
        assert_eq!(of(name).as_deref(), Some(&[expected][..]), "{name}");
    }
    // They belong to somebody else.
    for name in [
        "TINA4_SERVICES_WEB_INTERVAL",
        "TINA4_SERVICES_DAILY_REPORT_DIRECTORY",
        "TINA4_SERVICES_DAILY_REPORT_PORT",
        "TINA4_SERVICES_URL",
        "TINA4_SERVICESX",
        "TINA4",
    ] {
        assert_eq!(of(name), None, "{name}");
    }
}

#[test]
fn rule_101_a_start_by_name_is_refused_if_a_variable_could_be_for_another_service() {
    let runner = builder(&[("TINA4_SERVICES__MAIL_SEND__INTERVAL", "1s")]).build();
    for name in ["mail.send", "mail_send", "other"] {
        runner.register(Service::new(name, |_| {}).interval("1h")).unwrap();
    }
    let refused = runner.start("mail.send").unwrap_err().to_string();
    assert!(refused.contains("TINA4_SERVICES__MAIL_SEND__INTERVAL"), "{refused}");
    runner.start("other").unwrap();
    // Once there is only one, the variable is clear.
    runner.unregister("mail_send").unwrap();
    runner.start("mail.send").unwrap();
    assert!(runner.stop_all().is_clean());
}

#[test]
fn rule_103_contradictions_name_both_sources() {
    check(
        &[("__HEARTBEAT__INTERVAL", "2s")],
        &[
            "`heartbeat`: `TINA4_SERVICES__HEARTBEAT__INTERVAL`: `jitter` of `5s` is not shorter than the `interval` of `2s`; make `jitter` shorter than `2s` (`jitter` is set in the code, `interval` by `TINA4_SERVICES__HEARTBEAT__INTERVAL`)",
        ],
    );
    check(
        &[("__DAILY_REPORT__INTERVAL", "5m"), ("__DAILY_REPORT__TIMEZONE", "UTC")],
        &[
            "`daily_report`: `TINA4_SERVICES__DAILY_REPORT__TIMEZONE`: `timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`",
        ],
    );
    check(
        &[("__DAILY_REPORT__INTERVAL", "5m"), ("__DAILY_REPORT__CRON", "@daily")],
        &[
            "`daily_report`: `TINA4_SERVICES__DAILY_REPORT__CRON`: `interval` and `cron` cannot be combined; keep `interval` or `cron` (`cron` by `TINA4_SERVICES__DAILY_REPORT__CRON`, `interval` by `TINA4_SERVICES__DAILY_REPORT__INTERVAL`)",
        ],
    );
}

#[test]
fn rule_103_a_continuous_service_cannot_get_a_schedule() {
    let runner = builder(&[("TINA4_SERVICES__WEB__INTERVAL", "5s")]).build();
    runner.register(Service::new("web", |_| {})).unwrap();
    let found = faults(&runner);
    assert!(found[0].contains("`interval` cannot be set for a continuous service"), "{found:?}");
    // It can be turned off with any schedule.
    let runner = builder(&[("TINA4_SERVICES__WEB__INTERVAL", "off")]).build();
    runner.register(Service::new("web", |_| {})).unwrap();
    assert!(runner.check().unwrap().services()[0].disabled.is_some());
}

#[test]
fn rule_30_and_101_all_faults_are_reported_at_once() {
    struct Missing;
    let needs = |_: Res<Missing>| {};
    let variables = [
        ("TINA4_SERVICES__HEARTBEAT__JITTER", "soon"),
        ("TINA4_SERVICES__HEARTBEAT__RESTART", "sometimes"),
        ("TINA4_SERVICES__HEARTBEAT__MAX_RESTARTS", "many"),
        ("TINA4_SERVICES__NOBODY__INTERVAL", "1s"),
        ("TINA4_SERVICES__SHUTDOWN_TIMEOUT", "later"),
        ("TINA4_SERVICES", "tag:nothing"),
    ];
    let runner = builder(&variables).build();
    runner.register(heartbeat()).unwrap();
    runner.register(Service::of("needy", needs)).unwrap();
    let found = faults(&runner);
    assert_eq!(found.len(), 7, "{found:#?}");
    assert!(runner.start_all().is_err());
    assert_eq!(runner.services().iter().map(|service| service.runs).sum::<u64>(), 0);
    // A start by name reports what concerns that service and the runner.
    let error = runner.start("heartbeat").unwrap_err().to_string();
    assert!(
        error.contains("`soon`") || error.contains("`TINA4_SERVICES__HEARTBEAT__JITTER=soon`"),
        "{error}"
    );
    assert!(error.contains("SHUTDOWN_TIMEOUT") && !error.contains("NOBODY"), "{error}");
}

#[test]
fn rule_101_a_name_that_could_mean_two_services_is_a_fault_only_if_it_is_set() {
    let runner = |variables: &[(&str, &str)]| {
        let runner = builder(variables).build();
        for name in ["mail.send", "mail_send", "other"] {
            runner.register(Service::new(name, |_| {}).interval("1h")).unwrap();
        }
        runner
    };
    runner(&[("TINA4_SERVICES__OTHER__INTERVAL", "1s")]).check().unwrap();
    let runner = runner(&[("TINA4_SERVICES__MAIL_SEND__INTERVAL", "1s")]);
    let Err(StartError::Faults(faults)) = runner.check() else { panic!("a fault") };
    let [fault @ Fault::AmbiguousVariable { services, .. }] = &faults[..] else {
        panic!("{faults:?}")
    };
    assert_eq!(services.len(), 2);
    let text = fault.to_string();
    assert!(
        text.starts_with("`TINA4_SERVICES__MAIL_SEND__INTERVAL` could mean `mail.send` at "),
        "{text}"
    );
    assert!(text.contains(" or `mail_send` at "), "{text}");
}

#[cfg(unix)]
#[test]
fn rule_101_text_that_is_not_utf_8_is_a_fault() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use tina4_service::Runner;

    const HEARTBEAT: &str = "TINA4_SERVICES__HEARTBEAT__";
    let invalid = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0xff);
        OsString::from_vec(bytes)
    };
    let variables = [
        ("TINA4_SERVICES__HEARTBEAT__INTERVAL".into(), invalid("1s")),
        (invalid("TINA4_SERVICES__HEART"), "1s".into()),
        (invalid("TINA4_OTHER"), invalid("1s")),
    ];
    let runner = Runner::builder().only::<&str>([]).env_vars(variables).build();
    runner.register(heartbeat()).unwrap();
    let found = faults(&runner);
    assert_eq!(
        found,
        [
            format!("`{HEARTBEAT}INTERVAL`: the name or the value is not valid UTF-8; write plain text"),
            "`TINA4_SERVICES__HEART\u{fffd}`: the name or the value is not valid UTF-8; write plain text".to_owned(),
        ]
    );
}

#[test]
fn rule_101_faults_are_reported_in_virtual_time_too() {
    let build = |name: &str, value: &str| {
        let builder = virtual_time_builder().env_vars([(name, value)]);
        builder.service(heartbeat()).build().map(|_: TestRunner| ()).unwrap_err().to_string()
    };
    let text = build("TINA4_SERVICES__HEARTBEAT__INTERVAL", "30");
    assert!(text.contains("`TINA4_SERVICES__HEARTBEAT__INTERVAL=30`: `30` has no unit"), "{text}");
    let text = build("TINA4_SERVICES__HEARBEAT__INTERVAL", "30s");
    assert!(text.contains("did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?"), "{text}");
}

/// A program reads the variables of its process.
#[test]
fn rule_101_and_176_a_program_with_faults_ends_with_78_and_one_without_follows_its_environment() {
    let run = |name: &str, value: &str| run("finished", name, value);
    let ended = run("TINA4_SERVICES__S__INITIAL_DELAY", "1");
    assert_eq!(ended.code(), 78, "{ended:?}");
    assert!(
        ended
            .err
            .contains("`TINA4_SERVICES__S__INITIAL_DELAY=1`: `1` has no unit; did you mean `1s`?"),
        "{ended:?}"
    );
    let ended = run("TINA4_SERVICES__S__ENABLED", "false");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.err.contains(", 1 disabled"), "{ended:?}");
    assert_eq!(run("TINA4_SERVICES__S__INITIAL_DELAY", "1ms").code(), 0);
    assert_eq!(run("TINA4_SERVICES__S_PORT", "1").code(), 0, "of Kubernetes");
}
