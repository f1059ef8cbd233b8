//! Rule 112: the time between a stop signal and the stop of the services, with real child processes.
#![cfg(unix)]

use nix::sys::signal::Signal;
use tests::{Child, millis, pause};

/// After this pause, a second signal counts as a new one.
const APART: std::time::Duration = millis(300);

/// An hour, in milliseconds. A test that ends has not waited for it, so nothing has to be timed.
const HOUR: &str = "3600000";

fn start(scenario: &str, quiesce: &str) -> Child {
    Child::start(env!("CARGO_BIN_EXE_quiesces"), &[scenario, quiesce])
}

/// Starts it, sends a signal once it is ready, and waits until it is not ready any more.
fn start_and_signal(scenario: &str, quiesce: &str) -> Child {
    let mut child = start(scenario, quiesce);
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line_with("not ready: a stop signal has arrived (SIGTERM)");
    child
}

#[test]
fn rule_112_and_44_from_the_signal_on_the_program_is_not_ready_and_its_services_keep_running() {
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
fn rule_112_and_100_the_deployment_sets_the_time() {
    let mut from_environment = std::process::Command::new(env!("CARGO_BIN_EXE_quiesces"));
    from_environment.args(["run", "0"]).env("TINA4_SERVICES__QUIESCE", "2h");
    for (mut child, event) in [
        (start("settings", "0"), "event: 3600s"),
        (Child::run(&mut from_environment), "event: 7200s"),
    ] {
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(Signal::SIGTERM);
        child.wait_for_line("not ready: a stop signal has arrived (SIGTERM), running: true");
        pause(APART);
        child.signal(Signal::SIGTERM);
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(ended.out.contains(&event.to_owned()), "{ended:?}");
    }
}

#[test]
fn rule_112_and_44_the_signal_after_the_one_that_ends_the_time_ends_the_process() {
    let mut child = start_and_signal("stuck", HOUR);
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
    // From then on, another signal ends the process.
    let mut child = start("blocked and stuck", "200");
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("asked to stop");
    pause(APART);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait().code(), 143);
}

#[test]
fn rule_112_and_44_the_end_of_the_time_of_one_runner_is_not_that_of_another() {
    let mut child = start("two", "1");
    child.wait_for_lines(&["short: ready", "long: ready"]);
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("short: asked to stop");
    // The next one ends the time of the other runner, and the one after it the process.
    pause(APART);
    child.signal(Signal::SIGTERM);
    child.wait_for_line("long: asked to stop");
    pause(APART);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait().code(), 143);
}

#[test]
fn rule_112_and_44_a_time_in_which_nothing_is_left_to_run_is_over() {
    let mut child = start("idle", HOUR);
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    // The next wait does not return the same signal again: the runner has shut down.
    assert_eq!(ended.out.last().unwrap(), "ExitCode(unix_exit_status(0)), then Some(Runner)");
    // Without one, the next signal ends the process.
    let mut child = start("idle, then stuck", HOUR);
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGTERM);
    child.wait_for_line("returned");
    pause(APART);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait().code(), 143);
}

/// Without the shutdown, the program would wait for an hour.
#[test]
fn rule_112_and_41_a_shutdown_ends_the_time() {
    for (scenario, code) in [("stop_all", 0), ("critical", 1)] {
        let mut child = start(scenario, HOUR);
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(Signal::SIGTERM);
        child.wait_for_line("asked to stop");
        let ended = child.wait();
        assert_eq!(ended.code(), code, "{ended:?}");
    }
}

#[test]
fn rule_112_and_43_the_shutdown_timeout_begins_after_the_time() {
    let mut child = start("timeout", "200");
    child.wait_for_line("ready");
    child.wait_for_signal_handlers();
    let stopwatch = tests::Stopwatch::start();
    child.signal(Signal::SIGTERM);
    // Its shutdown timeout is a millisecond.
    assert_eq!(child.wait().code(), 2);
    assert!(stopwatch.elapsed() >= millis(200));
}

#[test]
fn rule_112_and_92_the_async_calls_do_the_same() {
    for scenario in ["run_async", "wait_for_signal_async"] {
        let mut child = start(scenario, HOUR);
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(Signal::SIGTERM);
        child.wait_for_line("not ready: a stop signal has arrived (SIGTERM), running: true");
        pause(APART);
        child.signal(Signal::SIGTERM);
        child.wait_for_line("asked to stop");
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        let returned = ended.out.contains(&"SIGTERM, ready: false".to_owned());
        assert_eq!(returned, scenario == "wait_for_signal_async", "{ended:?}");
    }
}

#[test]
fn rule_112_a_signal_that_nobody_waits_for_makes_the_program_unready() {
    let mut child = start("gap", "0");
    child.wait_for_line("None, ready: (true, true)");
    child.wait_for_line("nobody waits");
    child.wait_for_signal_handlers();
    child.signal(Signal::SIGHUP);
    child.wait_for_line("not ready: a stop signal has arrived (SIGHUP)");
    child.wait_for_line("not ready: a stop signal has arrived (SIGHUP)");
    child.wait_for_line("Some(\"SIGHUP\"), ready: (false, false)");
    child.wait_for_line("None, ready: (true, true)");
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
