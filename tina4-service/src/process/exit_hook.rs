//! A program that ends without `stop_all` still stops its services and runs their hooks.
//!
//! The C library calls `atexit` functions when `main` returns or a thread calls `process::exit`, on
//! that thread, while all other threads keep running. So the workers stop the services as usual, and
//! this thread waits for them, for at most five seconds. It takes only the locks that it needs, and
//! nothing is logged: a log may wait for standard output, whose lock a blocked thread may hold. The program's
//! other threads may still use the runners; they leave it the locks (see `engine/pool/process_exit.rs`).
//!
//! On Windows `process::exit` is `ExitProcess`, which ends all other threads first. Hooks run only if
//! `main` returns or the program calls the C function `exit`. In a DLL the C library calls the `atexit`
//! functions even after `ExitProcess`, too late: the threads that stop the services are gone.
//!
//! If two threads call `process::exit`, or one does while `main` returns, `std` on Linux parks the
//! later one forever, in `pause(2)`. If that is a service's thread, its run never ends. From one second
//! after the shutdown began, a run whose thread is in `pause` is considered lost, and another worker
//! runs its hooks. (This is detected on x86-64, AArch64 and RISC-V; elsewhere the five seconds pass.) A
//! body that calls `pause` itself is considered lost as well, because it would not notice a stop
//! request.
//!
//! If the thread that ends the process is the only one that drives the tokio runtime of async services, their
//! tasks are considered ended at once: see `unpolled.rs`.

#[cfg(feature = "tokio")]
mod unpolled;

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, TryLockError, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::current;
use crate::engine::pool::process_exit::{retry_until, wait_briefly};
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

/// How long the hook may delay the end of the process.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long after the start of the shutdown the search for lost threads begins.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// How often the search is repeated.
const LOST_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Writes a line.
type Report = fn(&str);

/// The runners that still exist, and where to report.
type Live = (Vec<std::sync::Arc<Engine>>, Option<Report>);

static RUNNERS: PerProcess<RunnerList> = PerProcess::new(RunnerList {
    is_final: AtomicBool::new(false),
    runners: Mutex::new(Runners { engines: Vec::new(), clean_at: 0, report: None }),
});

/// The runners that have started something, and whether the process is ending.
#[derive(Default)]
struct RunnerList {
    /// Set before the runners are read at the end of the process. None is added after that, so that a thread that
    /// starts services in a loop does not keep the lock from the thread that ends the process.
    is_final: AtomicBool,
    runners: Mutex<Runners>,
}

/// The runners that have started something.
#[derive(Default)]
struct Runners {
    engines: Vec<Weak<Engine>>,
    /// At this length, those that no longer exist are removed.
    clean_at: usize,
    /// Where to report which hooks were not run: `stderr::write`, which this file cannot import, because it uses
    /// the file that calls this one.
    report: Option<Report>,
}

impl Runners {
    /// Adds a runner. The cost does not depend on the number of others, on average.
    fn add(&mut self, engine: &std::sync::Arc<Engine>) {
        if self.engines.len() >= self.clean_at {
            self.engines.retain(|known| known.strong_count() > 0);
            self.clean_at = 2 * self.engines.len() + 16;
        }
        self.engines.push(std::sync::Arc::downgrade(engine));
    }

    fn live(&self) -> Live {
        (self.engines.iter().filter_map(Weak::upgrade).collect(), self.report)
    }
}

/// Registers a runner whose services must be stopped when the process ends. `report` writes to standard error
/// without blocking.
pub(crate) fn register(engine: &std::sync::Arc<Engine>, report: fn(&str)) {
    let list = RUNNERS.get_or_init();
    // Every start comes here.
    if engine.is_stopped_at_exit() || list.is_final.load(Ordering::Relaxed) {
        return;
    }
    let mut runners = std_lock(&list.runners);
    runners.report = Some(report);
    // Another thread may have done it meanwhile.
    if !engine.is_stopped_at_exit() {
        runners.add(engine);
        engine.set_stopped_at_exit();
    }
}

/// Stops all runners and waits until they have stopped. Called at the end of the process.
pub(crate) fn stop_everything() {
    let clock = Clock::system();
    let deadline = clock.now().saturating_add(nanos(TIMEOUT));
    let caller = current::current();
    // Never dropped: the last owner of a runner drops the user's values, which could block forever.
    let (engines, report) = live_runners(&clock, deadline);
    let engines = ManuallyDrop::new(engines);
    let lost = stop(&engines, caller, &clock, deadline);
    if let Some(report) = report {
        lost.iter().for_each(|line| report(line));
    }
}

