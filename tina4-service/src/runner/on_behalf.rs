//! A handle whose requests are made on somebody's behalf.

use std::fmt;

use crate::engine::control_error::ControlError;
use crate::engine::supervisor::Supervisor;
use crate::engine::supervisor::requests::Asked;
use crate::observe::request::Request;
use crate::observe::requester::Requester;
use crate::runner::runner::Runner;
use tina4_service_core::Nanos;

impl Runner {
    /// A handle of this runner for the requests that somebody makes, such as the user of a console.
    ///
    /// Each of its requests is reported with the requester before it has effects: as [`Change::Requested`] to
    /// subscribers, and as the line `request received` in the [log](crate::logging). If it is refused, or fails,
    /// [`Change::Refused`] and the line `request refused` follow, also if there is no service with that name. A run
    /// that a request to one service begins knows who asked for it: see [`ServiceInfo::last_requested_by`] and
    /// [`Change::RunBegan`]. The runs that `start_all` begins do not: it concerns no service in particular.
    ///
    /// These are the requests: those of [`Request`], and their async twins. Its other methods are as usual, and it keeps the
    /// services running if this handle does; what [`Runner::downgrade`] makes of it has no requester.
    /// Requests of any other handle are those of the program itself, and have none either. In a forked child, which
    /// refuses everything, nothing is reported.
    ///
    /// ```
    /// use tina4_service::{Request, Requester, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("invoices", |_| println!("sent")).interval("1d").initial_delay("1d"))?;
    /// runner.start_all()?;
    /// let alice = runner.on_behalf_of(Requester::new("alice").because("the mail server was down"));
    /// alice.run_now("invoices")?;
    /// while runner.services()[0].runs == 0 {
    ///     std::thread::yield_now();
    /// }
    /// let invoices = &runner.services()[0];
    /// assert_eq!(invoices.last_trigger.map(|trigger| trigger.to_string()).as_deref(), Some("manual"));
    /// assert_eq!(invoices.last_requested_by.as_ref().map(Requester::name), Some("alice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Change::Requested`]: crate::Change::Requested
    /// [`Change::Refused`]: crate::Change::Refused
    /// [`Change::RunBegan`]: crate::Change::RunBegan
    /// [`ServiceInfo::last_requested_by`]: crate::ServiceInfo::last_requested_by
    #[must_use]
    pub fn on_behalf_of(&self, requester: Requester) -> Self {
        Self { requester: Some(requester), ..self.clone() }
    }

    fn asked(&self, request: Request) -> Option<Asked<'_>> {
        self.requester.as_ref().map(|by| Asked { request, by })
    }

    /// Makes a request to one service, on behalf of the requester if this handle has one.
    pub(super) fn ask<T>(
        &self,
        request: Request,
        name: &str,
        make: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        match self.asked(request) {
            Some(asked) => {
                self.try_request(|supervisor, now| supervisor.on_behalf_of(asked, name, now, make))
            }
            None => self.try_request(make),
        }
    }

    /// [`Runner::ask`] on a thread that must not block.
    #[cfg(feature = "tokio")]
    pub(super) fn ask_async<T>(
        &self,
        request: Request,
        name: &str,
        make: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        match self.asked(request) {
            Some(asked) => self.try_request_async(|supervisor, now| {
                supervisor.on_behalf_of(asked, name, now, make)
            }),
            None => self.try_request_async(make),
        }
    }

    /// Reports a request that was refused before it was made, if it was. `name`: empty if it concerns all services.
    pub(super) fn or_not_made<T, E: fmt::Display>(
        &self,
        request: Request,
        name: &str,
        prepared: Result<T, E>,
    ) -> Result<T, E> {
        self.report_failure(request, name, prepared, true)
    }

    /// Reports that a request has failed after it was accepted, if it has.
    pub(super) fn or_failed<T, E: fmt::Display>(
        &self,
        request: Request,
        name: &str,
        result: Result<T, E>,
    ) -> Result<T, E> {
        self.report_failure(request, name, result, false)
    }

    fn report_failure<T, E: fmt::Display>(
        &self,
        request: Request,
        name: &str,
        result: Result<T, E>,
        is_new: bool,
    ) -> Result<T, E> {
        if let Err(error) = &result
            && let Some(asked) = self.asked(request)
            && let Ok(engine) = self.engine()
        {
            let report = |supervisor: &mut Supervisor, now: Nanos| {
                if is_new {
                    supervisor.record_request(asked, name, now);
                }
                supervisor.record_refusal(asked, name, error, now);
            };
            // The log lines of a thread that must not block are written by another one.
            #[cfg(feature = "tokio")]
            engine.with_nonblocking(report);
            #[cfg(not(feature = "tokio"))]
            engine.with(report);
        }
        result
    }

    /// Reports that a request that concerns all services is made.
    pub(super) fn report_request(&self, supervisor: &mut Supervisor, request: Request, now: Nanos) {
        if let Some(asked) = self.asked(request) {
            supervisor.record_request(asked, "", now);
        }
    }
}
