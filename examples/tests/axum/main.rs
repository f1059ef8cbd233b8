//! The async example as a process: it is started, used over HTTP, and stopped with SIGTERM.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

#[path = "../shop/http.rs"]
mod http;

/// The example; killed when it is dropped.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it prints its address.
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_axum-server"))
            .arg("0")
            .env("RUST_LOG", "info")
            .env("OPERATORS", "alice:secret")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example was built");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it prints its address");
        let address = line.trim().strip_prefix("listening on http://").and_then(|a| a.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address: {line:?}"));
        Self { child, out, address }
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is running");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn server_and_services_stop_together_and_answer_what_has_begun() {
    let mut server = Server::start();
    let address = server.address;
    // The first request finds the cache filled.
    let response = http::send(address, "GET", "/prices/tea", "").unwrap();
    assert_eq!((response.status, response.body), (200, 250.into()));
    let response = http::send(address, "GET", "/prices/gold", "").unwrap();
    assert_eq!(response.status, 404);

    let mut log = String::new();
    let mut stderr = BufReader::new(server.child.stderr.take().expect("it is piped"));
    let (response, ended) = std::thread::scope(|scope| {
        let slow = scope.spawn(move || http::send(address, "GET", "/slow", ""));
        while !log.contains("a slow request has begun") {
            assert!(stderr.read_line(&mut log).unwrap() > 0, "it has ended: {log}");
        }
        server.terminate();
        let response = slow.join().expect("it does not panic");
        (response, server.child.wait().expect("it was started"))
    });
    let response = response.expect("a request that has begun is answered");
    assert_eq!((response.status, response.body), (200, 550.into()));
    assert_eq!(ended.code(), Some(0));
    assert!(http::send(address, "GET", "/prices/tea", "").is_err(), "nobody listens any more");

    stderr.read_to_string(&mut log).unwrap();
    let stopped = |service: &str| {
        let line = format!("service stopped service=\"{service}\"");
        log.find(&line).unwrap_or_else(|| panic!("no `{line}` in\n{log}"))
    };
    assert!(stopped("web") < stopped("price_cache"), "{log}");
    assert!(
        log.contains("4 services ended in ") && log.contains(", 3 stopped, 1 finished"),
        "{log}"
    );
    let mut rest = String::new();
    server.out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing else is printed");
}

#[test]
fn operators_log_in_to_the_console() {
    let server = Server::start();
    let ask = |method: &str, path: &str, header: &str| {
        http::send_with(server.address, method, path, header, "").unwrap()
    };
    // `alice:secret`, and `alice:wrong`.
    let (alice, wrong) = ("YWxpY2U6c2VjcmV0", "YWxpY2U6d3Jvbmc=");
    let header = |credentials: &str| format!("Authorization: Basic {credentials}\r\n");
    for path in ["/ops", "/ops/", "/ops/services", "/ops/livez"] {
        assert_eq!(ask("GET", path, "").status, 401, "{path}");
        assert_eq!(ask("GET", path, &header(wrong)).status, 401, "{path}");
    }
    assert_eq!(ask("GET", "/prices/tea", "").status, 200, "customers need no login");
    let listed = ask("GET", "/ops/services", &header(alice));
    assert_eq!((listed.status, &listed.body["services"][3]["name"]), (200, &"web".into()));
    let restarted = ask("POST", "/ops/services/price_cache/restart", &header(alice));
    assert_eq!(restarted.status, 200, "{restarted:?}");
    let path = "/ops/services/inflation/run";
    let run = ask("POST", path, &header(alice));
    assert_eq!((run.status, &run.body["run"]), (202, &1.into()), "{run:?}");
    let inflation = ask("GET", "/ops/services/inflation", &header(alice)).body;
    assert_eq!(inflation["last_requested_by"]["name"], "alice", "{inflation}");
}
