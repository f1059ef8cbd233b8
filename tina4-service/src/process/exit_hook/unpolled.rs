//! Async services at the end of the process: whether anything can still poll them.
//!
//! The thread that ends the process does not return. If it is the only one that drives the runtime, such as
//! the main thread of a current-thread runtime, no task and no async hook makes progress any more, and
//! waiting for them would only take time. Which threads drive a runtime cannot be asked, so a task is spawned
//! to find out, but only if there is reason to doubt it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::supervisor::Supervisor;
use crate::sys::runtime;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

/// How long the task may take if this thread has driven the runtime, and is known not to do so any more.
const DRIVEN_HERE: Duration = Duration::from_millis(100);
/// How long it may take if other threads drive the runtime, too: they may be busy.
const DRIVEN_BY_SEVERAL: Duration = Duration::from_secs(1);

/// A task that shows whether a runtime makes progress.
pub(super) struct Probe<'a> {
    engine: &'a Arc<Engine>,
    polled: Arc<AtomicBool>,
    /// When the runtime is known to poll no task; `None`: its tasks were declared unpolled.
    until: Option<Nanos>,
    /// The services whose async hooks are not run.
    lost: Vec<String>,
}

impl<'a> Probe<'a> {
    /// Begins to find out, if this thread may be the only one that drives the runtime of this runner.
    /// `caller`: the runner id and the index of the service that this thread executes.
    pub(super) fn begin(
        engine: &'a Arc<Engine>,
        caller: Option<(usize, u32)>,
        clock: &Clock,
        deadline: Nanos,
    ) -> Option<Self> {
        let in_doubt = engine.with_deadline(clock, deadline, |supervisor, _| {
            supervisor.possibly_unpolled_runtime(caller)
        });
        let (handle, has_driven_it) = in_doubt??;
        let polled = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&polled);
        runtime::spawn(&handle, async move { seen.store(true, Ordering::Relaxed) });
        let wait = if has_driven_it { DRIVEN_HERE } else { DRIVEN_BY_SEVERAL };
        let until = Some(clock.now().saturating_add(nanos(wait)));
        Some(Self { engine, polled, until, lost: Vec::new() })
    }

    /// Ends the tasks of the runner once it is known that nothing polls them.
    pub(super) fn check(&mut self, clock: &Clock, deadline: Nanos) {
        let is_over = self.until.is_some_and(|until| clock.now() >= until);
        if !is_over || self.polled.load(Ordering::Relaxed) {
            return;
        }
        self.until = None;
        let lost = self.engine.with_deadline(clock, deadline, Supervisor::declare_tasks_unpolled);
        self.lost = lost.unwrap_or_default();
    }

    /// A line about the hooks that were not run, if there are any.
    pub(super) fn report(&self) -> Option<String> {
        if self.lost.is_empty() {
            return None;
        }
        let names: Vec<_> = self.lost.iter().map(|name| format!("`{name}`")).collect();
        let (names, reason) = (names.join(", "), runtime::NOT_POLLED);
        Some(format!("the async `on_stop` of {names} was not run: {reason}\n"))
    }
}
