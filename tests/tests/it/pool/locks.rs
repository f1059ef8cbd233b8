//! Rule 51: no lock is held while user code runs. Everything that a user gives the runner calls
//! back into it from here, and nothing may hang.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use tests::{PATIENCE, Watch, within};
use tina4_service::{Change, Context, Flow, Local, Res, Runner, Service, State, service};

/// Calls everything that a runner can do without changing what the test is about.
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

/// The runner of the declared service, for values that have nowhere to keep it.
static RUNNER: OnceLock<Runner> = OnceLock::new();
/// How many destructors have called back.
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Calls back when it is dropped.
#[derive(Default)]
struct Nosy;

impl Drop for Nosy {
    fn drop(&mut self) {
        if let Some(runner) = RUNNER.get() {
            call_back(runner);
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[service(name = "locks.nosy", interval = "1h", on_stop = bye)]
fn nosy(ctx: &Context, _own: Local<Nosy>, _shared: Res<u32>) {
    // The old one is dropped when the same line registers again.
    let held = Nosy;
    ctx.on_stop(move || drop(held));
}

/// Without a hook: nobody drops its value before the activation has ended.
#[service(name = "locks.plain", interval = "1h")]
fn plain(_own: Local<Nosy>) {}

fn bye(_own: Local<Nosy>) {
    call_back(RUNNER.get().expect("it runs"));
}

#[test]
fn rule_51_destructors_of_local_values_and_hooks_may_call_the_runner() {
    let runner =
        RUNNER.get_or_init(|| Runner::builder().only(["locks.nosy", "locks.plain"]).build());
    runner.provide(7_u32);
    let mut watch = Watch::new(runner);
    runner.start_all().unwrap();
    watch.ended("locks.plain");
    watch.ended("locks.nosy");
    runner.run_now("locks.nosy").unwrap();
    watch.ended("locks.nosy");
    let before = DROPPED.load(Ordering::SeqCst);
    assert_eq!(before, 1, "the hook that was replaced");
    within("stop", || RUNNER.get().map(|runner| runner.stop("locks.nosy").unwrap()));
    // The hook that was left, and the value of the activation.
    tests::until("both were dropped", || DROPPED.load(Ordering::SeqCst) == 3);
    within("stop", || RUNNER.get().map(|runner| runner.stop("locks.plain").unwrap()));
    tests::until("the value was dropped", || DROPPED.load(Ordering::SeqCst) == 4);
    // A value that is given twice is dropped at once, and this one calls back.
    within("provide", || {
        RUNNER.get().map(|runner| [Nosy, Nosy].map(|value| runner.provide(value)))
    });
    assert_eq!(DROPPED.load(Ordering::SeqCst), 5);
}

/// An error that calls back when it is asked for its text.
#[derive(Debug)]
struct Chatty(Runner);

impl std::fmt::Display for Chatty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        call_back(&self.0);
        f.write_str("chatty")
    }
}

impl std::error::Error for Chatty {}

#[test]
fn rule_51_bodies_hooks_and_errors_may_call_the_runner() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let (inner, hooks, declared) = (runner.clone(), runner.clone(), runner.clone());
    let body = move |ctx: &Context| {
        call_back(&inner);
        let again = hooks.clone();
        ctx.on_stop(move || call_back(&again));
        Err::<(), _>(Chatty(inner.clone()))
    };
    let service = Service::new("s", body).on_stop(move |_| {
        call_back(&declared);
        Err::<(), _>(Chatty(declared.clone()))
    });
    runner.register(service.max_restarts(0));
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("it fails", move || waiter.wait());
    watch.change("s", &Change::HookFailed { cause: "chatty".into() });
    watch.change("s", &Change::Failed { cause: "chatty".into() });
}

#[test]
fn rule_51_a_service_may_register_start_and_stop_others() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let inner = runner.clone();
    runner.register(Service::new("parent", move |_| {
        let child = Service::new("child", |ctx| while ctx.sleep(tests::secs(3_600)) {});
        inner.register(child);
        inner.start("child").unwrap();
        tests::until("the child runs", || inner.status()["child"] == State::Running);
        inner.stop("child").unwrap();
        assert_eq!(inner.status()["child"], State::Stopped);
        Flow::Done
    }));
    runner.start_all().unwrap();
    watch.change("parent", &Change::Finished);
    assert_eq!(runner.status()["parent"], State::Finished);
}

#[test]
fn rule_51_the_last_handle_may_be_dropped_inside_a_service() {
    let runner = Runner::new();
    let (sender, receiver) = crossbeam_channel::bounded(1);
    // Its only handle waits in here until the service takes it.
    let (keep, kept) = crossbeam_channel::bounded::<Runner>(1);
    runner.register(Service::new("s", move |ctx| {
        drop(kept.recv());
        // Nobody can stop it any more, so it is told to stop.
        sender.send(ctx.is_stopping()).unwrap();
    }));
    runner.start_all().unwrap();
    keep.send(runner).unwrap();
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(true));
}

/// Poisoned by a panic of a service, and recovered by nobody but its owner.
static POISONED: Mutex<u32> = Mutex::new(0);

#[test]
fn rule_51_a_panic_poisons_no_lock_of_the_runner() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    let body = |ctx: &Context| {
        if ctx.tick().run == 1 {
            let _guard = POISONED.lock().unwrap();
            panic!("while it holds a lock of its own");
        }
    };
    runner.register(Service::new("s", body).interval("1h").backoff("1ms"));
    runner.start_all().unwrap();
    watch.until("s", |change| matches!(change, Change::RunEnded { run: 2, .. }));
    assert!(POISONED.is_poisoned());
    call_back(&runner);
    assert!(runner.stop_all().is_clean());
}