/// Stops these runners and waits until they have stopped, or until `deadline`. `caller` is the runner
/// id and the index of the service that this thread runs. Returns lines about hooks that were not run.
pub(crate) fn stop(
    engines: &[std::sync::Arc<Engine>],
    caller: Option<(usize, u32)>,
    clock: &Clock,
    deadline: Nanos,
) -> Vec<String> {
    engines.iter().for_each(|engine| engine.announce_process_exit());
    for engine in engines {
        engine.with_deadline(clock, deadline, |supervisor, now| {
            supervisor.begin_process_exit(caller, TIMEOUT, now)
        });
    }
    #[cfg(feature = "tokio")]
    let mut probes: Vec<_> = engines
        .iter()
        .filter_map(|engine| unpolled::Probe::begin(engine, caller, clock, deadline))
        .collect();
    let mut next_check = clock.now().saturating_add(nanos(LOST_AFTER));
    for engine in engines {
        while !is_done(engine, clock, deadline) {
            #[cfg(feature = "tokio")]
            probes.iter_mut().for_each(|probe| probe.check(clock, deadline));
            if clock.now() >= next_check {
                engines.iter().for_each(|engine| mark_lost(engine, clock, deadline));
                next_check = clock.now().saturating_add(nanos(LOST_POLL_INTERVAL));
            }
            wait_briefly();
        }
    }
    #[cfg(feature = "tokio")]
    return probes.iter().filter_map(unpolled::Probe::report).collect();
    #[cfg(not(feature = "tokio"))]
    Vec::new()
}

/// Marks as lost the runs whose threads are parked until the process ends.
fn mark_lost(engine: &std::sync::Arc<Engine>, clock: &Clock, deadline: Nanos) {
    for worker in engine.worker_records(clock, deadline).unwrap_or_default() {
        let (Some(index), Some(thread)) = (worker.service_index(), worker.thread()) else {
            continue;
        };
        if is_parked(thread) {
            engine.with_deadline(clock, deadline, |supervisor, now| {
                if worker.service_index() == Some(index)
                    && supervisor.declare_thread_lost(index, now)
                {
                    worker.declare_thread_lost();
                }
            });
        }
    }
}

/// Whether this thread of the process is in the system call by which `std` parks it: `pause`, or the C
/// library's replacement for it.
fn is_parked(thread: u32) -> bool {
    let pause = if cfg!(target_arch = "x86_64") {
        "34 "
    } else if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
        // `ppoll` without descriptors and without a timeout.
        "73 0x0 0x0 0x0 "
    } else {
        return false;
    };
    let call = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"));
    call.is_ok_and(|call| call.starts_with(pause))
}

/// The runners that still exist, and where to report; none if the lock is not free by `deadline`.
fn live_runners(clock: &Clock, deadline: Nanos) -> Live {
    let list = RUNNERS.get_or_init();
    list.is_final.store(true, Ordering::Relaxed);
    let live = retry_until(clock, deadline, || match list.runners.try_lock() {
        Ok(runners) => Some(runners.live()),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner().live()),
        Err(TryLockError::WouldBlock) => None,
    });
    live.unwrap_or_default()
}

/// Whether a runner's services have ended, or the deadline has passed.
fn is_done(engine: &std::sync::Arc<Engine>, clock: &Clock, deadline: Nanos) -> bool {
    clock.now() >= deadline
        || engine
            .with_deadline(clock, deadline, |supervisor, _| supervisor.is_idle())
            .unwrap_or(true)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::pool::Pool;
    use crate::engine::supervisor::Supervisor;
    use crate::plan::selection::Selection;
    use crate::service::environment::Environment;
    use crate::sys::threads::{ThreadConfig, start_worker};

    fn engine() -> Arc<Engine> {
        let supervisor = Supervisor::new(Arc::new(Environment::default()), Selection::default());
        let config = ThreadConfig {
            name_prefix: "test".to_owned(),
            max_count: None,
            stack_size: None,
            start: start_worker,
        };
        Pool::new(supervisor, Clock::system(), config)
    }

    #[test]
    fn rule_45_every_runner_is_known_and_those_that_no_longer_exist_do_not_accumulate() {
        let mut runners = Runners::default();
        let mut kept = Vec::new();
        for number in 0..1_000 {
            let engine = engine();
            runners.add(&engine);
            if number % 100 == 0 {
                kept.push(engine);
            }
            assert!(runners.engines.len() <= 2 * kept.len() + 16);
        }
        let (live, _) = runners.live();
        let is_same = live.iter().zip(&kept).all(|(a, b)| Arc::ptr_eq(a, b));
        assert!(live.len() == kept.len() && is_same);
    }
}
