//! Rules 91, 92 and 94: the runs of async services are tasks, and end like any other run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Sender, unbounded};
use tests::{EventWatcher, TIMEOUT, info, wait};
use tina4_service::{
    Change, Context, Flow, Local, Permanent, Res, Runner, Service, State, Tick, service,
};

/// The text that a service reports.
type Reports = Sender<String>;

#[service(name = "tasks.declared", autostart = false, on_stop = close)]
async fn declared(
    ctx: &Context,
    tick: Tick,
    mut runs: Local<u32>,
    reports: Res<Reports>,
    nothing: Option<Res<u8>>,
) -> Result<Flow, std::io::Error> {
    *runs += 1;
    tokio::task::yield_now().await;
    let name = ctx.name();
    reports.send(format!("{name} {} {} {}", tick.run, *runs, nothing.is_none())).unwrap();
    Ok(if *runs < 3 { Flow::Again } else { Flow::Done })
}

async fn close(ctx: &Context, runs: Local<u32>, reports: Res<Reports>) -> Result<(), String> {
    tokio::task::yield_now().await;
    reports.send(format!("{} closes after {}", ctx.name(), *runs)).unwrap();
    Err("closed".to_owned())
}

#[test]
fn rule_92_and_151_an_async_function_takes_what_a_service_takes() {
    let (reports, reported) = unbounded::<String>();
    let runner = Runner::builder().only(["tasks.declared"]).build();
    runner.provide(reports);
    let of = Service::of("tasks.of", declared).on_stop_of(close);
    runner.register(of.autostart(false)).unwrap();
    for name in ["tasks.declared", "tasks.of"] {
        runner.start(name).unwrap();
        wait(&runner);
        let mut expected: Vec<_> = (1..4).map(|run| format!("{name} {run} {run} true")).collect();
        expected.push(format!("{name} closes after 3"));
        assert_eq!(reported.try_iter().collect::<Vec<_>>(), expected);
        let info = info(&runner, name);
        assert_eq!((info.state, info.runs, info.crashes), (State::Finished, 3, 0));
    }
    let report = runner.stop_all();
    assert!(report.services.iter().all(|service| service.failed_hooks == 1), "{report}");
}

#[test]
fn rule_92_and_153_every_result_is_that_of_a_plain_function() {
    async fn unit() {}
    async fn flow() -> Flow {
        Flow::Done
    }
    async fn result() -> Result<(), String> {
        Err("an error".to_owned())
    }
    async fn permanent() -> Result<Flow, Permanent> {
        Err(Permanent::new(std::io::Error::other("for good")))
    }
    async fn never() -> ! {
        std::future::pending().await
    }
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::of("unit", unit)).unwrap();
    runner.register(Service::of("flow", flow).interval("1h")).unwrap();
    runner.register(Service::of("result", result).interval("1h")).unwrap();
    runner.register(Service::of("permanent", permanent)).unwrap();
    runner.register(Service::of("never", never).stop_timeout("1ms")).unwrap();
    runner.start_all().unwrap();
    let Change::Crashed { cause, .. } = watcher.wait_for_crash("result").change else {
        unreachable!("it was asked for")
    };
    assert_eq!(&*cause, "an error");
    watcher.wait_for("permanent", |change| matches!(change, Change::Failed { .. }));
    tests::until("the others have ended", || {
        let states = runner.status();
        [states["unit"], states["flow"]] == [State::Finished; 2]
    });
    assert_eq!(runner.status()["never"], State::Running);
    runner.stop_all();
}

#[test]
fn rule_94_a_panic_in_any_poll_is_a_crash_with_its_place() {
    async fn panics(tick: Tick) {
        if tick.run > 1 {
            tokio::task::yield_now().await;
        }
        panic!("in run {}", tick.run);
    }
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::of("s", panics).backoff("1ms").max_restarts(1)).unwrap();
    runner.start_all().unwrap();
    for run in [1, 2] {
        let Change::Crashed { cause, in_a_row, .. } = watcher.wait_for_crash("s").change else {
            unreachable!("it was asked for")
        };
        let expected = format!("panicked: in run {run} at tests/tests/it/tasks/runs.rs:");
        assert!(cause.starts_with(&expected), "{cause}");
        assert_eq!(in_a_row, run);
    }
    wait(&runner);
    assert_eq!(runner.status()["s"], State::Failed);
}

#[test]
fn rule_91_without_a_runtime_the_runner_has_its_own() {
    let (reports, reported) = unbounded();
    let body = move |_: &Context| {
        let reports = reports.clone();
        async move { reports.send(std::thread::current().name().map(str::to_owned)).unwrap() }
    };
    let runner = Runner::builder().only::<&str>([]).thread_name("named").build();
    runner.register(Service::of("s", body)).unwrap();
    runner.start_all().unwrap();
    let name = reported.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(name.as_deref(), Some("named-async"));
    wait(&runner);
}

