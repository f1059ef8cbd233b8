//! Rule 91: an async twin that is dropped before its end no longer waits. Its request stands, what was to follow
//! does not happen, and nothing is left of the wait.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Wake, Waker};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tests::{EventWatcher, TIMEOUT, millis, secs, within};
use tina4_service::{Change, Context, ControlError, Ready, Res, Runner, Service, State, Stopped};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Lets `slow` end, and `late` become ready.
struct Gates {
    end: Semaphore,
    ready: Semaphore,
}

async fn slow(ctx: &Context, gates: Res<Gates>) {
    ctx.stopped().await;
    let _ = gates.end.acquire().await;
}

async fn late(ctx: &Context, gates: Res<Gates>) {
    let _ = gates.ready.acquire().await;
    ctx.ready();
    ctx.stopped().await;
}

async fn until_stopped(ctx: &Context) {
    ctx.stopped().await;
}

async fn close(ctx: &Context, closed: Res<Sender<String>>) {
    tokio::task::yield_now().await;
    closed.send(ctx.name().to_owned()).unwrap();
}

/// `slow` depends on `base`, which therefore stops after it; `late` is alone.
fn runner() -> (Runner, Arc<Gates>, Receiver<String>) {
    let gates = Arc::new(Gates { end: Semaphore::new(0), ready: Semaphore::new(0) });
    let (closed, order) = unbounded();
    let runner = Runner::new();
    runner.provide(Arc::clone(&gates));
    runner.provide(closed);
    let base = Service::of("base", until_stopped).ready(Ready::Started).on_stop_of(close);
    runner.register(base).unwrap();
    let slow = Service::of("slow", slow).ready(Ready::Started).after("base").on_stop_of(close);
    runner.register(slow).unwrap();
    let late = Service::of("late", late).ready(Ready::Notified).autostart(false);
    runner.register(late).unwrap();
    (runner, gates, order)
}

/// Runs a test on a runtime of each flavor.
#[track_caller]
fn in_both<F: Future<Output = ()> + Send + 'static>(body: fn() -> F) {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        within("the end of the test", move || runtime.block_on(body()));
    }
}

#[test]
fn rule_91_and_41_a_shutdown_goes_on_without_the_stop_all_async_that_began_it() {
    in_both(|| async {
        let (runner, gates, order) = runner();
        let events = runner.subscribe();
        runner.start_all().unwrap();
        runner.wait_ready_async("slow").await.unwrap();
        // Neither one that was polled once nor one that was polled for a while.
        let dropped = timeout(millis(0), runner.stop_all_async()).await;
        assert!(dropped.is_err(), "`slow` has not stopped");
        assert!(timeout(millis(5), runner.stop_all_async()).await.is_err());
        assert_eq!(runner.status()["slow"], State::Stopping);
        assert!(matches!(runner.start("late"), Err(ControlError::Start(_))), "it is shutting down");
        gates.end.close();
        runner.wait_async().await;
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["slow", "base"]);
        let report = runner.stop_all_async().await;
        assert!(report.is_clean() && !report.in_progress, "{report}");
        let stopped = events.try_iter().filter(|event| event.change == Change::Stopped).count();
        assert_eq!(stopped, 2, "each of them once");
        // It can start again.
        runner.start_all().unwrap();
        runner.wait_ready_async("slow").await.unwrap();
        assert!(runner.stop_all_async().await.is_clean());
    });
}

#[test]
fn rule_91_without_its_future_nothing_ends_a_run_async_and_it_can_be_called_again() {
    in_both(|| async {
        let (runner, gates, order) = runner();
        gates.end.close();
        assert!(timeout(millis(5), runner.run_async()).await.is_err());
        runner.wait_ready_async("slow").await.unwrap();
        for name in ["base", "slow"] {
            assert_eq!(runner.status()[name], State::Running, "it runs on");
        }
        // A second one waits in its place, and ends with the services.
        let mut second = pin!(runner.run_async());
        assert!(timeout(millis(5), &mut second).await.is_err());
        assert!(runner.stop_all_async().await.is_clean());
        let code = timeout(TIMEOUT, second).await.expect("it ends");
        assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["slow", "base"]);
    });
}

