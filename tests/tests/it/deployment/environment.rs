//! Rules 100 and 101: variables of the environment change settings of services.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tests::child::Ended;
use tests::{Child, info, virtual_time_builder};
use tina4_service::{
    Builder, Context, Local, Plan, Runner, Service, SettingSource, StartError, Tick, service,
};

/// A runner without declared services, with these variables.
pub(super) fn builder(variables: &[(&str, &str)]) -> Builder {
    Runner::builder().only::<&str>([]).env_vars(variables.to_vec())
}

/// The faults of a runner, one text each.
#[track_caller]
pub(super) fn faults(runner: &Runner) -> Vec<String> {
    match runner.check() {
        Err(StartError::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
        Ok(plan) => panic!("there are no faults:\n{plan}"),
        Err(error) => panic!("{error}"),
    }
}

fn plan_of(variables: &[(&str, &str)], services: impl IntoIterator<Item = Service>) -> Plan {
    let runner = builder(variables).build();
    for service in services {
        runner.register(service).unwrap();
    }
    runner.check().unwrap()
}

#[service(name = "deployment.declared", interval = "1h", tags = ["deployment"], on_stop = on_stop)]
fn declared(ctx: &Context, tick: Tick, mut count: Local<u32>) {
    *count += 1;
    assert_eq!((ctx.name(), u64::from(*count)), ("deployment.declared", tick.run));
}

/// The number of runs that the hook has found.
static FLUSHED: AtomicU32 = AtomicU32::new(0);

fn on_stop(count: Local<u32>) {
    FLUSHED.store(*count, Ordering::Relaxed);
}

#[service(name = "deployment.after", interval = "1h", after = [declared])]
fn after() {}

#[test]
fn rule_100_a_variable_changes_a_declared_service_and_nothing_else_of_it() {
    let variables = [
        ("TINA4_SERVICES__DEPLOYMENT_DECLARED__INTERVAL", "10s"),
        ("TINA4_SERVICES__DEPLOYMENT_DECLARED__STOP_TIMEOUT", "3s"),
    ];
    let builder = virtual_time_builder().only(["deployment.declared", "deployment.after"]);
    let mut test = builder.env_vars(variables).build().unwrap();
    test.advance("25s");
    assert_eq!((test.runs("deployment.declared"), test.runs("deployment.after")), (3, 1));
    let (declared, other) =
        (info(test.runner(), "deployment.declared"), info(test.runner(), "deployment.after"));
    assert!(declared.function.ends_with("::declared") && declared.tags == ["deployment"]);
    assert_eq!(declared.place.file, file!());
    let shown: Vec<_> = declared.overridden.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "interval = 10s instead of 1h (`TINA4_SERVICES__DEPLOYMENT_DECLARED__INTERVAL`)",
            "stop_timeout = 3s instead of 10s (`TINA4_SERVICES__DEPLOYMENT_DECLARED__STOP_TIMEOUT`)",
        ]
    );
    assert!(other.overridden.is_empty());
    // The function is still known by its path, and its hook runs.
    let plan = test.runner().check().unwrap();
    let after = plan.services().iter().find(|service| service.name == "deployment.after").unwrap();
    assert_eq!(after.after, ["deployment.declared"]);
    assert!(test.stop_all().is_clean());
    assert_eq!(FLUSHED.load(Ordering::Relaxed), 3);
}

