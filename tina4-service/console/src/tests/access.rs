use super::*;
use crate::gate::Need;
use crate::route::{LogOf, Route, Target};

/// Every route, each with a name that exists.
///
/// They form a chain, so that the compiler asks for each new route where it belongs, and all tests here include it.
fn routes() -> Vec<Route> {
    let mail = || "mail".to_owned();
    let mut routes = vec![Route::Index];
    loop {
        let next = match routes.last().expect("there is the first") {
            Route::Index => Route::Services,
            Route::Services => Route::Service(mail()),
            Route::Service(_) => Route::Runs(mail()),
            Route::Runs(_) => Route::Log(mail(), LogOf::Run(1)),
            Route::Log(_, LogOf::Run(_)) => Route::Log(mail(), LogOf::Last),
            Route::Log(_, LogOf::Last) => Route::Log(mail(), LogOf::LastFailing),
            Route::Log(_, LogOf::LastFailing) => Route::Plan(mail()),
            Route::Plan(_) => Route::Events,
            Route::Events => Route::Live,
            Route::Live => Route::Ready,
            #[cfg(feature = "queue")]
            Route::Ready => Route::Queues,
            #[cfg(feature = "queue")]
            Route::Queues => Route::Queue(mail()),
            #[cfg(feature = "queue")]
            Route::Queue(_) => Route::Dead(mail()),
            #[cfg(feature = "queue")]
            Route::Dead(_) => Route::Health,
            #[cfg(not(feature = "queue"))]
            Route::Ready => Route::Health,
            Route::Health => Route::Metrics,
            #[cfg(feature = "page")]
            Route::Metrics => Route::Asset("page.css".to_owned()),
            #[cfg(feature = "page")]
            Route::Asset(_) => break,
            #[cfg(not(feature = "page"))]
            Route::Metrics => break,
            Route::Act(..) => unreachable!("they follow below"),
        };
        routes.push(next);
    }
    for action in Action::ALL {
        routes.extend(targets(action).into_iter().map(|target| Route::Act(action, target)));
    }
    routes
}

/// What an action can be about.
fn targets(action: Action) -> Vec<Target> {
    let service = || Target::Service("mail".to_owned());
    match action {
        Action::Run | Action::Start | Action::Stop | Action::Restart | Action::Reset => {
            vec![service()]
        }
        Action::Pause | Action::Resume => vec![service(), Target::Tag("post".to_owned())],
        #[cfg(feature = "queue")]
        Action::Redrive => vec![Target::Queue("mail".to_owned())],
        #[cfg(not(feature = "queue"))]
        Action::Redrive => Vec::new(),
    }
}

/// The method and the path of a route.
fn path(route: &Route) -> (&'static str, String) {
    let path = match route {
        Route::Index => "/".to_owned(),
        Route::Services => "/services".to_owned(),
        Route::Service(name) => format!("/services/{name}"),
        Route::Runs(name) => format!("/services/{name}/runs"),
        Route::Log(name, LogOf::Run(run)) => format!("/services/{name}/runs/{run}/log"),
        Route::Log(name, LogOf::Last) => format!("/services/{name}/runs/last/log"),
        Route::Log(name, LogOf::LastFailing) => format!("/services/{name}/runs/last-failing/log"),
        Route::Plan(name) => format!("/services/{name}/plan"),
        Route::Events => "/events".to_owned(),
        Route::Live => "/livez".to_owned(),
        Route::Ready => "/readyz".to_owned(),
        Route::Health => "/health".to_owned(),
        Route::Metrics => "/metrics".to_owned(),
        #[cfg(feature = "page")]
        Route::Asset(name) => format!("/assets/{name}"),
        #[cfg(feature = "queue")]
        Route::Queues => "/queues".to_owned(),
        #[cfg(feature = "queue")]
        Route::Queue(name) => format!("/queues/{name}"),
        #[cfg(feature = "queue")]
        Route::Dead(name) => format!("/queues/{name}/dead"),
        Route::Act(action, Target::Service(name)) => format!("/services/{name}/{action}"),
        Route::Act(action, Target::Tag(tag)) => format!("/tags/{tag}/{action}"),
        #[cfg(feature = "queue")]
        Route::Act(action, Target::Queue(name)) => format!("/queues/{name}/{action}"),
    };
    let method = if matches!(route, Route::Act(..)) { "POST" } else { "GET" };
    (method, path)
}

