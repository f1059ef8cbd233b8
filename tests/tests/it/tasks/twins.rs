//! Rule 91: every call that blocks has an async twin, and a blocking call on a thread of a runtime neither
//! panics nor waits forever.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Wake, Waker};

use tests::{TIMEOUT, info, millis, within};
use tina4_service::{
    Context, ControlError, Flow, Ready, Res, Runner, Service, State, StopCause, Stopped,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Runs this on a runtime of each flavor.
#[track_caller]
fn in_both<F: Future<Output = ()> + Send + 'static>(body: fn() -> F) {
    for runtime in [current_thread, multi_thread] {
        within("the end of the test", move || runtime().block_on(body()));
    }
}

async fn until_stopped(ctx: &Context) {
    ctx.stopped().await;
}

async fn quick() {}

/// A runner with a continuous service of each kind, and one that ends immediately.
fn runner() -> Runner {
    let runner = Runner::new();
    runner.register(Service::of("async", until_stopped).ready(Ready::Started)).unwrap();
    let plain = |ctx: &Context| while ctx.sleep(TIMEOUT) {};
    runner.register(Service::new("plain", plain).ready(Ready::Started).after("async")).unwrap();
    runner.register(Service::of("quick", quick).ready(Ready::Finished).autostart(false)).unwrap();
    runner
}

#[test]
fn rule_91_every_twin_does_what_its_blocking_call_does() {
    in_both(|| async {
        let runner = runner();
        runner.start_all().unwrap();
        runner.wait_ready_async("plain").await.unwrap();
        runner.start("quick").unwrap();
        runner.wait_ready_async("quick").await.unwrap();
        assert!(!runner.wait_timeout_async(millis(1)).await);
        for name in ["async", "plain"] {
            runner.restart_async(name).await.unwrap();
            let stopped = runner.stop_async(name).await.unwrap();
            assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
            let stopped = runner.stop_async(name).await.unwrap();
            assert_eq!(stopped, Stopped::NotActive { state: State::Stopped });
        }
        assert!(runner.wait_timeout_async(TIMEOUT).await);
        runner.wait_async().await;
        runner.start_all().unwrap();
        runner.wait_ready_async("async").await.unwrap();
        let report = runner.stop_all_async().await;
        assert!(report.is_clean() && !report.in_progress, "{report}");
        let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
        assert_eq!(names, ["quick", "plain", "async"]);
        let cause = runner.wait_for_signal_async().await.unwrap();
        assert_eq!(cause, StopCause::Runner);
        runner.start_all().unwrap();
        assert_eq!(runner.wait_for_signal_timeout_async(millis(1)).await.unwrap(), None);
        runner.stop_async("quick").await.unwrap();
        runner.unregister_async("quick").await.unwrap();
        assert!(!runner.status().contains_key("quick"));
        let unknown = runner.stop_async("asyncs").await.unwrap_err().to_string();
        assert_eq!(unknown, "there is no service `asyncs`; did you mean `async`?");
        runner.stop_all_async().await;
        let refused = runner.wait_ready_async("async").await.unwrap_err();
        assert!(matches!(refused, ControlError::NotReady { .. }), "{refused}");
    });
}

#[test]
fn rule_91_run_async_starts_waits_and_stops() {
    in_both(|| async {
        let runner = Runner::new();
        runner.register(Service::of("quick", quick)).unwrap();
        let code = runner.run_async().await;
        assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
        assert_eq!(info(&runner, "quick").state, State::Finished);
    });
}

/// A twin does not keep the tasks of its own thread waiting.
#[test]
fn rule_91_a_twin_blocks_no_executor() {
    in_both(|| async {
        let runner = runner();
        runner.start_all().unwrap();
        let waiter = runner.clone();
        let waits = tokio::spawn(async move { waiter.wait_async().await });
        for _ in 0..10 {
            tokio::time::sleep(millis(1)).await;
        }
        assert!(!waits.is_finished());
        runner.stop_all_async().await;
        waits.await.unwrap();
    });
}

/// Dropping the future of a twin ends its wait, and nothing else.
#[test]
fn rule_91_a_twin_may_be_dropped() {
    async fn slow_to_stop(ctx: &Context, end: Res<Semaphore>) {
        ctx.stopped().await;
        let _ = end.acquire().await;
    }
    in_both(|| async {
        let runner = Runner::new();
        let end = Arc::new(Semaphore::new(0));
        runner.provide(Arc::clone(&end));
        runner.register(Service::of("slow", slow_to_stop).ready(Ready::Started)).unwrap();
        runner.start_all().unwrap();
        runner.wait_ready_async("slow").await.unwrap();
        let stopped = tokio::time::timeout(millis(1), runner.stop_async("slow")).await;
        assert!(stopped.is_err(), "it has not stopped yet");
        assert_eq!(runner.status()["slow"], State::Stopping, "the request stands");
        end.close();
        runner.wait_async().await;
        assert_eq!(runner.status()["slow"], State::Stopped);
    });
}

