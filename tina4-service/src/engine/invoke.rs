//! What a worker does outside of the lock: one run of a service, or the clean-up of one.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tina4_service_core::CrashKind;
use tina4_service_core::lifecycle::Crash;

use crate::service::context::Context;
use crate::service::environment::Environment;
use crate::service::error_text::{self, ErrorText};
#[cfg(feature = "testing")]
use crate::service::instance::Injected;
use crate::service::instance::Instance;
use crate::service::outcome::{Cause, Exit};
use crate::service::params::Invocation;
use crate::sys::panics::{self, Panic};
use crate::text::bounded_text::bounded;
use crate::time::clock::Clock;
use tina4_service_core::nanos;

/// How long the first run of an activation waits for the line that says that it was started: longer
/// than a busy machine keeps the thread that writes it from its processor.
const LOG_PATIENCE: Duration = Duration::from_millis(100);
/// How often it looks without sleeping, and how long it sleeps in between after that.
const LOOKS: u32 = 50;
const NAP: Duration = Duration::from_micros(200);

/// Something to do for a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkId {
    /// The service's index in its runner.
    pub(crate) index: u32,
    pub(crate) kind: WorkKind,
}

/// A [`WorkId`], with what it takes to do it.
#[derive(Debug)]
pub(crate) struct WorkItem {
    pub(crate) kind: WorkKind,
    /// The service's index in its runner.
    pub(crate) index: u32,
    /// Of the run, or of the last run before the clean-up.
    pub(crate) context: Context,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    Run,
    CleanUp,
}

/// What came of a [`WorkItem`].
#[derive(Debug)]
pub(crate) enum Completion {
    Ran(Exit<Box<Crash>>),
    /// The clean-up is over; these hooks failed.
    CleanedUp(Vec<Arc<str>>),
}

/// What stands before the text of a permanent error.
const PERMANENT: &str = "permanent error: ";

/// The crash of a run that returned this error. The error is dropped here, where a panic of its
/// destructor does no harm.
#[cold]
fn crash_from_error(cause: Cause) -> Box<Crash> {
    let mut crash = crash_from_hook_error(cause);
    match crash.kind {
        CrashKind::Transient => {}
        CrashKind::Permanent => {
            crash.text = format!("{PERMANENT}{}", crash.text).into();
        }
    }
    crash
}

/// A clean-up hook returned this error. Nothing would be restarted, so its text does not say
/// whether the error is permanent.
#[cold]
fn crash_from_hook_error(cause: Cause) -> Box<Crash> {
    let mut said = ErrorText::new();
    let panic = said.read(cause.error());
    // Not while a panic of its text unwinds: a second one would end the process. If it panics
    // here, the panic hook has said so, and the error is still the reason for the crash.
    let _ = panics::catch(|| drop(cause));
    let kind = if said.is_permanent() { CrashKind::Permanent } else { CrashKind::Transient };
    new_crash(said.finish(), panic, kind)
}

#[cold]
fn crash_from_panic(panic: Box<Panic>) -> Box<Crash> {
    let text = bounded(error_text::LONGEST, &panic);
    new_crash(text, Some(panic), CrashKind::Transient)
}

fn new_crash(mut text: String, panic: Option<Box<Panic>>, kind: CrashKind) -> Box<Crash> {
    let panicked = panic.is_some();
    if let Some(backtrace) = panic.and_then(|panic| panic.backtrace) {
        error_text::add_backtrace(&mut text, backtrace);
    }
    Box::new(Crash { text: text.into(), panicked, kind })
}

/// The service that a thread runs: its runner's [`runner_id`], 0 if there is none, and its index
/// there. Two cells, because a processor is slow to read at once what was just written apart.
struct Current {
    runner: Cell<usize>,
    index: Cell<u32>,
}

crate::sys::sync::thread_local! {
    /// Plain data without a destructor, so that it can be read until the very end of the thread.
    static CURRENT: Current = const { Current { runner: Cell::new(0), index: Cell::new(0) } };
}

/// A runner's identity, for [`current`].
pub(crate) fn runner_id(env: &Arc<Environment>) -> usize {
    Arc::as_ptr(env).addr()
}

/// The service that is running on this thread: its runner's [`runner_id`], and its index there.
pub(crate) fn current() -> Option<(usize, u32)> {
    CURRENT.with(|Current { runner, index }| match runner.get() {
        0 => None,
        runner => Some((runner, index.get())),
    })
}

