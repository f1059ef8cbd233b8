//! Rule 93: how the runs of async services are stopped, dropped and cancelled.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tests::{EventWatcher, TIMEOUT, best_of, in_virtual_time, info, millis, wait};
use tina4_service::{
    Change, Context, Local, OnTimeout, Res, Runner, Service, State, Stopped, Tick,
};

/// What services report, in order.
#[derive(Clone)]
struct Reports(Sender<&'static str>);

impl Reports {
    fn send(&self, report: &'static str) {
        self.0.send(report).unwrap();
    }
}

/// A report that is sent when it is dropped.
struct OnDrop(Reports, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.send(self.1);
    }
}

fn runner() -> (Runner, Receiver<&'static str>) {
    let (sender, receiver) = unbounded();
    let runner = Runner::new();
    runner.provide(Reports(sender));
    (runner, receiver)
}

async fn waits(ctx: &Context, reports: Res<Reports>) {
    let hooks = Reports::clone(&reports);
    ctx.on_stop(move || hooks.send("registered hook"));
    reports.send("begins");
    ctx.stopped().await;
    assert!(ctx.is_stopping() && !ctx.sleep_async(TIMEOUT).await);
    reports.send("ends");
}

async fn sleeps(ctx: &Context, reports: Res<Reports>) {
    assert!(ctx.sleep_async(millis(1)).await);
    reports.send("begins");
    assert!(!ctx.sleep_async(Duration::from_secs(3_600)).await);
    reports.send("ends");
}

async fn hangs(ctx: &Context, reports: Res<Reports>) {
    let hooks = Reports::clone(&reports);
    ctx.on_stop(move || hooks.send("registered hook"));
    reports.send("begins");
    let _on_drop = OnDrop(Reports::clone(&reports), "dropped");
    std::future::pending::<()>().await;
}

async fn closes(reports: Res<Reports>) {
    tokio::task::yield_now().await;
    reports.send("async hook");
}

#[test]
fn rule_93_and_40_a_stop_request_wakes_every_wait() {
    let (runner, reports) = runner();
    runner.register(Service::of("waits", waits).on_stop_of(closes)).unwrap();
    runner.start_all().unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    assert!(matches!(runner.stop("waits"), Ok(Stopped::Ended { .. })));
    let found: Vec<_> = reports.try_iter().collect();
    assert_eq!(found, ["ends", "registered hook", "async hook"]);
    assert_eq!(info(&runner, "waits").state, State::Stopped);

    runner.register(Service::of("sleeps", sleeps)).unwrap();
    runner.start("sleeps").unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    let report = runner.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), ["ends"]);
}

#[test]
fn rule_93_a_run_that_does_not_return_is_dropped_and_its_service_cancelled() {
    let (runner, reports) = runner();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::of("hangs", hangs).on_stop_of(closes).stop_timeout("20ms")).unwrap();
    for round in 1..=2 {
        runner.start("hangs").unwrap();
        assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
        if round == 1 {
            let Ok(Stopped::Ended { after }) = runner.stop("hangs") else { panic!("not ended") };
            assert!(after >= millis(20), "{after:?}");
        } else {
            let report = runner.stop_all();
            assert!(!report.is_clean(), "{report}");
            assert_eq!(report.cancelled().count(), 1, "{report}");
            let text = report.to_string();
            assert!(
                text.contains("1 service ended in ") && text.contains(", 1 cancelled\n"),
                "{text}"
            );
            assert!(
                text.contains("to let a cancelled service stop in time, let it return when"),
                "{text}"
            );
        }
        let found: Vec<_> = reports.try_iter().collect();
        assert_eq!(found, ["dropped", "registered hook", "async hook"], "{round}");
        let info = info(&runner, "hangs");
        assert_eq!((info.state, info.crashes), (State::Cancelled, 0));
        watcher.wait_for_change("hangs", &Change::Cancelled);
    }
}

