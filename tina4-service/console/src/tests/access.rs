use super::*;

/// Every path that reads, and every action.
fn everything() -> Vec<(&'static str, String)> {
    let reads = [
        "/",
        "/services",
        "/services/mail",
        "/services/mail/runs",
        "/services/mail/runs/1/log",
        "/services/mail/plan",
        "/events",
        "/health",
        "/metrics",
        "/no/such/path",
    ];
    let mut all: Vec<_> = reads.iter().map(|path| ("GET", (*path).to_owned())).collect();
    all.extend(actions());
    all
}

fn actions() -> Vec<(&'static str, String)> {
    let on_services = Action::ON_SERVICES.map(|action| format!("/services/mail/{action}"));
    let on_tags = ["/tags/post/pause".to_owned(), "/tags/post/resume".to_owned()];
    on_services.into_iter().chain(on_tags).map(|path| ("POST", path)).collect()
}

#[test]
fn rule_113_by_default_nobody_but_this_machine_sees_anything() {
    let runner = runner();
    let console = console(&runner);
    let elsewhere = |mut request: Request| {
        request.peer = Peer::Tcp("10.0.0.7:50000".parse().unwrap());
        request
    };
    let unknown = |mut request: Request| {
        request.peer = Peer::Unknown;
        request
    };
    let foreign_host = |mut request: Request| {
        request.headers.retain(|(name, _)| name != "host");
        request.with("host", "evil.example")
    };
    let proxied = |request: Request| request.with("x-forwarded-for", "10.0.0.7");
    type Change<'a> = &'a dyn Fn(Request) -> Request;
    let cases: [(Change<'_>, &str, &str); 4] = [
        (&elsewhere, "the request comes from 10.0.0.7", "TINA4_CONSOLE_TOKEN"),
        (&proxied, "header `x-forwarded-for`", "Console::access"),
        (&foreign_host, "does not name this machine", "TINA4_CONSOLE_TOKEN"),
        (&unknown, "was not told", "into_make_service_with_connect_info"),
    ];
    for (method, path) in everything() {
        for (change, detail, hint) in &cases {
            let answer = console.answer(&change(local(method, &path)));
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
            let problem = answer.value();
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
            assert!(problem["hint"].as_str().unwrap().contains(hint), "{problem}");
            assert!(!answer.text().contains("hunter2") && !answer.text().contains("import"));
        }
    }
}

#[test]
fn rule_113_this_machine_reads_and_does_nothing() {
    let runner = runner();
    let console = console(&runner);
    assert_eq!(get(&console, "/services").status, 200);
    assert_eq!(get(&console, "/no/such/path").status, 404);
    let before = runner.status();
    for (method, path) in actions() {
        let answer = console.answer(&local(method, &path));
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.value()["detail"].as_str().unwrap().contains("may not"), "{path}");
    }
    assert_eq!(runner.status(), before);
    assert_eq!(runner.services()[1].runs, 0, "nothing was run");
}

#[test]
fn rule_113_each_action_needs_its_own_permission() {
    let runner = runner();
    for allowed in Action::ALL {
        // The list has to be static.
        let only: &'static [Action] = match Action::ALL.iter().position(|one| *one == allowed) {
            Some(index) => &Action::ALL[index..=index],
            None => unreachable!("it is one of them"),
        };
        let console = console(&runner).access(move |_| Access::Only(only));
        assert_eq!(get(&console, "/services").status, 200);
        for action in Action::ON_SERVICES {
            // An unknown service, so that nothing happens.
            let answer = console.answer(&local("POST", &format!("/services/none/{action}")));
            let expected = if action == allowed { 404 } else { 403 };
            assert_eq!(answer.status, expected, "{action} with {allowed}");
        }
    }
    for access in [Access::None, Access::Read] {
        let console = console(&runner).access(move |_| access);
        for (method, path) in actions() {
            assert_eq!(console.answer(&local(method, &path)).status, 403, "{access:?} {path}");
        }
    }
}

