//! Which declared services a runner leaves out.

use std::sync::Arc;

use crate::plan::start_error::StartError;
use crate::service::deployment::selectors::Selectors;
use crate::service::instance::Instance;

/// The declared services that a runner leaves out, and the faults that its builder found. These
/// faults are reported together with those of the services.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Whether declared services were requested at all.
    pub(crate) wants_declared: bool,
    /// Declared services that this runner does not have; `after` may name them, `requires` may not.
    pub(crate) excluded: Vec<Arc<Instance>>,
    /// What selects the services; `None`: all of them.
    pub(crate) selectors: Option<Arc<Selectors>>,
    /// A requested stack size that no thread can have.
    pub(crate) invalid_stack_size: Option<usize>,
}

impl Selection {
    /// The declared services that this runner would have without the selection.
    pub(crate) fn left_out(&self) -> &[Arc<Instance>] {
        if self.wants_declared { &self.excluded } else { &[] }
    }

    /// Whether the deployment has asked for no services.
    pub(crate) fn is_nothing(&self) -> bool {
        let selectors = self.selectors.as_ref();
        selectors.is_some_and(|selectors| selectors.includes_registered && selectors.is_nothing())
    }

    /// Whether a selector has to be reported.
    pub(crate) fn has_faults(&self) -> bool {
        self.selectors.as_ref().is_some_and(|selectors| {
            !selectors.faults.is_empty() || selectors.unmatched().next().is_some()
        })
    }

    /// Why this runner has no services. Call it only if there are none.
    pub(crate) fn why_empty(&self) -> StartError {
        match self.excluded.len() {
            0 if self.wants_declared => StartError::NothingFound,
            0 => StartError::NothingRegistered,
            excluded => StartError::NothingSelected { left_out: excluded },
        }
    }
}
