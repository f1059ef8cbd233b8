//! What is remembered to tell whether the program is ready.

use super::index_set::IndexSet;
#[cfg(feature = "signals")]
use crate::observe::signal::Signal;
#[cfg(feature = "signals")]
use tina4_service_core::Nanos;

/// What is remembered to tell whether the program is ready.
#[derive(Debug, Default)]
pub(super) struct Availability {
    /// The services that hold up the start; none once it is over. Kept up to date, so that the answer does not depend
    /// on when somebody asks.
    pub(super) starting: IndexSet,
    /// A service has been started.
    pub(super) has_begun: bool,
    /// `start_all` is starting one service after the other.
    pub(super) is_starting_all: bool,
    /// There was an instant since the services were started at which none held up the start: services that start later
    /// do not matter, unless `ready_needs` names them.
    pub(super) has_started_up: bool,
    /// The services that `ready_needs` names, and for which revision of the registry that is.
    pub(super) needed: Option<(u64, IndexSet)>,
    #[cfg(feature = "signals")]
    pub(super) stop_signal: Option<StopSignal>,
}

/// A stop signal that has arrived.
#[cfg(feature = "signals")]
#[derive(Debug)]
pub(super) struct StopSignal {
    pub(super) signal: Signal,
    /// The number of stop requests in the process when it arrived.
    pub(super) requests: u32,
    /// How long the services keep running.
    pub(super) until: Nanos,
    /// The quiesce time is over.
    pub(super) is_over: bool,
}
