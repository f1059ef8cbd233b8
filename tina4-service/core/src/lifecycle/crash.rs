//! Why a run crashed.

use std::sync::Arc;

use crate::restart::CrashKind;

/// A run that returned an error or panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The message of the error or panic.
    pub message: Arc<str>,
    /// Whether it panicked.
    pub panicked: bool,
    /// Whether a restart may help.
    pub kind: CrashKind,
}
