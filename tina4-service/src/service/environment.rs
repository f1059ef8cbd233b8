//! The environment of the services of one runner.

use std::sync::{OnceLock, Weak};
use std::time::Duration;

use crate::service::ready_listener::ReadyListener;
use crate::service::resources::Resources;
use crate::sys::fork::Owner;
use crate::sys::sync::AtomicBool;
use crate::time::clock::Clock;
use crate::time::zone::Zone;

/// The data that all services of one runner share.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) resources: Resources,
    /// The time zone that `timezone = "local"` stands for; `None`: the machine's.
    pub(crate) local_zone: Option<Zone>,
    /// How long `stop_all` may take.
    pub(crate) shutdown_timeout: Duration,
    /// The process is ending: nothing may wait for a lock that user code may hold, such as the lock of
    /// standard output.
    pub(crate) exiting: AtomicBool,
    /// The log is slow: runs do not wait for its lines.
    pub(crate) log_is_slow: AtomicBool,
    /// The number of stop signals that the waiters of this runner have received.
    #[cfg(feature = "signals")]
    pub(crate) received: crate::sys::received_signals::ReceivedSignals,
    /// Whom to tell that a service is ready; set once, by the runner's engine.
    pub(crate) ready_listener: OnceLock<Weak<dyn ReadyListener>>,
    /// The process that owns the runner's threads.
    pub(crate) owner: Owner,
}
