//! Rule 42: clean-up hooks run last-in first-out, once, after the last run, on whatever way the
//! activation ended.

use std::sync::{Arc, Mutex};

use tests::{Watch, secs};
use tina4_service::{Change, Context, Flow, Local, Runner, Service, State, service};

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A hook that writes down `text`.
    fn hook(&self, text: &'static str) -> impl FnOnce() + Send + 'static {
        let diary = self.clone();
        move || diary.note(text)
    }
}

/// A service with three hooks, whose runs end in `end`.
fn with_hooks(
    diary: &Diary,
    end: impl Fn(&Context) -> Result<Flow, &'static str> + Send + Sync + 'static,
) -> Service {
    let (body, hook) = (diary.clone(), diary.clone());
    Service::new("s", move |ctx| {
        ctx.on_stop(body.hook("first"));
        ctx.on_stop(body.hook("second"));
        body.note("run");
        let result = end(ctx);
        body.note("end");
        result
    })
    .on_stop(move |_| hook.note("declared"))
    .backoff("1ms")
}

/// Runs it until it has ended, by itself or because it is stopped.
fn diary_of(
    state: State,
    stop: bool,
    end: fn(&Context) -> Result<Flow, &'static str>,
) -> Vec<String> {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let diary = Diary::default();
    runner.register(with_hooks(&diary, end).max_restarts(2));
    runner.start_all().unwrap();
    watch.began("s");
    if stop {
        runner.stop("s").unwrap();
    }
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], state);
    diary.take()
}

#[test]
fn rule_42_hooks_run_once_and_last_in_first_out_however_the_activation_ends() {
    let once = ["run", "end", "second", "first", "declared"];
    let stopped = diary_of(State::Stopped, true, |ctx| {
        while ctx.sleep(secs(3_600)) {}
        Ok(Flow::Wait)
    });
    assert_eq!(stopped, once);
    assert_eq!(diary_of(State::Finished, false, |_| Ok(Flow::Done)), once);
    // Restarts stay inside the activation, and a restarted body registers from the same lines.
    let failed = diary_of(State::Failed, false, |_| Err("no"));
    assert_eq!(failed, [&["run", "end", "run", "end"][..], &once[..]].concat());
}

#[test]
fn rule_42_hooks_run_when_a_service_is_stopped_between_its_runs() {
    let diary = Diary::default();
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    runner.register(with_hooks(&diary, |_| Ok(Flow::Wait)).interval("1h"));
    runner.start_all().unwrap();
    watch.ended("s");
    for _ in 0..2 {
        // The second activation has hooks of its own.
        runner.restart("s").unwrap();
        watch.ended("s");
    }
    runner.stop_all();
    let once = ["run", "end", "second", "first", "declared"];
    assert_eq!(diary.take(), once.repeat(3));
}

#[test]
fn rule_42_a_hook_that_panics_or_fails_is_reported_and_the_others_run() {
    let diary = Diary::default();
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let book = diary.clone();
    let service = Service::new("s", move |ctx| {
        ctx.on_stop(book.hook("first"));
        ctx.on_stop(|| Err("the file is gone"));
        ctx.on_stop(book.hook("third"));
        ctx.on_stop(|| -> () { panic!("hook on fire") });
        ctx.on_stop(book.hook("fifth"));
    });
    runner.register(service.interval("1h"));
    runner.start_all().unwrap();
    watch.ended("s");
    let report = runner.stop_all();
    assert_eq!(diary.take(), ["fifth", "third", "first"]);
    assert_eq!(report.services[0].failed_hooks, 2);
    assert!(!report.is_clean());
    assert!(report.to_string().contains("2 clean-up hooks failed"), "{report}");
    let cause = |change: Change| {
        if let Change::HookFailed { cause } = change { Some(cause.to_string()) } else { None }
    };
    let causes: Vec<String> = watch.all("s").into_iter().filter_map(cause).collect();
    assert!(
        causes[0].starts_with(&format!("panicked: hook on fire at {}:", file!())),
        "{causes:?}"
    );
    assert_eq!(causes[1], "the file is gone");
    assert_eq!(runner.status()["s"], State::Stopped, "stopped all the same");
}

#[test]
fn rule_42_a_hook_from_the_same_line_replaces_the_old_one() {
    let diary = Diary::default();
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let book = diary.clone();
    let service = Service::new("s", move |ctx| {
        for round in 0..3 {
            let book = book.clone();
            let run = ctx.tick().run;
            ctx.on_stop(move || book.note(format!("{run}.{round}")));
        }
        Flow::Again
    });
    runner.register(service);
    runner.start_all().unwrap();
    watch.until("s", |change| matches!(change, Change::RunBegan { run: 10, .. }));
    runner.stop_all();
    let runs = tests::info(&runner, "s").runs;
    assert_eq!(diary.take(), [format!("{runs}.2")]);
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
    let mut watch = Watch::new(&runner);
    runner.start_all().unwrap();
    watch.until("hooks.counter", |change| matches!(change, Change::RunBegan { run: 5, .. }));
    assert!(runner.stop_all().is_clean());
    let runs = tests::info(&runner, "hooks.counter").runs;
    let expected = [format!("hook {runs}"), format!("hooks.counter flushes {runs}")];
    assert_eq!(*DECLARED.lock().unwrap(), expected);
}
