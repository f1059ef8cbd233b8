//! Rule 28: a permanent error makes its service `failed` immediately.

use std::error::Error;
use std::fmt;

use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, gate, in_virtual_time, info, manual_clock, secs,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, Permanent, Restart, Runner, Service, State, service};

both_kinds! {
    rule_28_a_permanent_error_is_found_in_every_error_type,
    rule_28_it_fails_under_every_schedule_and_restart_policy,
    rule_28_it_fails_after_transient_crashes_and_in_virtual_time,
    rule_28_it_stays_failed_until_started_by_name,
    rule_28_and_24_a_critical_service_shuts_the_runner_down,
    rule_28_and_26_a_permanent_error_after_a_stop_request_is_not_a_crash,
    rule_28_and_42_a_hook_with_a_permanent_error_fails_like_any_other,
    rule_28_and_25_a_permanent_error_is_final_even_if_the_inner_error_panics,
}

type BoxedError = Box<dyn Error + Send + Sync>;

const TEXT: &str = "permanent error: no such key: invalid digit found in string";

/// An error with a source.
#[derive(Debug)]
struct NoKey(std::num::ParseIntError);

impl NoKey {
    fn new() -> Self {
        Self("x".parse::<u32>().unwrap_err())
    }
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such key")
    }
}

impl Error for NoKey {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn permanent() -> Permanent {
    Permanent::new(NoKey::new())
}

/// An error type of a program.
#[derive(Debug)]
enum Failure {
    /// Displays the error that it wraps.
    Transparent(Permanent),
    /// Has its own text.
    Wrapped(Permanent),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transparent(inner) => inner.fmt(f),
            Self::Wrapped(_) => f.write_str("cannot log in"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Transparent(inner) => inner.source(),
            Self::Wrapped(inner) => Some(inner),
        }
    }
}

/// Checks that the first run of a service fails for good, and the text of its crash.
#[track_caller]
fn check(what: &str, service: Service, text: &str) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    let crash = Change::Crashed { in_a_row: 1, cause: text.into(), restart_in: None };
    assert_eq!(watcher.wait_for_crash("s").change, crash, "{what}");
    watcher.wait_for_change("s", &Change::Failed { cause: text.into() });
    let info = info(&runner, "s");
    assert_eq!((info.state, info.runs, info.crashes), (State::Failed, 1, 1), "{what}");
    assert_eq!(info.last_error.as_deref(), Some(text), "{what}");
    assert_eq!((info.next_due, info.is_healthy()), (None, false), "{what}");
    let line = info.to_string();
    assert!(line.ends_with(&format!(", crashes: 1, last error: {text}")), "{line}");
}

/// A service that returns this error and has restarts left.
fn returns<E: Into<BoxedError> + 'static>(kind: Kind, error: fn() -> E) -> Service {
    kind.service("s", move |_| Err::<(), E>(error())).max_restarts(9)
}

fn rule_28_a_permanent_error_is_found_in_every_error_type(kind: Kind) {
    let in_context = "permanent error: cannot log in: no such key: invalid digit found in string";
    check("Permanent", returns(kind, permanent), TEXT);
    check("boxed", returns::<BoxedError>(kind, || permanent().into()), TEXT);
    check("io::Error", returns(kind, || std::io::Error::other(permanent())), TEXT);
    check("transparent", returns(kind, || Failure::Transparent(permanent())), TEXT);
    check("wrapped", returns(kind, || Failure::Wrapped(permanent())), in_context);
    check("anyhow", returns(kind, || anyhow::Error::from(permanent())), TEXT);
    let boxed = || anyhow::anyhow!(BoxedError::from(permanent()));
    check("anyhow of a boxed one", returns(kind, boxed), TEXT);
    let context = || anyhow::Error::from(permanent()).context("cannot log in");
    check("anyhow with context", returns(kind, context), in_context);
    let of_result = || {
        let result: Result<(), Permanent> = Err(permanent());
        anyhow::Context::context(result, "cannot log in").unwrap_err()
    };
    check("anyhow with the context of a result", returns(kind, of_result), in_context);
    let of_anyhow = || Permanent::new(anyhow::Error::from(NoKey::new()));
    check("of anyhow", returns(kind, of_anyhow), TEXT);
    check("twice", returns(kind, || Permanent::new(permanent())), TEXT);
    check(
        "of a text",
        returns(kind, || Permanent::new("no such key")),
        "permanent error: no such key",
    );
}

fn rule_28_it_fails_under_every_schedule_and_restart_policy(kind: Kind) {
    let service = || kind.service("s", |_| Err::<(), _>(permanent()));
    for restart in Restart::ALL {
        check("continuous", service().restart(restart), TEXT);
    }
    for restart in [Restart::OnFailure, Restart::Never] {
        check("interval", service().restart(restart).interval("1h"), TEXT);
        check("delay", service().restart(restart).delay("1h"), TEXT);
    }
    let service = || returns(kind, permanent);
    check("continuous", service().restart(Restart::Always), TEXT);
    check("interval", service().interval("1h"), TEXT);
    check("a window", service().restart_window("1h").backoff("1ms").max_backoff("1ms"), TEXT);
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(service().cron("* * * * *").timezone("UTC")).unwrap();
    runner.start_all().unwrap();
    clock.advance(secs(60));
    watcher.wait_for_change("s", &Change::Failed { cause: TEXT.into() });
    assert_eq!(info(&runner, "s").runs, 1);
}

