use super::*;

/// One service that is ready once it is told to.
fn starting() -> (Runner, mpsc::Sender<()>) {
    let runner = Runner::new();
    let (begin, begun) = mpsc::channel::<()>();
    let begun = std::sync::Mutex::new(begun);
    let cache = move |ctx: &tina4_service::Context| {
        let _ = begun.lock().unwrap().recv();
        ctx.ready();
        let _ = ctx.sleep(std::time::Duration::from_secs(3_600));
    };
    runner.register(Service::new("cache", cache).ready(tina4_service::Ready::Notified)).unwrap();
    runner.start_all().unwrap();
    (runner, begin)
}

#[test]
fn rule_112_everybody_may_probe_and_those_who_may_read_learn_why() {
    let (runner, begin) = starting();
    let console = console(&runner);
    let probe = |path: &str| {
        let answer = console.answer(&Request::new("GET", path));
        (answer.status, answer.text().to_owned())
    };
    let read = |path: &str| {
        let answer = get(&console, path);
        (answer.status, answer.text().to_owned())
    };
    assert_eq!(probe("/livez"), (200, "ok\n".to_owned()));
    assert_eq!(probe("/readyz"), (503, "not ready\n".to_owned()));
    let (status, why) = read("/readyz");
    assert!(status == 503 && why.contains("[-]cache failed: "), "{why}");
    begin.send(()).unwrap();
    runner.wait_ready("cache").unwrap();
    assert_eq!(probe("/readyz"), (200, "ok\n".to_owned()));
    assert_eq!(read("/readyz"), (200, "ok\n".to_owned()));
    let (status, all) = read("/readyz?verbose");
    assert!(status == 200 && all.ends_with("readyz check passed\n"), "{all}");
    let mut verbose = Request::new("GET", "/readyz");
    verbose.query = "verbose".to_owned();
    assert_eq!(console.answer(&verbose).text(), "ok\n");

    runner.stop_all();
    assert_eq!(probe("/livez").0, 200, "a stop is no reason to kill the program");
    assert_eq!(probe("/readyz"), (503, "not ready\n".to_owned()));
    // A closure that panics does not fail a probe of liveness.
    let panics = Console::new(&runner).access(|_| -> Grant { panic!("no database") });
    assert_eq!(panics.answer(&Request::new("GET", "/livez")).status, 200);
    assert_eq!(panics.answer(&Request::new("GET", "/readyz")).text(), "not ready\n");
}

#[test]
fn rule_112_health_says_what_is_wrong_to_those_who_may_read() {
    let runner = runner();
    let console = console(&runner);
    let health = get(&console, "/health");
    assert_eq!(health.status, 200);
    let health = health.value();
    assert_eq!((&health["status"], &health["live"]), (&json!("degraded"), &json!(true)));
    assert_eq!(health["unhealthy"][0]["name"], "import");
    assert_eq!(console.answer(&Request::new("GET", "/health")).status, 403);
    runner.stop_all();
    let down = get(&console, "/health");
    assert_eq!((down.status, down.text().contains(r#""status":"down""#)), (503, true));
}

#[test]
fn rule_114_metrics_are_text_for_prometheus_and_for_those_who_may_read() {
    let runner = runner();
    let console = console(&runner);
    let metrics = get(&console, "/metrics");
    assert_eq!(metrics.status, 200);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(metrics.header("content-type"), Some(kind));
    let line = r#"tina4_service_runs_total{name="import",outcome="error"} 1"#;
    assert!(metrics.text().contains(line), "{}", metrics.text());
    assert_eq!(console.answer(&Request::new("GET", "/metrics")).status, 403);
}
