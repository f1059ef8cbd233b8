//! Register, start, stop and unregister, again and again.

use tests::{EventWatcher, Stopwatch, sleep_until_stopped, until};
use tina4_service::{Change, Event, Ready, Runner, Service, State};

use super::alone;
use super::memory::Memory;

/// How many bytes the heap may grow, because queues keep their capacity.
const HEAP_SLACK: i64 = 64 << 10;

/// The number of names, which are used again and again.
const NAMES: usize = 10;

fn cycles() -> usize {
    let text = std::env::var("CYCLES").unwrap_or_else(|_| "20000".to_owned());
    text.parse().unwrap_or_else(|_| panic!("`CYCLES` cannot be `{text}`"))
}

/// Four kinds: one that waits, one that runs once, one that runs until it is stopped, and one that is
/// ready and waits.
fn service(name: &str, cycle: usize) -> Service {
    let name = name.to_owned();
    match cycle % 4 {
        0 => Service::new(name, |_| {}).interval("1h").initial_delay("1h").after("base"),
        1 => Service::new(name, |_| {}).interval("1h").requires("base"),
        2 => Service::new(name, sleep_until_stopped).on_stop(|_| {}),
        _ => Service::new(name, |_| {}).delay("1h").requires("base").after("base"),
    }
}

/// Whether these are the changes of one service from its registration to its end.
fn is_complete(changes: &[Event], name: &str) -> bool {
    let of_runs =
        |event: &&Event| !matches!(event.change, Change::RunBegan { .. } | Change::RunEnded { .. });
    let changes: Vec<_> = changes.iter().filter(of_runs).collect();
    changes.iter().all(|event| event.service == name)
        && changes.iter().map(|event| &event.change).eq([
            &Change::Registered,
            &Change::Started,
            &Change::Stopping,
            &Change::Stopped,
            &Change::Unregistered,
        ])
}

#[test]
fn rule_36_memory_stays_flat_names_stay_usable_and_events_stay_complete() {
    let _alone = alone();
    let runner = Runner::builder().only::<&str>([]).build();
    runner.register(Service::new("base", sleep_until_stopped).ready(Ready::Started)).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("base");
    let events = runner.subscribe();
    drop(watcher);
    let names: Vec<_> = (0..NAMES).map(|number| format!("service-{number}")).collect();
    let (cycles, stopwatch) = (cycles(), Stopwatch::start());
    let warm_up = cycles / 10;
    let mut before = Memory::now();
    for cycle in 0..cycles {
        if cycle == warm_up {
            before = Memory::now();
        }
        let name = &names[cycle % NAMES];
        runner.register(service(name, cycle)).unwrap();
        runner.start(name).unwrap();
        if cycle % 2 == 0 {
            runner.stop(name).unwrap();
        }
        runner.unregister(name).unwrap();
        let events: Vec<_> = events.try_iter().collect();
        assert!(is_complete(&events, name), "cycle {cycle}: {events:#?}");
    }
    let took = stopwatch.elapsed();
    // Log lines of the last cycles may still be on their way.
    let growth = || Memory::now().heap - before.heap;
    until("the last log lines have been dropped", || growth() <= HEAP_SLACK);
    let (heap, after) = (growth(), Memory::now());
    println!(
        "{cycles} cycles took {took:.1?}; the heap grew by {heap} bytes, the resident memory by {} KiB",
        (after.resident - before.resident) >> 10
    );
    assert_eq!(
        runner.status().into_iter().collect::<Vec<_>>(),
        [("base".to_owned(), State::Running)]
    );
    assert!(runner.stop_all().is_clean());
}