#[test]
fn rule_113_the_bearer_of_the_token_may_do_everything_from_anywhere() {
    let runner = runner();
    let console = console(&runner).token(TOKEN).unwrap();
    let elsewhere = |value: &str| {
        let mut request = Request::new("POST", "/services/mail/pause");
        request.peer = Peer::Tcp("10.0.0.7:50000".parse().unwrap());
        if value.is_empty() { request } else { request.with("authorization", value) }
    };
    // `alice:` and the token.
    let basic = "Basic YWxpY2U6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for value in [&format!("Bearer {TOKEN}"), basic] {
        assert_eq!(console.answer(&elsewhere(value)).status, 200, "{value}");
    }
    for value in ["", "Bearer wrong", "Basic Ondyb25n", &format!("Bearer {TOKEN}x")] {
        let answer = console.answer(&elsewhere(value));
        assert_eq!(answer.status, 401, "{value}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
    // Not in the URL, and not twice.
    let mut in_url = elsewhere("");
    in_url.query = format!("token={TOKEN}");
    assert_eq!(console.answer(&in_url).status, 401);
    let twice = elsewhere("Bearer wrong").with("authorization", &format!("Bearer {TOKEN}"));
    assert_eq!(console.answer(&twice).status, 401);
    // A browser on this machine is asked for it when it wants to do something, and not before.
    assert_eq!(get(&console, "/services").status, 200);
    assert_eq!(console.answer(&local("POST", "/services/mail/pause")).status, 401);
}

#[test]
fn rule_113_a_page_of_another_site_can_do_nothing_even_with_the_token() {
    let runner = runner();
    let console = console(&runner).token(TOKEN).unwrap().access(|_| Access::Operate);
    for (method, path) in actions() {
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = local(method, &path)
                .with("authorization", &format!("Bearer {TOKEN}"))
                .with(name, value);
            let answer = console.answer(&request);
            assert_eq!(answer.status, 403, "{path} {value}");
            assert_eq!(answer.value()["title"], "cross-site request");
        }
    }
    let own = local("POST", "/services/mail/pause").with("sec-fetch-site", "same-origin");
    assert_eq!(console.answer(&own).status, 200);
}

#[test]
fn rule_113_the_program_decides_if_it_wants_to() {
    let runner = runner();
    let by_header = |request: &Request| match request.header("x-remote-user") {
        Some("alice") => Access::Operate.by("alice"),
        Some(_) => Access::Read.into(),
        None => Access::None.into(),
    };
    let console = console(&runner).access(by_header);
    let pause = || local("POST", "/services/mail/pause");
    assert_eq!(console.answer(&pause()).status, 403, "although it comes from this machine");
    assert_eq!(console.answer(&pause().with("x-remote-user", "bob")).status, 403);
    assert_eq!(console.answer(&pause().with("x-remote-user", "alice")).status, 200);

    let panics = Console::new(&runner).access(|_| -> Grant { panic!("no database") });
    for path in ["/services", "/services/mail"] {
        assert_eq!(get(&panics, path).status, 500, "it is closed");
    }
}

#[test]
fn rule_113_a_unix_socket_grants_what_it_was_opened_for() {
    let runner = runner();
    let console = console(&runner).access(|_| Access::None);
    let with = |access| {
        let mut request = Request::new("POST", "/services/mail/pause");
        let (uid, user) = (Some(1000), Some("deploy".to_owned()));
        request.peer = Peer::Unix(UnixPeer { uid, gid: None, pid: None, user, access });
        request
    };
    assert_eq!(console.answer(&with(Access::Read)).status, 403);
    let events = runner.subscribe();
    assert_eq!(console.answer(&with(Access::Operate)).status, 200);
    until(&events, |change| {
        let Change::Requested { by, .. } = change else { return false };
        assert_eq!(by.name(), "uid 1000 (deploy)");
        true
    });
}

#[test]
fn rule_113_every_answer_has_the_headers_that_keep_browsers_safe() {
    let runner = runner();
    let console = console(&runner);
    for path in ["/", "/services", "/none", "/services/none", "/services/mail?wrong=1"] {
        let answer = get(&console, path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let mut large = local("POST", "/services/mail/pause");
    large.body = vec![b'x'; Request::MAX_BODY + 1];
    let large = console.answer(&large);
    assert_eq!(large.status, 413);
    // What front ends answer themselves.
    let redirect = Answer::redirect_into("/shop/ops");
    assert_eq!((redirect.status, redirect.header("location")), (308, Some("./ops/")));
    for answer in [large, redirect, Answer::body_too_large()] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}