/// A stop of everything drops the runs at the deadline of all waves, and still runs their hooks.
#[test]
fn rule_93_and_41_runs_are_dropped_at_the_deadline_of_a_shutdown() {
    let (sender, reports) = unbounded();
    let runner = Runner::builder().only::<&str>([]).shutdown_timeout(millis(20)).build();
    runner.provide(Reports(sender));
    runner.register(Service::of("first", hangs).ready(tina4_service::Ready::Started)).unwrap();
    runner.register(Service::of("second", hangs).on_stop_of(closes).after("first")).unwrap();
    runner.start_all().unwrap();
    for _ in 0..2 {
        assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    }
    let report = runner.stop_all();
    assert_eq!(report.cancelled().count(), 2, "{report}");
    let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names, ["second", "first"]);
    let found: Vec<_> = reports.try_iter().collect();
    let second = ["dropped", "registered hook", "async hook"];
    assert_eq!(found, [&second[..], &["dropped", "registered hook"]].concat());
}

#[test]
fn rule_93_and_43_a_poll_that_blocks_is_abandoned() {
    let (open, gate) = unbounded::<()>();
    let body = move |_: Tick| {
        let gate = gate.clone();
        async move {
            let _ = gate.recv();
        }
    };
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::of("s", body).stop_timeout("10ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    assert!(matches!(runner.stop("s"), Ok(Stopped::Abandoned { .. })));
    assert_eq!(info(&runner, "s").state, State::Abandoned);
    drop(open);
    watcher.wait_for_change("s", &Change::LateEnd);
    runner.start("s").unwrap();
    wait(&runner);
    assert_eq!(info(&runner, "s").state, State::Finished);
}

#[test]
fn rule_93_and_29_on_timeout_drops_the_run_and_counts_a_crash() {
    async fn hangs(mut runs: Local<u32>, reports: Res<Reports>) {
        *runs += 1;
        assert_eq!(*runs, 1, "a crash resets it");
        let _on_drop = OnDrop(Reports::clone(&reports), "dropped");
        std::future::pending::<()>().await;
    }
    let (sender, reports) = unbounded();
    let hooks = Reports(sender);
    let runner = Runner::new();
    runner.provide(hooks.clone());
    let mut watcher = EventWatcher::new(&runner);
    // Long enough for the first poll to begin on a busy machine: without it there is nothing to drop.
    let service = Service::of("s", hangs).timeout("1s").on_timeout(OnTimeout::Cancel);
    runner
        .register(service.backoff("1ms").max_restarts(1).on_stop(move |_| hooks.send("hook")))
        .unwrap();
    runner.start_all().unwrap();
    for in_a_row in 1..=2 {
        let change = watcher.wait_for_crash("s").change;
        let restart_in = (in_a_row == 1).then(|| millis(1));
        let cause = "cancelled: took longer than its timeout of 1s".into();
        assert_eq!(change, Change::Crashed { in_a_row, cause, restart_in });
        assert_eq!(reports.try_recv(), Ok("dropped"), "before the crash is reported");
    }
    wait(&runner);
    assert_eq!(info(&runner, "s").state, State::Failed);
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), ["hook"], "once, at the end");
}

#[test]
fn rule_93_and_63_a_heartbeat_from_any_await_point_restarts_the_timeout() {
    async fn beats(ctx: &Context) -> tina4_service::Flow {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_secs(9)).await;
            ctx.heartbeat();
        }
        tina4_service::Flow::Done
    }
    let service = Service::of("s", beats).timeout("10s").on_timeout(OnTimeout::Cancel);
    let mut t = in_virtual_time([service]);
    t.advance("36s");
    assert_eq!((t.state("s"), t.crashes("s")), (State::Finished, 0));
}

/// A destructor of a dropped run is user code: it may panic, and may make requests.
#[test]
fn rule_93_and_51_destructors_of_a_dropped_run_may_do_anything() {
    struct Hostile(Runner, Arc<AtomicBool>);
    impl Drop for Hostile {
        fn drop(&mut self) {
            self.1.store(
                self.0.stop("s").is_ok_and(|stopped| stopped == Stopped::Requested),
                Ordering::SeqCst,
            );
            // Without the hook: a backtrace may take longer than a dropped run has on a busy machine.
            std::panic::resume_unwind(Box::new("in drop"));
        }
    }
    let requested = Arc::new(AtomicBool::new(false));
    let runner = Runner::new();
    let handle = runner.downgrade();
    let seen = Arc::clone(&requested);
    let (polled, first_poll) = unbounded();
    let body = move |_: Tick| {
        let hostile = Hostile(handle.upgrade().unwrap(), Arc::clone(&seen));
        let polled = polled.clone();
        async move {
            let _hostile = hostile;
            polled.send(()).unwrap();
            std::future::pending::<()>().await;
        }
    };
    runner.register(Service::of("s", body).stop_timeout("10ms")).unwrap();
    runner.start_all().unwrap();
    // A run that is dropped before its first poll has no future.
    first_poll.recv_timeout(TIMEOUT).unwrap();
    assert!(matches!(runner.stop("s"), Ok(Stopped::Ended { .. })));
    assert_eq!(info(&runner, "s").state, State::Cancelled);
    assert!(requested.load(Ordering::SeqCst), "it is inside its service");
}

