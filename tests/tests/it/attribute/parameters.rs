//! Rules 151 to 154: parameters and results of services.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tests::{EventWatcher, info};
use tina4_service::{Change, Context, Flow, Local, Res, Runner, State, Tick, service};

/// A runner with one of the services below.
fn runner_with(name: &str) -> (Runner, EventWatcher) {
    let runner = Runner::builder().only([name]).build();
    let watcher = EventWatcher::new(&runner);
    (runner, watcher)
}

/// What the services below recorded.
static SEEN: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

fn record(service: &'static str, what: impl Into<String>) {
    SEEN.lock().unwrap().push((service, what.into()));
}

fn recorded(service: &str) -> Vec<String> {
    let seen = SEEN.lock().unwrap();
    seen.iter().filter(|(name, _)| *name == service).map(|(_, what)| what.clone()).collect()
}

#[derive(Default)]
struct Count(u32);
struct Greeting(&'static str);

#[service(name = "params.all", on_stop = all_again)]
#[expect(clippy::too_many_arguments, reason = "eight is the maximum")]
fn all(
    ctx: &Context,
    tick: Tick,
    greeting: Res<Greeting>,
    absent: Option<Res<u8>>,
    present: Option<Res<u16>>,
    mut one: Local<Count>,
    mut two: Local<Count>,
    text: Local<String>,
) -> Flow {
    (one.0, two.0) = (1, 2);
    record("all", format!("{} {} {}", ctx.name(), tick.run, greeting.0));
    record("all", format!("{:?} {:?} {text:?}", absent.is_none(), present.as_deref()));
    Flow::Done
}

fn all_again(
    two: Res<Greeting>,
    one: Local<Count>,
    other: Local<Count>,
    tick: Tick,
    _ctx: &Context,
) {
    record("all", format!("{} {} {} {}", two.0, one.0, other.0, tick.run));
}

#[test]
fn rule_151_up_to_eight_parameters_in_any_order_also_for_on_stop() {
    let (runner, _watch) = runner_with("params.all");
    runner.provide(Greeting("hello"));
    runner.provide(7_u16);
    runner.start_all().unwrap();
    tests::wait(&runner);
    // Two `Local`s of one type are two values, which `on_stop` receives in the same order.
    assert_eq!(recorded("all"), ["params.all 1 hello", "true Some(7) Local(\"\")", "hello 1 2 1"]);
    assert_eq!(runner.status()["params.all"], State::Finished);
}

#[service(name = "params.missing")]
fn missing(_greeting: Res<Greeting>) {}

#[test]
fn rule_178_a_missing_value_is_a_fault_until_it_is_provided() {
    let (runner, mut watcher) = runner_with("params.missing");
    assert!(runner.start("params.missing").is_err());
    assert_eq!(info(&runner, "params.missing").runs, 0);
    runner.provide(Greeting("late"));
    runner.start("params.missing").unwrap();
    watcher.wait_for_change("params.missing", &Change::Finished);
}

#[service(name = "params.local", interval = "1ms", backoff = "1ms")]
fn local(tick: Tick, mut count: Local<Count>) -> Result<(), &'static str> {
    count.0 += 1;
    record("local", count.0.to_string());
    match tick.run {
        3 => Err("creates the value anew"),
        5 => panic!("creates the value anew, too"),
        _ => Ok(()),
    }
}

#[test]
fn rule_152_a_local_value_is_kept_between_runs_and_created_anew_after_a_crash_or_start() {
    let (runner, mut watcher) = runner_with("params.local");
    runner.start_all().unwrap();
    watcher.wait_for("params.local", |change| matches!(change, Change::RunEnded { run: 7, .. }));
    runner.stop_all();
    assert_eq!(recorded("local")[..7], ["1", "2", "3", "1", "2", "1", "2"]);
    let before = recorded("local").len();
    runner.start_all().unwrap();
    watcher.wait_for_change("params.local", &Change::Started);
    watcher.wait_for_run_end("params.local");
    runner.stop_all();
    assert_eq!(recorded("local")[before], "1");
}

