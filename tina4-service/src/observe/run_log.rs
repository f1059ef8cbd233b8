//! The settings of the layer that collects the log lines of runs.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::observe::run_log::filter::{Filter, RunFilter};
use crate::observe::run_log::layer::{Redact, RunLayer};
use crate::service::run_log::lines::Limits;

mod filter;
mod layer;
mod text;

/// A `tracing` layer that keeps the log lines of the last run of each service, and of its last failing run.
///
/// [`run_log`](crate::run_log) returns them. Lines belong to the run in which they were written: by the
/// function itself, on the thread or in the task that executes it, whether it is plain or async, periodic,
/// continuous or called with jobs. Lines of threads and tasks that it spawns belong to it if they are inside its span.
/// Those of clean-up hooks belong to no run, and nor do those of this crate about the service.
///
/// ```
/// use std::borrow::Cow;
/// use tina4_service::{RunLog, Runner, Service};
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::prelude::*;
///
/// // Standard output shows what is at warn or above; the lines of runs are kept from debug on.
/// let run_log = RunLog::new()
///     .max_level(tracing::Level::DEBUG)
///     .redact(|text| match text.split_once("token=") {
///         Some((before, _)) => Cow::Owned(format!("{before}token=..")),
///         None => Cow::Borrowed(text),
///     });
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::WARN))
///     .with(run_log.layer())
///     .init();
///
/// let runner = Runner::new();
/// let import = |_: &_| {
///     tracing::debug!("connected with token=abc");
///     Err::<(), _>("no disk")
/// };
/// runner.register(Service::new("import", import).max_restarts(0))?;
/// runner.start_all()?;
/// runner.wait();
/// let failing = runner.run_log("import")?.last_failing.unwrap();
/// assert_eq!((failing.run, &*failing.lines[0].text), (1, "connected with token=.."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its filter is its own: give other layers a filter of theirs with `with_filter`, as above. A filter of the whole
/// subscriber, such as an `EnvFilter` that is added as a layer, would keep events from this layer, too.
///
/// # Limits
///
/// A run keeps its last 100 lines, up to 16 KiB, and a runner up to 4 MiB. Beyond that, the lines of the run that
/// ended longest ago are forgotten, those of failing runs last. What a run has dropped is counted in
/// [`RunLines::dropped`](crate::RunLines::dropped). No run waits for another one to write a line.
#[derive(Clone)]
#[must_use = "it collects nothing until its `layer` is part of the subscriber"]
pub struct RunLog {
    max_level: LevelFilter,
    filter: Option<Filter>,
    redact: Option<Redact>,
    limits: Limits,
}

impl RunLog {
    /// The defaults: all lines at info and above.
    pub fn new() -> Self {
        let limits = Limits { lines: 100, bytes: 16 * 1024, total: 4 * 1024 * 1024 };
        Self { max_level: LevelFilter::INFO, filter: None, redact: None, limits }
    }

    /// Sets the most verbose level that is kept. Default: info.
    pub fn max_level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.max_level = level.into();
        self
    }

    /// Sets which lines are kept, of those that are not too verbose. Default: all.
    ///
    /// It is asked once for each place in the code, and not for each line.
    pub fn filter(
        mut self,
        filter: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Sets what is kept instead of the text of a line, which may contain secrets. Default: the text itself.
    ///
    /// The text consists of the message and the fields, up to 64 KiB of them; what `redact` returns is cut at 2 KiB after
    /// that, so that it sees whole secrets. What `redact` logs itself is not kept; if it panics, the
    /// line says so and contains nothing else.
    pub fn redact(mut self, redact: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static) -> Self {
        self.redact = Some(Arc::new(redact));
        self
    }

    /// Sets how many lines of a run are kept, the last ones. Default: 100.
    pub fn lines(mut self, lines: usize) -> Self {
        self.limits.lines = lines;
        self
    }

    /// Sets how many bytes of a run are kept. Default: 16 KiB.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Sets how many bytes of all runs of a runner are kept. Default: 4 MiB.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.limits.total = bytes;
        self
    }

    /// The layer, for a subscriber that keeps its spans, such as
    /// [`registry()`](tracing_subscriber::registry()).
    #[must_use = "it collects nothing until it is part of the subscriber"]
    pub fn layer<S>(self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let Self { max_level, filter, redact, limits } = self;
        RunLayer { redact, limits }.with_filter(RunFilter { max_level, filter })
    }
}

impl Default for RunLog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RunLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunLog")
            .field("max_level", &self.max_level)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
