//! How a run ended.

use std::ops::Deref;

use crate::flow::Flow;
use crate::nanos::{Nanos, nanos};

/// How a run ended: with a [`Flow`], or with a crash.
///
/// With a pointer as `C`, it fits in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit<C> {
    /// [`Flow::Wait`].
    Wait,
    /// [`Flow::Again`].
    Again,
    /// [`Flow::After`] this pause, in nanoseconds.
    After(Nanos),
    /// [`Flow::Done`].
    Done,
    /// The run crashed.
    Crashed(C),
}

impl<C> From<Flow> for Exit<C> {
    fn from(flow: Flow) -> Self {
        match flow {
            Flow::Wait => Self::Wait,
            Flow::Again => Self::Again,
            Flow::After(pause) => Self::After(nanos(pause)),
            Flow::Done => Self::Done,
        }
    }
}

impl<C> Exit<C> {
    /// Converts the crash, if there is one.
    #[inline]
    pub fn map_crash<D>(self, convert: impl FnOnce(C) -> D) -> Exit<D> {
        match self {
            Self::Wait => Exit::Wait,
            Self::Again => Exit::Again,
            Self::After(pause) => Exit::After(pause),
            Self::Done => Exit::Done,
            Self::Crashed(crash) => Exit::Crashed(convert(crash)),
        }
    }
}

impl<C: Deref> Exit<C> {
    /// The same exit with a borrowed crash.
    #[inline]
    pub fn as_deref(&self) -> Exit<&C::Target> {
        match self {
            Self::Wait => Exit::Wait,
            Self::Again => Exit::Again,
            Self::After(pause) => Exit::After(*pause),
            Self::Done => Exit::Done,
            Self::Crashed(crash) => Exit::Crashed(crash),
        }
    }
}