#[test]
fn rule_91_and_32_a_dropped_wait_ready_async_changes_nothing() {
    in_both(|| async {
        let (runner, gates, _order) = runner();
        runner.start("late").unwrap();
        for length in [0, 0, 1, 5] {
            assert!(timeout(millis(length), runner.wait_ready_async("late")).await.is_err());
        }
        assert_eq!(runner.status()["late"], State::Running);
        let waiter = runner.clone();
        let waits = tokio::spawn(async move { waiter.wait_ready_async("late").await });
        gates.ready.close();
        timeout(TIMEOUT, waits).await.expect("it is ready").unwrap().unwrap();
        runner.wait_ready_async("late").await.unwrap();
        assert!(matches!(runner.stop_async("late").await, Ok(Stopped::Ended { .. })));
        assert!(matches!(
            runner.wait_ready_async("late").await,
            Err(ControlError::NotReady { state: State::Stopped, .. })
        ));
    });
}

#[test]
fn rule_91_and_36_after_a_dropped_unregister_async_the_service_is_stopped_and_known() {
    in_both(|| async {
        let (runner, gates, _order) = runner();
        runner.start_all().unwrap();
        runner.wait_ready_async("slow").await.unwrap();
        assert!(timeout(millis(2), runner.unregister_async("slow")).await.is_err());
        gates.end.close();
        runner.stop_async("slow").await.unwrap();
        assert_eq!(runner.status()["slow"], State::Stopped);
        runner.unregister_async("slow").await.unwrap();
        assert!(!runner.status().contains_key("slow"));
        assert!(runner.stop_all_async().await.is_clean());
    });
}

/// The start is part of the request.
#[test]
fn rule_91_and_171_a_dropped_restart_async_still_restarts() {
    in_both(|| async {
        let (runner, gates, _order) = runner();
        let mut watcher = EventWatcher::new(&runner);
        runner.start_all().unwrap();
        runner.wait_ready_async("slow").await.unwrap();
        assert!(timeout(millis(2), runner.restart_async("slow")).await.is_err());
        gates.end.close();
        runner.wait_ready_async("slow").await.unwrap();
        let run = |run| move |change: &Change| matches!(change, Change::RunBegan { run: nth, .. } if *nth == run);
        watcher.wait_for("slow", run(1));
        watcher.wait_for_change("slow", &Change::Stopped);
        watcher.wait_for("slow", run(2));
        assert!(runner.stop_all_async().await.is_clean());
    });
}

/// Counts how many clones of it exist.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

/// The name and the future of a twin.
type Twin<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + Send + 'a>>);

fn twins(runner: &Runner) -> Vec<Twin<'_>> {
    vec![
        ("wait", Box::pin(runner.wait_async())),
        ("wait_ready", Box::pin(async { drop(runner.wait_ready_async("late").await) })),
        ("stop", Box::pin(async { drop(runner.stop_async("slow").await) })),
        ("stop_all", Box::pin(async { drop(runner.stop_all_async().await) })),
        ("wait_timeout", Box::pin(async { assert!(runner.wait_timeout_async(secs(9)).await) })),
        ("run", Box::pin(async { assert_eq!(runner.run_async().await, 0.into()) })),
        ("wait_for_signal", Box::pin(async { drop(runner.wait_for_signal_async().await) })),
    ]
}

#[test]
fn rule_91_and_93_a_thousand_dropped_waits_leave_no_waker() {
    in_both(|| async {
        for nth in 0..7 {
            let (runner, gates, _order) = runner();
            runner.start_all().unwrap();
            runner.start("late").unwrap();
            runner.wait_ready_async("slow").await.unwrap();
            let counted = Arc::new(Counted);
            let waker = Waker::from(Arc::clone(&counted));
            let mut name = "";
            for _ in 0..1_000 {
                let (twin, mut future) = twins(&runner).swap_remove(nth);
                name = twin;
                for _ in 0..2 {
                    let polled = future.as_mut().poll(&mut TaskContext::from_waker(&waker));
                    assert!(polled.is_pending(), "{name}");
                }
            }
            // The test's own, and the one inside `waker`.
            assert_eq!(Arc::strong_count(&counted), 2, "{name}");
            gates.end.close();
            gates.ready.close();
            assert!(runner.stop_all_async().await.is_clean(), "{name}");
        }
    });
}
