//! Rule 44 and the exit codes of `run`, with a real child process.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;

use nix::sys::signal::Signal;
use tests::child::Ended;
use tests::{Child, Stopwatch, best_of, secs};

/// Starts a child that calls `run`, or waits.
fn start(way: &str) -> Child {
    Child::start(env!("CARGO_BIN_EXE_runs"), &[way])
}

#[test]
fn rule_44_the_first_signal_is_graceful() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = start("graceful");
        child.says("ready");
        child.signal(signal);
        let ended = child.ended();
        assert_eq!(ended.code(), 0, "{signal}: {ended:?}");
        // The crate prints its report, and nothing else.
        assert_eq!(ended.out, ["ready", "hook: database"], "{signal}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{signal}: {ended:?}");
        assert!(ended.err.starts_with("3 services ended in "), "{signal}: {ended:?}");
        assert!(ended.err.contains(", 2 stopped, 1 registered"), "{signal}: {ended:?}");
        assert!(ended.took < secs(4), "{signal}: {ended:?}");
    }
}

#[test]
fn rule_44_the_second_signal_ends_the_process_at_once() {
    for (first, second, code) in [
        (Signal::SIGTERM, Signal::SIGTERM, 143),
        (Signal::SIGINT, Signal::SIGINT, 130),
        (Signal::SIGINT, Signal::SIGTERM, 143),
    ] {
        // "At once": the best of a few rounds, a process and two pipes included.
        best_of(5, &format!("{first}, then {second}"), tests::millis(50), || {
            let mut child = start("stuck");
            child.says("ready");
            child.signal(first);
            // The body knows, and stays; the other service is stopped all the same.
            child.says("told");
            let watch = Stopwatch::start();
            child.signal(second);
            let ended = child.ended();
            assert_eq!(ended.code(), code, "{first}, {second}: {ended:?}");
            watch.elapsed()
        });
    }
}

#[test]
fn rule_44_a_signal_that_nobody_waits_for_does_what_it_always_does() {
    let mut child = start("no handlers");
    child.says("ready");
    child.signal(Signal::SIGTERM);
    let ended = child.ended();
    assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
}

#[test]
fn rule_44_wait_for_signal_says_which_and_the_second_ends_the_process() {
    // Just when the handlers are there, and it may not wait yet. Where nobody can see that from
    // outside, a signal may come earlier, which ends the child, and then there is another child.
    let child = loop {
        let mut child = start("waits");
        child.says("ready");
        child.catches_signals();
        child.signal(Signal::SIGTERM);
        if child.says_before_its_end("SIGTERM 15") {
            break child;
        }
        assert_eq!(child.ended().status.signal(), Some(15));
    };
    // It goes on after that signal, until the second.
    child.signal(Signal::SIGTERM);
    let ended = child.ended();
    assert_eq!(ended.code(), 143, "{ended:?}");
}

fn run(way: &str) -> Ended {
    let ended = start(way).ended();
    assert!(ended.took < secs(4), "{ended:?}");
    ended
}

#[test]
fn run_returns_0_when_everything_ended_well() {
    assert_eq!(run("finished").code(), 0);
    // A failure of a service that is not critical is not the end of the program's good name.
    let ended = run("failed");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.err.contains("\n  s (tests/src/bin/runs.rs:"), "{ended:?}");
    assert!(ended.err.contains("): failed"), "{ended:?}");
}

#[test]
fn run_returns_1_when_a_critical_service_failed() {
    let ended = run("critical");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert_eq!(ended.out, ["ready", "hook: web"], "the others are stopped in order");
    assert!(ended.err.contains("shut down because `vital` is critical and failed"), "{ended:?}");
}

#[test]
fn run_returns_2_when_something_did_not_stop() {
    let ended = run("abandoned");
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(
        ended.out.contains(&"hook: web".to_owned()),
        "the others are stopped in order: {ended:?}"
    );
    assert!(ended.err.contains("1 abandoned"), "{ended:?}");
    assert!(ended.err.contains("\n  stuck (tests/src/bin/runs.rs:"), "{ended:?}");
    // Whatever else went wrong.
    let ended = run("both");
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.err.contains("`vital` is critical and failed"), "{ended:?}");
}

#[test]
fn run_returns_78_and_lists_the_faults() {
    let ended = run("faults");
    assert_eq!(ended.code(), 78, "{ended:?}");
    let lines: Vec<_> = ended.err.lines().collect();
    assert_eq!(lines.len(), 3, "{ended:?}");
    assert_eq!(lines[0], "2 faults in the services, nothing was started:");
    assert!(
        lines[1..].iter().any(|line| line.starts_with("  - `a` at tests/src/bin/runs.rs:")),
        "{ended:?}"
    );
    assert!(
        lines[1..].iter().any(|line| line.starts_with("  - `b` at tests/src/bin/runs.rs:")),
        "{ended:?}"
    );
}
