//! Rules 91 to 94: runs share the tasks of a runtime, and nothing else.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Wake, Waker};
use std::time::Duration;

use crossbeam_channel::unbounded;
use tests::{EventWatcher, TIMEOUT, info, until, wait};
use tina4_service::{Context, Flow, Ready, Runner, Service, State, Tick};
use tokio::runtime::{Builder, Runtime};

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

fn runner(runtime: &Runtime) -> Runner {
    Runner::builder().only::<&str>([]).runtime(runtime.handle().clone()).build()
}

tokio::task_local! {
    static LEFT_BEHIND: u64;
}

/// A run finds nothing of those that its task has executed before: no task-local value, and no crash.
#[test]
fn rule_92_runs_that_share_a_task_share_no_task_local_values() {
    let (ids, seen) = unbounded();
    let run = move |tick: Tick| {
        let ids = ids.clone();
        async move {
            assert!(LEFT_BEHIND.try_with(|_| ()).is_err(), "of run {}", tick.run - 1);
            ids.send(tokio::task::id()).unwrap();
            let body = async {
                tokio::task::yield_now().await;
                // Dropped in the middle of a poll, while the value is set.
                assert!(!tick.run.is_multiple_of(3), "on purpose");
                LEFT_BEHIND.get()
            };
            assert_eq!(LEFT_BEHIND.scope(tick.run, body).await, tick.run);
            if tick.run < 20 { Flow::Again } else { Flow::Done }
        }
    };
    let runtime = runtime(1);
    let runner = runner(&runtime);
    let service = Service::of("s", run).backoff("1ms").max_backoff("1ms").max_restarts(100);
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let info = info(&runner, "s");
    assert_eq!((info.state, info.runs, info.crashes), (State::Finished, 20, 6));
    let ids: Vec<_> = seen.try_iter().collect();
    let distinct: BTreeSet<_> = ids.iter().map(ToString::to_string).collect();
    assert!(ids.len() == 20 && distinct.len() < 10, "{distinct:?}");
}

/// A task without a run holds nothing of the services whose runs it has executed.
#[test]
fn rule_36_a_service_that_is_unregistered_leaves_nothing_in_an_idle_task() {
    let runtime = runtime(1);
    let runner = runner(&runtime);
    let value = Arc::new(());
    let owned = Arc::clone(&value);
    let run = move |_: Tick| {
        let owned = Arc::clone(&owned);
        async move { drop(owned) }
    };
    runner.register(Service::of("s", run).interval("1h")).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_run_end("s");
    assert_eq!(Arc::strong_count(&value), 2);
    assert!(
        runtime.metrics().num_alive_tasks() >= 2,
        "an idle task, and that of the runner itself"
    );
    runner.unregister("s").unwrap();
    until("the service is dropped", || Arc::strong_count(&value) == 1);
    assert!(runtime.metrics().num_alive_tasks() >= 2);
}

#[test]
fn rule_91_a_runner_that_is_dropped_leaves_no_task_behind() {
    let runtime = runtime(2);
    let runner = runner(&runtime);
    for number in 0..50 {
        let run = |_: Tick| tokio::time::sleep(Duration::from_millis(1));
        runner.register(Service::of(format!("s{number}"), run).interval("2ms")).unwrap();
    }
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    for _ in 0..20 {
        watcher.wait_for_run_end("s49");
    }
    runner.stop_all();
    let tasks = runtime.metrics().num_alive_tasks();
    // That of the runner itself, one for each run that waits, and a few that were needed for a moment.
    assert!((2..=60).contains(&tasks), "{tasks}");
    drop((runner, watcher));
    until("every task has ended", || runtime.metrics().num_alive_tasks() == 0);
}

/// The tasks wait for the next run when their runtime shuts down.
#[test]
fn rule_91_a_runtime_that_shuts_down_while_its_tasks_are_idle_fails_the_next_run() {
    let first = runtime(2);
    let runner = Runner::builder().only::<&str>([]).build();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let run = move |_: Tick| {
        counted.fetch_add(1, Ordering::SeqCst);
        async {}
    };
    runner.register(Service::of("s", run).interval("20ms")).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    first.block_on(async { runner.start_all().unwrap() });
    watcher.wait_for_run_end("s");
    first.shutdown_timeout(TIMEOUT);
    wait(&runner);
    let failed = info(&runner, "s");
    assert_eq!(failed.state, State::Failed);
    let error = failed.last_error.unwrap();
    assert!(error.starts_with("the tokio runtime of the async services has shut down"), "{error}");
    // The runs of the next activation are executed by the tasks of another runtime.
    let (second, before) = (runtime(1), runs.load(Ordering::SeqCst));
    second.block_on(async { runner.start("s").unwrap() });
    until("it runs again", || runs.load(Ordering::SeqCst) > before + 3);
    until("it waits for the next run", || info(&runner, "s").state == State::Waiting);
    runner.stop_all();
}

