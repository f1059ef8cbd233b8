//! Rules 33, 170 and 175: what `start_all` starts and costs, and the plan.

use std::time::Duration;

use tests::{Ctx, EventWatcher, Kind, Stopwatch, both_kinds, gate, info, manual_clock};
use tina4_service::{Change, Flow, Runner, Service, State};

both_kinds! {
    rule_33_start_all_waits_for_no_run,
    rule_170_a_service_without_autostart_starts_by_name_only,
    rule_170_a_second_start_all_starts_the_services_that_are_not_running,
    rule_33_and_41_twenty_thousand_services_cost_no_more_each_than_two_thousand,
}

fn rule_33_start_all_waits_for_no_run(kind: Kind) {
    let runner = Runner::new();
    let (go, gate) = gate::<()>();
    let slow = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner.register(kind.waiting("s", slow)).unwrap();
    // It returns although the run cannot end before the next line.
    let started = tests::within("start_all", move || runner.start_all().unwrap());
    drop(go);
    started.wait();
    assert_eq!(started.status()["s"], State::Finished);
}

fn rule_170_a_service_without_autostart_starts_by_name_only(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("lazy", |_| Flow::Done).autostart(false)).unwrap();
    runner.register(kind.sleeper("eager")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("eager");
    assert_eq!(runner.status()["lazy"], State::Registered);
    assert!(runner.check().unwrap().to_string().contains("not started automatically"));
    runner.start("lazy").unwrap();
    watcher.wait_for_change("lazy", &Change::Finished);
    runner.stop_all();
}

fn rule_170_a_second_start_all_starts_the_services_that_are_not_running(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("done", |_| Flow::Done)).unwrap();
    runner.register(kind.sleeper("stopped")).unwrap();
    runner.register(kind.sleeper("running")).unwrap();
    runner.start_all().unwrap();
    for name in ["done", "stopped", "running"] {
        watcher.wait_for_run_begin(name);
    }
    watcher.wait_for_change("done", &Change::Finished);
    runner.stop("stopped").unwrap();
    runner.register(kind.service("new", |_| Flow::Done)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("stopped");
    watcher.wait_for_run_begin("new");
    let runs = |name| info(&runner, name).runs;
    assert_eq!((runs("done"), runs("stopped"), runs("running")), (1, 2, 1));
    runner.stop_all();
    // After `stop_all`, `start_all` begins new activations.
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("running");
    runner.stop_all();
}

#[test]
fn rule_175_the_plan_shows_due_times_and_places() {
    let (runner, _clock) = manual_clock();
    let line = line!() + 1;
    runner.register(Service::new("report", |_| {}).interval("1h").initial_delay("30m")).unwrap();
    let plan = runner.check().unwrap().to_string();
    assert!(plan.contains("report  every 1h"), "{plan}");
    assert!(plan.contains("1970-01-01T00:30:00Z, 1970-01-01T01:30:00Z"), "{plan}");
    assert!(plan.contains(&format!("({}:{line})", file!())), "{plan}");
}

/// If the total cost were quadratic, ten times as many services would cost ten times as much each.
fn rule_33_and_41_twenty_thousand_services_cost_no_more_each_than_two_thousand(kind: Kind) {
    let mut rounds = Vec::new();
    // Both measure 20,000 services, so that a busy machine slows both down. It may be busy during one of them.
    while rounds.len() < 5 {
        let few: Duration = (0..10).map(|_| start_and_end(kind, 2_000)).sum();
        let many = start_and_end(kind, 20_000);
        rounds.push((few, many));
        if many < 4 * few {
            return;
        }
    }
    panic!("ten times 2,000, and 20,000: {rounds:?}");
}

/// The time to start `count` services that end immediately and `count` that are stopped one by one.
fn start_and_end(kind: Kind, count: usize) -> Duration {
    let runner = Runner::new();
    for number in 0..count {
        runner.register(kind.service(format!("ends{number}"), |_| {})).unwrap();
        let stays = kind.service(format!("stays{number}"), |_| {}).interval("1h");
        runner.register(stays.initial_delay("1h")).unwrap();
    }
    let stopwatch = Stopwatch::start();
    runner.start_all().unwrap();
    for number in 0..count {
        runner.stop(&format!("stays{number}")).unwrap();
    }
    runner.wait();
    let took = stopwatch.elapsed();
    let states = runner.status();
    let of = |wanted| states.values().filter(|state| **state == wanted).count();
    assert_eq!([of(State::Finished), of(State::Stopped)], [count; 2]);
    took
}
