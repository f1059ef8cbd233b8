//! A program that ends without `stop_all` still stops its services and runs their hooks.
//!
//! The C library calls what `atexit` was given when `main` returns and when somebody calls
//! `process::exit`, on the thread that does so, while all other threads go on. So the workers
//! stop the services as usual, and this thread waits for them, for five seconds at most. It takes
//! no lock that it cannot do without, and nothing is logged meanwhile: a log may wait for standard
//! output, whose lock a thread that never ends may hold.
//!
//! On Windows `process::exit` is `ExitProcess`, which ends all other threads before anything else can
//! run. No hook can run then; it takes a `main` that returns, or the C function `exit`. The C library
//! of a DLL calls its `atexit` functions even then, in vain: the threads that stop the services are gone.
//!
//! If two threads call `process::exit`, or one does while `main` returns, std on Linux parks the later
//! one for ever, in `pause(2)`. Where that is a service's thread, its run never ends: if it is still
//! there after a second, it is given up, and another worker runs its hooks. (On x86-64, AArch64 and
//! RISC-V; elsewhere it cannot be seen, and the five seconds pass.) A body that is in `pause` for a
//! reason of its own is given up as well: it would not have noticed that it is to stop either.

use std::mem::ManuallyDrop;
use std::sync::{Mutex, TryLockError, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::invoke;
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

/// How long the end of the process may take.
const LIMIT: Duration = Duration::from_secs(5);
/// After this long in `pause` a thread counts as lost; and how often that is looked at.
const LOST_AFTER: Duration = Duration::from_secs(1);
const LOOK_FOR_LOST: Duration = Duration::from_millis(100);
/// How often this thread looks whether the workers are done: at this point nothing else matters.
#[cfg(not(shuttle))]
const LOOK: Duration = Duration::from_micros(500);

/// The runners that have started something.
static RUNNERS: PerProcess<Mutex<Vec<Weak<Engine>>>> = PerProcess::new(Mutex::new(Vec::new()));

/// Notes a runner whose services must be stopped when the process ends.
pub(crate) fn register(pool: &std::sync::Arc<Engine>) {
    let mut runners = std_lock(RUNNERS.get());
    runners.retain(|known| known.strong_count() > 0);
    if !runners.iter().any(|known| std::ptr::eq(known.as_ptr(), std::sync::Arc::as_ptr(pool))) {
        runners.push(std::sync::Arc::downgrade(pool));
    }
}

/// The end of the process: stops the runners, and waits for it.
pub(crate) fn stop_everything() {
    let clock = Clock::system();
    let limit = clock.now().saturating_add(nanos(LIMIT));
    let here = invoke::current();
    // Never dropped: the last owner of a pool drops the user's values, which could wait for ever.
    let pools = ManuallyDrop::new(runners_before(&clock, limit));
    stop(&pools, here, &clock, limit);
}

/// Stops these runners and waits for it, until `limit`. `here`: the service that this thread runs.
pub(crate) fn stop(
    pools: &[std::sync::Arc<Engine>],
    here: Option<(usize, u32)>,
    clock: &Clock,
    limit: Nanos,
) {
    for pool in pools {
        pool.with_before(clock, limit, |services, now| services.exit(here, LIMIT, now));
    }
    let mut next_look = clock.now().saturating_add(nanos(LOST_AFTER));
    for pool in pools {
        while !is_done(pool, clock, limit) {
            if clock.now() >= next_look {
                pools.iter().for_each(|pool| give_up_lost(pool, clock, limit));
                next_look = clock.now().saturating_add(nanos(LOOK_FOR_LOST));
            }
            rest();
        }
    }
}

/// Gives up the services whose thread waits for the end of the process.
fn give_up_lost(pool: &std::sync::Arc<Engine>, clock: &Clock, limit: Nanos) {
    for working in pool.active_workers(clock, limit).unwrap_or_default() {
        let (Some(index), Some(thread)) = (working.subject(), working.thread()) else { continue };
        if is_parked(thread) {
            pool.with_before(clock, limit, |services, now| {
                if working.subject() == Some(index) && services.give_up(index, now) {
                    working.give_up();
                }
            });
        }
    }
}

/// Whether this thread of the process is in the system call by which std parks it: `pause`, or what
/// the C library makes of it where there is none.
fn is_parked(thread: u32) -> bool {
    let pause = if cfg!(target_arch = "x86_64") {
        "34 "
    } else if cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
        // `ppoll` of nothing, without a timeout.
        "73 0x0 0x0 0x0 "
    } else {
        return false;
    };
    let call = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"));
    call.is_ok_and(|call| call.starts_with(pause))
}

/// The runners that still exist. Nobody holds their lock for longer than a push.
fn runners_before(clock: &Clock, limit: Nanos) -> Vec<std::sync::Arc<Engine>> {
    loop {
        match RUNNERS.get().try_lock() {
            Ok(runners) => return runners.iter().filter_map(Weak::upgrade).collect(),
            Err(TryLockError::Poisoned(poisoned)) => {
                return poisoned.into_inner().iter().filter_map(Weak::upgrade).collect();
            }
            Err(TryLockError::WouldBlock) if clock.now() >= limit => return Vec::new(),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// Whether a runner's services have ended, or there is no time left.
fn is_done(pool: &std::sync::Arc<Engine>, clock: &Clock, limit: Nanos) -> bool {
    clock.now() >= limit
        || pool.with_before(clock, limit, |services, _| services.is_quiet()).unwrap_or(true)
}

#[cfg(not(shuttle))]
#[expect(
    clippy::disallowed_methods,
    reason = "the process is ending: there is no stop left to wake for"
)]
fn rest() {
    std::thread::sleep(LOOK);
}

#[cfg(shuttle)]
fn rest() {
    crate::sys::sync::yield_now();
}