fn rule_28_it_fails_after_transient_crashes_and_in_virtual_time(kind: Kind) {
    let body = |ctx: &Context| match ctx.tick().run {
        1 => Ok(()),
        2..=4 => Err(BoxedError::from("no connection")),
        5 => Err(permanent().into()),
        run => panic!("run {run}"),
    };
    let mut t = in_virtual_time([kind.service("s", body).interval("1h")]);
    t.advance("1d");
    assert_eq!((t.state("s"), t.runs("s"), t.crashes("s")), (State::Failed, 5, 4));
    assert_eq!(t.info("s").crashes_in_a_row, 4);
    let timeline = t.timeline();
    for line in [format!("s  crash 4: {TEXT}; no restart"), format!("s  failed: {TEXT}")] {
        assert_eq!(timeline.matches(&line).count(), 1, "{timeline}");
    }
}

fn rule_28_it_stays_failed_until_started_by_name(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let body = async |ctx: Ctx<'_>| {
        if ctx.tick().run == 1 {
            return Err(permanent());
        }
        ctx.until_stopped().await;
        Ok(())
    };
    runner.register(kind.waiting("s", body)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::Failed { .. }));
    runner.start_all().unwrap();
    assert_eq!((runner.status()["s"], info(&runner, "s").runs), (State::Failed, 1));
    runner.start("s").unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::RunBegan { run: 2, .. }));
    assert!(runner.stop_all().is_clean());
}

fn rule_28_and_24_a_critical_service_shuts_the_runner_down(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = gate::<()>();
    let body = async move |ctx: Ctx<'_>| {
        let _ = gate.wait(&ctx).await;
        Err::<(), _>(permanent())
    };
    runner.register(kind.sleeper("other")).unwrap();
    runner.register(kind.waiting("vital", body).critical(true)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("other");
    drop(go);
    tests::wait(&runner);
    assert_eq!(runner.status()["other"], State::Stopped);
    assert_eq!(runner.stop_all().critical.as_deref(), Some("vital"));
}

fn rule_28_and_26_a_permanent_error_after_a_stop_request_is_not_a_crash(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let body = async |ctx: Ctx<'_>| {
        ctx.until_stopped().await;
        Err::<(), _>(permanent())
    };
    runner.register(kind.waiting("s", body).critical(true)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    runner.stop("s").unwrap();
    let info = info(&runner, "s");
    assert_eq!((info.state, info.crashes, info.last_error), (State::Stopped, 0, None));
    runner.start("s").unwrap();
    watcher.wait_for_run_begin("s");
    let report = runner.stop_all();
    assert!(report.is_clean() && report.critical.is_none(), "{report}");
}

fn rule_28_and_42_a_hook_with_a_permanent_error_fails_like_any_other(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| ctx.on_stop(|| Err::<(), _>(permanent()));
    runner
        .register(kind.service("s", body).interval("1h").hook(kind, |_| Err::<(), _>(permanent())))
        .unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    let report = runner.stop_all();
    assert_eq!((report.services[0].state, report.services[0].failed_hooks), (State::Stopped, 2));
    let cause = "no such key: invalid digit found in string";
    let failed = Change::HookFailed { cause: cause.into() };
    assert_eq!(watcher.changes("s").iter().filter(|change| **change == failed).count(), 2);
    assert_eq!(info(&runner, "s").crashes, 0);
}

/// An error that panics in every method.
#[derive(Debug)]
struct PanicsEverywhere;

impl fmt::Display for PanicsEverywhere {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text");
    }
}

impl Error for PanicsEverywhere {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("no source");
    }
}

impl Drop for PanicsEverywhere {
    fn drop(&mut self) {
        panic!("no drop");
    }
}

fn rule_28_and_25_a_permanent_error_is_final_even_if_the_inner_error_panics(kind: Kind) {
    let mut t =
        in_virtual_time([kind.service("s", |_| Err::<(), _>(Permanent::new(PanicsEverywhere)))]);
    t.advance("1h");
    assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 1));
    let error = t.info("s").last_error.unwrap();
    assert!(error.starts_with("permanent error: panicked: no text at "), "{error}");
}

#[service(name = "permanent.import", interval = "1m")]
fn import() -> Result<(), Permanent> {
    let _limit: u32 = "ten".parse().map_err(Permanent::new)?;
    Ok(())
}

#[service(name = "permanent.sync", restart = "always", max_restarts = 5)]
fn sync() -> anyhow::Result<()> {
    import()?;
    Ok(())
}

#[test]
fn rule_28_the_question_mark_operator_propagates_it() {
    let names = ["permanent.import", "permanent.sync"];
    let mut t = TestRunner::builder().only(names).build().unwrap();
    t.advance("1h");
    for name in names {
        assert_eq!((t.state(name), t.runs(name)), (State::Failed, 1), "{name}");
        let error = t.info(name).last_error.unwrap();
        assert_eq!(&*error, "permanent error: invalid digit found in string");
    }
}

#[test]
fn rule_28_a_permanent_error_shows_the_error_that_it_wraps() {
    let error = permanent();
    assert_eq!(error.to_string(), "no such key");
    assert_eq!(error.source().unwrap().to_string(), "invalid digit found in string");
    assert_eq!(format!("{error:?}"), format!("Permanent({:?})", NoKey::new()));
    assert!(error.get_ref().is::<NoKey>());
    assert!(error.into_inner().is::<NoKey>());
    // A caller that prints the sources, too, prints nothing twice.
    let chain = format!("{:#}", anyhow::Error::from(permanent()));
    assert_eq!(chain, "no such key: invalid digit found in string");
}