/// Does the job. Whatever user code does, this returns.
#[inline]
pub(crate) fn perform(item: &WorkItem) -> Completion {
    let WorkItem { kind, index, context } = item;
    let instance = context.instance();
    CURRENT.with(|current| {
        current.runner.set(runner_id(&instance.env));
        current.index.set(*index);
    });
    let report = match kind {
        WorkKind::Run => Completion::Ran(run(context, instance)),
        WorkKind::CleanUp => Completion::CleanedUp(clean_up(context, instance)),
    };
    CURRENT.with(|current| current.runner.set(0));
    report
}

/// Wakeups `body` inside the service's span. Log subscribers, destructors and the texts of errors
/// are user code as well, so everything is inside the one `catch`.
fn guarded<T>(
    context: &Context,
    instance: &Instance,
    body: impl FnOnce() -> T,
) -> Result<T, Box<Crash>> {
    let quiet = instance.env.exiting.load(Ordering::Relaxed);
    let caught = panics::catch(|| {
        let span = if quiet {
            tracing::Span::none()
        } else {
            // In the macro, because the macro evaluates its fields lazily.
            tracing::info_span!(
                "service",
                name = context.name(),
                run = context.run_info().number,
                lateness = ?context.lateness()
            )
        };
        // One call, so that the compiler inlines the body here.
        let _entered = span.enter();
        body()
    });
    caught.map_err(crash_from_panic)
}

/// Waits until the log says that the service was started: its own lines come after that. But not
/// for long, because a log may block for ever.
#[cold]
fn wait_for_announcement(instance: &Instance) {
    // The log is no part of the model.
    if cfg!(shuttle) {
        return;
    }
    let (clock, slow) = (Clock::system(), &instance.env.log_is_slow);
    let until = clock.now().saturating_add(nanos(LOG_PATIENCE));
    let mut looks = 0;
    while !instance.is_announced() && !slow.load(Ordering::Relaxed) {
        looks += 1;
        if looks < LOOKS {
            crate::sys::sync::yield_now();
        } else if clock.now() < until {
            std::thread::park_timeout(NAP);
        } else {
            slow.store(true, Ordering::Relaxed);
        }
    }
}

fn run(context: &Context, instance: &Instance) -> Exit<Box<Crash>> {
    if !instance.is_announced() {
        wait_for_announcement(instance);
    }
    let body = || {
        #[cfg(feature = "testing")]
        if let Err(cause) = inject(instance) {
            return Exit::Crashed(crash_from_error(cause));
        }
        instance.definition.call(&Invocation::new(context)).map_crash(crash_from_error)
    };
    let exit = guarded(context, instance, body).unwrap_or_else(Exit::Crashed);
    if matches!(exit, Exit::Crashed(_)) {
        take_locals(instance);
    }
    exit
}

/// Lets happen what a test wants to happen to this run.
#[cfg(feature = "testing")]
fn inject(instance: &Instance) -> Result<(), Cause> {
    match instance.take_injected() {
        None => Ok(()),
        Some(Injected::Crash) => Err(Cause::new("a crash that the test asked for")),
        // Not told by the panic hook: the test knows.
        Some(Injected::Panic) => {
            std::panic::resume_unwind(Box::new("a panic that the test asked for"))
        }
        Some(Injected::Slow(time)) => {
            if let Some(clock) = instance.env.clock.as_virtual() {
                Arc::clone(clock).sleep_through(clock.now().saturating_add(nanos(time)));
            }
            Ok(())
        }
    }
}

/// Runs the hooks of the activation that has ended, last registered first, the declared one last.
fn clean_up(context: &Context, instance: &Instance) -> Vec<Arc<str>> {
    let mut failures = Vec::new();
    loop {
        let result = if let Some(registered) = instance.pop_hook() {
            guarded(context, instance, || (registered.hook)().map_err(crash_from_hook_error))
        } else if instance.take_on_stop() {
            guarded(context, instance, || {
                instance
                    .definition
                    .on_stop(&Invocation::new(context))
                    .map_err(crash_from_hook_error)
            })
        } else {
            break;
        };
        failures.extend(result.flatten().err().map(|crash| crash.text));
    }
    take_locals(instance);
    failures
}

/// Drops the values of `Local` parameters, whatever their destructors do.
fn take_locals(instance: &Instance) {
    let discarded = instance.take_locals();
    // A destructor that panics has said so through the panic hook; nothing is left to do.
    let _ = panics::catch(|| drop(discarded));
}
