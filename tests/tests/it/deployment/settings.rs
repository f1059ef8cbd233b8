//! Rules 100 and 104: a `Settings` value inside the program's own configuration.

use std::time::Duration;

use serde::Deserialize;
use tests::{info, virtual_time_builder};
use tina4_service::{Runner, Schedule, Service, SettingSource, Settings};

use super::environment::faults;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    port: u16,
    #[serde(default)]
    background: Settings,
}

const TOML: &str = r#"
port = 8080

[background]
shutdown_timeout = "10s"
select = ["tag:mail", "!slow"]

[background.services.heartbeat]
interval = "5s"
max_restarts = 3
autostart = false

[background.services."mail.send"]
cron = "off"
tags = ["mail"]
"#;

const YAML: &str = "
port: 8080
background:
  shutdown_timeout: 10s
  select: [\"tag:mail\", \"!slow\"]
  services:
    heartbeat:
      interval: 5s
      max_restarts: 3
      autostart: false
    mail.send:
      cron: off
      tags: [mail]
";

const JSON: &str = r#"{
    "port": 8080,
    "background": {
        "shutdown_timeout": "10s",
        "select": ["tag:mail", "!slow"],
        "services": {
            "heartbeat": { "interval": "5s", "max_restarts": 3, "autostart": false },
            "mail.send": { "cron": "off", "tags": ["mail"] }
        }
    }
}"#;

#[test]
fn rule_104_toml_yaml_and_json_give_the_same_settings() {
    let expected = Settings::new()
        .shutdown_timeout("10s")
        .select("tag:mail,!slow")
        .set("heartbeat", "interval", "5s")
        .set("heartbeat", "max_restarts", "3")
        .set("heartbeat", "autostart", "false")
        .set("mail.send", "cron", "off")
        .set("mail.send", "tags", "mail");
    for config in [
        toml::from_str::<Config>(TOML).unwrap(),
        serde_norway::from_str(YAML).unwrap(),
        serde_json::from_str(JSON).unwrap(),
    ] {
        assert_eq!((config.port, &config.background), (8080, &expected));
    }
    let without: Config = toml::from_str("port = 1").unwrap();
    assert_eq!(without.background, Settings::default());
    // A value that is missing or empty is unset, as an empty variable is.
    for empty in [
        "background:\n",
        "background:\n  services:\n    heartbeat:\n",
        "background:\n  select: ''\n  services:\n    heartbeat:\n      interval:\n",
    ] {
        let config: Config = serde_norway::from_str(&format!("port: 1\n{empty}")).unwrap();
        let services = config.background.set("x", "interval", "1s");
        let only_x = Settings::new().set("x", "interval", "1s");
        assert!(
            services == only_x || format!("{services:?}").contains("\"heartbeat\": {}"),
            "{empty}: {services:?}"
        );
    }
}

