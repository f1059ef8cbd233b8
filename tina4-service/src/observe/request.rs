//! What somebody can ask a runner for.

use std::fmt;

/// What somebody asks a runner for, by the name of the method. `Display` prints that name, as in `run_now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Request {
    /// [`Runner::start`](crate::Runner::start).
    Start,
    /// [`Runner::start_all`](crate::Runner::start_all).
    StartAll,
    /// [`Runner::stop`](crate::Runner::stop), or its async twin.
    Stop,
    /// [`Runner::stop_all`](crate::Runner::stop_all), or its async twin.
    StopAll,
    /// [`Runner::restart`](crate::Runner::restart), or its async twin.
    Restart,
    /// [`Runner::run_now`](crate::Runner::run_now).
    RunNow,
    /// [`Runner::pause`](crate::Runner::pause).
    Pause,
    /// [`Runner::resume`](crate::Runner::resume).
    Resume,
    /// [`Runner::reset`](crate::Runner::reset).
    Reset,
    /// [`Runner::reschedule`](crate::Runner::reschedule).
    Reschedule,
    /// [`Runner::unregister`](crate::Runner::unregister), or its async twin.
    Unregister,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::StartAll => "start_all",
            Self::Stop => "stop",
            Self::StopAll => "stop_all",
            Self::Restart => "restart",
            Self::RunNow => "run_now",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Reset => "reset",
            Self::Reschedule => "reschedule",
            Self::Unregister => "unregister",
        })
    }
}
