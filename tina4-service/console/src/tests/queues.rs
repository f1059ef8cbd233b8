use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tina4_service::queue::{Capabilities, Ended, Engine, Held, NewJob, Timestamp, Turn, Want};
use tina4_service::{
    Backlog, DeadJob, EngineError, Job, JobId, MemoryEngine, Permanent, Pushed, Queue, Queues,
};

use super::*;

const MAILS: Queue<String> = Queue::new("mails");

/// A queue whose service refuses everything, with two dead jobs.
fn queue() -> (Runner, Queues) {
    fn refuse(job: Job<String>) -> Result<(), Permanent> {
        Err(Permanent::new(format!("cannot send {}, password=hunter2", *job)))
    }
    let runner = Runner::new();
    let queues = Queues::new(MemoryEngine::new());
    runner.provide(queues.clone());
    runner.register(Service::of("send", refuse).queue(MAILS)).unwrap();
    runner.start_all().unwrap();
    let events = runner.subscribe();
    for mail in ["one", "two"] {
        MAILS.on(&queues).push(&mail.to_owned()).unwrap();
        until(&events, |change| matches!(change, Change::JobDied { .. }));
    }
    runner.pause("send").unwrap();
    (runner, queues)
}

#[test]
fn rule_113_a_queue_shows_its_jobs_and_not_what_is_in_them() {
    let (runner, queues) = queue();
    let console =
        console(&runner).queues(&queues).redact(|text| text.replace("hunter2", "..").into());
    let list = get(&console, "/queues").value();
    assert_eq!(list["queues"][0]["name"], "mails");
    assert_eq!(list["queues"][0]["services"], json!(["send"]));
    assert_eq!(list["queues"][0]["queue"]["backlog"]["dead"], 2);
    let one = get(&console, "/queues/mails").value();
    assert_eq!((&one["schema"], &one["queue"]), (&json!(1), &list["queues"][0]["queue"]));

    let dead = get(&console, "/queues/mails/dead").value();
    let jobs = dead["jobs"].as_array().unwrap();
    assert_eq!((dead["name"].as_str(), jobs.len()), (Some("mails"), 2));
    let error = jobs[0]["error"].as_str().unwrap();
    assert!(error.ends_with("cannot send one, password=.."), "{error}");
    assert_eq!((&jobs[0]["attempts"], jobs[0].get("payload")), (&json!(1), None));
    assert!(jobs[0]["died_at"].as_str().unwrap().ends_with('Z'));
    let first = jobs[0]["id"].as_str().unwrap();
    let rest = get(&console, &format!("/queues/mails/dead?after={first}&n=5")).value();
    assert_eq!(rest["jobs"], json!([jobs[1]]));
    assert_eq!(get(&console, "/queues/mails/dead?n=x").status, 400);

    let unknown = get(&console, "/queues/mials");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.value()["hint"], "did you mean `mails`?");
}

#[test]
fn rule_113_dead_jobs_are_tried_again_by_those_who_may() {
    let (runner, queues) = queue();
    let console = console(&runner).queues(&queues);
    let dead = || MAILS.on(&queues).dead(None, 10).unwrap();
    assert_eq!(console.answer(&local("POST", "/queues/mails/redrive")).status, 403);
    assert_eq!(dead().len(), 2);

    let first = dead()[0].id.to_string();
    let answer = post(&console, "/queues/mails/redrive", &json!({ "job": first }));
    let done = json!({ "schema": 1, "action": "redrive", "name": "mails", "jobs": 1 });
    assert_eq!((answer.status, answer.value()), (200, done));
    assert_eq!(dead().len(), 1);
    let again = post(&console, "/queues/mails/redrive", &json!({ "job": first }));
    assert_eq!((again.status, again.value()["title"].as_str()), (404, Some("no such job")));
    let all = json!({ "job": "all" });
    assert_eq!(post(&console, "/queues/mails/redrive", &all).value()["jobs"], 1);
    assert_eq!(dead().len(), 0);
    assert_eq!(post(&console, "/queues/mial/redrive", &all).status, 404);
}

#[test]
fn rule_113_whoever_means_one_job_does_not_get_all_of_them() {
    let (runner, queues) = queue();
    let console = console(&runner).queues(&queues).access(|_| Access::Operate);
    let dead = || MAILS.on(&queues).dead(None, 10).unwrap();
    let first = dead()[0].id.to_string();
    let redrive = || local("POST", "/queues/mails/redrive");
    let in_query = local("POST", &format!("/queues/mails/redrive?job={first}"));
    for (what, request) in [
        ("in the query", in_query.clone()),
        ("in the query, and in the body", in_query.json(&json!({ "job": first }))),
        ("nothing", redrive()),
        ("no field", redrive().json(&json!({ "reason": "a test" }))),
        ("null", redrive().json(&json!({ "job": null }))),
        ("empty", redrive().json(&json!({ "job": "" }))),
        ("no id", redrive().json(&json!({ "job": "x" }))),
        ("an empty form", redrive().form("")),
        ("an empty field", redrive().form("job=")),
        ("twice", redrive().form(&format!("job={first}&job=all"))),
        ("all, and one", redrive().form(&format!("job=all&job={first}"))),
    ] {
        let answer = console.answer(&request);
        assert_eq!((answer.status, dead().len()), (400, 2), "{what}: {answer:?}");
    }
    assert_eq!(console.answer(&redrive().form(&format!("job={first}"))).status, 303);
    assert_eq!(dead().len(), 1);
    assert_eq!(console.answer(&redrive().form("job=all")).status, 303);
    assert_eq!(dead().len(), 0);
}

