use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::EventStream;
use crate::events::hub::MAX_CLIENTS;

fn connect(console: &Console, path: &str) -> Result<EventStream, Answer> {
    let answer = get(console, path);
    if answer.status != 200 {
        return Err(answer);
    }
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    match answer.body {
        Body::Events(stream) => Ok(stream),
        Body::Bytes(_) => panic!("no stream"),
    }
}

/// The data of a block, and its id.
fn read(block: &Arc<[u8]>) -> (u64, Value) {
    let text = std::str::from_utf8(block).unwrap();
    assert!(text.ends_with("\n\n") && text.matches("\n\n").count() == 1, "{text:?}");
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(line("event: "), Some("services"), "{text}");
    let data: Value = serde_json::from_str(line("data: ").unwrap()).unwrap();
    assert_eq!(data["schema"], 1);
    (line("id: ").unwrap().parse().unwrap(), data)
}

fn names(data: &Value) -> Vec<&str> {
    let services = data["services"].as_array().unwrap().iter();
    services.map(|service| service["name"].as_str().unwrap()).collect()
}

/// Waits for a fact. Nothing tells that a thread has ended.
fn wait_until(mut fact: impl FnMut() -> bool) {
    for _ in 0..60_000 {
        if fact() {
            return;
        }
        crate::sys::clock::pause(Duration::from_millis(1));
    }
    panic!("it does not become true");
}

#[test]
fn rule_113_a_stream_begins_with_the_list_and_tells_what_changes() {
    let runner = runner();
    let console = console(&runner);
    let mut stream = connect(&console, "/events").unwrap();
    let first = stream.next().unwrap();
    assert!(first.starts_with(b"retry: 3000\nid: "));
    let (first, list) = read(&first);
    assert_eq!(names(&list), ["import", "mail", "report"]);
    assert_eq!(list["services"][0]["state"], "failed");

    runner.pause("mail").unwrap();
    let (second, changed) = read(&stream.next().unwrap());
    assert!(second > first);
    assert_eq!((names(&changed), &changed["gone"]), (vec!["mail"], &json!([])));
    assert_eq!(changed["services"][0]["state"], "paused");

    runner.unregister("report").unwrap();
    let (_, gone) = read(&stream.next().unwrap());
    assert_eq!((names(&gone), &gone["gone"]), (vec![], &json!(["report"])));

    // Another client gets the list, too, and both get what changes.
    let mut other = connect(&console, "/events").unwrap();
    assert_eq!(names(&read(&other.next().unwrap()).1), ["import", "mail"]);
    runner.resume("mail").unwrap();
    for stream in [&mut stream, &mut other] {
        assert_eq!(read(&stream.next().unwrap()).1["services"][0]["state"], "waiting");
    }
}

#[test]
fn rule_113_a_stream_can_be_about_some_services_only() {
    let runner = runner();
    let console = console(&runner);
    let mut stream = connect(&console, "/events?name=mail&name=none").unwrap();
    assert_eq!(names(&read(&stream.next().unwrap()).1), ["mail"]);
    runner.start("report").unwrap();
    while runner.history("report").unwrap().runs.is_empty() {
        std::thread::yield_now();
    }
    runner.pause("mail").unwrap();
    assert_eq!(names(&read(&stream.next().unwrap()).1), ["mail"]);
    let many = |count: usize| format!("/events?{}", vec!["name=mail"; count].join("&"));
    assert!(connect(&console, &many(100)).is_ok());
    let refused = connect(&console, &many(101)).unwrap_err();
    let hint = refused.value()["hint"].as_str().unwrap().to_owned();
    assert!(refused.status == 400 && hint.starts_with("give 100 at most"), "{hint}");
    let mut none = connect(&console, "/events?name=none").unwrap();
    assert_eq!(names(&read(&none.next().unwrap()).1), [""; 0], "the list, although it is empty");
}

