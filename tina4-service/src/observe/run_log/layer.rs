//! Gives the events of a run to its log.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, Weak};

use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::text::{MAX_BYTES, MAX_UNREDACTED_BYTES, text_of};
use crate::service::run_log::line::RunLogLine;
use crate::service::run_log::lines::Limits;
use crate::service::run_log::logged_run::{LoggedRun, current, install};
use crate::sys::panics;
use crate::text::bounded_text::bounded;

thread_local! {
    /// Whether this thread is making a line: what `Debug` and `redact` log is not kept.
    static IS_BUSY: Cell<bool> = const { Cell::new(false) };
}

/// What is kept instead of a text.
pub(super) type Redact = Arc<dyn Fn(&str) -> Cow<'_, str> + Send + Sync>;

pub(super) struct RunLayer {
    pub(super) redact: Option<Redact>,
    pub(super) limits: Limits,
}

impl RunLayer {
    /// The text of an event. It consists of what user code has written, and no lock is held.
    fn text(&self, event: &Event<'_>) -> String {
        let made = panics::catch(|| match &self.redact {
            // It sees a text before it is cut, or it might not recognize a secret at the end.
            Some(redact) => bounded(MAX_BYTES, redact(&text_of(event, MAX_UNREDACTED_BYTES))),
            None => text_of(event, MAX_BYTES),
        });
        made.unwrap_or_else(|panic| {
            // A panic may contain what was to be redacted.
            drop(panic);
            "[a panic occurred while this line was written]".to_owned()
        })
    }
}

impl<S> Layer<S> for RunLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_layer(&mut self, _: &mut S) {
        install();
    }

    /// The span of a run, or of a part of one: threads that are inside it write lines of the run.
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some((run, span)) = current().zip(context.span(id)) {
            // Weak: tasks may keep the span for long after the run has ended.
            span.extensions_mut().replace(Arc::downgrade(&run));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let of_span = || {
            let mut scope = context.event_scope(event)?;
            scope.find_map(|span| span.extensions().get::<Weak<LoggedRun>>()?.upgrade())
        };
        let Some(run) = current().or_else(of_span) else { return };
        if !IS_BUSY.replace(true) {
            let (level, target) = (*event.metadata().level(), event.metadata().target());
            let line = RunLogLine::new(run.clock.wall(), level, target, self.text(event));
            IS_BUSY.set(false);
            run.add(line, self.limits);
        }
    }
}
