//! The shutdown in progress, and the report of the last one.

use std::borrow::Cow;
use std::sync::Arc;

use crate::observe::stop_report::StopReport;
use crate::service::instance::Instance;
use tina4_service_core::Nanos;

/// The state of a runner's shutdown.
#[derive(Default)]
pub(super) struct Shutdown {
    current: Option<ShutdownInProgress>,
    /// The number of shutdowns that have begun.
    begun: u64,
    /// The report of the last shutdown, unless a service has been started since.
    report: Option<StopReport>,
}

/// A `stop_all` in progress.
pub(super) struct ShutdownInProgress {
    pub(super) began: Nanos,
    pub(super) deadline: Nanos,
    /// The first critical service whose failure caused the shutdown or happened during it.
    pub(super) critical: Option<Cow<'static, str>>,
    /// When to log next which services it waits for; `None`: that was not asked yet.
    pub(super) report_at: Option<Nanos>,
    /// The services that it has stopped, if they share a log line.
    pub(super) stopped: Option<Vec<Arc<Instance>>>,
}

impl Shutdown {
    pub(super) fn is_in_progress(&self) -> bool {
        self.current.is_some()
    }

    pub(super) fn current(&self) -> Option<&ShutdownInProgress> {
        self.current.as_ref()
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut ShutdownInProgress> {
        self.current.as_mut()
    }

    /// The services that the shutdown in progress has stopped, if they share a log line.
    pub(super) fn stopped_together(&mut self) -> Option<&mut Vec<Arc<Instance>>> {
        self.current.as_mut()?.stopped.as_mut()
    }

    /// The deadline of the shutdown in progress, if there is one.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.current.as_ref().map(|current| current.deadline)
    }

    /// Begins a shutdown, or joins the one in progress, where the earlier deadline applies. Returns
    /// `true` if it began one.
    pub(super) fn begin(
        &mut self,
        now: Nanos,
        deadline: Nanos,
        critical: Option<Cow<'static, str>>,
    ) -> bool {
        match &mut self.current {
            Some(current) => {
                current.deadline = current.deadline.min(deadline);
                current.critical = current.critical.take().or(critical);
                false
            }
            None => {
                self.current = Some(ShutdownInProgress {
                    began: now,
                    deadline,
                    critical,
                    report_at: None,
                    stopped: None,
                });
                self.begun += 1;
                true
            }
        }
    }

    /// The number of shutdowns that have begun, which identifies the current or last one.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// Ends the shutdown in progress.
    pub(super) fn end(&mut self) -> Option<ShutdownInProgress> {
        self.current.take()
    }

    pub(super) fn report(&self) -> Option<&StopReport> {
        self.report.as_ref()
    }

    pub(super) fn set_report(&mut self, report: StopReport) {
        self.report = Some(report);
    }

    /// Drops the last report: a service was started, so the report no longer describes the runner. Returns whether
    /// there was one.
    pub(super) fn forget_report(&mut self) -> bool {
        self.report.take().is_some()
    }

    /// Updates the report: the run of this abandoned service has ended after all.
    pub(super) fn ended_late(&mut self, name: &str) {
        let Some(report) = &mut self.report else { return };
        if let Some(reported) = report.services.iter().position(|service| service.name == name) {
            Arc::make_mut(&mut report.services)[reported].age = None;
        }
    }
}
