//! Rule 25: every panic of a service is caught, and panics elsewhere are not affected.

use std::panic::{panic_any, resume_unwind};
use std::process::Command;
use std::sync::Arc;

use tests::{Child, EventWatcher, Kind, both_kinds, info};
use tina4_service::{Context, Local, Runner, State, service};

both_kinds! {
    rule_25_a_panic_is_caught_whatever_its_payload,
    rule_25_and_94_panics_print_their_usual_message,
    rule_25_and_94_the_backtrace_is_kept_if_the_environment_asks_for_it,
}

/// A panic payload that panics when it is dropped.
struct PanickingPayload;

impl Drop for PanickingPayload {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

/// An error that panics in `Display`.
#[derive(Debug)]
struct PanicsInDisplay;

impl std::fmt::Display for PanicsInDisplay {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no text");
    }
}

impl std::error::Error for PanicsInDisplay {}

/// Runs `body` once and returns the text of its crash.
fn crash(
    kind: Kind,
    body: impl Fn() -> Result<(), PanicsInDisplay> + Send + Sync + 'static,
) -> Arc<str> {
    let runner = Runner::new();
    runner.register(kind.service("s", move |_| body()).max_restarts(0)).unwrap();
    runner.register(kind.sleeper("other")).unwrap();
    runner.start_all().unwrap();
    tests::until("it has failed", || runner.status()["s"] == State::Failed);
    assert!(runner.is_running("other"), "no other service is affected");
    assert!(runner.stop_all().is_clean());
    info(&runner, "s").last_error.unwrap()
}

fn rule_25_a_panic_is_caught_whatever_its_payload(kind: Kind) {
    let file = file!();
    let line = line!() + 1;
    let text = crash(kind, || panic!("plain"));
    assert!(text.starts_with(&format!("panicked: plain at {file}:{line}:")), "{text}");
    let text = crash(kind, || panic!("number {}", std::hint::black_box(7)));
    assert!(text.starts_with(&format!("panicked: number 7 at {file}:")), "{text}");
    let text = crash(kind, || panic_any(7_u8));
    assert!(text.starts_with(&format!("panicked: a panic without text at {file}:")), "{text}");
    let text = crash(kind, || panic_any(PanickingPayload));
    assert!(text.starts_with("panicked: a panic without text at "), "{text}");
    // This bypasses the panic hook, so the place is unknown.
    let text = crash(kind, || resume_unwind(Box::new("quiet")));
    assert_eq!(&*text, "panicked: quiet");
    let text = crash(kind, || Err(PanicsInDisplay));
    assert!(text.starts_with(&format!("panicked: no text at {file}:")), "{text}");
}

/// A local value that panics when it is dropped.
#[derive(Default)]
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[service(name = "panics.on-drop", max_restarts = 0)]
fn panics_on_drop(_ctx: &Context, _kept: Local<PanicsOnDrop>) {}

#[test]
fn rule_25_a_local_value_that_panics_on_drop_harms_no_other_service() {
    let runner = Runner::builder().only(["panics.on-drop"]).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_change("panics.on-drop", &tina4_service::Change::Finished);
    runner.start("panics.on-drop").unwrap();
    watcher.wait_for_change("panics.on-drop", &tina4_service::Change::Finished);
    tests::wait(&runner);
}

/// A child process with or without backtraces.
fn child(kind: Kind, backtrace: &str) -> tests::child::Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panics"));
    if kind == Kind::Async {
        command.arg("async");
    }
    Child::run(command.env("RUST_BACKTRACE", backtrace)).wait()
}

fn rule_25_and_94_panics_print_their_usual_message(kind: Kind) {
    let ended = child(kind, "0");
    let panics = |text: &str| ended.err.lines().filter(|line| *line == text).count();
    // The service runs twice; the default hook prints each panic once.
    assert_eq!((panics("inside"), panics("outside")), (2, 1), "{}", ended.err);
    let heads =
        ended.err.lines().filter(|line| line.contains("panicked at tests/src/bin/panics.rs:"));
    assert_eq!(heads.count(), 3, "{}", ended.err);
    assert_eq!(ended.out.len(), 1, "{:?}", ended.out);
    assert!(
        ended.out[0].starts_with("panicked: inside at tests/src/bin/panics.rs:"),
        "{:?}",
        ended.out
    );
}

fn rule_25_and_94_the_backtrace_is_kept_if_the_environment_asks_for_it(kind: Kind) {
    let ended = child(kind, "1");
    let first = &ended.out[0];
    assert!(first.starts_with("panicked: inside at tests/src/bin/panics.rs:"), "{first}");
    // The function of the service, which is a closure in `main`.
    let trace = ended.out.iter().any(|line| line.contains("panics::main"));
    assert!(trace, "{:?}", ended.out);
}
