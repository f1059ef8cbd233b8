//! Counts log lines. Unlike a subscriber's events, they wait in a queue that the runner itself
//! empties, so none are lost as long as writing is fast.

use std::fmt::{Debug, Write as _};
use std::sync::{LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The number of lines of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    pub(crate) started: u64,
    pub(crate) stopped: u64,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) abandoned: u64,
    /// Abandoned runs that have ended.
    pub(crate) late: u64,
    /// Crashes, with those that a line says were left out.
    pub(crate) crashed: u64,
    /// Services whose run was dropped, because it did not end in time.
    pub(crate) dropped: u64,
    pub(crate) panicked_while_stopping: u64,
    /// Returns, with those that a line says were left out.
    pub(crate) returned: u64,
    pub(crate) failed_hooks: u64,
    pub(crate) paused: u64,
    pub(crate) resumed: u64,
    pub(crate) skips: u64,
    pub(crate) stuck: u64,
    pub(crate) not_started: u64,
    /// Reports of the runner that lines are missing.
    pub(crate) missing: u64,
}

static LINES: LazyLock<Mutex<Lines>> = LazyLock::new(Mutex::default);

/// The lines since the last call.
pub(crate) fn take() -> Lines {
    std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Starts to count.
pub(crate) fn listen() {
    tracing::subscriber::set_global_default(Counting).expect("the first of this process");
}

struct Counting;

/// The relevant parts of a line.
#[derive(Default)]
struct Parts {
    message: String,
    left_out: String,
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let part = match field.name() {
            "message" => &mut self.message,
            "left_out" => &mut self.left_out,
            _ => return,
        };
        let _ = write!(part, "{value:?}");
    }
}

impl Subscriber for Counting {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let Parts { message, left_out } = parts;
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let count = match message.as_str() {
            "service started" => &mut lines.started,
            "service stopped" => &mut lines.stopped,
            "service finished" => &mut lines.finished,
            "service failed" => &mut lines.failed,
            "service paused" => &mut lines.paused,
            "service resumed" => &mut lines.resumed,
            "service stopping"
            | "services started"
            | "services stopped"
            | "service unblocked"
            | "service waits for others that it depends on" => return,
            text if text.starts_with("service blocked") => return,
            text if text.starts_with("service recovered") => return,
            text if text.starts_with("service runs again") => return,
            text if text.starts_with("stop waits for") => return,
            "abandoned service ended after all" => &mut lines.late,
            "a clean-up hook failed" => &mut lines.failed_hooks,
            "service panicked after it was asked to stop" => &mut lines.panicked_while_stopping,
            text if text.starts_with("service crashed") => &mut lines.crashed,
            text if text.starts_with("service stopped: its run did not return in time") => {
                &mut lines.dropped
            }
            text if text.starts_with("service abandoned") => &mut lines.abandoned,
            text if text.starts_with("service is stuck") => &mut lines.stuck,
            text if text.starts_with("service returned") => &mut lines.returned,
            text if text.starts_with("service not started") => &mut lines.not_started,
            text if text.starts_with("due times were skipped") => &mut lines.skips,
            text if text.starts_with("log lines were lost") => &mut lines.missing,
            text => panic!("unexpected line `{text}`"),
        };
        *count += 1 + left_out.parse().unwrap_or(0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
