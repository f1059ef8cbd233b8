//! The rules about the keys of a queue service.

use super::draft::Draft;
use super::fault::Fault;
use crate::duration::format;
use crate::{Key, QueueSpec};

/// Looks for keys that contradict `queue`, or that need it, and removes those, so that no other rule
/// judges them.
pub(super) fn check(draft: &mut Draft) -> Vec<Fault> {
    if draft.queue {
        check_other_keys(draft)
    } else if draft.is_unreadable(Key::Queue) {
        Vec::new()
    } else {
        check_without_queue(draft)
    }
}

/// The keys that a queue service cannot have.
fn check_other_keys(draft: &mut Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |key: Key, is_set: bool, message: String| {
        if is_set {
            faults.push(Fault::key(key, message).with(Key::Queue));
        }
    };
    let conflict = |key: Key| {
        format!(
            "`{key}` and `queue` cannot be combined, because jobs run when they are pushed; keep one, or push a job at each `{key}`"
        )
    };
    refuse(Key::Interval, draft.interval.take().is_some(), conflict(Key::Interval));
    refuse(Key::Delay, draft.delay.take().is_some(), conflict(Key::Delay));
    refuse(Key::Cron, draft.cron.take().is_some(), conflict(Key::Cron));
    let no_due_times = |key: Key, remedy: &str| {
        format!("`{key}` has no effect with `queue`, which has no due times; {remedy}")
    };
    let remove = |key: Key| format!("remove `{key}`");
    for (key, is_set) in [
        (Key::Timezone, draft.timezone.take().is_some()),
        (Key::Anchor, draft.anchor.take().is_some()),
        (Key::Tolerance, draft.tolerance.take().is_some()),
    ] {
        refuse(key, is_set, no_due_times(key, &remove(key)));
    }
    let delay = "push jobs with a delay, or remove `initial_delay`";
    let initial_delay = draft.initial_delay.take().is_some();
    refuse(Key::InitialDelay, initial_delay, no_due_times(Key::InitialDelay, delay));
    let jitter = "the waits between attempts vary anyway; remove `jitter`";
    refuse(Key::Jitter, draft.jitter.take().is_some(), no_due_times(Key::Jitter, jitter));
    for (key, is_set) in [
        (Key::Restart, draft.restart.take().is_some()),
        (Key::MaxRestarts, draft.max_restarts.take().is_some()),
        (Key::RestartWindow, draft.restart_window.take().is_some()),
    ] {
        refuse(
            key,
            is_set,
            format!(
                "`{key}` has no effect with `queue`: a job that fails is tried again; use `attempts` instead of `{key}`"
            ),
        );
    }
    faults
}

/// The keys that need `queue`.
fn check_without_queue(draft: &mut Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    let remove = "remove it";
    for (key, is_set, instead) in [
        (Key::Attempts, draft.attempts.take().is_some(), "use `max_restarts`"),
        (Key::Concurrency, draft.concurrency.take().is_some(), remove),
        (Key::Lease, draft.lease.take().is_some(), remove),
        (Key::Poll, draft.poll.take().is_some(), "use `interval`"),
        (Key::KeepDead, draft.keep_dead.take().is_some(), remove),
        (Key::KeepDone, draft.keep_done.take().is_some(), remove),
        (Key::Shared, draft.shared.take().is_some(), remove),
        (Key::OnDead, std::mem::take(&mut draft.on_dead), remove),
    ] {
        if is_set {
            let message =
                format!("`{key}` has no effect without `queue`; add `queue`, or {instead}");
            faults.push(Fault::key(key, message).with(Key::Queue));
        }
    }
    faults
}

/// Checks the values of a queue service.
pub(super) fn check_values(draft: &Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    if draft.attempts == Some(0) {
        let message = "`attempts` cannot be zero; use `1` for jobs that are not tried again";
        faults.push(Fault::value(Key::Attempts, message));
    }
    let most = QueueSpec::MAX_CONCURRENCY;
    match draft.concurrency {
        Some(0) => {
            let message = "`concurrency` cannot be zero; use at least `1`, or `autostart = false`";
            faults.push(Fault::value(Key::Concurrency, message));
        }
        Some(found) if found > most => {
            let message = format!(
                "`concurrency` of `{found}` is too large; use at most `{most}`, or more processes"
            );
            faults.push(Fault::value(Key::Concurrency, message));
        }
        Some(_) | None => {}
    }
    if let Some(lease) = draft.lease.filter(|lease| *lease < QueueSpec::MIN_LEASE) {
        let (found, least) = (format(lease), format(QueueSpec::MIN_LEASE));
        let message = format!(
            "`lease` of `{found}` is too short to be renewed in time; use at least `{least}`"
        );
        faults.push(Fault::value(Key::Lease, message));
    }
    let is_known = |key| !draft.is_unreadable(key);
    if draft.queue && is_known(Key::Backoff) && is_known(Key::MaxBackoff) {
        faults.extend(check_backoff(draft));
    }
    faults
}

fn check_backoff(draft: &Draft) -> Option<Fault> {
    let QueueSpec { backoff, max_backoff, .. } = spec(draft);
    if backoff <= max_backoff {
        return None;
    }
    let (first, longest) = (format(backoff), format(max_backoff));
    let (key, other, message) = if draft.max_backoff.is_none() {
        let message = format!(
            "`backoff` of `{first}` is longer than the default `max_backoff` of `{longest}`; set `max_backoff` to `{first}` or more"
        );
        (Key::Backoff, Key::MaxBackoff, message)
    } else if draft.backoff.is_none() {
        let message = format!(
            "`max_backoff` of `{longest}` is shorter than the default `backoff` of `{first}`; make it at least `{first}`, or set a shorter `backoff`"
        );
        (Key::MaxBackoff, Key::Backoff, message)
    } else {
        let message = format!(
            "`backoff` of `{first}` is longer than the `max_backoff` of `{longest}`; make it at most `{longest}`"
        );
        (Key::Backoff, Key::MaxBackoff, message)
    };
    Some(Fault::value(key, message).with(other))
}

/// The settings of the queue, with all defaults filled in.
pub(super) fn spec(draft: &Draft) -> QueueSpec {
    let default = QueueSpec::DEFAULT;
    QueueSpec {
        attempts: draft.attempts.unwrap_or(default.attempts),
        backoff: draft.backoff.unwrap_or(default.backoff),
        max_backoff: draft.max_backoff.unwrap_or(default.max_backoff),
        concurrency: draft.concurrency.unwrap_or(default.concurrency),
        lease: draft.lease,
        poll: draft.poll.unwrap_or(default.poll),
        keep_dead: draft.keep_dead,
        keep_done: draft.keep_done,
        shared: draft.shared.unwrap_or(default.shared),
    }
}