/// A service that stops itself or another one from inside makes the request and does not wait.
#[test]
fn rule_93_and_46_a_service_may_stop_itself() {
    async fn stops_itself(ctx: &Context, reports: Res<Reports>) {
        tokio::task::yield_now().await;
        let runner = ctx.runner().expect("it has one");
        assert_eq!(runner.stop("s").unwrap(), Stopped::Requested);
        assert!(runner.stop_all().in_progress);
        ctx.stopped().await;
        reports.send("ends");
    }
    let (runner, reports) = runner();
    runner.register(Service::of("s", stops_itself)).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), ["ends"]);
    assert_eq!(info(&runner, "s").state, State::Stopped);
}

/// A wait that is dropped leaves nothing behind.
#[test]
fn rule_93_waits_that_are_dropped_keep_no_waker() {
    struct Wakes;
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {}
    }
    async fn drops(ctx: &Context, tick: Tick) -> tina4_service::Flow {
        let wakes = Arc::new(Wakes);
        {
            let waker = Waker::from(Arc::clone(&wakes));
            let mut cx = std::task::Context::from_waker(&waker);
            let (mut stopped, mut sleep) = (pin!(ctx.stopped()), pin!(ctx.sleep_async(TIMEOUT)));
            for _ in 0..3 {
                assert!(stopped.as_mut().poll(&mut cx).is_pending());
                assert!(sleep.as_mut().poll(&mut cx).is_pending());
            }
            assert!(Arc::strong_count(&wakes) > 2, "they wait");
        }
        assert_eq!(Arc::strong_count(&wakes), 1, "nothing waits");
        if tick.run < 1_000 { tina4_service::Flow::Again } else { tina4_service::Flow::Done }
    }
    let runner = Runner::new();
    runner.register(Service::of("s", drops).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let info = info(&runner, "s");
    assert_eq!((info.runs, info.last_error), (1_000, None));
}

/// A task that outlives the run which it belongs to waits for the stop of a later run.
#[test]
fn rule_93_a_task_that_a_run_leaves_behind_waits_for_the_next_stop() {
    async fn leaves_a_task(ctx: &Context, tick: Tick, reports: Res<Reports>) {
        if tick.run == 1 {
            let (stopped, reports) = (ctx.stopped(), Reports::clone(&reports));
            tokio::spawn(async move {
                stopped.await;
                reports.send("the task that was left behind");
            });
        } else {
            reports.send("begins");
            ctx.stopped().await;
        }
    }
    let (runner, reports) = runner();
    runner.register(Service::of("s", leaves_a_task)).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    runner.start("s").unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    runner.stop("s").unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("the task that was left behind"));
}

/// A stop counts for a task that is polled only after the service has started again.
#[test]
fn rule_93_a_stop_is_not_lost_by_a_restart_before_the_poll() {
    async fn leaves_tasks(ctx: &Context, reports: Res<Reports>) {
        for report in ["polled before", "not polled before"] {
            let (stopped, reports) = (ctx.stopped(), Reports::clone(&reports));
            tokio::spawn(async move {
                if report == "not polled before" {
                    // Until the second run.
                    while !IN_SECOND_RUN.load(Ordering::SeqCst) {
                        tokio::task::yield_now().await;
                    }
                }
                stopped.await;
                reports.send(report);
            });
        }
        reports.send("begins");
        ctx.stopped().await;
    }
    static IN_SECOND_RUN: AtomicBool = AtomicBool::new(false);

    let (runner, reports) = runner();
    runner.register(Service::of("s", leaves_tasks)).unwrap();
    runner.start_all().unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    runner.restart("s").unwrap();
    let mut found: Vec<_> = (0..2).map(|_| reports.recv_timeout(TIMEOUT).unwrap()).collect();
    IN_SECOND_RUN.store(true, Ordering::SeqCst);
    found.push(reports.recv_timeout(TIMEOUT).unwrap());
    found.sort_unstable();
    assert_eq!(found, ["begins", "not polled before", "polled before"]);
    runner.stop_all();
}

