//! Tells the log that requests are refused, without letting strangers fill it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::peer::Peer;
use crate::problem::Problem;
use crate::request::Request;

/// How long at least passes between two warnings.
const INTERVAL: Duration = Duration::from_secs(60);

/// The refusals of a console; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    warned: Option<Instant>,
    /// How many were refused since.
    untold: u64,
}

impl Refusals {
    /// Warns that a request was refused, unless that was done a short time ago.
    pub(crate) fn note(&self, request: &Request, problem: &Problem, now: Instant) {
        // A browser that has not been asked for the token yet has done nothing wrong.
        if problem.status == 401 && !request.has_header("authorization") {
            return;
        }
        let Some(untold) = self.count(now) else { return };
        let peer = match &request.peer {
            Peer::Tcp(peer) => peer.ip().to_string(),
            Peer::Unix(peer) => peer.name(),
            Peer::Unknown => "unknown".to_owned(),
        };
        // Not the path: it may contain anything.
        tracing::warn!(
            target: "tina4_service",
            peer,
            status = problem.status,
            reason = problem.detail,
            untold,
            "the console has refused a request; others within a minute are only counted"
        );
    }

    /// Counts a refusal. If it is to be told: how many were not since the last one that was.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.warned.is_some_and(|warned| now.saturating_duration_since(warned) < INTERVAL) {
            state.untold += 1;
            return None;
        }
        state.warned = Some(now);
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn rule_113_refusals_are_told_once_a_minute() {
        let (refusals, start) = (Refusals::default(), clock::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(refusals.count(at(0)), Some(0));
        assert_eq!((refusals.count(at(1)), refusals.count(at(59))), (None, None));
        assert_eq!(refusals.count(at(60)), Some(2));
        assert_eq!(refusals.count(at(61)), None);
    }
}
