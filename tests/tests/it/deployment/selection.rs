//! Rule 102: which services run in this process.

use tests::{EventWatcher, info, sleep_until_stopped, virtual_time_builder};
use tina4_service::{
    Change, Fault, Job, MemoryEngine, Queue, Queues, Ready, Runner, Service, Settings, StartError,
    State, service,
};

use super::environment::{builder, faults};

#[service(name = "selection.send", interval = "1h", tags = ["selection.mail"])]
fn send() {}

#[service(name = "selection.sort", interval = "1h", tags = ["selection.mail", "selection.slow"])]
fn sort() {}

#[service(name = "selection.report", interval = "1h", requires = [send], tags = ["selection.slow"])]
fn report() {}

#[service(name = "selection.digest", interval = "1h", after = [send])]
fn digest() {}

#[service(name = "selection.chicken", interval = "1h", after = [egg])]
fn chicken() {}

#[service(name = "selection.egg", interval = "1h", requires = ["selection.chicken"])]
fn egg() {}

/// It does not say when it is ready.
#[service(name = "selection.endless")]
fn endless(ctx: &tina4_service::Context) {
    sleep_until_stopped(ctx);
}

#[service(name = "selection.follower", interval = "1h", after = [endless])]
fn follower() {}

const SELECTED_JOBS: Queue<String> = Queue::new("selection");

#[service(name = "selection.taker", queue = SELECTED_JOBS)]
fn taker(_job: Job<String>) {}

#[service(name = "selection.other-taker", queue = SELECTED_JOBS)]
fn other_taker(_job: Job<String>) {}

fn names(runner: &Runner) -> Vec<String> {
    let mut names: Vec<_> = runner.status().into_keys().collect();
    names.sort_unstable();
    names
}

#[test]
fn rule_102_only_and_except_take_names_tags_and_exclusions() {
    let only = |words: &[&str]| names(&Runner::builder().only(words.to_vec()).build());
    assert_eq!(only(&["tag:selection.mail"]), ["selection.send", "selection.sort"]);
    assert_eq!(only(&["tag:selection.mail", "!tag:selection.slow"]), ["selection.send"]);
    assert_eq!(
        only(&["selection.digest", "tag:selection.mail", "!selection.sort"]),
        ["selection.digest", "selection.send"]
    );
    let all = names(&Runner::builder().build()).len();
    assert_eq!(only(&["all"]).len(), all);
    assert_eq!(only(&["all", "!tag:selection.slow"]).len(), all - 2);
    let except = Runner::builder().except(["tag:selection.slow", "selection.send"]).build();
    assert_eq!(names(&except).len(), all - 3);
    assert!(only(&["none"]).is_empty());
    let test =
        virtual_time_builder().only(["tag:selection.slow", "selection.send"]).build().unwrap();
    assert_eq!(names(test.runner()).len(), 3);
}

#[test]
fn rule_102_a_word_that_matches_nothing_is_a_fault_with_a_suggestion() {
    let fault = |words: &[&str]| {
        let runner = Runner::builder().only(words.to_vec()).build();
        let Err(StartError::Faults(found)) = runner.check() else { panic!("{words:?}") };
        let found = found.iter().find(|fault| {
            matches!(fault, Fault::UnknownSelection { .. } | Fault::RunnerSetting { .. })
        });
        found.unwrap_or_else(|| panic!("{words:?}")).to_string()
    };
    assert_eq!(
        fault(&["selection.send", "tag:selection.mial"]),
        "`only` or `except` names `tag:selection.mial`, but no service has that tag; did you mean `tag:selection.mail`?"
    );
    assert_eq!(
        fault(&["selection.sned"]),
        "`only` or `except` names `selection.sned`, but there is no such service; did you mean `selection.send`?"
    );
    assert_eq!(
        fault(&["selection.mail"]),
        "`only` or `except` names `selection.mail`, but there is no such service; did you mean `tag:selection.mail`?"
    );
    assert!(
        fault(&["selection.send", "none"])
            .contains("`none` selects nothing and cannot be combined")
    );
    let exclusion = fault(&["!selection.sned"]);
    assert!(exclusion.contains("did you mean `selection.send`?"), "{exclusion}");
}

fn mail() -> [Service; 4] {
    let every = |name: &'static str| Service::new(name, |_| {}).interval("1h");
    [
        every("send").tags(["mail"]),
        every("sort").tags(["mail", "slow"]),
        every("heartbeat"),
        Service::new("web", sleep_until_stopped).ready(Ready::Started).after("sort"),
    ]
}

fn selected(variables: &[(&str, &str)]) -> Runner {
    let runner = builder(variables).build();
    mail().into_iter().for_each(|service| runner.register(service).unwrap());
    runner
}

/// The services that `start_all` starts.
fn started(runner: &Runner) -> Vec<String> {
    runner.start_all().unwrap();
    let active = runner.status().into_iter().filter(|(_, state)| state.is_active());
    let mut names: Vec<_> = active.map(|(name, _)| name).collect();
    names.sort_unstable();
    runner.stop_all();
    names
}

