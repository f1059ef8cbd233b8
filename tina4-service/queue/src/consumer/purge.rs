//! Deletes old dead jobs, and old copies of done jobs, from time to time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::settings::ConsumerSettings;
use super::state::State;
use crate::dead_job::DeadSelection;
use crate::feature::Feature;
use crate::queues::Queues;

/// How often what is old enough is deleted.
const PERIOD: Duration = Duration::from_secs(3_600);

/// How soon that is tried again after it has failed.
const RETRY: Duration = Duration::from_secs(60);

/// How long dead jobs, and copies of done jobs, are kept; `None`: they are not deleted.
fn kept_for(queues: &Queues, settings: &ConsumerSettings) -> (Option<Duration>, Option<Duration>) {
    let has = |feature| queues.capabilities().has(feature);
    (
        settings.keep_dead.filter(|_| has(Feature::DeadLetters)),
        settings.keep_done.filter(|_| has(Feature::DoneJobs)),
    )
}

/// Whether it is time to delete old jobs.
pub(super) fn is_due(
    queues: &Queues,
    settings: &ConsumerSettings,
    state: &State,
    now: Duration,
) -> bool {
    kept_for(queues, settings) != (None, None) && state.is_purge_due(now)
}

/// Deletes dead jobs that are older than `keep_dead`, and copies of done jobs that are older than `keep_done`, if it is
/// time. If that fails, it is tried again later: nothing depends on it.
pub(super) fn purge(
    queues: &Queues,
    settings: &ConsumerSettings,
    state: &Mutex<State>,
    limit: Duration,
    now: Duration,
) {
    let (keep_dead, keep_done) = kept_for(queues, settings);
    if (keep_dead, keep_done) == (None, None) {
        return;
    }
    let lock = || -> MutexGuard<'_, State> { state.lock().unwrap_or_else(PoisonError::into_inner) };
    {
        let mut state = lock();
        if !state.is_purge_due(now) {
            return;
        }
        // Before the call, in case it panics.
        state.purge_at = Some(now.saturating_add(RETRY));
    }
    let (engine, queue) = (queues.engine(), settings.queue);
    let dead = keep_dead.map(DeadSelection::OlderThan);
    let are_dead_purged =
        dead.is_none_or(|old| engine.purge_within(limit, queue, old, queues.now()).is_ok());
    let are_done_purged = keep_done
        .is_none_or(|age| engine.purge_done_within(limit, queue, age, queues.now()).is_ok());
    if are_dead_purged && are_done_purged {
        lock().purge_at = Some(now.saturating_add(PERIOD));
    }
}
