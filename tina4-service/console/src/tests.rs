//! The console as a function from requests to answers, without any IO.

use std::net::SocketAddr;
use std::sync::mpsc;

use serde_json::{Value, json};
use tina4_service::{Change, Restart, Runner, Service};

use crate::{Access, Action, Answer, Body, Console, Grant, Peer, Request, UnixPeer, Version};

mod access;
mod acting;
mod events;
#[cfg(feature = "page")]
mod pages;
mod probing;
#[cfg(feature = "queue")]
mod queues;
mod reading;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Three services: one that waits, one that has failed, and one that was not started.
fn runner() -> Runner {
    let runner = Runner::new();
    let mail = Service::new("mail", |_| {}).interval("1h").initial_delay("1h").tags(["post"]);
    let import = |_: &_| Err::<(), _>("no disk, password=hunter2");
    let import = Service::new("import", import).restart(Restart::Never);
    let report = Service::new("report", |_| {}).delay("1h").autostart(false).tags(["post"]);
    for service in [mail, import, report] {
        runner.register(service).unwrap();
    }
    let events = runner.subscribe();
    runner.start_all().unwrap();
    until(&events, |change| matches!(change, Change::Failed { .. }));
    runner
}

/// Waits for a change.
fn until(
    events: &crossbeam_channel::Receiver<tina4_service::Event>,
    mut is_it: impl FnMut(&Change) -> bool,
) {
    let limit = std::time::Duration::from_secs(60);
    while !is_it(&events.recv_timeout(limit).expect("it happens").change) {}
}

fn console(runner: &Runner) -> Console {
    Console::new(runner)
}

/// A request from this machine.
fn local(method: &str, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = Request::new(method, path).with("host", "localhost:8080");
    request.query = query.to_owned();
    request.peer = Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 50_000)));
    request
}

impl Request {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with("content-type", "application/json")
    }

    fn form(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.with("content-type", "application/x-www-form-urlencoded")
    }
}

impl Answer {
    fn text(&self) -> &str {
        match &self.body {
            Body::Bytes(bytes) => std::str::from_utf8(bytes).unwrap(),
            Body::Events(_) => panic!("a stream"),
        }
    }

    fn value(&self) -> Value {
        let kind = if self.status < 400 { "application/json" } else { "application/problem+json" };
        assert_eq!(self.header("content-type"), Some(kind), "{self:?}");
        serde_json::from_str(self.text()).unwrap()
    }
}

fn get(console: &Console, path: &str) -> Answer {
    console.answer(&local("GET", path))
}

/// Takes an action as somebody who may do everything.
fn post(console: &Console, path: &str, body: &Value) -> Answer {
    let mut request = local("POST", path).json(body);
    request.granted = Some(Access::Operate.into());
    console.answer(&request)
}