#[test]
fn rule_102_the_environment_selects_what_runs_here() {
    let all = ["heartbeat", "send", "sort", "web"];
    for (selection, expected) in [
        ("all", &all[..]),
        ("none", &[]),
        ("tag:mail", &["send", "sort"]),
        ("tag:mail,heartbeat,!tag:slow", &["heartbeat", "send"]),
        ("!sort", &["heartbeat", "send", "web"]),
    ] {
        assert_eq!(started(&selected(&[("TINA4_SERVICES", selection)])), expected, "{selection}");
    }
    let by_settings = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]);
    let by_settings = by_settings.settings(Settings::new().select("tag:slow")).build();
    mail().into_iter().for_each(|service| by_settings.register(service).unwrap());
    assert_eq!(started(&by_settings), ["sort"]);
}

#[test]
fn rule_102_and_100_the_environment_replaces_the_selection_of_the_code_and_of_settings() {
    let variables = [("TINA4_SERVICES", "selection.digest")];
    let runner = Runner::builder()
        .only(["tag:selection.mail"])
        .settings(Settings::new().select("tag:selection.slow"))
        .env_vars(variables)
        .build();
    assert_eq!(names(&runner), ["selection.digest"]);
    // Its own tags count, too, if the deployment has changed them.
    let variables =
        [("TINA4_SERVICES", "tag:night"), ("TINA4_SERVICES__SELECTION_DIGEST__TAGS", "night")];
    let runner = Runner::builder().env_vars(variables).build();
    assert_eq!(names(&runner), ["selection.digest"]);
    assert_eq!(info(&runner, "selection.digest").tags, ["night"]);
}

#[test]
fn rule_102_one_line_says_what_runs_here_and_why() {
    let runner = selected(&[("TINA4_SERVICES", "tag:mail")]);
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    runner.start_all().unwrap();
    let by = "TINA4_SERVICES=tag:mail";
    watcher.wait_for_change("", &Change::Selected { selected: 2, total: 4, by: by.into() });
    let lines = watcher.changes("").into_iter();
    assert_eq!(lines.filter(|change| matches!(change, Change::Selected { .. })).count(), 1);
    let plan = runner.check().unwrap().to_string();
    assert!(plan.starts_with(&format!("2 of 4 services run here ({by})\n")), "{plan}");
    let web = info(&runner, "web");
    assert_eq!((web.state, web.reason.as_deref()), (State::Disabled, Some(by)));
    runner.stop_all();
}

#[test]
fn rule_102_a_selector_that_matches_nothing_is_a_fault() {
    for (selection, expected) in [
        (
            "tag:mial",
            "`TINA4_SERVICES` names `tag:mial`, but no service has that tag; did you mean `tag:mail`?",
        ),
        (
            "mail",
            "`TINA4_SERVICES` names `mail`, but there is no such service; did you mean `tag:mail`?",
        ),
        (
            "hearbeat",
            "`TINA4_SERVICES` names `hearbeat`, but there is no such service; did you mean `heartbeat`?",
        ),
        (
            "heartbeat,!sorrt",
            "`TINA4_SERVICES` names `sorrt`, but there is no such service; did you mean `sort`?",
        ),
        (
            "heartbeat,",
            "`TINA4_SERVICES=heartbeat,`: a selector is empty; write names, `tag:` with a tag, `all` or `none`, separated by commas",
        ),
        (
            "none,heartbeat",
            "`TINA4_SERVICES=none,heartbeat`: `none` selects nothing and cannot be combined; remove it, or everything else",
        ),
    ] {
        let found = faults(&selected(&[("TINA4_SERVICES", selection)]));
        assert!(found.iter().any(|fault| fault == expected), "{selection}: {found:#?}");
    }
}

#[test]
fn rule_30_and_102_a_selected_service_that_requires_one_that_is_left_out_is_a_fault() {
    // Declared: it is not in this runner.
    let runner = Runner::builder()
        .env_vars([("TINA4_SERVICES", "selection.report,selection.digest")])
        .build();
    let Err(StartError::Faults(found)) = runner.check() else { panic!("a fault") };
    let names = |fault: &Fault| {
        let Fault::RequiredLeftOut { service, required, .. } = fault else { return None };
        Some((service.clone(), required.clone()))
    };
    let found: Vec<_> = found.iter().filter_map(names).collect();
    assert_eq!(
        found,
        [("selection.report".into(), "selection.send".into())],
        "`after` is no fault"
    );
    // Registered: it is disabled.
    let runner = builder(&[("TINA4_SERVICES", "top")]).build();
    runner.register(Service::new("base", |_| {}).interval("1h")).unwrap();
    runner.register(Service::new("top", |_| {}).interval("1h").requires("base")).unwrap();
    let Err(StartError::Faults(found)) = runner.check() else { panic!("a fault") };
    assert!(found.iter().filter_map(names).eq([("top".into(), "base".into())]), "{found:?}");
}