#[test]
fn rule_113_a_stream_shows_what_is_redacted() {
    let runner = runner();
    let console = console(&runner).redact(|text| text.replace("hunter2", "..").into());
    let list = connect(&console, "/events").unwrap().next().unwrap();
    let text = String::from_utf8(list.to_vec()).unwrap();
    assert!(text.contains("password=..") && !text.contains("hunter2"), "{text}");
}

#[test]
fn rule_118_streams_are_bounded_and_nothing_happens_without_them() {
    let runner = runner();
    let console = console(&runner);
    assert!(console.hub.is_idle());
    let mut streams: Vec<_> =
        (0..MAX_CLIENTS).map(|_| connect(&console, "/events").unwrap()).collect();
    let refused = connect(&console, "/events").unwrap_err();
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("10")));
    assert_eq!(console.answer(&local("HEAD", "/events")).status, 200);
    assert!(!console.hub.is_idle());

    // A place is free as soon as a client is gone.
    drop(streams.pop());
    streams.push(connect(&console, "/events").unwrap());
    for stream in &mut streams {
        assert_eq!(names(&read(&stream.next().unwrap()).1).len(), 3);
    }
    drop(streams);
    wait_until(|| console.hub.is_idle());

    // And it begins anew.
    let mut stream = connect(&console, "/events").unwrap();
    assert_eq!(names(&read(&stream.next().unwrap()).1).len(), 3);
}

#[test]
fn rule_118_a_client_that_reads_nothing_delays_nobody() {
    let runner = runner();
    let console = console(&runner);
    let slow: Vec<_> = (1..MAX_CLIENTS).map(|_| connect(&console, "/events").unwrap()).collect();
    let mut stream = connect(&console, "/events").unwrap();
    assert_eq!(names(&read(&stream.next().unwrap()).1).len(), 3);
    for state in ["paused", "waiting"].repeat(4) {
        if state == "paused" {
            runner.pause("mail").unwrap();
        } else {
            runner.resume("mail").unwrap();
        }
        assert_eq!(read(&stream.next().unwrap()).1["services"][0]["state"], state);
    }
    drop(slow);
}

#[test]
fn rule_113_a_stream_ends_with_its_runner() {
    let runner = runner();
    let console = console(&runner);
    let mut stream = connect(&console, "/events").unwrap();
    drop(runner);
    while stream.next().is_some() {}
}

/// A panic of a closure of the program is caught where it is called.
#[test]
fn rule_118_a_panic_ends_no_stream() {
    let runner = runner();
    let console = console(&runner).redact(|_| panic!("a bug"));
    let mut stream = connect(&console, "/events").unwrap();
    assert_eq!(names(&read(&stream.next().unwrap()).1).len(), 3);
}
#[test]
fn rule_113_a_stream_ends_when_the_runner_begins_to_stop() {
    let runner = Runner::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let stubborn = move |_: &_| {
        let _ = released.lock().unwrap().recv();
    };
    runner.register(Service::new("stubborn", stubborn).stop_timeout("1h")).unwrap();
    runner.start_all().unwrap();
    let console = console(&runner);
    let mut stream = connect(&console, "/events").unwrap();
    let stopping = runner.clone();
    let stop = std::thread::Builder::new();
    #[expect(clippy::disallowed_methods, reason = "a test")]
    let stop = stop.spawn(move || stopping.stop_all()).unwrap();
    // The service is still there, and stays until it is released.
    while stream.next().is_some() {}
    wait_until(|| console.hub.is_idle());
    let refused = connect(&console, "/events").unwrap_err();
    assert_eq!((refused.status, refused.value()["title"].as_str()), (503, Some("stopping")));
    drop(release);
    stop.join().unwrap();
}

#[test]
fn rule_113_a_server_that_stops_alone_can_end_the_streams() {
    let runner = runner();
    let console = console(&runner);
    let mut stream = connect(&console, "/events").unwrap();
    console.clone().end_streams();
    while stream.next().is_some() {}
    wait_until(|| console.hub.is_idle());
    assert!(connect(&console, "/events").unwrap().next().is_some(), "it begins anew");
}