#[test]
fn rule_91_blocking_calls_work_on_the_threads_of_a_multi_thread_runtime() {
    let calls = |runner: &Runner| {
        runner.start_all().unwrap();
        runner.wait_ready("async").unwrap();
        assert!(!runner.wait_timeout(millis(1)));
        runner.restart("async").unwrap();
        assert!(matches!(runner.stop("async").unwrap(), Stopped::Ended { .. }));
        runner.start("async").unwrap();
        assert!(runner.stop_all().is_clean());
        runner.wait();
    };
    within("the calls", move || {
        let runtime = multi_thread();
        runtime.block_on(async {
            // On the thread of `block_on`, on the only worker, and in a `LocalSet`.
            calls(&runner());
            tokio::spawn(async move { calls(&runner()) }).await.unwrap();
            tokio::task::LocalSet::new().run_until(async { calls(&runner()) }).await;
            tokio::task::spawn_blocking(move || calls(&runner())).await.unwrap();
        });
    });
}

#[test]
fn rule_91_blocking_calls_on_the_thread_of_a_current_thread_runtime_are_refused() {
    within("the calls", || {
        current_thread().block_on(async {
            let runner = runner();
            runner.start_all().unwrap();
            runner.wait_ready_async("async").await.unwrap();
            let text = |call: &str| {
                format!(
                    "`{call}` would block the only thread of the tokio runtime that executes async services, \
                     which would make no progress; await `{call}_async` instead"
                )
            };
            let refused = runner.stop("async").unwrap_err();
            assert!(matches!(refused, ControlError::BlocksRuntime { call: "stop" }));
            assert_eq!(refused.to_string(), text("stop"));
            assert_eq!(runner.restart("async").unwrap_err().to_string(), text("restart"));
            assert_eq!(runner.unregister("async").unwrap_err().to_string(), text("unregister"));
            assert_eq!(runner.wait_ready("async").unwrap_err().to_string(), text("wait_ready"));
            let signal = runner.wait_for_signal().unwrap_err();
            assert_eq!(signal.to_string(), text("wait_for_signal"));
            // These have no error to return.
            runner.wait();
            assert!(!runner.wait_timeout(TIMEOUT));
            assert_eq!(format!("{:?}", runner.run()), format!("{:?}", std::process::ExitCode::from(78)));
            assert_eq!(runner.status()["async"], State::Running, "nothing was asked of it");
            // A plain service does not need the runtime.
            assert!(matches!(runner.stop("plain").unwrap(), Stopped::Ended { .. }));
            // The request is made even so.
            assert!(runner.stop_all().in_progress);
            runner.wait_async().await;
            assert!(runner.stop_all().is_clean(), "nothing is left to wait for");
            // A thread of `spawn_blocking` may block.
            runner.start_all().unwrap();
            let blocking = runner.clone();
            let report = tokio::task::spawn_blocking(move || blocking.stop_all()).await.unwrap();
            assert!(report.is_clean(), "{report}");
        });
    });
}

/// A waker is user code: it is dropped without a lock, so it may make requests.
#[test]
fn rule_91_and_51_a_waker_of_a_wait_may_make_requests() {
    struct Asks(Runner);
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            assert!(self.0.is_running("plain"));
        }
    }
    within("the polls", || {
        let runner = Runner::new();
        let plain = |ctx: &Context| while ctx.sleep(TIMEOUT) {};
        runner.register(Service::new("plain", plain)).unwrap();
        runner.start_all().unwrap();
        {
            let mut wait = pin!(runner.wait_async());
            for _ in 0..3 {
                let waker = Waker::from(Arc::new(Asks(runner.clone())));
                let mut cx = std::task::Context::from_waker(&waker);
                assert!(wait.as_mut().poll(&mut cx).is_pending());
            }
        }
        assert!(runner.stop_all().is_clean());
    });
}

/// An async service that another one starts during the wait would never make progress.
#[test]
fn rule_91_a_wait_ends_when_an_async_service_starts_on_its_thread() {
    within("the waits", || {
        current_thread().block_on(async {
            let runner = Runner::new();
            runner.register(Service::of("async", until_stopped).autostart(false)).unwrap();
            let starts = |ctx: &Context| {
                if ctx.sleep(millis(20)) {
                    ctx.runner().unwrap().start("async").unwrap();
                }
                while ctx.sleep(TIMEOUT) {}
            };
            runner.register(Service::new("starts", starts)).unwrap();
            type Call = fn(&Runner);
            let calls: [Call; 4] = [
                |runner| runner.wait(),
                |runner| assert!(!runner.wait_timeout(TIMEOUT)),
                |runner| drop(runner.wait_for_signal().unwrap_err()),
                |runner| drop(runner.wait_for_signal_timeout(TIMEOUT).unwrap_err()),
            ];
            for call in calls {
                runner.start_all().unwrap();
                call(&runner);
                assert!(runner.is_running("async"));
                assert!(runner.stop_all_async().await.is_clean());
            }
        });
    });
}

/// Inside an async service, too.
#[test]
fn rule_91_and_46_an_async_service_controls_others() {
    async fn controls(ctx: &Context) -> Result<Flow, ControlError> {
        let runner = ctx.runner().expect("it has one");
        runner.wait_ready_async("async").await?;
        runner.restart_async("async").await?;
        assert!(matches!(runner.stop_async("async").await?, Stopped::Ended { .. }));
        assert_eq!(runner.stop_async("controls").await?, Stopped::Requested);
        assert!(runner.stop_all_async().await.in_progress);
        assert!(!runner.wait_timeout_async(TIMEOUT).await);
        Ok(Flow::Done)
    }
    in_both(|| async {
        let runner = runner();
        runner.register(Service::of("controls", controls).after("plain").max_restarts(0)).unwrap();
        runner.start_all().unwrap();
        runner.wait_async().await;
        let info = info(&runner, "controls");
        assert_eq!((info.state, info.last_error), (State::Stopped, None));
    });
}
