use tina4_service::queue::{Capabilities, Ended, Engine, Held, NewJob, Timestamp, Turn, Want};
use tina4_service::{Backlog, EngineError, Job, MemoryEngine, Permanent, Pushed, Queue, Queues};

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

    let unknown = get(&console, "/queues/mial");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.value()["hint"], "these are known: mails");
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
    assert_eq!(post(&console, "/queues/mails/redrive", &json!({ "job": "x" })).status, 400);
    assert_eq!(post(&console, "/queues/mails/redrive", &json!({})).value()["jobs"], 1);
    assert_eq!(dead().len(), 0);
    assert_eq!(post(&console, "/queues/mial/redrive", &json!({})).status, 404);
}

#[test]
fn rule_113_without_its_engine_a_queue_says_what_to_do() {
    let (runner, _) = queue();
    let answer = get(&console(&runner), "/queues/mails/dead");
    assert_eq!(answer.status, 503);
    assert!(answer.value()["hint"].as_str().unwrap().contains("`Console::queues`"));
}

/// An engine whose server does not answer the question how many jobs there are.
struct Hanging(MemoryEngine, std::sync::Mutex<mpsc::Receiver<()>>);

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
        lease: std::time::Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.0.renew(held, lease, now)
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        let _ = self.1.lock().unwrap().recv();
        self.0.backlog(queue, now)
    }
}

#[test]
fn rule_118_a_stream_ends_in_time_although_an_engine_does_not_answer() {
    fn take(_: Job<String>) {}
    let (answer, answers) = mpsc::channel();
    let runner = Runner::new();
    let engine = Hanging(MemoryEngine::new(), std::sync::Mutex::new(answers));
    runner.provide(Queues::new(engine));
    runner.register(Service::of("take", take).queue(MAILS)).unwrap();
    runner.start_all().unwrap();
    let console = console(&runner);
    let Body::Events(mut stream) = get(&console, "/events").body else { panic!("no stream") };
    runner.stop_all();
    assert_eq!(stream.next(), None);
    drop(answer);
}