/// It falls away, and the line at start says so.
#[test]
fn rule_34_and_102_an_after_to_a_registered_service_that_does_not_run_here_is_reported() {
    for variable in [("TINA4_SERVICES", "all,!base"), ("TINA4_SERVICES__BASE__ENABLED", "false")] {
        let runner = builder(&[variable]).build();
        let sleeper = |name: &'static str| Service::new(name, sleep_until_stopped);
        runner.register(sleeper("base").ready(Ready::Started)).unwrap();
        runner.register(sleeper("other").ready(Ready::Started)).unwrap();
        runner.register(sleeper("top").after("other").after("base")).unwrap();
        let mut watcher = EventWatcher::new(&runner);
        runner.start_all().unwrap();
        let left_out = Change::LeftOut { services: vec!["base".into()] };
        watcher.wait_for_change("top", &left_out);
        watcher.wait_for_run_begin("top");
        // Once it has been started on request, it is waited for.
        runner.stop("top").unwrap();
        runner.start("base").unwrap();
        watcher.wait_for_run_begin("base");
        runner.start("top").unwrap();
        let next =
            |change: &Change| *change == left_out || matches!(change, Change::RunBegan { .. });
        assert_ne!(watcher.wait_for("top", next).change, left_out, "{variable:?}");
        assert!(runner.stop_all().is_clean());
    }
}

#[test]
fn rule_102_what_the_deployment_leaves_out_is_checked_all_the_same() {
    // This program declares services with faults on purpose.
    let runner = Runner::builder().env_vars([("TINA4_SERVICES", "selection.send")]).build();
    let found = faults(&runner);
    assert!(found.iter().any(|fault| fault.contains("`faults.lost`")), "{found:#?}");
    assert!(found.iter().any(|fault| fault.contains("`anchor.in-a-gap`")), "{found:#?}");
    // Their own variables are checked, whatever leaves them out.
    let variables = [("TINA4_SERVICES__SELECTION_SORT__INTERVAL", "30")];
    let runner = Runner::builder().only(["selection.send"]).env_vars(variables).build();
    let found = faults(&runner);
    assert!(found.len() == 1 && found[0].contains("`30` has no unit"), "{found:#?}");
    // And they are known.
    let variables = [("TINA4_SERVICES__SELECTION_SORT__INTERVAL", "30s")];
    let runner = Runner::builder().only(["selection.send"]).env_vars(variables).build();
    runner.check().unwrap();
}

/// They run elsewhere, together with each other or with those that run here.
#[test]
fn rule_102_faults_between_services_of_which_some_are_left_out_are_found() {
    let found = |selection: &str| -> Vec<String> {
        let runner = Runner::builder().env_vars([("TINA4_SERVICES", selection)]).build();
        runner.provide(Queues::new(MemoryEngine::new()));
        let found = faults(&runner).into_iter();
        let own = ["`selection.", "`tests.only-imported`"];
        found.filter(|fault| own.iter().any(|own| fault.contains(own))).collect()
    };
    let expected = [
        "`tests.only-imported` is the name of 2 services",
        "`selection.endless` at ",
        "`selection.chicken` at ",
        "on the same queue `selection`",
    ];
    for selection in
        ["selection.send", "selection.chicken,selection.follower", "!selection.endless"]
    {
        let found = found(selection);
        assert_eq!(found.len(), expected.len(), "{selection}: {found:#?}");
        for fault in expected {
            let count = found.iter().filter(|text| text.contains(fault)).count();
            assert_eq!(count, 1, "{selection}: {fault}: {found:#?}");
        }
    }
    // What the code leaves out may run nowhere.
    Runner::builder().only(["selection.send"]).build().check().unwrap();
}

#[test]
fn rule_102_disabled_services_do_not_run_here() {
    let variables = [("TINA4_SERVICES", "!web"), ("TINA4_SERVICES__SORT__ENABLED", "false")];
    let runner = selected(&variables);
    let plan = runner.check().unwrap().to_string();
    assert!(plan.starts_with("2 of 4 services run here (TINA4_SERVICES=!web)\n"), "{plan}");
}

#[test]
fn rule_102_none_is_no_fault() {
    let runner = selected(&[("TINA4_SERVICES", "none")]);
    assert_eq!(started(&runner), [""; 0]);
    let empty = builder(&[("TINA4_SERVICES", "none")]).build();
    assert!(empty.start_all().is_ok() && empty.check().unwrap().services().is_empty());
}

/// Such as the runner of a library, whose author has not thought of the variables of the program.
#[test]
fn rule_101_a_variable_for_a_service_of_another_runner_says_what_to_do() {
    let variables = [("TINA4_SERVICES__SELECTION_SEND__INTERVAL", "5s")];
    let runner = Runner::builder().only::<&str>([]).env_vars(variables).build();
    runner.register(Service::new("own", |_| {}).interval("1h")).unwrap();
    assert_eq!(
        faults(&runner),
        [
            "`TINA4_SERVICES__SELECTION_SEND__INTERVAL`: `selection.send` is declared in this program, but this runner does not have it; give a runner with services of its own another `env_prefix`, or no variables with `env_vars`"
        ]
    );
    let other = Runner::builder().only::<&str>([]).env_vars(variables).env_prefix("OWN").build();
    other.register(Service::new("own", |_| {}).interval("1h")).unwrap();
    assert!(other.check().is_ok());
}