#[test]
fn rule_91_runs_are_tasks_of_the_runtime_of_the_first_start() {
    async fn flavor(reports: Res<Sender<tokio::runtime::RuntimeFlavor>>) {
        reports.send(tokio::runtime::Handle::current().runtime_flavor()).unwrap();
    }
    let (reports, reported) = unbounded();
    let runner = Runner::new();
    runner.provide(reports);
    runner.register(Service::of("s", flavor)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        runner.start_all().unwrap();
        while reported.is_empty() {
            tokio::task::yield_now().await;
        }
    });
    let found = reported.try_recv().unwrap();
    assert!(matches!(found, tokio::runtime::RuntimeFlavor::CurrentThread), "{found:?}");
}

#[test]
fn rule_91_a_runtime_that_is_gone_is_an_error_of_the_start_of_async_services_only() {
    async fn unit() {}
    let runner = Runner::new();
    runner.register(Service::of("async", unit)).unwrap();
    runner.register(Service::new("plain", |_| {})).unwrap();
    let start = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            runner.start("async").unwrap();
        });
        wait(&runner);
    };
    start();
    let refused = runner.start("async").unwrap_err().to_string();
    assert!(
        refused.starts_with("the tokio runtime of the async services has shut down"),
        "{refused}"
    );
    runner.start("plain").unwrap();
    wait(&runner);
    // It starts no async service: `async` has finished.
    runner.start_all().unwrap();
    runner.register(Service::of("new", unit)).unwrap();
    assert_eq!(runner.start_all().unwrap_err().to_string(), refused);
    runner.unregister("new").unwrap();
    // In another runtime, they start again.
    start();
    assert_eq!(info(&runner, "async").runs, 2);
}

#[test]
fn rule_91_a_named_runtime_that_is_gone_is_replaced_as_well() {
    async fn unit() {}
    let named = tokio::runtime::Runtime::new().unwrap();
    let runner = Runner::builder().only::<&str>([]).runtime(named.handle().clone()).build();
    runner.register(Service::of("s", unit)).unwrap();
    runner.start("s").unwrap();
    wait(&runner);
    named.shutdown_background();
    tests::until("it is gone", || {
        runner.start("s").is_err() || {
            wait(&runner);
            false
        }
    });
    let another = tokio::runtime::Runtime::new().unwrap();
    another.block_on(async { runner.start("s").unwrap() });
    wait(&runner);
    assert_eq!(info(&runner, "s").state, State::Finished);
}

#[test]
fn rule_91_a_run_fails_when_its_runtime_shuts_down() {
    async fn forever() {
        std::future::pending().await
    }
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::of("s", forever)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        runner.start_all().unwrap();
    });
    watcher.wait_for_run_begin("s");
    runtime.shutdown_background();
    wait(&runner);
    let info = info(&runner, "s");
    assert_eq!(info.state, State::Failed);
    let error = info.last_error.unwrap();
    assert!(error.starts_with("the tokio runtime of the async services has shut down"), "{error}");
}

/// The due times come from the pool, so a hundred services share no thread.
#[test]
fn rule_92_a_run_holds_no_worker_of_the_pool() {
    let begun = Arc::new(AtomicUsize::new(0));
    let runner = Runner::builder().only::<&str>([]).max_threads(1).build();
    for number in 0..100 {
        let begun = Arc::clone(&begun);
        let body = move |_: Tick| {
            begun.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>()
        };
        runner.register(Service::of(format!("s{number}"), body).stop_timeout("1ms")).unwrap();
    }
    runner.start_all().unwrap();
    tests::until("all of them run", || begun.load(Ordering::SeqCst) == 100);
    assert_eq!(runner.stop_all().cancelled().count(), 100);
}

/// A destructor may block, so it is not called on a thread of the runtime, even if the service is forgotten at
/// the moment at which its task ends.
#[test]
fn rule_91_and_36_the_values_of_a_forgotten_service_are_not_dropped_on_its_runtime() {
    /// Reports the thread that drops it.
    struct Captured(Sender<Option<String>>);
    impl Drop for Captured {
        fn drop(&mut self) {
            let name = std::thread::current().name().map(str::to_owned);
            self.0.send(name).unwrap();
        }
    }
    const ROUNDS: usize = 500;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("of-tasks").build().unwrap();
    let runner = Runner::builder().only::<&str>([]).runtime(runtime.handle().clone()).build();
    let (dropped, drops) = unbounded();
    for round in 0..ROUNDS {
        let captured = Captured(dropped.clone());
        let body = move |_: Tick| {
            let _ = &captured;
            async { Flow::Done }
        };
        runner.register(Service::of("s", body)).unwrap();
        runner.start("s").unwrap();
        if round % 2 == 0 {
            wait(&runner);
        }
        runner.unregister("s").unwrap();
    }
    for _ in 0..ROUNDS {
        let thread = drops.recv_timeout(TIMEOUT).unwrap();
        assert_ne!(thread.as_deref(), Some("of-tasks"));
    }
}
