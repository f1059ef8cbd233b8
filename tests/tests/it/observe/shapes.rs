//! Rule 110: snapshots, events, plans and reports as JSON, as a client reads them.

use serde::Deserialize;
use serde_json::{Value, to_string, to_value};
use tina4_service::{Change, Event, Flow, Runner, Service, Settings, shape};

/// What a client wants to know of a service. It does not know the other fields.
#[derive(Deserialize)]
struct Listed {
    version: u32,
    name: String,
    state: String,
    healthy: bool,
    last_outcome: Option<String>,
    next_due: Option<String>,
}

/// What it wants to know of an event, of whatever kind.
#[derive(Deserialize)]
struct Happened {
    version: u32,
    service: Option<String>,
    change: String,
    run: Option<u64>,
    outcome: Option<String>,
    took_seconds: Option<f64>,
}

#[test]
fn rule_110_a_client_reads_what_it_knows_and_ignores_the_rest() {
    let settings = Settings::new().set("hourly", "interval", "2h");
    let runner = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).settings(settings);
    let runner = runner.build();
    let events = runner.subscribe();
    runner.register(Service::new("once", |_| Flow::Done)).unwrap();
    runner.register(Service::new("hourly", |_| {}).interval("1h").initial_delay("1h")).unwrap();

    let plan = to_value(runner.check().unwrap()).unwrap();
    assert_eq!(plan["version"], shape::VERSION);
    let hourly = &plan["services"][0];
    assert_eq!(
        (&hourly["name"], &hourly["schedule"]["period_seconds"]),
        (&"hourly".into(), &7200.0.into())
    );
    assert_eq!(hourly["overridden"][0]["source"], "settings");
    assert!(hourly["place"].as_str().unwrap().starts_with("tests/tests/it/observe/shapes.rs:"));

    runner.start_all().unwrap();
    let is_end = |event: &Event| event.change == Change::Finished;
    let mut seen: Vec<Event> = Vec::new();
    while !seen.last().is_some_and(is_end) {
        seen.push(events.recv_timeout(tests::secs(10)).expect("it finishes"));
    }
    let lines: Vec<Happened> = seen
        .iter()
        .map(|event| serde_json::from_str(&to_string(event).unwrap()).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line.version == 1));
    let end = lines.iter().find(|line| line.change == "run_ended").expect("a run has ended");
    assert_eq!((end.service.as_deref(), end.run), (Some("once"), Some(1)));
    assert_eq!((end.outcome.as_deref(), end.took_seconds.is_some()), (Some("ok"), true));

    let listed: Vec<Listed> =
        serde_json::from_str(&to_string(&runner.services()).unwrap()).unwrap();
    assert!(listed.iter().all(|info| info.version == 1 && info.healthy));
    let [hourly, once] = &listed[..] else { panic!("two services") };
    assert_eq!((&*hourly.name, &*hourly.state), ("hourly", "waiting"));
    assert!(hourly.next_due.as_deref().is_some_and(|at| at.ends_with('Z')));
    assert_eq!((&*once.state, once.last_outcome.as_deref()), ("finished", Some("ok")));

    let stopped = to_value(runner.stop("hourly").unwrap()).unwrap();
    assert_eq!((&stopped["result"], &stopped["place"]), (&"ended".into(), &Value::Null));
    let report = to_value(runner.stop_all()).unwrap();
    assert_eq!((&report["clean"], report["services"].as_array().unwrap().len()), (&true.into(), 2));
}
