//! Methods of a runner that only the test kit needs.

use std::sync::Arc;

use crate::observe::event_log::EventLog;
use crate::runner::runner::Runner;
use crate::service::instance::Instance;
#[cfg(feature = "queue")]
use crate::service::resources::Res;
use crate::sys::place::Place;

impl Runner {
    /// Asks every service to stop, without waiting.
    pub(crate) fn request_stop(&self) {
        self.shared.request_stop();
    }

    /// [`Runner::provide`], with the place of the call.
    pub(crate) fn provide_at<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        self.shared.env.resources.provide(value, place);
    }

    /// The value of this type that was provided.
    #[cfg(feature = "queue")]
    pub(crate) fn provided<T: Send + Sync + 'static>(&self) -> Option<Res<T>> {
        self.shared.env.resources.get()
    }

    /// Records every change from now on.
    pub(crate) fn record_all(&self, event_log: EventLog) {
        self.shared.engine.with(|supervisor, _| supervisor.set_event_log(event_log));
    }

    pub(crate) fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        self.shared.engine.with(|supervisor, _| supervisor.instance(name))
    }
}
