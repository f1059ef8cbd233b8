//! Which declared services a runner excludes.

use crate::plan::start_error::StartError;
use crate::service::definition::Definition;

/// The declared services that a runner excludes, and the faults that its builder found. These
/// faults are reported together with those of the services.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Whether declared services were requested at all.
    pub(crate) wants_declared: bool,
    /// Declared services that this runner does not have; `after` may name them, `requires` may not.
    pub(crate) excluded: Vec<Definition>,
    /// Names given to `only` or `except` that no service has.
    pub(crate) unknown: Vec<String>,
    /// A requested stack size that no thread can have.
    pub(crate) invalid_stack_size: Option<usize>,
}

impl Selection {
    /// Why this runner has no services. Call it only if there are none.
    pub(crate) fn why_empty(&self) -> StartError {
        match self.excluded.len() {
            0 if self.wants_declared => StartError::NothingFound,
            0 => StartError::NothingRegistered,
            excluded => StartError::NothingSelected { left_out: excluded },
        }
    }
}
