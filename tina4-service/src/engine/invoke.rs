//! Calls user code: the function of a service, and its clean-up hooks.

#[cfg(feature = "tokio")]
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[cfg(feature = "testing")]
use crate::engine::injected;
#[cfg(feature = "queue")]
use crate::engine::jobs;
#[cfg(feature = "tokio")]
use crate::engine::task;
use crate::engine::user_code::{discard_locals, finish_clean_up, guarded, run_registered_hooks};
use crate::engine::work::{Completion, WorkItem, WorkKind};
use crate::engine::{crashes, current};
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::service::outcome::Exit;
use crate::service::params::Invocation;
#[cfg(feature = "tokio")]
use crate::service::queued_run::{self, QueuedRun, RunEnd};
use crate::service::run_log::RunLogger;
#[cfg(feature = "tokio")]
use crate::sys::runtime;
use crate::sys::thread_name;
use crate::time::clock::Clock;
use tina4_service_core::lifecycle::{Crash, RunKind};
use tina4_service_core::nanos;

/// How long the first run of an activation waits for the log line about its start. Long enough for a
/// busy machine to schedule the thread that writes the line.
const START_LINE_TIMEOUT: Duration = Duration::from_millis(100);
/// How many times the first run checks for the line before it sleeps between checks.
const POLLS_WITHOUT_SLEEP: u32 = 50;
/// How long it sleeps between two checks.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// Executes the work. A panic in user code does not unwind out of this function.
#[inline]
pub(crate) fn perform(item: &WorkItem) -> Completion {
    let WorkItem { kind, index, context, .. } = item;
    let instance = context.instance();
    current::enter(&instance.env, *index);
    let completion = match kind {
        WorkKind::Run => Completion::Ran(run(context, instance, *index)),
        #[cfg(feature = "tokio")]
        WorkKind::Task => queue_run(context, instance, *index),
        WorkKind::CleanUp => clean_up(context, instance, *index),
        #[cfg(feature = "queue")]
        WorkKind::Turn => jobs::turn(context, instance, true),
        #[cfg(feature = "queue")]
        WorkKind::TurnWithoutClaims => jobs::turn(context, instance, false),
        #[cfg(feature = "queue")]
        WorkKind::Job => {
            if !instance.is_start_logged() {
                wait_for_start_line(instance);
            }
            jobs::run(context, instance, *index, item.number)
        }
    };
    current::leave();
    completion
}

/// Waits for at most [`START_LINE_TIMEOUT`] until the log line about the service's start has been
/// written, so that the service's own lines follow it. A log may block forever.
#[cold]
fn wait_for_start_line(instance: &Instance) {
    // The log is not part of the model.
    if cfg!(shuttle) {
        return;
    }
    let (clock, slow) = (Clock::system(), &instance.env.log_is_slow);
    let until = clock.now().saturating_add(nanos(START_LINE_TIMEOUT));
    let mut polls = 0;
    while !instance.is_start_logged() && !slow.load(Ordering::Relaxed) {
        polls += 1;
        if polls < POLLS_WITHOUT_SLEEP {
            crate::sys::sync::yield_now();
        } else if clock.now() < until {
            std::thread::park_timeout(POLL_INTERVAL);
        } else {
            slow.store(true, Ordering::Relaxed);
        }
    }
}

/// Prepares the first run after a start or a crash.
#[cold]
fn before_first_run(instance: &Instance) {
    if !instance.is_start_logged() {
        wait_for_start_line(instance);
    }
    instance.set_has_run(true);
    if !instance.definition.spec().schedule.is_periodic() {
        // It may run for months, so the thread gets its name.
        thread_name::show(instance.definition.name_str());
    }
}

fn run(context: &Context, instance: &Instance, index: u32) -> Exit<Box<Crash>> {
    if !instance.has_run() {
        before_first_run(instance);
    }
    let body = || {
        #[cfg(feature = "testing")]
        if let Err(cause) = injected::inject(instance) {
            return Exit::Crashed(crashes::from_error(cause));
        }
        instance.definition.call(&Invocation::new(context)).map_crash(crashes::from_error)
    };
    // A run of a continuous service may last for months, and a span that long is useless: most
    // backends see a span only once it is closed.
    let has_span = instance.definition.spec().schedule.is_periodic();
    let call = || guarded(context, instance, has_span, body).unwrap_or_else(Exit::Crashed);
    let exit = RunLogger::of_call(context, index, call, |exit| matches!(exit, Exit::Crashed(_)));
    if matches!(exit, Exit::Crashed(_)) {
        discard_locals(instance);
        instance.set_has_run(false);
        // The next work of this thread may be another service's.
        thread_name::restore();
    }
    exit
}

/// Hands a run to the tasks of the runtime.
#[cfg(feature = "tokio")]
fn queue_run(context: &Context, instance: &Instance, index: u32) -> Completion {
    if !instance.is_start_logged() {
        wait_for_start_line(instance);
    }
    let listener = instance.env.task_listener.get().and_then(Weak::upgrade);
    let Some((tasks, listener)) = instance.env.runtime.tasks().zip(listener) else {
        return Completion::Ran(Exit::Crashed(queued_run::runtime_gone()));
    };
    let (context, queued) = (context.of_task(), instance.env.clock.now());
    tasks.push(QueuedRun { context, queued, end: RunEnd::new(index, listener) });
    Completion::Queued
}

/// Runs the hooks of the activation that has ended: the registered ones in reverse order of their
/// registration, then the declared one, which may be async and then becomes a task.
fn clean_up(context: &Context, instance: &Instance, index: u32) -> Completion {
    // Hooks of async code may use the runtime, too.
    #[cfg(feature = "tokio")]
    let runtime = match (instance.definition.run_kind(), instance.definition.on_stop_kind()) {
        (RunKind::Call, RunKind::Call) => None,
        (RunKind::Task, _) | (_, RunKind::Task) => instance.env.runtime.handle(),
    };
    #[cfg(feature = "tokio")]
    let _entered = runtime.as_ref().map(runtime::enter);
    let mut failures = run_registered_hooks(context, instance);
    if instance.take_on_stop() {
        match instance.definition.on_stop_kind() {
            RunKind::Call => {
                let result = guarded(context, instance, true, || {
                    let invocation = Invocation::new(context);
                    let result = instance.definition.on_stop(&invocation);
                    result.map_err(crashes::from_error_without_prefix)
                });
                failures.extend(result.flatten().err().map(|crash| crash.message));
            }
            #[cfg(feature = "tokio")]
            RunKind::Task => {
                let listener = instance.env.task_listener.get().and_then(Weak::upgrade);
                if let Some((runtime, listener)) = runtime.as_ref().zip(listener) {
                    let end = task::CleanUpEnd::new(index, failures, listener);
                    let task = task::CleanUp { context: context.of_task(), end };
                    runtime::spawn(runtime, task::clean_up(task));
                    return Completion::Queued;
                }
                #[cfg(feature = "exit-hook")]
                if instance.env.exiting.load(Ordering::Relaxed) {
                    failures.push(runtime::NOT_POLLED.into());
                    return Completion::CleanedUp(finish_clean_up(context, instance, failures));
                }
                failures.push(queued_run::runtime_gone().message);
            }
            #[cfg(not(feature = "tokio"))]
            RunKind::Task => {}
        }
    }
    let _ = index;
    Completion::CleanedUp(finish_clean_up(context, instance, failures))
}
