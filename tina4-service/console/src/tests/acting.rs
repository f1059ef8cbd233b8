use super::*;

/// The request that was reported, with who made it.
fn requested(events: &crossbeam_channel::Receiver<tina4_service::Event>) -> String {
    let mut found = String::new();
    until(events, |change| {
        let Change::Requested { request, by } = change else { return false };
        found = format!("{request} by {by}");
        true
    });
    found
}

#[test]
fn rule_113_actions_do_what_their_names_say_and_may_be_repeated() {
    let runner = runner();
    let console = console(&runner);
    let cases = [
        ("pause", "mail", "paused"),
        ("pause", "mail", "paused"),
        ("resume", "mail", "waiting"),
        ("resume", "mail", "waiting"),
        ("start", "mail", "waiting"),
        ("stop", "mail", "stopped"),
        ("stop", "mail", "stopped"),
        ("restart", "mail", "waiting"),
        ("reset", "import", "stopped"),
        ("reset", "import", "stopped"),
    ];
    for (action, name, state) in cases {
        let events = runner.subscribe();
        let body = json!({ "reason": "a test", "by": "alice" });
        let path = format!("/services/{name}/{action}");
        let mut answer = post(&console, &path, &body);
        // A stop may take a while on a busy machine.
        while answer.status == 202 && ["stop", "restart"].contains(&action) {
            answer = post(&console, &path, &body);
        }
        assert_eq!(answer.status, 200, "{action}: {answer:?}");
        let expected = json!({ "schema": 1, "action": action, "name": name, "state": state });
        assert_eq!(answer.value(), expected);
        assert_eq!(requested(&events), format!("{action} by alice (a test)"));
    }
}

#[test]
fn rule_113_a_run_is_accepted_and_its_number_told() {
    let runner = runner();
    let console = console(&runner);
    for number in [1, 2] {
        let answer = post(&console, "/services/mail/run", &json!({ "by": "alice" }));
        assert_eq!((answer.status, &answer.value()["run"]), (202, &json!(number)), "{answer:?}");
        while runner.history("mail").unwrap().runs.len() < number {
            std::thread::yield_now();
        }
    }
    let mail = get(&console, "/services/mail").value();
    assert_eq!(mail["last_trigger"], "manual");
    assert_eq!(mail["last_requested_by"]["name"], "alice");
}

#[test]
fn rule_113_a_run_in_progress_is_no_reason_for_another_one() {
    let runner = Runner::new();
    let (sender, begun) = mpsc::channel();
    let slow = move |ctx: &tina4_service::Context| {
        sender.send(()).unwrap();
        let _ = ctx.sleep(std::time::Duration::from_secs(3_600));
    };
    runner.register(Service::new("slow", slow).interval("1h")).unwrap();
    runner.start_all().unwrap();
    begun.recv().unwrap();
    let answer = post(&console(&runner), "/services/slow/run", &json!({}));
    assert_eq!(answer.status, 409);
    let problem = answer.value();
    assert_eq!(problem["title"], "a run is in progress");
    assert!(problem["detail"].as_str().unwrap().contains("`slow`"), "{problem}");
    assert_eq!(problem["hint"], "try again when it has ended");
}

#[test]
fn rule_113_what_does_not_fit_the_state_is_a_conflict() {
    let runner = runner();
    let console = console(&runner);
    for (path, detail, hint) in [
        ("/services/import/run", "`import` is failed", "`start` it first"),
        ("/services/report/pause", "`report` is registered", "`start` it first"),
        ("/services/report/resume", "`report` is registered", "`start` it first"),
    ] {
        let answer = post(&console, path, &json!({}));
        assert_eq!(answer.status, 409, "{path}");
        let problem = answer.value();
        assert_eq!((&problem["detail"], &problem["hint"]), (&json!(detail), &json!(hint)));
    }
    let unknown = post(&console, "/services/mial/run", &json!({}));
    assert_eq!((unknown.status, &unknown.value()["hint"]), (404, &json!("did you mean `mail`?")));
}

#[test]
fn rule_113_a_stop_that_takes_long_does_not_hold_the_request() {
    let runner = Runner::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let stubborn = move |_: &_| {
        let _ = released.lock().unwrap().recv();
    };
    runner.register(Service::new("stubborn", stubborn).stop_timeout("1h")).unwrap();
    let events = runner.subscribe();
    runner.start_all().unwrap();
    until(&events, |change| matches!(change, Change::RunBegan { .. }));
    let answer = post(&console(&runner), "/services/stubborn/stop", &json!({}));
    assert_eq!((answer.status, &answer.value()["state"]), (202, &json!("stopping")));
    drop(release);
    until(&events, |change| matches!(change, Change::Stopped));
}

