//! Which declared services a runner has.

use crate::plan::start_error::StartError;
use crate::service::definition::Definition;

/// Which declared services a runner excludes, and what is wrong with its settings. The builder finds
/// these faults; they are reported together with those of the services.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Whether declared services were asked for at all.
    pub(crate) wants_declared: bool,
    /// Declared services that this runner does not have; `after` may name them.
    pub(crate) left_out: Vec<Definition>,
    /// Names given to `only` and `except` that exist nowhere.
    pub(crate) unknown: Vec<String>,
    /// A requested stack size that no thread can have.
    pub(crate) stack_size: Option<usize>,
}

impl Selection {
    /// Why this runner has no services. Call it only if there are none.
    pub(crate) fn nothing(&self) -> StartError {
        match self.left_out.len() {
            0 if self.wants_declared => StartError::NothingFound,
            0 => StartError::NothingRegistered,
            left_out => StartError::NothingSelected { left_out },
        }
    }
}
