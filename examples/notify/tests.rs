//! Each kind of message against a local server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tina4_service::{Runner, Schedule, Service};

use crate::{check_ins, http, pings, webhook};

/// How long a test waits for a request. It expires only if something is broken.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The path and the body of each request that a server gets, which answers with this status.
struct Server {
    url: String,
    requests: Receiver<(String, String)>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the server of a test has a thread")]
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = answer(stream.expect("a connection"), status);
                if sender.send(request).is_err() {
                    break;
                }
            }
        });
        Self { url, requests }
    }

    fn next(&self) -> (String, String) {
        self.requests.recv_timeout(TIMEOUT).expect("a request")
    }

    fn next_json(&self) -> (String, Value) {
        let (path, body) = self.next();
        (path, serde_json::from_str(&body).expect("it is JSON"))
    }
}

fn answer(stream: TcpStream, status: &str) -> (String, String) {
    let mut reader = BufReader::new(&stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request line");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    write!(&stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").expect("the client reads");
    let path = first.split(' ').nth(1).expect("a path").to_owned();
    (path, String::from_utf8(body).expect("it is text"))
}

/// A service whose first two runs crash.
fn import() -> Service {
    let body = |ctx: &tina4_service::Context| {
        if ctx.tick().run <= 2 { Err("the disk is \"full\"") } else { Ok(()) }
    };
    Service::new("import", body).interval("1h").backoff("1ms").max_backoff("1ms")
}

fn runner() -> Runner {
    Runner::builder().only::<&str>([]).unhealthy_after(2).build()
}

#[test]
fn a_web_hook_gets_a_notice_when_a_service_broke_and_when_it_recovered() {
    let (server, runner) = (Server::start("200 OK"), runner());
    webhook::install(&runner, format!("{}/hook?token=secret", server.url));
    runner.register(import()).unwrap();
    runner.start_all().unwrap();
    let (path, broke) = server.next_json();
    assert_eq!(path, "/hook?token=secret");
    assert_eq!(broke["text"], "`import` broke: 2 crashes in a row, the disk is \"full\"");
    assert_eq!((&broke["service"], &broke["kind"]), (&json!("import"), &json!("broke")));
    assert!(broke["at"].as_u64().is_some_and(|at| at > 1_700_000_000), "{broke}");
    let (_, recovered) = server.next_json();
    assert_eq!(recovered["kind"], "recovered");
    runner.stop_all();
}

#[test]
fn pings_tell_the_start_the_success_and_the_failure_of_each_run() {
    let (server, runner) = (Server::start("200 OK"), runner());
    pings::install(&runner, "import", format!("{}/ping/7", server.url)).unwrap();
    runner.register(Service::new("other", |_| {}).interval("1h")).unwrap();
    runner.register(import()).unwrap();
    runner.start_all().unwrap();
    let failed = ("/ping/7/fail".to_owned(), "the disk is \"full\"".to_owned());
    let started = ("/ping/7/start".to_owned(), String::new());
    for expected in [&started, &failed, &started, &failed, &started] {
        assert_eq!(server.next(), *expected);
    }
    assert_eq!(server.next(), ("/ping/7".to_owned(), String::new()));
    runner.stop_all();
}

#[test]
fn check_ins_tell_how_each_run_ended_and_when_the_service_runs() {
    let (server, runner) = (Server::start("202 Accepted"), runner());
    runner.register(import()).unwrap();
    check_ins::install(&runner, format!("{}/api/2/cron/{{service}}/key/", server.url)).unwrap();
    runner.start_all().unwrap();
    let schedule = json!({ "type": "interval", "value": 60, "unit": "minute" });
    for status in ["in_progress", "error", "in_progress", "error", "in_progress", "ok"] {
        let (path, body) = server.next_json();
        assert_eq!((&*path, &body["status"]), ("/api/2/cron/import/key/", &json!(status)));
        assert_eq!(body["monitor_config"]["schedule"], schedule);
        assert_eq!(body["monitor_config"]["checkin_margin"], 5);
    }
    runner.stop_all();
}

#[test]
fn a_monitor_is_derived_from_a_schedule_that_it_can_express() {
    let cron = |text, zone| check_ins::monitor(&Schedule::cron(text, zone).unwrap());
    let weekdays = cron("0 8 * * MON-FRI", "Europe/Berlin").expect("Sentry knows it");
    assert_eq!(weekdays["schedule"], json!({ "type": "crontab", "value": "0 8 * * MON-FRI" }));
    assert_eq!(weekdays["timezone"], "Europe/Berlin");
    for (text, why) in [("0 8 L * *", "the last day"), ("*/10 0 8 * * *", "seconds")] {
        assert_eq!(cron(text, "UTC"), None, "{why}");
    }
    let every = |seconds| check_ins::monitor(&Schedule::interval(Duration::from_secs(seconds)));
    let rule = every(5_400).expect("whole minutes")["schedule"].clone();
    assert_eq!(rule, json!({ "type": "interval", "value": 90, "unit": "minute" }));
    assert_eq!((every(30), every(90)), (None, None));
}

/// A receiver that refuses, or is not there, is asked three times, and then the message is given up.
#[test]
fn a_request_that_fails_is_repeated_and_then_an_error() {
    let server = Server::start("503 Service Unavailable");
    let error = http::post(&server.url, "text/plain", "hello").unwrap_err();
    assert_eq!(error.to_string(), "refused: HTTP/1.1 503 Service Unavailable");
    assert_eq!(server.requests.try_iter().count(), 3);
    for url in ["https://example.org/", "http:///path", "http://host/a b", "http://host/\r\n"] {
        assert!(http::post(url, "text/plain", "").is_err(), "{url:?}");
    }
}
