//! What the test kit needs from a runner, besides its public methods.

use std::sync::Arc;

use crate::observe::record::Record;
use crate::runner::runner::Runner;
use crate::service::instance::Instance;
use crate::sys::place::Place;

impl Runner {
    /// Requests that every service stops, and does not wait.
    pub(crate) fn request_stop(&self) {
        self.shared.request_stop();
    }

    /// [`Runner::provide`], with the place of the call.
    pub(crate) fn provide_at<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        self.shared.env.resources.provide(value, place);
    }

    /// Records every change from now on.
    pub(crate) fn record_all(&self, record: Record) {
        self.shared.pool.with(|services, _| services.set_recorder(record));
    }

    pub(crate) fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        self.shared.pool.with(|services, _| services.instance(name))
    }
}