/// YAML 1.1 reads `off` as the truth value `false`.
#[test]
fn rule_104_a_schedule_that_a_parser_reads_as_false_is_off() {
    for key in ["interval", "delay", "cron", "queue"] {
        for text in [
            format!("{{\"services\": {{\"s\": {{\"{key}\": false}}}}}}"),
            format!("{{\"services\": {{\"s\": {{\"{key}\": \"off\"}}}}}}"),
        ] {
            let settings: Settings = serde_json::from_str(&text).unwrap();
            assert_eq!(settings, Settings::new().set("s", key, "off"), "{text}");
        }
        let yaml = format!("services:\n  s:\n    {key}: off\n");
        let settings: Settings = serde_norway::from_str(&yaml).unwrap();
        assert_eq!(settings, Settings::new().set("s", key, "off"), "{yaml}");
    }
    // Nothing else is changed.
    let settings: Settings =
        serde_json::from_str(r#"{"services": {"s": {"autostart": false}}}"#).unwrap();
    assert_eq!(settings, Settings::new().set("s", "autostart", "false"));
}

#[test]
fn rule_104_what_is_unknown_or_of_the_wrong_type_is_refused() {
    for (text, expected) in [
        ("servces = {}", "unknown field `servces`; did you mean `services`?"),
        (
            "x = 1",
            "unknown field `x`; the fields are `shutdown_timeout`, `quiesce`, `unhealthy_after`, `dump_on_sigusr1`, `select` and `services`",
        ),
        ("shutdown_timeout = 1.5", "a text, a whole number"),
        ("services.heartbeat = 5", "the settings of a service, such as `interval`"),
        ("services.heartbeat.interval = { seconds = 5 }", "a text, a whole number"),
        ("services.heartbeat.tags = [1]", "string"),
        ("select = [\"a,b\"]", "`a,b` contains a comma"),
    ] {
        let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

fn runner(settings: Settings, variables: &[(&str, &str)]) -> Runner {
    let builder = Runner::builder().only::<&str>([]).settings(settings);
    let runner = builder.env_vars(variables.to_vec()).build();
    runner.register(Service::new("heartbeat", |_| {}).interval("30s").jitter("5s")).unwrap();
    runner.register(Service::new("report", |_| {}).cron("0 8 * * *")).unwrap();
    runner
}

#[test]
fn rule_100_settings_are_above_the_code_and_below_the_environment() {
    let settings =
        || Settings::new().set("heartbeat", "interval", "20s").set("heartbeat", "jitter", "2s");
    let variables = [("TINA4_SERVICES__HEARTBEAT__INTERVAL", "10s")];
    let runner = runner(settings().shutdown_timeout("5s"), &variables);
    let heartbeat = info(&runner, "heartbeat");
    assert_eq!(heartbeat.schedule.to_string(), "every 10s");
    let sources: Vec<_> = heartbeat.overridden.iter().map(|setting| &setting.source).collect();
    let variable = SettingSource::Variable("TINA4_SERVICES__HEARTBEAT__INTERVAL".into());
    assert_eq!(sources, [&variable, &SettingSource::Settings]);
    let plan = runner.check().unwrap();
    assert_eq!(
        plan.overridden()[0].to_string(),
        "shutdown_timeout = 5s instead of 25s (`Settings`)"
    );
    let mut test = virtual_time_builder()
        .settings(settings())
        .service(Service::new("heartbeat", |_| {}).interval("30s"))
        .build()
        .unwrap();
    test.advance("59s");
    assert_eq!(test.runs("heartbeat"), 3);
}

/// What a higher source has replaced is not shown as a change.
#[test]
fn rule_100_only_values_in_effect_are_shown() {
    let shown = |settings: Settings, variables: &[(&str, &str)]| -> Vec<String> {
        let runner = runner(settings, variables);
        let plan = runner.check().unwrap();
        let planned = plan.services().iter().find(|service| service.name == "heartbeat").unwrap();
        let heartbeat = info(&runner, "heartbeat");
        assert_eq!(heartbeat.overridden, planned.overridden);
        heartbeat.overridden.iter().map(ToString::to_string).collect()
    };
    let off = || Settings::new().set("heartbeat", "interval", "off");
    assert_eq!(shown(off(), &[]), ["interval = off instead of 30s (`Settings`)"]);
    let enabled = ("TINA4_SERVICES__HEARTBEAT__ENABLED", "true");
    assert_eq!(
        shown(off(), &[enabled]),
        ["enabled = true instead of true (`TINA4_SERVICES__HEARTBEAT__ENABLED`)"]
    );
    let off_variable = ("TINA4_SERVICES__HEARTBEAT__INTERVAL", "off");
    assert_eq!(
        shown(Settings::new().set("heartbeat", "enabled", "true"), &[off_variable]),
        ["interval = off instead of 30s (`TINA4_SERVICES__HEARTBEAT__INTERVAL`)"]
    );
}

#[test]
fn rule_100_and_185_a_new_schedule_replaces_that_of_the_deployment() {
    let settings =
        || Settings::new().set("heartbeat", "interval", "20s").set("heartbeat", "jitter", "2s");
    let runner = runner(settings(), &[]);
    runner.reschedule("heartbeat", Schedule::interval(Duration::from_secs(10))).unwrap();
    let shown: Vec<_> = info(&runner, "heartbeat").overridden;
    let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["jitter = 2s instead of 5s (`Settings`)"]);
    let plan = runner.check().unwrap().to_string();
    assert!(!plan.contains("interval = "), "{plan}");
}

#[test]
fn rule_101_and_104_faults_in_settings_are_reported_with_those_of_the_services() {
    let settings = Settings::new()
        .shutdown_timeout("soon")
        .set("heartbeat", "interval", "30")
        .set("heartbeat", "intervall", "30s")
        .set("heartbeat", "critical", "true")
        .set("hearbeat", "interval", "30s")
        .set("report", "jitter", "2d");
    let found = faults(&runner(settings, &[]));
    let line = |part: &str| {
        assert_eq!(
            found.iter().filter(|fault| fault.contains(part)).count(),
            1,
            "{part}: {found:#?}"
        );
    };
    line("`shutdown_timeout = soon`: ");
    line("`services.heartbeat.interval = 30`: `30` has no unit; did you mean `\"30s\"`?");
    line("`services.heartbeat.intervall = 30s`: there is no such key; did you mean `interval`?");
    line("`services.heartbeat.critical = true`: `critical` cannot be changed at deployment");
    line("`services.hearbeat`: there is no service `hearbeat`; did you mean `heartbeat`?");
    line("(`jitter` in `Settings`, `cron` is set in the code)");
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn rule_104_a_service_can_be_disabled_in_settings() {
    let runner = runner(Settings::new().disable("report").set("heartbeat", "interval", "off"), &[]);
    let reasons: Vec<_> = runner.services().into_iter().map(|service| service.reason).collect();
    assert_eq!(
        reasons,
        [
            Some("services.heartbeat.interval = off".into()),
            Some("services.report.enabled = false".into())
        ]
    );
}