#[test]
fn rule_113_the_program_knows_better_who_asks_than_the_request() {
    let runner = runner();
    let by = |grant: Grant, body: Value| {
        let console = console(&runner).access(move |_| grant.clone());
        let events = runner.subscribe();
        let answer = console.answer(&local("POST", "/services/mail/pause").json(&body));
        assert_eq!(answer.status, 200);
        requested(&events)
    };
    let claims = || json!({ "by": "mallory", "reason": "fun" });
    assert_eq!(by(Access::Operate.by("alice"), claims()), "pause by alice (fun)");
    assert_eq!(by(Access::Operate.into(), claims()), "pause by mallory (fun)");
    assert_eq!(by(Access::Operate.into(), json!({})), "pause by 127.0.0.1");
    let two_lines = by(Access::Operate.into(), json!({ "by": "a\nservice stopped" }));
    assert_eq!(two_lines, r"pause by a\nservice stopped");
}

#[test]
fn rule_113_a_form_leads_back_to_its_page() {
    let runner = runner();
    let console = console(&runner).access(|_| Access::Operate);
    for (path, form, location) in [
        ("/services/mail/pause", "reason=disk+full", "../mail?done=pause&name=mail"),
        ("/services/mail/resume", "back=list&reason=", "../../?done=resume&name=mail"),
        ("/tags/post/pause", "", "../../"),
    ] {
        let answer = console.answer(&local("POST", path).form(form));
        assert_eq!(answer.status, 303, "{path}: {answer:?}");
        assert_eq!(answer.header("location"), Some(location), "{path}");
    }
    let refused = console.answer(&local("POST", "/services/import/run").form("back=list"));
    assert_eq!(refused.status, 409);
}

#[test]
fn rule_113_a_tag_pauses_what_can_be_paused() {
    let runner = runner();
    let console = console(&runner);
    let answer = post(&console, "/tags/post/pause", &json!({ "by": "alice" }));
    assert_eq!(answer.status, 200);
    let services = &answer.value()["services"];
    assert_eq!(services[0], json!({ "name": "mail", "state": "paused", "refused": null }));
    assert_eq!(services[1]["name"], "report");
    assert_eq!(services[1]["refused"], "`report` is registered");
    runner.stop("mail").unwrap();
    assert_eq!(post(&console, "/tags/post/resume", &json!({})).status, 409, "nothing was done");
    let unknown = post(&console, "/tags/pots/pause", &json!({}));
    assert_eq!((unknown.status, &unknown.value()["hint"]), (404, &json!("did you mean `post`?")));
}

#[test]
fn rule_113_the_wait_for_the_number_of_a_run_ends() {
    use crate::acting::number_of_run;
    let runner = runner();
    let events = runner.subscribe();
    let requesters = [(); 2].map(|()| tina4_service::Requester::new("alice"));
    let mut seen = Vec::new();
    for (index, requester) in requesters.iter().enumerate() {
        runner.on_behalf_of(requester.clone()).run_now("mail").unwrap();
        while runner.history("mail").unwrap().runs.len() <= index {
            std::thread::yield_now();
        }
    }
    seen.extend(events.try_iter());
    // Both of one visitor.
    for (requester, number) in requesters.iter().zip([1, 2]) {
        let mut events = seen.iter().cloned();
        assert_eq!(number_of_run(|| events.next(), || false, requester, "mail"), Some(number));
    }
    // The run is never reported, but something else always is.
    let (mut left, other) = (1_000, tina4_service::Requester::new("bob"));
    let is_over = || {
        left -= 1;
        left == 0
    };
    assert_eq!(number_of_run(|| Some(seen[0].clone()), is_over, &other, "mail"), None);
}

#[test]
fn rule_113_a_stop_that_is_asked_for_again_takes_no_further_thread() {
    let runner = Runner::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let stubborn = move |_: &_| {
        let _ = released.lock().unwrap().recv();
    };
    runner.register(Service::new("stubborn", stubborn).stop_timeout("1h")).unwrap();
    let events = runner.subscribe();
    runner.start_all().unwrap();
    until(&events, |change| matches!(change, Change::RunBegan { .. }));
    let console = console(&runner);
    for time in 0..100 {
        let answer = post(&console, "/services/stubborn/stop", &json!({}));
        assert_eq!((answer.status, &answer.value()["state"]), (202, &json!("stopping")), "{time}");
        assert_eq!(console.stops().count(), 1);
    }
    drop(release);
    until(&events, |change| matches!(change, Change::Stopped));
    // The thread ends some time after that.
    while console.stops().count() > 0 {
        std::thread::yield_now();
    }
}
