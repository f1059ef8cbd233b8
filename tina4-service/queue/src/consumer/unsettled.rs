//! [`Unsettled`]: what a turn is to settle.

use std::sync::{Mutex, PoisonError};

use super::settling::Settling;
use super::state::State;

/// What a turn is to settle. If the turn fails, or the engine panics, the next one does it.
pub(super) struct Unsettled<'a> {
    pub(super) state: &'a Mutex<State>,
    pub(super) jobs: Vec<Settling>,
    /// Whether the engine may have ended them.
    pub(super) was_sent: bool,
}

impl Unsettled<'_> {
    /// The turn has settled them.
    pub(super) fn settled(mut self) -> Vec<Settling> {
        std::mem::take(&mut self.jobs)
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if !self.jobs.is_empty() {
            self.jobs.iter_mut().for_each(|job| job.was_sent |= self.was_sent);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let newer = std::mem::replace(&mut state.ended, std::mem::take(&mut self.jobs));
            state.ended.extend(newer);
        }
    }
}
