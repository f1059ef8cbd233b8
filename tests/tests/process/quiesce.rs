//! Rule 112: the time between a stop signal and the stop of the services, with real child processes.
#![cfg(unix)]

use nix::sys::signal::Signal;
use tests::{Child, millis, pause};

/// After this pause, a second signal counts as a new one.
const APART: std::time::Duration = millis(300);

/// An hour, in milliseconds: what does not wait for it needs no time measurement.
const HOUR: &str = "3600000";

fn start(scenario: &str, quiesce: &str) -> Child {
    Child::start(env!("CARGO_BIN_EXE_quiesces"), &[scenario, quiesce])
}

#[test]
fn rule_112_and_44_from_the_signal_on_the_program_is_not_ready_and_its_services_go_on() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = start("run", HOUR);
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(signal);
        child.wait_for_line(&format!(
            "not ready: a stop signal has arrived ({signal}), running: true"
        ));
        // Another one ends the time, and nothing else: the services stop in order.
        pause(APART);
        child.signal(signal);
        child.wait_for_line("asked to stop");
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(ended.out.contains(&"event: 3600s".to_owned()), "{ended:?}");
    }
}

#[test]
fn rule_112_the_services_stop_once_the_time_has_passed() {
    let mut child = start("run", "200");
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    let stopwatch = tests::Stopwatch::start();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("asked to stop");
    assert!(stopwatch.elapsed() >= millis(200));
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.out.contains(&"event: 200ms".to_owned()), "{ended:?}");
}

#[test]
fn rule_112_and_44_the_signal_after_the_one_that_ends_the_time_ends_the_process() {
    let mut child = start("stuck", HOUR);
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    pause(APART);
    child.signal(Signal::SIGTERM);
    child.wait_for_line("asked to stop");
    pause(APART);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait().code(), 143);
    // Nor does the time that has passed need another signal.
    let mut child = start("stuck", "1");
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("asked to stop");
    pause(APART);
    child.signal(Signal::SIGINT);
    assert_eq!(child.wait().code(), 130);
}

/// The thread that called `run` waits for the runner's clock, which stands still.
#[test]
fn rule_112_and_44_the_signal_thread_ends_the_time_if_nobody_else_does() {
    let mut child = start("blocked", "200");
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("asked to stop");
    assert_eq!(child.wait().code(), 0);
}

#[test]
fn rule_112_and_44_wait_for_signal_returns_once_the_time_has_passed() {
    for (quiesce, second) in [("100", false), (HOUR, true)] {
        let mut child = start("waits", quiesce);
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(Signal::SIGHUP);
        child.wait_for_line("not ready: a stop signal has arrived (SIGHUP), running: true");
        if second {
            pause(APART);
            child.signal(Signal::SIGHUP);
        }
        child.wait_for_line("SIGHUP, ready: false");
        child.wait_for_line("None, ready: true");
        child.wait_for_line("waits again");
        pause(APART);
        child.signal(Signal::SIGTERM);
        if second {
            child.wait_for_line("gave up, running: true");
            pause(APART);
            child.signal(Signal::SIGTERM);
        }
        child.wait_for_line("it has been stopped");
        assert_eq!(child.wait().code(), 0);
    }
}
