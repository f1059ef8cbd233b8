//! Requests that are made on somebody's behalf: they are reported, and the runs that they begin know of it.

use std::fmt;

use super::Supervisor;
use crate::observe::event::Change;
use crate::observe::request::Request;
use crate::observe::requester::Requester;
use crate::text::bounded_text::bounded;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::State;

/// The maximum length of the reason for a refusal in bytes.
const MAX_ERROR_BYTES: usize = 4 * 1024;

/// A request, and who makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) request: Request,
    pub(crate) by: &'a Requester,
}

impl Supervisor {
    /// Makes a request to one service on somebody's behalf. Reports it before its effects and, if it is refused, the
    /// refusal.
    pub(crate) fn on_behalf_of<T, E: fmt::Display>(
        &mut self,
        asked: Asked<'_>,
        name: &str,
        now: Nanos,
        request: impl FnOnce(&mut Self, Nanos) -> Result<T, E>,
    ) -> Result<T, E> {
        self.record_request(asked, name, now);
        let index = self.registry.find(name);
        self.requester = index.map(|index| (index, asked.by.clone()));
        let result = request(self, now);
        self.requester = None;
        if let Err(error) = &result {
            self.record_refusal(asked, name, error, now);
        }
        result
    }

    /// Reports that something is asked for. `name`: empty if it concerns all services.
    pub(crate) fn record_request(&mut self, asked: Asked<'_>, name: &str, now: Nanos) {
        let Asked { request, by } = asked;
        self.record_by_name(name, Change::Requested { request, by: by.clone() }, now);
    }

    /// Reports that a request was refused, or failed later.
    pub(crate) fn record_refusal(
        &mut self,
        Asked { request, by }: Asked<'_>,
        name: &str,
        error: &impl fmt::Display,
        now: Nanos,
    ) {
        let error = bounded(MAX_ERROR_BYTES, error).into();
        self.record_by_name(name, Change::Refused { request, by: by.clone(), error }, now);
    }

    /// Reports a change of a service, or of the runner if there is no service with this name.
    fn record_by_name(&mut self, name: &str, change: Change, now: Nanos) {
        match self.registry.find(name) {
            Some(index) => self.record(index, change, now),
            None => self.journal.record_for_runner(change, &mut self.deferred),
        }
    }

    /// Who made the request to this service that is being handled.
    pub(super) fn requester_of(&self, index: u32) -> Option<Requester> {
        self.requester.as_ref().filter(|(of, _)| *of == index).map(|(_, by)| by.clone())
    }

    /// Remembers who has asked a service that is stopping to start again; if several do, the first of them.
    pub(super) fn keep_requester(&mut self, index: u32) {
        if let Some(by) = self.requester_of(index)
            && self.registry.get(index).life.state() == State::Stopping
        {
            self.registry.get_mut(index).end_mut().start_by.get_or_insert(by);
        }
    }

    /// A service is about to be started again, because that was requested while it was stopping: makes the one who
    /// has asked for it the requester. Returns the requester until then.
    pub(super) fn restore_requester(&mut self, index: u32) -> Option<(u32, Requester)> {
        let end = self.registry.get_mut(index).end.as_deref_mut();
        let by = end.and_then(|end| end.start_by.take());
        std::mem::replace(&mut self.requester, by.map(|by| (index, by)))
    }
}
