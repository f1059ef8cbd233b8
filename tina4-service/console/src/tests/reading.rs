use super::*;

#[test]
fn rule_113_the_list_has_one_shape_and_filters() {
    let runner = runner();
    let console = console(&runner);
    let names = |path: &str| -> Vec<String> {
        let list = get(&console, path).value();
        assert_eq!(list["schema"], 1);
        let services = list["services"].as_array().unwrap().iter();
        services.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("/services"), ["import", "mail", "report"]);
    assert_eq!(names("/services?tag=post"), ["mail", "report"]);
    assert_eq!(names("/services?state=failed"), ["import"]);
    assert_eq!(names("/services?state=registered&tag=post"), ["report"]);
    assert_eq!(names("/services?state=backing_off"), [""; 0]);
    let typo = get(&console, "/services?stat=failed");
    assert_eq!(
        (typo.status, typo.value()["hint"].as_str()),
        (400, Some("this path has state, tag"))
    );
    let unknown = get(&console, "/services?state=broken");
    assert_eq!(unknown.status, 400);
    let hint = unknown.value()["hint"].as_str().unwrap().to_owned();
    assert!(
        hint.starts_with("the states are registered, ") && hint.contains("backing_off"),
        "{hint}"
    );
    let twice = get(&console, "/services?state=failed&state=waiting");
    assert_eq!((twice.status, twice.value()["hint"].as_str()), (400, Some("give it once")));
    assert_eq!(get(&console, "/services").value()["title"], Value::Null);
    let titled = Console::new(&runner).title("shop (production)");
    assert_eq!(get(&titled, "/services").value()["title"], "shop (production)");
    let head = console.answer(&local("HEAD", "/services"));
    assert_eq!((head.status, head.text()), (200, ""));
}

#[test]
fn rule_113_a_parameter_that_a_path_does_not_have_is_not_ignored() {
    let runner = runner();
    let console = console(&runner).access(|_| Access::Operate);
    let paths = [
        "/",
        "/services",
        "/services/mail",
        "/services/mail/runs",
        "/services/mail/runs/last/log",
        "/services/mail/plan",
        "/events",
        "/readyz",
        "/health",
    ];
    for path in paths.into_iter().chain(cfg!(feature = "queue").then_some("/queues")) {
        assert_eq!(get(&console, &format!("{path}?wrong=1")).status, 400, "{path}");
    }
    for path in ["/services/mail/pause", "/services/mail/run", "/tags/post/pause"] {
        let answer = console.answer(&local("POST", &format!("{path}?reason=x")));
        assert_eq!(answer.status, 400, "{path}");
    }
    // A probe that is refused ends the program.
    assert_eq!(get(&console, "/livez?verbose&wrong=1").status, 200);
}

#[test]
fn rule_113_a_service_its_runs_and_its_plan() {
    let runner = runner();
    let console = console(&runner);
    let import = get(&console, "/services/import").value();
    assert_eq!(import["name"], "import");
    assert_eq!(import["state"], "failed");
    assert_eq!(import["last_error"], "no disk, password=hunter2");
    let runs = get(&console, "/services/import/runs").value();
    assert_eq!(runs["failures"][0]["error"], "no disk, password=hunter2");
    assert_eq!(runs["runs"][0]["run"], 1);

    let plan = get(&console, "/services/mail/plan?n=3").value();
    assert_eq!((&plan["name"], &plan["active"]), (&json!("mail"), &json!(true)));
    let mail = get(&console, "/services/mail").value();
    assert_eq!(plan["next"].as_array().unwrap().len(), 3);
    assert_eq!(plan["next"][0], mail["next_due"]);
    let planned = get(&console, "/services/report/plan").value();
    assert_eq!((&planned["next"], &planned["active"]), (&json!([]), &json!(false)));
    assert_eq!(get(&console, "/services/mail/plan?n=0").value()["next"], json!([]));
    assert_eq!(get(&console, "/services/mail/plan?n=-1").status, 400);
    let many = get(&console, "/services/mail/plan?n=1000000").value();
    assert_eq!(many["next"].as_array().unwrap().len(), 1000);
}

#[test]
fn rule_113_an_unknown_name_is_answered_with_the_nearest_one() {
    let runner = runner();
    let console = console(&runner);
    for path in ["/services/imprt", "/services/imprt/runs", "/services/imprt/plan"] {
        let answer = get(&console, path);
        assert_eq!(answer.status, 404, "{path}");
        let problem = answer.value();
        assert_eq!(problem["detail"], "there is no service `imprt`", "{path}");
        assert_eq!(problem["hint"], "did you mean `import`?", "{path}");
    }
    let hostile = get(&console, "/services/%3Cscript%3E%0A/plan").value();
    assert!(!hostile["detail"].as_str().unwrap().contains('\n'));
    assert_eq!(hostile["hint"], "`GET services` lists the names");
}

#[test]
fn rule_113_what_is_redacted_is_shown_nowhere() {
    let runner = runner();
    let console = console(&runner).redact(|text| text.replace("hunter2", "..").into());
    // What somebody has typed is not trusted either.
    let why = json!({ "by": "alice", "reason": "with password=hunter2 it works" });
    assert_eq!(post(&console, "/services/mail/run", &why).status, 202);
    while runner.history("mail").unwrap().runs.is_empty() {
        std::thread::yield_now();
    }
    for path in ["/services/mail", "/services/mail/runs"] {
        let text = get(&console, path).text().to_owned();
        assert!(text.contains("with password=.. it works"), "{path}: {text}");
        assert!(text.contains("alice") && !text.contains("hunter2"), "{path}: {text}");
    }
    for path in ["/services", "/services/import", "/services/import/runs", "/"] {
        let text = get(&console, path).text().to_owned();
        assert!(text.contains("password=..") && !text.contains("hunter2"), "{path}: {text}");
    }
    let panics = Console::new(&runner).redact(|_| panic!("a bug"));
    let text = get(&panics, "/services").text().to_owned();
    assert!(text.contains("(not shown, because") && !text.contains("hunter2"), "{text}");
}

#[test]
fn rule_113_the_console_does_not_keep_the_services_running() {
    let runner = runner();
    let console = console(&runner);
    let weak = runner.downgrade();
    drop(runner);
    assert!(weak.upgrade().is_none());
    let answer = get(&console, "/services");
    assert_eq!((answer.status, answer.value()["title"].as_str()), (503, Some("no runner")));
}