#[test]
fn rule_100_the_plan_shows_the_original_the_value_and_the_source() {
    let services = [Service::new("heartbeat", |_| {}).interval("30s").jitter("1s")];
    let variables = [
        ("TINA4_SERVICES__HEARTBEAT__INTERVAL", "5s"),
        ("TINA4_SERVICES__HEARTBEAT__JITTER", "none"),
        ("TINA4_SERVICES__SHUTDOWN_TIMEOUT", "8s"),
    ];
    let plan = plan_of(&variables, services);
    let [heartbeat] = plan.services() else { panic!("{plan}") };
    let [interval, jitter] = &heartbeat.overridden[..] else { panic!("{plan}") };
    assert_eq!((interval.key, interval.original.as_deref()), ("interval", Some("30s")));
    assert_eq!(interval.value.as_deref(), Some("5s"));
    assert_eq!(
        interval.source,
        SettingSource::Variable("TINA4_SERVICES__HEARTBEAT__INTERVAL".into())
    );
    assert_eq!((jitter.original.as_deref(), jitter.value.as_deref()), (Some("1s"), None));
    assert_eq!(
        plan.overridden()[0].to_string(),
        "shutdown_timeout = 8s instead of 25s (`TINA4_SERVICES__SHUTDOWN_TIMEOUT`)"
    );
    let text = plan.to_string();
    assert!(text.starts_with("shutdown_timeout = 8s"), "{text}");
    assert!(text.contains("heartbeat  every 5s; due"), "{text}");
    assert!(text.contains("; interval = 5s instead of 30s (`TINA4_SERVICES__HEARTBEAT__INTERVAL`); jitter = none instead of 1s (`TINA4_SERVICES__HEARTBEAT__JITTER`)"), "{text}");
}

#[test]
fn rule_101_the_shutdown_timeout_of_the_runner_can_be_changed() {
    let (go, gate) = crossbeam_channel::bounded::<()>(0);
    let runner = builder(&[("TINA4_SERVICES__SHUTDOWN_TIMEOUT", "50ms")]).build();
    runner.register(Service::new("stuck", tests::ignore_stop(gate)).stop_timeout("1h")).unwrap();
    runner.start_all().unwrap();
    tests::until("it runs", || info(&runner, "stuck").runs == 1);
    let report = tests::within("stop_all", {
        let runner = runner.clone();
        move || runner.stop_all()
    });
    assert_eq!(report.abandoned().count(), 1, "{report}");
    // Not the hour of the service, nor the usual 25 s.
    assert!(report.took < Duration::from_secs(20), "{report}");
    drop(go);
    for (value, problem) in [
        ("0s", "`shutdown_timeout` cannot be zero; use at least `1ms`, or remove it"),
        ("367days", "`shutdown_timeout` of `367days` is too long; use at most `366days`"),
        ("30", "`30` has no unit; did you mean `30s`?"),
        ("none", "`shutdown_timeout` always has a value; write one, or remove it"),
    ] {
        let runner = builder(&[("TINA4_SERVICES__SHUTDOWN_TIMEOUT", value)]).build();
        runner.register(Service::new("s", |_| {})).unwrap();
        let expected = format!("`TINA4_SERVICES__SHUTDOWN_TIMEOUT={value}`: {problem}");
        assert_eq!(faults(&runner), [expected]);
    }
}

/// Windows has no such signal, and the setting is refused there.
#[cfg(unix)]
#[test]
fn rule_101_the_table_on_a_signal_can_be_turned_on() {
    let service = || [Service::new("s", |_| {})];
    let plan = plan_of(&[("TINA4_SERVICES__DUMP_ON_SIGUSR1", "true")], service());
    let shown: Vec<_> = plan.overridden().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["dump_on_sigusr1 = true instead of false (`TINA4_SERVICES__DUMP_ON_SIGUSR1`)"]
    );
    for (name, value, problem) in [
        ("DUMP_ON_SIGUSR1", "yes", "did you mean `true`?"),
        (
            "DUMP_ON_SIGUSR1",
            "none",
            "`dump_on_sigusr1` always has a value; write one, or remove it",
        ),
        ("DUMP_ON_SIGUSR2", "true", "did you mean `TINA4_SERVICES__DUMP_ON_SIGUSR1`?"),
        ("DUMP_ON_SIGNAL", "true", "did you mean `TINA4_SERVICES__DUMP_ON_SIGUSR1`?"),
    ] {
        let name = format!("TINA4_SERVICES__{name}");
        let runner = builder(&[(&name, value)]).build();
        runner.register(Service::new("s", |_| {})).unwrap();
        let [fault] = &faults(&runner)[..] else { panic!("{name}={value}") };
        assert!(fault.contains(&name) && fault.contains(problem), "{fault}");
    }
}

