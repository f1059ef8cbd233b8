//! The log lines of runs. A process of its own, because its subscriber is that of the whole process.

use tina4_service::{RunLog, Runner, Service};
use tina4_service_console::{Access, Answer, Body, Console, Request};
use tracing_subscriber::prelude::*;

fn text(answer: &Answer) -> &str {
    match &answer.body {
        Body::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
        Body::Events(_) => panic!("a stream"),
    }
}

#[test]
fn rule_113_the_log_of_a_run_is_text_and_redacted() {
    tracing_subscriber::registry().with(RunLog::new().lines(2).layer()).init();
    let runner = Runner::new();
    let import = |_: &_| {
        for line in 1..=3 {
            tracing::info!(line, "reading, password=hunter2");
        }
        Err::<(), _>("no disk")
    };
    runner.register(Service::new("import", import).max_restarts(0)).unwrap();
    runner.register(Service::new("silent", |_| tina4_service::Flow::Done)).unwrap();
    runner.start_all().unwrap();
    runner.wait();
    let console = Console::new(&runner)
        .access(|_| Access::Read)
        .redact(|text| text.replace("hunter2", "..").into());
    let get = |path: &str| console.answer(&Request::new("GET", path));
    for run in ["1", "last", "last-failing"] {
        let log = get(&format!("/services/import/runs/{run}/log"));
        assert_eq!(log.status, 200, "{run}");
        assert_eq!(log.header("content-type"), Some("text/plain; charset=utf-8"));
        let lines: Vec<_> = text(&log).lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0], "(1 lines before these were dropped)");
        let end = " INFO run_log: reading, password=.. line=2";
        assert!(lines[1].ends_with(end) && lines[1].starts_with("20"), "{lines:?}");
    }
    for path in ["/services/import/runs/2/log", "/services/silent/runs/last/log"] {
        let none = get(path);
        assert_eq!(none.status, 404, "{path}");
        assert!(text(&none).contains("RunLog::layer()"), "{path}");
    }
    let unknown = get("/services/imprt/runs/1/log");
    assert!(text(&unknown).contains("did you mean `import`?"));
}