#[test]
fn rule_113_without_its_engine_a_queue_says_what_to_do() {
    let (runner, _) = queue();
    let answer = get(&console(&runner), "/queues/mails/dead");
    assert_eq!(answer.status, 503);
    assert!(answer.value()["hint"].as_str().unwrap().contains("`Console::queues`"));
}

/// A store that does not tell how many jobs there are until it is released, and none of the dead ones.
struct Hanging(MemoryEngine, Arc<Gate>);

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

impl Engine for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn owner(&self) -> &str {
        self.0.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.0.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.0.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.0.renew(held, lease, now)
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.1.wait();
        self.0.backlog(queue, now)
    }

    fn dead(&self, _: &str, _: Option<JobId>, _: usize) -> Result<Vec<DeadJob>, EngineError> {
        let source = "cannot reach postgres://app:hunter2@db".into();
        Err(EngineError::Failed { engine: "hanging", source })
    }
}

/// Calls a closure on a thread of its own, so that a hang fails the test.
fn in_time<T: Send + 'static>(what: &str, call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let call = move || {
        let _ = sender.send(call());
    };
    crate::sys::threads::start("request", call).unwrap();
    receiver.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{what} hangs"))
}

/// Opens the gate also if the test fails, because the thread that asks would keep the runner.
struct OpenAtEnd(Arc<Gate>);

impl Drop for OpenAtEnd {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[test]
fn rule_118_a_store_that_does_not_answer_holds_no_request() {
    let gate = Arc::new(Gate::default());
    let queues = Queues::new(Hanging(MemoryEngine::new(), Arc::clone(&gate)));
    let runner = Runner::new();
    runner.provide(queues.clone());
    runner.register(Service::of("send", |_: Job<String>| {}).queue(MAILS).tags(["post"])).unwrap();
    runner.register(Service::new("heartbeat", |_| {}).interval("1h").tags(["post"])).unwrap();
    runner.start_all().unwrap();
    let console = console(&runner)
        .queues(&queues)
        .access(|_| Access::Operate)
        .redact(|text| text.replace("hunter2", "..").into());
    let _open = OpenAtEnd(Arc::clone(&gate));
    let ask = |method: &'static str, path: &'static str| {
        let console = console.clone();
        in_time(path, move || console.answer(&local(method, path)))
    };
    for (method, path) in [
        ("GET", "/services/heartbeat"),
        ("GET", "/services/heartbeat/plan"),
        ("GET", "/services/send/plan"),
        ("POST", "/services/send/pause"),
        ("POST", "/services/send/resume"),
        ("POST", "/tags/post/pause"),
        ("POST", "/tags/post/resume"),
    ] {
        let answer = ask(method, path);
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    }
    for path in ["/services", "/services/send", "/queues", "/queues/mails"] {
        let answer = ask("GET", path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains(r#""backlog":null"#), "{path}: {}", answer.text());
    }
    let Body::Events(mut stream) = ask("GET", "/events").body else { panic!("a stream") };
    let list = in_time("the stream", move || stream.next().unwrap());
    assert!(String::from_utf8_lossy(&list).contains("heartbeat"));
    // The error of a store may contain its address.
    let failed = get(&console, "/queues/mails/dead");
    assert_eq!(failed.status, 503);
    assert!(failed.text().contains("app:..@db") && !failed.text().contains("hunter2"));

    gate.open();
    while get(&console, "/services/send").value()["queue"]["backlog"].is_null() {
        std::thread::yield_now();
    }
}

#[test]
fn rule_118_a_stream_ends_in_time_although_an_engine_does_not_answer() {
    let gate = Arc::new(Gate::default());
    let runner = Runner::new();
    runner.provide(Queues::new(Hanging(MemoryEngine::new(), Arc::clone(&gate))));
    runner.register(Service::of("take", |_: Job<String>| {}).queue(MAILS)).unwrap();
    runner.start_all().unwrap();
    let console = console(&runner);
    let _open = OpenAtEnd(gate);
    let Body::Events(mut stream) = get(&console, "/events").body else { panic!("no stream") };
    runner.stop_all();
    in_time("the stream", move || while stream.next().is_some() {});
}
