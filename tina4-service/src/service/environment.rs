//! What all services of one runner share.

use std::time::Duration;

use crate::service::resources::Resources;
use crate::sys::fork::Owner;
use crate::sys::sync::AtomicBool;
use crate::time::clock::Clock;
use crate::time::zone::Zone;

/// What all services of one runner share.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) resources: Resources,
    /// The meaning of `timezone = "local"`; `None`: the machine's time zone.
    pub(crate) local: Option<Zone>,
    /// How long `stop_all` may take.
    pub(crate) shutdown_timeout: Duration,
    /// The process is ending: nothing may wait for a lock that user code can hold, such as that of
    /// standard output.
    pub(crate) exiting: AtomicBool,
    /// The log is slow: runs do not wait for its lines.
    pub(crate) log_is_slow: AtomicBool,
    /// Which signals the waiters of this runner have received.
    #[cfg(feature = "signals")]
    pub(crate) received: crate::sys::received_signals::Received,
    /// The process that the runner's threads belong to.
    pub(crate) owner: Owner,
}