/// Runs a service to its end; returns its final state and its error.
#[track_caller]
fn end(name: &str) -> (State, Option<String>) {
    let (runner, _watch) = runner_with(name);
    runner.start_all().unwrap();
    tests::wait(&runner);
    let info = info(&runner, name);
    (info.state, info.last_error.map(|error| error.to_string()))
}

#[derive(Debug)]
struct Own;
impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("own")
    }
}
impl std::error::Error for Own {}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

#[service(name = "params.unit")]
fn unit() {}
#[service(name = "params.flow")]
fn flow() -> Flow {
    Flow::Done
}
#[service(name = "params.result")]
#[expect(clippy::unnecessary_wraps, reason = "the test is about this result type")]
fn result() -> Result<(), Own> {
    Ok(())
}
#[service(name = "params.result-flow")]
#[expect(clippy::unnecessary_wraps, reason = "the test is about this result type")]
fn result_flow() -> Result<Flow, Own> {
    Ok(Flow::Done)
}
#[service(name = "params.string", max_restarts = 0)]
fn string() -> Result<(), String> {
    Err("string".to_owned())
}
#[service(name = "params.str", max_restarts = 0)]
fn str() -> Result<Flow, &'static str> {
    Err("str")
}
#[service(name = "params.own", max_restarts = 0)]
fn own() -> Result<(), Own> {
    Err(Own)
}
#[service(name = "params.boxed", max_restarts = 0)]
fn boxed() -> Result<Flow, Boxed> {
    Err(Own)?
}
#[service(name = "params.never", max_restarts = 0)]
fn never() -> ! {
    std::panic::resume_unwind(Box::new("never"))
}

#[test]
fn rule_153_every_type_of_result() {
    let ends: Vec<(State, Option<String>)> =
        ["unit", "flow", "result", "result-flow"].map(|name| end(&format!("params.{name}"))).into();
    assert_eq!(ends, vec![(State::Finished, None); 4]);
    for (name, text) in [("string", "string"), ("str", "str"), ("own", "own"), ("boxed", "own")] {
        assert_eq!(end(&format!("params.{name}")), (State::Failed, Some(text.to_owned())));
    }
    assert_eq!(end("params.never"), (State::Failed, Some("panicked: never".to_owned())));
}

static AGAIN: AtomicU32 = AtomicU32::new(0);

#[service(name = "params.again")]
fn again() -> Result<Flow, Own> {
    match AGAIN.fetch_add(1, Ordering::SeqCst) {
        0..5 => Ok(Flow::Again),
        5 => Ok(Flow::After(Duration::from_millis(1))),
        _ => Ok(Flow::Done),
    }
}

#[test]
fn rule_153_a_continuous_service_runs_again_when_its_flow_says_so() {
    assert_eq!(end("params.again"), (State::Finished, None));
    assert_eq!(AGAIN.load(Ordering::SeqCst), 7);
}

#[service(name = "params.by-hand", interval = "1h")]
fn by_hand(ctx: &Context, tick: Tick, mut count: Local<Count>) -> Result<(), String> {
    count.0 += u32::try_from(tick.run).unwrap();
    Err(format!("{} {}", ctx.name(), count.0))
}

#[test]
fn rule_154_the_function_stays_as_it_was_written() {
    // Any caller can call it, with its own values.
    unit();
    assert_eq!(flow(), Flow::Done);
    let ctx = Context::standalone("by hand");
    let tick = ctx.tick();
    assert_eq!((tick.run, tick.attempt), (1, 1));
    assert_eq!(by_hand(&ctx, tick, Local::new(Count(41))), Err("by hand 42".to_owned()));
    missing(Res::new(Greeting("mine")));
    assert!(!ctx.is_stopping() && ctx.sleep(Duration::from_millis(1)));
}
