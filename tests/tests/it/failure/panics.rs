//! Rule 25: a panic is caught whatever it throws, and nobody else's panics look any different.

use std::panic::{panic_any, resume_unwind};
use std::process::Command;
use std::sync::Arc;

use tests::{Child, Watch, info};
use tina4_service::{Context, Local, Runner, Service, State, service};

/// Panics once more when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

/// An error whose text cannot be had.
#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no words");
    }
}

impl std::error::Error for Unspeakable {}

/// Runs `body` once, and says how its crash was told.
fn crash(body: impl Fn() -> Result<(), Unspeakable> + Send + Sync + 'static) -> Arc<str> {
    let runner = Runner::new();
    runner.register(Service::new("s", move |_| body()).max_restarts(0));
    runner.register(Service::new("other", |ctx| while ctx.sleep(tests::secs(3_600)) {}));
    runner.start_all().unwrap();
    tests::until("it has failed", || runner.status()["s"] == State::Failed);
    assert!(runner.is_running("other"), "nobody else is harmed");
    assert!(runner.stop_all().is_clean());
    info(&runner, "s").last_error.unwrap()
}

#[test]
fn rule_25_a_panic_is_caught_whatever_its_payload() {
    let file = file!();
    let line = line!() + 1;
    let text = crash(|| panic!("plain"));
    assert!(text.starts_with(&format!("panicked: plain at {file}:{line}:")), "{text}");
    let text = crash(|| panic!("number {}", std::hint::black_box(7)));
    assert!(text.starts_with(&format!("panicked: number 7 at {file}:")), "{text}");
    let text = crash(|| panic_any(7_u8));
    assert!(text.starts_with(&format!("panicked: a panic without text at {file}:")), "{text}");
    let text = crash(|| panic_any(Grenade));
    assert!(text.starts_with("panicked: a panic without text at "), "{text}");
    // Does not pass by the panic hook, so there is no place to know.
    let text = crash(|| resume_unwind(Box::new("quiet")));
    assert_eq!(&*text, "panicked: quiet");
    let text = crash(|| Err(Unspeakable));
    assert!(text.starts_with(&format!("panicked: no words at {file}:")), "{text}");
}

/// A value whose end is a panic.
#[derive(Default)]
struct Sore;

impl Drop for Sore {
    fn drop(&mut self) {
        panic!("sore");
    }
}

#[service(name = "panics.sore", max_restarts = 0)]
fn sore(_ctx: &Context, _kept: Local<Sore>) {}

#[test]
fn rule_25_a_local_value_that_panics_on_drop_harms_no_other_service() {
    let runner = Runner::builder().only(["panics.sore"]).build();
    let mut watch = Watch::new(&runner);
    runner.start_all().unwrap();
    watch.change("panics.sore", &tina4_service::Change::Finished);
    runner.start("panics.sore").unwrap();
    watch.change("panics.sore", &tina4_service::Change::Finished);
    tests::wait(&runner);
}

/// What a child prints, with backtraces or without.
fn child(backtrace: &str) -> tests::child::Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panics"));
    Child::run(command.env("RUST_BACKTRACE", backtrace)).ended()
}

#[test]
fn rule_25_panics_print_their_usual_message() {
    let ended = child("0");
    let panics = |text: &str| ended.err.lines().filter(|line| *line == text).count();
    // The service runs twice; the default hook prints each panic once, in its own words.
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

#[test]
fn rule_25_the_backtrace_is_kept_if_the_environment_asks_for_it() {
    let ended = child("1");
    let trace = ended.out.iter().any(|line| line.contains("panics::main"));
    assert!(trace, "{:?}", ended.out);
}
