//! Rules 70 and 82: mistakes in a test are reported by the test kit.

use tests::{in_virtual_time, panic_text, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{Flow, Service, State};

#[test]
#[should_panic(
    expected = "`2025-01-01T00:00` has passed already: it is 2026-01-01 00:00:01 +00:00[UTC]"
)]
fn virtual_time_does_not_go_back() {
    let mut t = in_virtual_time([Service::new("once", |_| Flow::Done)]);
    t.advance("1s");
    t.advance_to("2025-01-01T00:00");
}

#[test]
#[should_panic(expected = "there is no service `twice`; the only service is `once`")]
fn an_unknown_name_is_reported() {
    let mut t = in_virtual_time([Service::new("once", |_| Flow::Done)]);
    t.crash_next("twice");
}

#[test]
#[should_panic(
    expected = "the service `once` has no queue; call `crash_next` to make its next run fail"
)]
fn a_kill_of_a_service_without_a_queue_is_reported() {
    let mut t = in_virtual_time([Service::new("once", |_| Flow::Done)]);
    t.kill_next("once");
}

#[test]
fn rule_82_a_misspelled_name_gets_a_suggestion() {
    type Call = fn(&mut TestRunner, &str);
    let calls: [Call; 8] = [
        |t, name| assert_eq!(t.runs(name), 0),
        |t, name| assert_eq!(t.crashes(name), 0),
        |t, name| assert_eq!(t.state(name), State::Registered),
        |t, name| drop(t.info(name)),
        TestRunner::crash_next,
        TestRunner::panic_next,
        TestRunner::kill_next,
        |t, name| t.slow_next(name, "1s"),
    ];
    for call in calls {
        let misspelled =
            move || call(&mut in_virtual_time([Service::new("heartbeat", |_| {})]), "hartbeat");
        let text = panic_text(misspelled);
        assert_eq!(text, "there is no service `hartbeat`; did you mean `heartbeat`?");
    }
    let selected = TestRunner::builder().only(["testing.daily_raport"]).build();
    let text = selected.unwrap_err().to_string();
    assert!(text.ends_with("did you mean `testing.daily_report`?"), "{text}");
}

#[test]
#[should_panic(
    expected = "virtual time cannot advance: the test waits for something that cannot happen"
)]
fn a_wait_that_can_never_end_panics() {
    let mut t = in_virtual_time([Service::new("paused", |_| {}).interval("1s")]);
    t.advance("1s");
    t.pause("paused").unwrap();
    t.runner().wait();
}

#[test]
fn unreadable_times_and_faulty_services_are_reported() {
    let mut t = in_virtual_time([Service::new("once", |_| Flow::Done)]);
    t.advance("1s");
    assert_eq!(t.state("once"), State::Finished);
    assert_eq!(t.run_next(), Vec::<String>::new());
    let error = virtual_time_builder().at("2026-02-30T00:00").build().unwrap_err().to_string();
    assert!(error.starts_with("`2026-02-30T00:00` is not a time: "), "{error}");
    let bad = virtual_time_builder().service(Service::new("bad", |_| {}).interval("0s")).build();
    let error = bad.unwrap_err().to_string();
    assert!(error.contains("`interval` cannot be zero"), "{error}");
}

#[test]
#[should_panic(expected = "the runner has made a million steps at one instant")]
fn a_body_that_never_lets_time_advance_is_reported() {
    let mut t = in_virtual_time([Service::new("queue", |_| Flow::Again)]);
    t.advance("1s");
}
