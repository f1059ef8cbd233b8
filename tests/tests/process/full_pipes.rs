//! Rule 44 while standard output or standard error is a full pipe: every write to it blocks, and
//! the program ends nevertheless. With real child processes.
#![cfg(target_os = "linux")]

use std::io::PipeReader;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::child::Ended;
use tests::{Child, Stopwatch, best_of, millis, pause, secs};

/// After this pause, a second signal counts as a new one.
const APART: Duration = millis(300);

/// The message is lost if standard error is full, but the process ends just as quickly.
#[test]
fn rule_44_the_second_signal_does_not_wait_for_standard_error() {
    best_of(5, "the second signal", millis(50), || {
        let (full, _unread) = full_pipe();
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let mut child = Child::run_with(command.arg("stuck"), Stdio::piped(), full);
        child.wait_for_line("ready");
        child.signal(Signal::SIGTERM);
        child.wait_for_line("asked to stop");
        pause(APART);
        let stopwatch = Stopwatch::start();
        child.signal(Signal::SIGTERM);
        assert_eq!(child.wait().code(), 143);
        stopwatch.elapsed()
    });
}

/// One run has ended and cannot print its report; the other still needs time.
#[test]
fn rule_44_a_run_that_has_returned_does_not_end_the_process_during_another() {
    let (full, _unread) = full_pipe();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
    let mut child = Child::run_with(command.arg("two runs"), Stdio::piped(), full);
    child.wait_for_line("ready");
    child.wait_for_line("ready");
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out[2..], ["hook: quick", "hook: slow"], "{ended:?}");
}

/// A full pipe, and its reading end, from which nothing is read.
fn full_pipe() -> (Stdio, PipeReader) {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let (reader, writer) = std::io::pipe().expect("a pipe");
    // Opened a second time, so that only this descriptor is non-blocking.
    let mut filler = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(format!("/proc/self/fd/{}", writer.as_raw_fd()))
        .expect("the pipe once more");
    while filler.write(&[b'-'; 4096]).is_ok() {}
    while filler.write(b"-").is_ok() {}
    (writer.into(), reader)
}

/// How long the end may take: a second, plus the timeout of 200 ms of the services that do not
/// stop, plus a margin.
const IN_TIME: Duration = millis(2_500);

/// Runs a child until one ends in time after the signal, as `best_of` says. `start` starts it with a pipe that
/// nobody reads, and waits until it is ready. Returns its end, and the time that it took.
fn end_in_time(start: impl Fn() -> (Child, PipeReader)) -> (Ended, Duration) {
    let mut last = None;
    best_of(5, "the end after a signal", IN_TIME, || {
        let (child, _unread) = start();
        let stopwatch = Stopwatch::start();
        child.signal(Signal::SIGTERM);
        let ended = child.wait();
        last.insert((ended, stopwatch.elapsed())).1
    });
    last.expect("there was a round")
}

#[test]
fn rule_44_a_signal_stops_the_services_while_standard_output_is_full() {
    let (ended, _) = end_in_time(|| {
        let (full, unread) = full_pipe();
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let child = Child::run_with(command.arg("logs"), full, Stdio::piped());
        child.wait_for_error_line("ready");
        (child, unread)
    });
    assert_eq!(ended.code(), 0, "{ended:?}");
    let mut hooks = ended.errors("hook: ");
    hooks.sort_unstable();
    assert_eq!(hooks, ["idle", "web"], "{ended:?}");
    assert!(ended.err.contains(" services ended in "), "{ended:?}");
}

/// The body fills the pipe with its own log lines and blocks, so it cannot stop.
#[test]
fn rule_44_a_signal_stops_the_other_services_while_a_body_is_blocked_by_its_log() {
    let (ended, _) = end_in_time(|| {
        let (unread, pipe) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let child = Child::run_with(command.arg("floods"), pipe.into(), Stdio::piped());
        child.wait_for_error_line("ready");
        // Usually the pipe is full after this pause; if it is not, the result is the same.
        pause(millis(200));
        (child, unread)
    });
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert_eq!(ended.errors("hook: "), ["idle"], "{ended:?}");
    assert!(ended.err.contains("\n  web (tests/src/bin/runs.rs:"), "{ended:?}");
}

#[test]
fn rule_44_the_process_ends_a_second_after_the_shutdown_timeout() {
    let (ended, took) = end_in_time(|| {
        let (full, unread) = full_pipe();
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let child = Child::run_with(command.arg("logs, stuck"), full, Stdio::piped());
        child.wait_for_error_line("ready");
        (child, unread)
    });
    assert!(took >= secs(1), "{took:?}, {ended:?}");
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.err.contains("): abandoned, still running after "), "{ended:?}");
}

/// Here printing the report blocks.
#[test]
fn rule_44_a_signal_ends_the_process_while_standard_error_is_full() {
    let (ended, _) = end_in_time(|| {
        let (full, unread) = full_pipe();
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let mut child = Child::run_with(command.arg("graceful"), Stdio::piped(), full);
        child.wait_for_line("ready");
        (child, unread)
    });
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, ["ready", "hook: database"], "{ended:?}");
}