#[test]
fn rule_101_variables_of_kubernetes_and_of_others_change_nothing() {
    let variables = [
        ("TINA4_SERVICE_HOST", "10.0.0.1"),
        ("TINA4_SERVICE_PORT", "80"),
        ("TINA4_SERVICE_DIR", "/srv"),
        ("TINA4_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("TINA4_SERVICES_SERVICE_HOST", "10.0.0.1"),
        ("TINA4_SERVICES_SERVICE_PORT_HTTP", "80"),
        ("TINA4_SERVICES_PORT", "tcp://10.0.0.1:80"),
        ("TINA4_SERVICES_PORT_80_TCP_ADDR", "10.0.0.1"),
        // Of a service named `tina4-services--mail`.
        ("TINA4_SERVICES__MAIL_SERVICE_HOST", "10.0.0.1"),
        ("TINA4_SERVICES__MAIL_PORT_80_TCP_PROTO", "tcp"),
        ("TINA4_SERVICESX__S__INTERVAL", "1s"),
        ("OTHER__S__INTERVAL", "1s"),
        // Empty is unset.
        ("TINA4_SERVICES", ""),
        ("TINA4_SERVICES__S__INTERVAL", ""),
        ("TINA4_SERVICES__NOBODY__INTERVAL", ""),
    ];
    let plan = plan_of(&variables, [Service::new("s", |_| {}).interval("1h")]);
    assert!(plan.services()[0].overridden.is_empty() && plan.overridden().is_empty(), "{plan}");
}

#[test]
fn rule_101_each_runner_may_have_a_prefix_of_its_own() {
    let variables = [("SHOP_SERVICES__S__INTERVAL", "1s"), ("TINA4_SERVICES__X__INTERVAL", "2s")];
    let runner = builder(&variables).env_prefix("SHOP").build();
    runner.register(Service::new("s", |_| {}).interval("1h")).unwrap();
    assert_eq!(runner.check().unwrap().services()[0].schedule.to_string(), "every 1s");
    let mut test = virtual_time_builder()
        .env_vars(variables)
        .env_prefix("SHOP")
        .service(Service::new("s", |_| {}).interval("1h"))
        .build()
        .unwrap();
    test.advance("2500ms");
    assert_eq!(test.runs("s"), 3);
}

/// The program `runs` with this scenario, and with this variable.
pub(super) fn run(scenario: &str, name: &str, value: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
    Child::run(command.arg(scenario).env(name, value)).wait()
}

#[test]
fn rule_101_the_test_kit_reads_no_environment_unless_asked() {
    let runs = |scenario| run(scenario, "TINA4_SERVICES__S__INTERVAL", "5s").out;
    assert_eq!(runs("virtual time"), ["1 runs"]);
    assert_eq!(runs("virtual time in the environment"), ["3 runs"]);
}

#[test]
fn rule_35_and_176_a_program_whose_required_service_is_disabled_ends_with_1() {
    for scenario in ["blocked", "critical and blocked"] {
        let ended = run(scenario, "TINA4_SERVICES__MIGRATIONS__ENABLED", "false");
        assert_eq!(ended.code(), 1, "{ended:?}");
        assert!(ended.err.contains(", 1 disabled") && ended.err.contains("web ("), "{ended:?}");
    }
}

#[test]
fn rule_101_a_service_that_was_unregistered_is_known() {
    let runner = builder(&[("TINA4_SERVICES__IMPORT__INTERVAL", "5s")]).build();
    let import = || Service::new("import", |_| {}).interval("1h");
    runner.register(import()).unwrap();
    runner.register(Service::new("other", |_| {}).interval("1h")).unwrap();
    runner.unregister("import").unwrap();
    runner.check().unwrap();
    runner.register(import()).unwrap();
    assert_eq!(info(&runner, "import").schedule.to_string(), "every 5s");
}

#[test]
fn rule_185_and_100_reschedule_has_the_last_word() {
    let runner = builder(&[("TINA4_SERVICES__S__INTERVAL", "5s")]).build();
    runner.register(Service::new("s", |_| {}).interval("1h")).unwrap();
    runner.start_all().unwrap();
    runner.reschedule("s", tina4_service::Schedule::interval(Duration::from_secs(7))).unwrap();
    assert_eq!(info(&runner, "s").schedule.to_string(), "every 7s");
    runner.stop_all();
}