/// A stop request does not undo a cancellation. It comes here while the poll blocks that the timeout found.
#[test]
fn rule_93_29_and_26_a_stop_of_a_cancelled_run_reports_that_it_was_dropped() {
    let (open, gate) = unbounded::<()>();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (hook, hooks) = unbounded();
    let blocks = move |_: Tick| {
        let gate = gate.clone();
        async move {
            let _ = gate.recv();
            std::future::pending::<()>().await;
        }
    };
    // Long enough for the first poll to begin on a busy machine.
    let service = Service::of("s", blocks).timeout("2s").on_timeout(OnTimeout::Cancel);
    runner.register(service.on_stop(move |_| hook.send(()).unwrap())).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::Stuck { .. }));
    let stopper = runner.clone();
    let (answer, answered) = unbounded();
    tests::spawn(move || answer.send(stopper.stop("s").unwrap()).unwrap());
    watcher.wait_for_change("s", &Change::Stopping);
    assert!(hooks.is_empty(), "the run ends first");
    drop(open);
    assert!(matches!(answered.recv_timeout(TIMEOUT), Ok(Stopped::Ended { .. })));
    let info = info(&runner, "s");
    assert_eq!((info.state, info.crashes, info.last_error), (State::Cancelled, 0, None));
    assert_eq!(hooks.len(), 1);
    let changes = watcher.changes("s");
    assert_eq!(changes.last(), Some(&Change::Cancelled), "{changes:?}");
}

/// All services of a shutdown share one time in which they are dropped, so the program ends in time.
#[test]
fn rule_93_and_41_three_waves_of_blocked_polls_are_abandoned_together() {
    // Three times half a second otherwise.
    best_of(5, "the end of three waves", millis(1_400), abandon_three_waves);
}

/// Returns how long the shutdown takes.
fn abandon_three_waves() -> Duration {
    let (open, gate) = unbounded::<()>();
    let (begun, began) = unbounded();
    let blocks = || {
        let (gate, begun) = (gate.clone(), begun.clone());
        move |_: Tick| {
            let (gate, begun) = (gate.clone(), begun.clone());
            async move {
                begun.send(()).unwrap();
                let _ = gate.recv();
            }
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    let runner = Runner::builder()
        .only::<&str>([])
        .shutdown_timeout(millis(20))
        .runtime(runtime.handle().clone())
        .build();
    let ready = tina4_service::Ready::Started;
    runner.register(Service::of("first", blocks()).ready(ready)).unwrap();
    runner.register(Service::of("second", blocks()).ready(ready).after("first")).unwrap();
    runner.register(Service::of("third", blocks()).ready(ready).after("second")).unwrap();
    runner.start_all().unwrap();
    for _ in 0..3 {
        began.recv_timeout(TIMEOUT).unwrap();
    }
    let report = runner.stop_all();
    // Before the assertions: the end of the runtime waits for the polls.
    drop(open);
    assert_eq!(report.abandoned().count(), 3, "{report}");
    report.took
}

/// Hooks that the async `on_stop` registers are inside the service, too: they make requests and do not wait.
#[test]
fn rule_93_and_46_a_hook_of_an_async_hook_does_not_wait_for_its_own_service() {
    async fn registers(ctx: &Context, reports: Res<Reports>) {
        let (runner, reports) = (ctx.runner().unwrap(), Reports::clone(&reports));
        ctx.on_stop(move || {
            assert!(runner.stop_all().in_progress);
            assert_eq!(runner.stop("waits").unwrap(), Stopped::Requested);
            reports.send("did not wait");
        });
    }
    let (runner, reports) = runner();
    runner.register(Service::of("waits", waits).on_stop_of(registers)).unwrap();
    runner.start_all().unwrap();
    assert_eq!(reports.recv_timeout(TIMEOUT), Ok("begins"));
    assert!(matches!(runner.stop("waits"), Ok(Stopped::Ended { .. })));
    let found: Vec<_> = reports.try_iter().collect();
    assert_eq!(found, ["ends", "registered hook", "did not wait"]);
}