/// A task whose run was dropped executes the next one.
#[test]
fn rule_93_a_task_continues_after_a_run_that_was_dropped() {
    async fn hangs(_: &Context) {
        std::future::pending().await
    }
    let runtime = runtime(1);
    let runner = runner(&runtime);
    runner.register(Service::of("hangs", hangs).stop_timeout("1ms")).unwrap();
    for _ in 0..20 {
        runner.start("hangs").unwrap();
        until("it runs", || info(&runner, "hangs").state == State::Running);
        runner.stop("hangs").unwrap();
        assert_eq!(info(&runner, "hangs").state, State::Cancelled);
    }
    assert!(runtime.metrics().num_alive_tasks() <= 3);
}

/// All runs are due together, and none follows that could wake a task for those that are left behind.
#[test]
fn rule_92_a_poll_that_blocks_one_of_two_threads_delays_no_other_service() {
    const OTHERS: usize = 20;
    let runtime = runtime(2);
    let runner = runner(&runtime);
    let (release, gate) = unbounded::<()>();
    let blocks = {
        let gate = gate.clone();
        move |_: Tick| {
            let gate = gate.clone();
            async move { gate.recv().unwrap() }
        }
    };
    // The runtime replaces the thread of this one.
    let in_place = move |_: Tick| {
        let gate = gate.clone();
        async move { tokio::task::block_in_place(|| gate.recv().unwrap()) }
    };
    let ended = Arc::new(AtomicUsize::new(0));
    let register = |service: Service| {
        runner.register(service.interval("1h").initial_delay("5ms")).unwrap();
    };
    register(Service::of("blocks", blocks));
    for number in 0..OTHERS {
        let ended = Arc::clone(&ended);
        let run = move |_: Tick| {
            let ended = Arc::clone(&ended);
            async move {
                ended.fetch_add(1, Ordering::SeqCst);
            }
        };
        register(Service::of(format!("s{number}"), run));
    }
    register(Service::of("in-place", in_place));
    for round in 1..=20 {
        runner.start_all().unwrap();
        until("the others have run", || ended.load(Ordering::SeqCst) == round * OTHERS);
        until("two block", || {
            ["blocks", "in-place"].iter().all(|name| info(&runner, name).state == State::Running)
        });
        release.send(()).unwrap();
        release.send(()).unwrap();
        assert_eq!(runner.stop_all().abandoned().count(), 0);
    }
}

/// Runs that are due together are handed over together. The last one of them makes its service ready, and the task that
/// waits for that has a waker that blocks.
#[test]
fn rule_92_runs_that_are_due_together_do_not_wait_for_a_waker() {
    // On a busy machine they may be due before somebody waits.
    assert!(["200ms", "1s", "5s"].into_iter().any(are_due_beside_a_waker));
}

/// Runs them after this time. `false`: they were due too early.
fn are_due_beside_a_waker(delay: &str) -> bool {
    const OTHERS: usize = 20;
    struct Blocks {
        called: crossbeam_channel::Sender<()>,
        gate: crossbeam_channel::Receiver<()>,
    }
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            self.called.send(()).unwrap();
            let _ = self.gate.recv();
        }
    }
    async fn waits(ctx: &Context) {
        ctx.stopped().await;
    }
    let runtime = runtime(2);
    let runner = runner(&runtime);
    let ended = Arc::new(AtomicUsize::new(0));
    for number in 0..OTHERS {
        let ended = Arc::clone(&ended);
        let run = move |_: Tick| {
            ended.fetch_add(1, Ordering::SeqCst);
            async {}
        };
        let service = Service::of(format!("s{number}"), run).interval("1h");
        runner.register(service.initial_delay(delay)).unwrap();
    }
    // Of runs that are due at the same time, that of the service that was registered last is the last.
    let service = Service::of("waits", waits).ready(Ready::Started).initial_delay(delay);
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    let (called, calls) = unbounded();
    let (release, gate) = unbounded();
    let waker = Waker::from(Arc::new(Blocks { called, gate }));
    let mut ready = pin!(runner.wait_ready_async("waits"));
    if ready.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready() {
        return false;
    }
    calls.recv_timeout(TIMEOUT).unwrap();
    until("the others run", || ended.load(Ordering::SeqCst) == OTHERS);
    drop(release);
    runtime.block_on(ready).unwrap();
    assert!(runner.stop_all().is_clean());
    true
}

/// Ends of runs that are reported together are all counted.
#[test]
fn rule_92_no_end_of_many_runs_at_once_is_lost() {
    const RUNS: u64 = 2_000;
    let runtime = runtime(2);
    let runner = runner(&runtime);
    let runs = Arc::new(AtomicUsize::new(0));
    for number in 0..8 {
        let runs = Arc::clone(&runs);
        let run = move |tick: Tick| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move { if tick.run < RUNS { Flow::Again } else { Flow::Done } }
        };
        runner.register(Service::of(format!("s{number}"), run)).unwrap();
    }
    runner.start_all().unwrap();
    wait(&runner);
    for service in runner.services() {
        assert_eq!((service.state, service.runs), (State::Finished, RUNS), "{}", service.name);
    }
    assert_eq!(runs.load(Ordering::SeqCst) as u64, 8 * RUNS);
}
