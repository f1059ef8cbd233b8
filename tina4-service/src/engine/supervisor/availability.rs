//! What is remembered to tell whether the program is ready.

#[cfg(feature = "signals")]
use crate::observe::signal::Signal;
#[cfg(feature = "signals")]
use tina4_service_core::Nanos;

/// What is remembered to tell whether the program is ready.
#[derive(Debug, Default)]
pub(super) struct Availability {
    /// It has been ready since the services were started: services that start later do not matter, unless
    /// `ready_needs` names them.
    pub(super) has_started_up: bool,
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
    /// How long the services go on.
    pub(super) until: Nanos,
    /// They were found to have gone on long enough.
    pub(super) is_over: bool,
}
