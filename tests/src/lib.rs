//! Helpers for the tests, and a service that is found if a program merely imports this crate.
//!
//! Tests wait for events and conditions, not for time to pass: [`EventWatcher`] waits for an event,
//! [`within`] for the end of a call, and [`until`] for a condition. Each has a timeout that expires
//! only if a promise is broken.

pub mod child;
pub mod clock;
pub mod cron;
pub mod event_watcher;
pub mod kinds;
#[cfg(target_os = "linux")]
pub mod process;
pub mod queue_store;
pub mod rng;
pub mod rules;
pub mod sources;
pub mod told;

pub use child::{Child, Ended};
pub use clock::{
    Stopwatch, advance_to_next_run, at, begin_slow_run, in_virtual_time, manual_clock, millis,
    secs, starts, utc, virtual_time_builder,
};
pub use event_watcher::EventWatcher;
pub use kinds::{Ctx, Gate, Hooks, Kind, gate};
pub use sources::{sources, workspace};
pub use told::Told;

use std::time::Duration;

use crossbeam_channel::Receiver;
use tina4_service::{Context, Runner, ServiceInfo, service};

/// How long a test waits for an expected event or condition. It expires only if a promise is
/// broken, also on a slow or busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The service of a crate that a program imports without using it: `use tests as _;`.
#[service(name = "tests.only-imported", autostart = false)]
pub fn only_imported() {}

/// A body that sleeps until its service is asked to stop.
pub fn sleep_until_stopped(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

/// A body that blocks and ignores stop requests until the other end of the channel sends or is
/// dropped.
pub fn ignore_stop(gate: Receiver<()>) -> impl Fn(&Context) + Send + Sync + 'static {
    move |_| {
        let _ = gate.recv();
    }
}

/// The current information about one service.
///
/// # Panics
///
/// If there is no service of that name.
#[track_caller]
#[must_use]
pub fn info(runner: &Runner, name: &str) -> ServiceInfo {
    let found = runner.services().into_iter().find(|info| info.name == name);
    found.unwrap_or_else(|| panic!("there is no service `{name}`"))
}

/// Calls `body` on a thread of its own, so that a hang fails the test.
///
/// # Panics
///
/// If it does not return within [`TIMEOUT`], or panics.
#[track_caller]
pub fn within<T: Send + 'static>(what: &str, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    spawn(move || {
        let _ = sender.send(body());
    });
    match receiver.recv_timeout(TIMEOUT) {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Waits until all services have ended.
///
/// # Panics
///
/// If that takes longer than [`TIMEOUT`].
#[track_caller]
pub fn wait(runner: &Runner) {
    let waiter = runner.clone();
    within("the end of all services", move || waiter.wait());
}

/// Starts a thread that the test does not wait for.
#[expect(clippy::disallowed_methods, reason = "this thread belongs to the test, not to the runner")]
pub fn spawn(body: impl FnOnce() + Send + 'static) {
    std::thread::spawn(body);
}

/// Polls `ready` every millisecond until it returns true, for conditions that no event reports.
///
/// # Panics
///
/// If that takes longer than [`TIMEOUT`].
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let stopwatch = Stopwatch::start();
    while !ready() {
        assert!(stopwatch.elapsed() < TIMEOUT, "timed out waiting until {what}");
        pause(Duration::from_millis(1));
    }
}

/// The message of a failed assertion.
///
/// # Panics
///
/// If it does not fail.
#[track_caller]
pub fn panic_text(assertion: impl FnOnce() + Send) -> String {
    let panicked = std::thread::scope(|scope| scope.spawn(assertion).join());
    let text = panicked.expect_err("the assertion fails").downcast::<String>();
    *text.expect("an assertion has a message")
}

/// Blocks for `length` of real time, for tests about real time.
pub fn pause(length: Duration) {
    let (_never, nothing) = crossbeam_channel::bounded::<()>(0);
    let _ = nothing.recv_timeout(length);
}

/// Polls `count` every millisecond until it has grown by `more`, however long that takes, as long as
/// it grows: how fast it does is a matter of the machine.
///
/// # Panics
///
/// If it does not grow for [`TIMEOUT`].
#[track_caller]
pub fn until_grown(what: &str, more: usize, count: impl Fn() -> usize) {
    let end = count() + more;
    while count() < end {
        let before = count();
        until(what, || count() > before);
    }
}

/// Repeats a measurement until one round stays below the bound.
///
/// The bound must hold for this crate, not for a busy machine. Therefore a second thread sleeps
/// during each round, and a round may take up to three times the worst lateness of these sleeps, if
/// that exceeds the bound. Only rounds whose sleeps were on time count, unless the machine stays busy
/// for [`TIMEOUT`]. Between rounds there is a pause, because a machine is busy for a while.
///
/// # Panics
///
/// If `rounds` rounds that count are not below the bound.
#[track_caller]
pub fn best_of(rounds: usize, what: &str, bound: Duration, mut measure: impl FnMut() -> Duration) {
    let stopwatch = Stopwatch::start();
    let (mut measured, mut counted) = (Vec::new(), 0);
    while counted < rounds && (stopwatch.elapsed() < TIMEOUT || measured.len() < rounds) {
        let (took, sleeper) = measure_with_sleeper(&mut measure);
        measured.push((took, sleeper));
        if took < bound.max(3 * sleeper) {
            // Printed by `cargo test -- --nocapture`.
            println!("{what}, with the lateness of a sleeper: {measured:?}, bound {bound:?}");
            return;
        }
        counted += usize::from(3 * sleeper < bound);
        pause(millis(50));
    }
    panic!("{what}, with the lateness of a sleeper: {measured:?}, and none is below {bound:?}");
}

/// Calls `measure` while another thread sleeps for a millisecond at a time. Returns the result and
/// the worst lateness of the sleeps.
fn measure_with_sleeper(measure: impl FnOnce() -> Duration) -> (Duration, Duration) {
    let sleep = millis(1);
    let (done, stop) = crossbeam_channel::bounded::<()>(0);
    let (worst, result) = crossbeam_channel::bounded(1);
    spawn(move || {
        let mut late = Duration::ZERO;
        loop {
            let stopwatch = Stopwatch::start();
            if stop.recv_timeout(sleep) != Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                break;
            }
            late = late.max(stopwatch.elapsed().saturating_sub(sleep));
        }
        let _ = worst.send(late);
    });
    let took = measure();
    drop(done);
    (took, result.recv_timeout(TIMEOUT).expect("the sleeper ends"))
}
