//! Helpers of the tests, and a service that is found when this crate is only named.
//!
//! Nothing here waits for luck: [`Watch`] waits for an event, [`within`] for the end of a call, and
//! [`until`] for a condition, each with a deadline that is only ever reached when a promise is
//! broken.

pub mod child;
pub mod clock;
pub mod cron;
#[cfg(target_os = "linux")]
pub mod process;
pub mod rules;
pub mod sources;
pub mod watch;

pub use child::Child;
pub use clock::{
    Stopwatch, advance_to_next_run, at, begin_slow_run, in_virtual_time, manual_clock, millis,
    secs, starts, utc, virtual_time,
};
pub use sources::sources;
pub use watch::Watch;

use std::time::Duration;

use crossbeam_channel::Receiver;
use tina4_service::{Context, Runner, ServiceInfo, service};

/// How long a test waits for what must come. Only a broken promise makes it wait so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The service of a crate that a program may name without using: `use tests as _;`.
#[service(name = "tests.only-named", autostart = false)]
pub fn only_named() {}

/// A body that sleeps until its service is asked to stop.
pub fn sleep_until_stopped(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

/// A body that blocks, and ignores stop, until the other end of the channel sends or is dropped.
pub fn ignore_stop(gate: Receiver<()>) -> impl Fn(&Context) + Send + Sync + 'static {
    move |_| {
        let _ = gate.recv();
    }
}

/// The current information about one service.
///
/// # Panics
///
/// If there is none of that name.
#[track_caller]
#[must_use]
pub fn info(runner: &Runner, name: &str) -> ServiceInfo {
    let found = runner.services().into_iter().find(|info| info.name == name);
    found.unwrap_or_else(|| panic!("there is no service `{name}`"))
}

/// Calls `body` on a thread of its own, so that one that hangs fails the test instead of hanging
/// it.
///
/// # Panics
///
/// If it does not return within [`PATIENCE`], or panics.
#[track_caller]
pub fn within<T: Send + 'static>(what: &str, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    spawn(move || {
        let _ = sender.send(body());
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Waits until everything has ended.
///
/// # Panics
///
/// If that does not come within [`PATIENCE`].
#[track_caller]
pub fn wait(runner: &Runner) {
    let waiter = runner.clone();
    within("the end of everything", move || waiter.wait());
}

/// Starts a thread that the test does not wait for.
#[expect(clippy::disallowed_methods, reason = "this thread belongs to the test, not to the runner")]
pub fn spawn(body: impl FnOnce() + Send + 'static) {
    std::thread::spawn(body);
}

/// Waits until `ready`, looking every millisecond: for facts that no event tells.
///
/// # Panics
///
/// If that does not come within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let watch = Stopwatch::start();
    while !ready() {
        assert!(watch.elapsed() < PATIENCE, "waited in vain until {what}");
        pause(Duration::from_millis(1));
    }
}

/// What a failed assertion says.
///
/// # Panics
///
/// If it does not fail.
#[track_caller]
pub fn panic_text(assertion: impl FnOnce() + Send) -> String {
    let panicked = std::thread::scope(|scope| scope.spawn(assertion).join());
    let text = panicked.expect_err("the assertion fails").downcast::<String>();
    *text.expect("an assertion says why")
}

/// Lets time pass, where real time is the subject: the length of a measurement.
pub fn pause(length: Duration) {
    let (_never, nothing) = crossbeam_channel::bounded::<()>(0);
    let _ = nothing.recv_timeout(length);
}

/// Repeats a measurement on a noisy machine: the first round that keeps the bound ends it.
///
/// A promise about time is about this crate, not about what else the machine does at that moment. So
/// beside each round a thread does nothing but sleep: where it was late by more than a third of the
/// bound itself, so may be what is measured, by three times as much.
///
/// # Panics
///
/// If no round keeps the bound.
#[track_caller]
pub fn best_of(rounds: usize, what: &str, bound: Duration, mut measure: impl FnMut() -> Duration) {
    let mut measured = Vec::new();
    while measured.len() < rounds {
        let (took, sleeper) = beside_a_sleeper(&mut measure);
        measured.push((took, sleeper));
        if took < bound.max(3 * sleeper) {
            // Shown by `cargo test -- --nocapture`.
            println!("{what}, and how late a sleeper: {measured:?}, bound {bound:?}");
            return;
        }
    }
    panic!("{what}, and how late a sleeper: {measured:?}, and none is under {bound:?}");
}

/// Measures, and says how late a thread that sleeps for a millisecond again and again was at worst.
fn beside_a_sleeper(measure: impl FnOnce() -> Duration) -> (Duration, Duration) {
    let nap = millis(1);
    let (done, stop) = crossbeam_channel::bounded::<()>(0);
    let (worst, result) = crossbeam_channel::bounded(1);
    spawn(move || {
        let mut late = Duration::ZERO;
        loop {
            let watch = Stopwatch::start();
            if stop.recv_timeout(nap) != Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                break;
            }
            late = late.max(watch.elapsed().saturating_sub(nap));
        }
        let _ = worst.send(late);
    });
    let took = measure();
    drop(done);
    (took, result.recv_timeout(PATIENCE).expect("the sleeper has seen its end"))
}
