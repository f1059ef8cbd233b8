//! Rule 42: clean-up hooks run once, last in, first out, after the last run and however the
//! activation ended.

use std::sync::{Arc, Mutex};

use tests::{Ctx, EventWatcher, Hooks, Kind, both_kinds};
use tina4_service::{Change, Context, Flow, Local, Runner, Service, State, service};

both_kinds! {
    rule_42_hooks_run_once_and_last_in_first_out_however_the_activation_ends,
    rule_42_hooks_run_when_a_service_is_stopped_between_its_runs,
    rule_42_a_hook_that_panics_or_fails_is_reported_and_the_others_run,
    rule_42_a_hook_from_the_same_line_replaces_the_old_one,
}

/// Records what happens, in order.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn record(&self, text: impl Into<String>) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A hook that records `text`.
    fn hook(&self, text: &'static str) -> impl FnOnce() + Send + 'static {
        let recorder = self.clone();
        move || recorder.record(text)
    }
}

/// How runs end.
#[derive(Clone, Copy)]
enum End {
    WhenStopped,
    Waits,
    Done,
    Fails,
}

/// A service with three hooks, whose runs end like this.
fn with_hooks(kind: Kind, recorder: &Recorder, end: End) -> Service {
    let (body, hook) = (recorder.clone(), recorder.clone());
    kind.waiting("s", async move |ctx: Ctx<'_>| {
        ctx.on_stop(body.hook("first"));
        ctx.on_stop(body.hook("second"));
        body.record("run");
        if let End::WhenStopped = end {
            ctx.until_stopped().await;
        }
        body.record("end");
        match end {
            End::WhenStopped | End::Waits => Ok(Flow::Wait),
            End::Done => Ok(Flow::Done),
            End::Fails => Err("no"),
        }
    })
    .hook(kind, move |_| hook.record("declared"))
    .backoff("1ms")
}

/// Runs the service until it has ended, on its own or because it was stopped.
fn record_of(kind: Kind, state: State, end: End) -> Vec<String> {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let recorder = Recorder::default();
    runner.register(with_hooks(kind, &recorder, end).max_restarts(2)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    if let End::WhenStopped = end {
        runner.stop("s").unwrap();
    }
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], state);
    recorder.take()
}

fn rule_42_hooks_run_once_and_last_in_first_out_however_the_activation_ends(kind: Kind) {
    let once = ["run", "end", "second", "first", "declared"];
    assert_eq!(record_of(kind, State::Stopped, End::WhenStopped), once);
    assert_eq!(record_of(kind, State::Finished, End::Done), once);
    // Restarts stay inside the activation, and register hooks from the same lines.
    let failed = record_of(kind, State::Failed, End::Fails);
    assert_eq!(failed, [&["run", "end", "run", "end"][..], &once[..]].concat());
}

fn rule_42_hooks_run_when_a_service_is_stopped_between_its_runs(kind: Kind) {
    let recorder = Recorder::default();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(with_hooks(kind, &recorder, End::Waits).interval("1h")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    for _ in 0..2 {
        // Each activation has its own hooks.
        runner.restart("s").unwrap();
        watcher.wait_for_run_end("s");
    }
    runner.stop_all();
    let once = ["run", "end", "second", "first", "declared"];
    assert_eq!(recorder.take(), once.repeat(3));
}

fn rule_42_a_hook_that_panics_or_fails_is_reported_and_the_others_run(kind: Kind) {
    let recorder = Recorder::default();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let inner = recorder.clone();
    let service = kind.service("s", move |ctx| {
        ctx.on_stop(inner.hook("first"));
        ctx.on_stop(|| Err("the file is gone"));
        ctx.on_stop(inner.hook("third"));
        ctx.on_stop(|| -> () { panic!("hook failed") });
        ctx.on_stop(inner.hook("fifth"));
    });
    runner.register(service.interval("1h")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    let report = runner.stop_all();
    assert_eq!(recorder.take(), ["fifth", "third", "first"]);
    assert_eq!(report.services[0].failed_hooks, 2);
    assert!(!report.is_clean());
    assert!(report.to_string().contains("failed clean-up hooks: 2"), "{report}");
    let cause = |change: Change| {
        if let Change::HookFailed { cause } = change { Some(cause.to_string()) } else { None }
    };
    let causes: Vec<String> = watcher.changes("s").into_iter().filter_map(cause).collect();
    assert!(causes[0].starts_with(&format!("panicked: hook failed at {}:", file!())), "{causes:?}");
    assert_eq!(causes[1], "the file is gone");
    assert_eq!(runner.status()["s"], State::Stopped, "it has stopped nevertheless");
}

fn rule_42_a_hook_from_the_same_line_replaces_the_old_one(kind: Kind) {
    let recorder = Recorder::default();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let inner = recorder.clone();
    let service = kind.service("s", move |ctx| {
        for round in 0..3 {
            let inner = inner.clone();
            let run = ctx.tick().run;
            ctx.on_stop(move || inner.record(format!("{run}.{round}")));
        }
        Flow::Again
    });
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::RunBegan { run: 10, .. }));
    runner.stop_all();
    let runs = tests::info(&runner, "s").runs;
    assert_eq!(recorder.take(), [format!("{runs}.2")]);
}

static DECLARED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[service(name = "hooks.counter", delay = "1ms", on_stop = flush)]
fn counter(ctx: &Context, mut runs: Local<u64>) {
    *runs += 1;
    let seen = *runs;
    ctx.on_stop(move || DECLARED.lock().unwrap().push(format!("hook {seen}")));
}

fn flush(ctx: &Context, runs: Local<u64>) -> Result<(), String> {
    DECLARED.lock().unwrap().push(format!("{} flushes {}", ctx.name(), *runs));
    Ok(())
}

#[test]
fn rule_42_a_declared_hook_runs_last_and_shares_the_local_values() {
    let runner = Runner::builder().only(["hooks.counter"]).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for("hooks.counter", |change| matches!(change, Change::RunBegan { run: 5, .. }));
    assert!(runner.stop_all().is_clean());
    let runs = tests::info(&runner, "hooks.counter").runs;
    let expected = [format!("hook {runs}"), format!("hooks.counter flushes {runs}")];
    assert_eq!(*DECLARED.lock().unwrap(), expected);
}
