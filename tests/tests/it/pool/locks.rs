//! Rule 51: no lock is held while user code runs. In these tests, all code that a program passes to
//! the runner calls back into it, and nothing may hang.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use tests::{Ctx, EventWatcher, Hooks, Kind, TIMEOUT, both_kinds, gate, millis, within};
use tina4_service::{Change, Context, Flow, Local, Res, Runner, State, service};

both_kinds! {
    rule_51_bodies_hooks_and_errors_may_call_the_runner,
    rule_51_a_service_may_register_start_and_stop_others,
    rule_51_the_last_handle_may_be_dropped_inside_a_service,
    rule_51_a_panic_poisons_no_lock_of_the_runner,
}

/// Calls methods of the runner that do not interfere with the test.
fn call_back(runner: &Runner) {
    assert!(!runner.status().is_empty());
    assert!(!runner.services().is_empty());
    let _ = runner.check();
    assert!(!runner.is_running("nobody"));
    let _ = runner.subscribe();
    assert!(runner.start("nobody").is_err());
    assert!(runner.stop("nobody").is_err());
    assert!(runner.run_now("nobody").is_err());
}

/// The runner of the declared services, for values that cannot hold a handle.
static RUNNER: OnceLock<Runner> = OnceLock::new();
/// The number of destructors that have called the runner.
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Calls the runner when it is dropped.
#[derive(Default)]
struct CallsOnDrop;

impl Drop for CallsOnDrop {
    fn drop(&mut self) {
        if let Some(runner) = RUNNER.get() {
            call_back(runner);
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[service(name = "locks.with-hook", interval = "1h", on_stop = hook)]
fn with_hook(ctx: &Context, _own: Local<CallsOnDrop>, _shared: Res<u32>) {
    // The earlier hook is dropped when the same line registers again.
    let held = CallsOnDrop;
    ctx.on_stop(move || drop(held));
}

/// Without a hook, so its value lives until the end of the activation.
#[service(name = "locks.plain", interval = "1h")]
fn plain(_own: Local<CallsOnDrop>) {}

fn hook(_own: Local<CallsOnDrop>) {
    call_back(RUNNER.get().expect("it runs"));
}

#[test]
fn rule_51_destructors_of_local_values_and_hooks_may_call_the_runner() {
    let runner =
        RUNNER.get_or_init(|| Runner::builder().only(["locks.with-hook", "locks.plain"]).build());
    runner.provide(7_u32);
    let mut watcher = EventWatcher::new(runner);
    runner.start_all().unwrap();
    watcher.wait_for_run_end("locks.plain");
    watcher.wait_for_run_end("locks.with-hook");
    runner.run_now("locks.with-hook").unwrap();
    watcher.wait_for_run_end("locks.with-hook");
    let before = DROPPED.load(Ordering::SeqCst);
    assert_eq!(before, 1, "the replaced hook");
    within("stop", || RUNNER.get().map(|runner| runner.stop("locks.with-hook").unwrap()));
    // The remaining hook, and the value of the activation.
    tests::until("both were dropped", || DROPPED.load(Ordering::SeqCst) == 3);
    within("stop", || RUNNER.get().map(|runner| runner.stop("locks.plain").unwrap()));
    tests::until("the value was dropped", || DROPPED.load(Ordering::SeqCst) == 4);
    // The second value of a type is dropped immediately, and calls the runner.
    within("provide", || {
        RUNNER.get().map(|runner| [CallsOnDrop, CallsOnDrop].map(|value| runner.provide(value)))
    });
    assert_eq!(DROPPED.load(Ordering::SeqCst), 5);
}

/// An error that calls the runner when it is displayed.
#[derive(Debug)]
struct CallsOnDisplay(Runner);

impl std::fmt::Display for CallsOnDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        call_back(&self.0);
        f.write_str("the text")
    }
}

impl std::error::Error for CallsOnDisplay {}

fn rule_51_bodies_hooks_and_errors_may_call_the_runner(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (inner, hooks, declared) = (runner.clone(), runner.clone(), runner.clone());
    let body = move |ctx: &Context| {
        call_back(&inner);
        let again = hooks.clone();
        ctx.on_stop(move || call_back(&again));
        Err::<(), _>(CallsOnDisplay(inner.clone()))
    };
    let service = kind.service("s", body).hook(kind, move |_| {
        call_back(&declared);
        Err::<(), _>(CallsOnDisplay(declared.clone()))
    });
    runner.register(service.max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("it fails", move || waiter.wait());
    watcher.wait_for_change("s", &Change::HookFailed { cause: "the text".into() });
    watcher.wait_for_change("s", &Change::Failed { cause: "the text".into() });
}

fn rule_51_a_service_may_register_start_and_stop_others(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let inner = runner.clone();
    runner
        .register(kind.waiting("parent", async move |ctx: Ctx<'_>| {
            let child = kind.sleeper("child");
            inner.register(child).unwrap();
            inner.start("child").unwrap();
            while inner.status()["child"] != State::Running {
                assert!(ctx.sleep(millis(1)).await);
            }
            ctx.stop(&inner, "child").await.unwrap();
            assert_eq!(inner.status()["child"], State::Stopped);
            Flow::Done
        }))
        .unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_change("parent", &Change::Finished);
    assert_eq!(runner.status()["parent"], State::Finished);
}

fn rule_51_the_last_handle_may_be_dropped_inside_a_service(kind: Kind) {
    let runner = Runner::new();
    let (sender, receiver) = crossbeam_channel::bounded(1);
    // The only handle waits in this channel until the service takes it.
    let (keep, kept) = gate::<Runner>();
    runner
        .register(kind.waiting("s", async move |ctx: Ctx<'_>| {
            drop(kept.wait(&ctx).await);
            // Without a handle nobody could stop it, so it is asked to stop.
            sender.send(ctx.is_stopping()).unwrap();
        }))
        .unwrap();
    runner.start_all().unwrap();
    keep.send(runner).map_err(drop).unwrap();
    assert_eq!(receiver.recv_timeout(TIMEOUT), Ok(true));
}

/// A lock of the program, which a panic of a service poisons.
static POISONED: Mutex<u32> = Mutex::new(0);

fn rule_51_a_panic_poisons_no_lock_of_the_runner(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| {
        if ctx.tick().run == 1 {
            let _guard = POISONED.lock().unwrap();
            panic!("while a lock is held");
        }
    };
    runner.register(kind.service("s", body).interval("1h").backoff("1ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("s", |change| matches!(change, Change::RunEnded { run: 2, .. }));
    assert!(POISONED.is_poisoned());
    call_back(&runner);
    assert!(runner.stop_all().is_clean());
}