/// Every path that somebody needs permission for, and one that does not exist.
fn everything() -> Vec<(&'static str, String)> {
    let routes = routes().into_iter().filter(|route| route.need() != Need::Nothing);
    let paths = routes.map(|route| path(&route));
    paths.chain([("GET", "/no/such/path".to_owned())]).collect()
}

/// Every action, with its path.
fn actions() -> Vec<(Action, String)> {
    let action = |route: Route| {
        let Route::Act(action, _) = route else { return None };
        Some((action, path(&route).1))
    };
    routes().into_iter().filter_map(action).collect()
}

/// An access that allows only one action.
fn only(allowed: Action) -> Access {
    let index = Action::ALL.iter().position(|one| *one == allowed).expect("it is one of them");
    // The list has to be static.
    const ALL: &[Action] = &Action::ALL;
    Access::Only(&ALL[index..=index])
}

#[test]
fn rule_113_the_tests_of_access_know_every_route() {
    for route in routes() {
        let (method, path) = path(&route);
        assert_eq!(Route::of(&local(method, &path)).unwrap(), route, "{method} {path}");
    }
    let open: Vec<_> = routes().into_iter().filter(|route| route.need() == Need::Nothing).collect();
    let expected = [
        Route::Live,
        Route::Ready,
        #[cfg(feature = "page")]
        Route::Asset("page.css".to_owned()),
    ];
    assert_eq!(open, expected, "nothing else is open to everybody");
    let of_actions: std::collections::HashSet<_> =
        actions().into_iter().map(|(action, _)| action).collect();
    let expected = Action::ALL.len() - usize::from(!cfg!(feature = "queue"));
    assert_eq!(of_actions.len(), expected);
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
    for (_, path) in actions() {
        let answer = console.answer(&local("POST", &path));
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
        let console = console(&runner).access(move |_| only(allowed));
        assert_eq!(get(&console, "/services").status, 200);
        for (action, path) in actions() {
            // An unknown name, so that nothing happens.
            let path = path.replace("/mail/", "/none/").replace("/post/", "/none/");
            let request = local("POST", &path);
            let request = if action == Action::Redrive {
                request.json(&json!({ "job": "all" }))
            } else {
                request
            };
            let answer = console.answer(&request);
            let expected = if action == allowed { 404 } else { 403 };
            assert_eq!(answer.status, expected, "{path} with {allowed}: {answer:?}");
        }
    }
    for access in [Access::None, Access::Read] {
        let console = console(&runner).access(move |_| access);
        for (_, path) in actions() {
            assert_eq!(console.answer(&local("POST", &path)).status, 403, "{access:?} {path}");
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
    let events = runner.subscribe();
    assert_eq!(console.answer(&elsewhere(basic)).status, 200);
    until(&events, |change| {
        let Change::Requested { by, .. } = change else { return false };
        assert_eq!(by.name(), "alice (claimed)");
        true
    });
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
    for (_, path) in actions() {
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = local("POST", &path)
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
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let mut large = local("POST", "/services/mail/pause");
    large.body = vec![b'x'; Request::MAX_BODY + 1];
    let large = console.answer(&large);
    assert_eq!(large.status, 413);
    // What front ends answer themselves.
    let redirect = Answer::redirect_into("/shop/ops", "");
    assert_eq!((redirect.status, redirect.header("location")), (308, Some("./ops/")));
    for answer in [large, redirect, Answer::body_too_large()] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

/// What nginx sends if it is told nothing but `proxy_pass http://127.0.0.1:8080;`.
#[test]
fn rule_113_a_proxy_that_hides_itself_makes_nobody_local() {
    let runner = runner();
    let console = console(&runner);
    let mut request = local("GET", "/services");
    request.version = Version::Http10;
    let answer = console.answer(&request);
    assert_eq!(answer.status, 403);
    assert!(answer.value()["detail"].as_str().unwrap().contains("version 1.0 of HTTP"));
    let probe = Request { path: "/livez".to_owned(), ..request };
    assert_eq!(console.answer(&probe).status, 200, "balancers use it, too");
}

#[test]
fn rule_113_a_page_of_another_site_reads_nothing_and_holds_no_stream() {
    let runner = runner();
    let token = console(&runner).token(TOKEN).unwrap();
    let basic = |request: Request| {
        request.with("authorization", "Basic YWxpY2U6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    };
    let bearer = |request: Request| request.with("authorization", &format!("Bearer {TOKEN}"));
    let embedded = |path: &str, site: &str, mode: &str| {
        local("GET", path).with("sec-fetch-site", site).with("sec-fetch-mode", mode)
    };
    for (method, path) in everything() {
        for (site, mode) in [("cross-site", "no-cors"), ("same-site", "cors")] {
            if method == "GET" {
                for request in [embedded(&path, site, mode), basic(embedded(&path, site, mode))] {
                    let answer = token.answer(&request);
                    assert_eq!(answer.status, 403, "{path} {site}: {answer:?}");
                    assert_eq!(answer.value()["title"], "cross-site request");
                }
            }
        }
    }
    // A link from another site is no such request, and a page of another site does not know the token.
    assert_eq!(token.answer(&embedded("/services", "cross-site", "navigate")).status, 200);
    let request = bearer(embedded("/services", "cross-site", "cors"));
    assert_eq!(token.answer(&request).status, 200);
    assert_eq!(token.answer(&embedded("/services", "same-origin", "cors")).status, 200);
    // Whoever permits it, however it is opened.
    let program = console(&runner).access(|_| Access::Operate);
    for mode in ["no-cors", "navigate"] {
        assert_eq!(program.answer(&embedded("/events", "cross-site", mode)).status, 403, "{mode}");
        assert_eq!(token.answer(&bearer(embedded("/events", "same-site", mode))).status, 403);
    }
    assert_eq!(program.answer(&embedded("/events", "same-origin", "cors")).status, 200);
    // It learns nothing from a probe, and a probe is no refusal.
    assert_eq!(token.answer(&embedded("/livez", "cross-site", "no-cors")).status, 200);
}

/// A page that makes its own name point to this machine.
#[test]
fn rule_113_a_closure_can_fall_back_to_the_rule_for_this_machine() {
    let runner = runner();
    let decide = |request: &Request| match request.header("x-remote-user") {
        Some("alice") => Access::Operate,
        _ if request.is_from_this_machine() => Access::Read,
        _ => Access::None,
    };
    let console = console(&runner).access(decide);
    let ask = |request: &Request| console.answer(request).status;
    assert_eq!(ask(&local("GET", "/services")), 200);
    assert_eq!(ask(&local("POST", "/services/mail/pause")), 403);
    let mut rebound = local("GET", "/services");
    rebound.headers.clear();
    assert_eq!(ask(&rebound.clone()), 403, "no host");
    let rebound = rebound.with("host", "evil.example").with("sec-fetch-site", "same-origin");
    assert_eq!(ask(&rebound), 403);
    assert_eq!(ask(&local("GET", "/services").with("x-real-ip", "10.0.0.7")), 403);
    let embedded = local("GET", "/services").with("sec-fetch-site", "cross-site");
    assert_eq!(ask(&embedded), 403);
    assert_eq!(ask(&rebound.with("x-remote-user", "alice")), 200);
}

#[test]
fn rule_113_whom_the_program_does_not_know_may_show_the_token() {
    let runner = runner();
    let decide = |request: &Request| match request.header("x-remote-user") {
        Some("bob") => Access::Read.by("bob"),
        _ => Access::None.into(),
    };
    let console = console(&runner).token(TOKEN).unwrap().access(decide);
    let ask = |request: Request| console.answer(&request).status;
    let pause = || local("POST", "/services/mail/pause");
    assert_eq!((ask(local("GET", "/services")), ask(pause())), (401, 401));
    assert_eq!(ask(pause().with("x-remote-user", "bob")), 403, "it is known who that is");
    assert_eq!(ask(pause().with("authorization", "Basic Ondyb25n")), 401);
    assert_eq!(ask(pause().with("authorization", &format!("Bearer {TOKEN}"))), 200);
}

#[test]
fn rule_113_if_a_closure_and_a_grant_exist_the_closure_decides() {
    let runner = runner();
    let mut granted = local("POST", "/services/mail/pause");
    granted.granted = Some(Access::Operate.by("alice"));
    let closed = console(&runner).access(|_| Access::None);
    assert_eq!(closed.answer(&granted).status, 403);
    let asks = |request: &Request| request.granted.clone().unwrap_or(Access::None.into());
    assert_eq!(console(&runner).access(asks).answer(&granted).status, 200);
}
