//! Rules 34 and 158: the start order.

use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, gate, in_virtual_time, info, manual_clock, secs,
};
use tina4_service::{Change, ControlError, Ready, Runner, Service, State, service};

both_kinds! {
    rule_34_services_start_in_the_order_of_after_and_then_by_name,
    rule_32_started_means_that_the_first_run_has_begun,
    rule_34_a_service_that_ends_early_releases_its_dependents,
    rule_34_a_service_that_crashes_in_its_first_run_releases_its_dependents,
    rule_34_and_41_a_fault_elsewhere_does_not_change_the_order_of_a_new_service,
    rule_34_a_restart_before_the_first_run_releases_no_dependents,
}

fn rule_34_services_start_in_the_order_of_after_and_then_by_name(kind: Kind) {
    let (runner, _clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    for (name, after) in
        [("a", vec!["z"]), ("b", vec![]), ("c", vec!["a", "b"]), ("m", vec![]), ("z", vec![])]
    {
        let service = kind.sleeper(name).ready(Ready::Started);
        runner.register(after.into_iter().fold(service, Service::after)).unwrap();
    }
    let plan = runner.check().unwrap();
    let planned: Vec<_> = plan.services().iter().map(|service| service.name.clone()).collect();
    assert_eq!(planned, ["b", "m", "z", "a", "c"]);
    assert!(
        runner.status().values().all(|state| *state == State::Registered),
        "a plan starts nothing"
    );
    runner.start_all().unwrap();
    for name in ["a", "b", "c", "m", "z"] {
        watcher.wait_for_run_begin(name);
    }
    let events = watcher.events();
    let of = |wanted: fn(&Change) -> bool| -> Vec<&str> {
        events.iter().filter(|event| wanted(&event.change)).map(|event| &*event.service).collect()
    };
    assert_eq!(of(|change| *change == Change::Started), planned);
    let runs = of(|change| matches!(change, Change::RunBegan { .. }));
    let position = |name: &str| runs.iter().position(|run| *run == name);
    assert!(
        position("z") < position("a")
            && position("a") < position("c")
            && position("b") < position("c"),
        "{runs:?}"
    );
    runner.stop_all();
}

fn rule_32_started_means_that_the_first_run_has_begun(kind: Kind) {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let slow = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
    };
    runner
        .register(kind.waiting("first", slow).initial_delay("10s").ready(Ready::Started))
        .unwrap();
    runner.register(kind.service("then", |_| {}).interval("1s").after("first")).unwrap();
    runner.start_all().unwrap();
    let held = info(&runner, "then");
    assert_eq!((held.state, held.next_due), (State::Waiting, None), "it waits");
    assert!(matches!(runner.run_now("then"), Err(ControlError::WaitingForDependencies { .. })));
    clock.advance(secs(9));
    assert_eq!(info(&runner, "then").runs, 0);
    clock.advance(secs(1));
    // It is enough that the run has begun.
    watcher.wait_for_run_end("then");
    assert_eq!(runner.status()["first"], State::Running);
    drop(go);
    runner.stop_all();
}

fn rule_34_a_service_that_ends_early_releases_its_dependents(kind: Kind) {
    let (runner, _clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner
        .register(kind.service("first", |_| {}).initial_delay("1h").ready(Ready::Started))
        .unwrap();
    runner.register(kind.service("then", |_| {}).after("first")).unwrap();
    runner.start_all().unwrap();
    runner.stop("first").unwrap();
    watcher.wait_for_run_begin("then");
    runner.stop_all();
}

fn rule_34_a_service_that_crashes_in_its_first_run_releases_its_dependents(kind: Kind) {
    let first = || {
        kind.service("first", |_| Err::<(), _>("no")).initial_delay("10s").ready(Ready::Finished)
    };
    for (first, state) in
        [(first().max_restarts(0), State::Failed), (first().backoff("1m"), State::BackingOff)]
    {
        let mut t = in_virtual_time([
            first,
            kind.sleeper("then").after("first"),
            // A crash loop of another service makes no difference.
            kind.service("another", |_| Err::<(), _>("no")).backoff("1ms").max_backoff("100ms"),
        ]);
        t.advance("9999ms");
        assert_eq!((t.state("then"), t.runs("then")), (State::Waiting, 0), "it waits");
        t.advance("1ms");
        assert_eq!((t.state("first"), t.runs("then")), (state, 1));
        // Restarts of the first service do not restart its dependents.
        t.advance("10m");
        assert_eq!((t.state("then"), t.runs("then")), (State::Running, 1));
    }
}

fn rule_34_and_41_a_fault_elsewhere_does_not_change_the_order_of_a_new_service(kind: Kind) {
    let base = || kind.sleeper("base").ready(Ready::Started);
    for (base, runs) in [(base().initial_delay("10s"), 0), (base(), 1)] {
        let mut t = in_virtual_time([base, kind.sleeper("on")]);
        t.advance("0s");
        t.runner().register(kind.service("faulty", |_| {}).after("nobody")).unwrap();
        t.runner().register(kind.sleeper("then").after("base")).unwrap();
        t.start("then").unwrap();
        t.advance("0s");
        assert_eq!(t.runs("then"), runs, "it waits until `base` is ready");
        t.stop_all();
        let events = t.events();
        let position = |name: &str, change: &Change| {
            events
                .iter()
                .position(|event| event.service == name && event.change == *change)
                .unwrap()
        };
        let last = position("then", &Change::Stopped);
        assert!(last < position("base", &Change::Stopping), "{}", t.timeline());
    }
}

fn rule_34_a_restart_before_the_first_run_releases_no_dependents(kind: Kind) {
    for hook in [false, true] {
        let first = kind.sleeper("first").initial_delay("10s");
        let first = first.ready(Ready::Started);
        let first = if hook { first.hook(kind, |_| {}) } else { first };
        let mut t = in_virtual_time([first, kind.sleeper("then").after("first")]);
        t.advance("5s");
        t.restart("first").unwrap();
        t.advance("9s");
        assert_eq!(t.runs("then"), 0, "{}", t.timeline());
        t.advance("1s");
        assert_eq!(t.runs("then"), 1, "{}", t.timeline());
    }
}

/// A service with the name of the other function.
#[service(name = "function_two", ready = "started")]
fn function_one() {}

/// A service with the name of the other function.
#[service(name = "function_one", ready = "started")]
fn function_two() {}

#[service(name = "order.by-function", after = [function_one])]
fn by_function() {}

#[service(name = "order.by-name", after = ["function_one"])]
fn by_name() {}

#[test]
fn rule_34_and_158_after_takes_paths_as_functions_and_strings_as_names() {
    let names = ["function_one", "function_two"];
    let runner = Runner::builder().only(names).only(["order.by-function", "order.by-name"]).build();
    let plan = runner.check().unwrap();
    let after = |name: &str| {
        let planned = plan.services().iter().find(|service| service.name == name).unwrap();
        planned.after.clone()
    };
    assert_eq!(after("order.by-function"), ["function_two"]);
    assert_eq!(after("order.by-name"), ["function_one"]);
}
