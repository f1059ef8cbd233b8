//! [`JobHost`]: what the context of a job can ask of, if the job can be cancelled by itself.

use std::any::TypeId;
use std::cell::Cell;
use std::sync::Arc;
#[cfg(feature = "tokio")]
use std::task::Waker;

use crossbeam_channel::Receiver;

use crate::service::host::Host;
use crate::service::job_control::JobControl;
use crate::service::locals::{LocalValue, SlotId};
use crate::service::registered_hooks::RegisteredHook;
use crate::service::resources::Resources;
use crate::sys::stop_flag::Never;
#[cfg(feature = "tokio")]
use crate::sys::stop_flag::StopTicket;
use crate::time::clock::Clock;

/// The instance of a service, for one of its jobs: only the requests to return are those of the job.
#[derive(Debug)]
pub(crate) struct JobHost {
    pub(crate) service: Arc<dyn Host>,
    pub(crate) control: Arc<JobControl>,
}

impl Host for JobHost {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn clock(&self) -> &Clock {
        self.service.clock()
    }

    fn resources(&self) -> &Resources {
        self.service.resources()
    }

    fn is_stopping(&self) -> bool {
        self.control.is_stop_requested()
    }

    fn is_exiting(&self) -> bool {
        self.service.is_exiting()
    }

    fn stopping(&self) -> Receiver<Never> {
        self.control.receiver()
    }

    #[cfg(feature = "tokio")]
    fn stop_ticket(&self) -> StopTicket {
        self.control.ticket()
    }

    #[cfg(feature = "tokio")]
    fn register_stop_waker(
        &self,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool {
        self.control.register_waker(ticket, key, waker)
    }

    #[cfg(feature = "tokio")]
    fn remove_stop_waker(&self, key: u64) -> Option<Waker> {
        self.control.remove_waker(key)
    }

    fn add_hook(&self, hook: RegisteredHook) -> Option<RegisteredHook> {
        self.service.add_hook(hook)
    }

    fn heartbeat(&self) {
        self.control.heartbeat(self.clock().now());
        self.service.heartbeat();
    }

    fn ready(&self) {
        self.service.ready();
    }

    fn job_pushed(&self) {
        self.service.job_pushed();
    }

    fn take_local(&self, id: TypeId, held: &Cell<u64>) -> (SlotId, Option<LocalValue>) {
        self.service.take_local(id, held)
    }

    fn put_back_local(&self, slot: SlotId, value: LocalValue) -> Option<LocalValue> {
        self.service.put_back_local(slot, value)
    }
}
