//! The rules that turn a [`Draft`] into a [`Spec`], one function per subject.

use std::time::Duration;

use super::Spec;
use super::draft::Draft;
use super::fault::Fault;
use super::queue;
use super::range;
use crate::duration::{self, format};
use crate::{Anchored, Calendar, Key, Ready, Restart, RestartPolicy, Schedule};

/// From this many consecutive crashes on, the backoff is constant: even the shortest one has then
/// been doubled beyond the longest allowed one.
const CONSTANT_FROM: u32 = 64;

/// The longest list of backoffs that a message shows in full.
const MAX_LISTED: u32 = 8;

impl Draft {
    /// Checks each value and each combination of values, and fills in the defaults.
    ///
    /// # Errors
    ///
    /// Returns all faults, in the order of the keys.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::{Draft, Schedule};
    ///
    /// let second = Duration::from_secs(1);
    /// let draft = Draft { interval: Some(second), ..Draft::default() };
    /// assert_eq!(draft.check().unwrap().schedule, Schedule::Interval(second));
    ///
    /// let draft = Draft { jitter: Some(second), ..draft };
    /// let faults = draft.check().unwrap_err();
    /// assert_eq!(
    ///     faults[0].to_string(),
    ///     "`jitter` of `1s` is not shorter than the `interval` of `1s`; make `jitter` shorter than `1s`",
    /// );
    /// ```
    pub fn check(&self) -> Result<Spec, Vec<Fault>> {
        let mut draft = self.clone();
        // First, because it removes the keys that other rules would judge.
        let mut faults = queue::check(&mut draft);
        faults.extend(schedule_conflicts(&draft));
        faults.extend(remove_out_of_range(&mut draft));
        faults.extend(check_anchor(&draft));
        faults.extend(check_calendar_keys(&draft));
        faults.extend(check_against_period(&draft, Key::Tolerance, draft.tolerance));
        faults.extend(check_against_period(&draft, Key::Jitter, draft.jitter));
        faults.extend(check_ready(&draft));
        faults.extend(check_on_timeout(&draft));
        faults.extend(queue::check_values(&draft));
        let policy = check_restart_policy(&draft, &mut faults);
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.key);
            return Err(faults);
        }
        Ok(with_defaults(draft, policy))
    }

    pub(super) fn is_unreadable(&self, key: Key) -> bool {
        self.unreadable.contains(&key)
    }
}

/// The settings of a draft without faults. Every field is named, so that a new one is not forgotten.
fn with_defaults(draft: Draft, policy: RestartPolicy) -> Spec {
    let queue_spec = queue::spec(&draft);
    let Draft {
        interval,
        delay,
        cron,
        timezone,
        anchor,
        tolerance,
        initial_delay,
        jitter,
        timeout,
        on_timeout,
        stop_timeout,
        autostart,
        critical,
        ready,
        // These make up the settings of a queue.
        queue,
        attempts: _,
        concurrency: _,
        lease: _,
        poll: _,
        keep_dead: _,
        keep_done: _,
        shared: _,
        on_dead: _,
        // These make up the policy.
        restart: _,
        max_restarts: _,
        restart_window: _,
        backoff: _,
        max_backoff: _,
        unreadable: _,
    } = draft;
    let default = Spec::DEFAULT;
    let on_wall_clock = |calendar| Schedule::Calendar(calendar, timezone.unwrap_or_default());
    let schedule = match (interval, delay, cron) {
        _ if queue => Schedule::Queue(queue_spec),
        (Some(period), _, _) => match anchor.map(|anchor| Anchored::new(period, anchor)) {
            Some(Ok(anchored)) => on_wall_clock(Calendar::Anchored(anchored)),
            // An error is a fault, which `check_anchor` has reported.
            Some(Err(_)) | None => Schedule::Interval(period),
        },
        (None, Some(pause), _) => Schedule::Delay(pause),
        (None, None, Some(cron)) => on_wall_clock(Calendar::Cron(cron)),
        (None, None, None) => default.schedule,
    };
    Spec {
        schedule,
        tolerance,
        initial_delay: initial_delay.unwrap_or(default.initial_delay),
        jitter: jitter.unwrap_or(default.jitter),
        timeout,
        on_timeout: on_timeout.unwrap_or(default.on_timeout),
        restart_policy: policy,
        stop_timeout: stop_timeout.unwrap_or(default.stop_timeout),
        autostart: autostart.unwrap_or(default.autostart),
        critical: critical.unwrap_or(default.critical),
        ready,
    }
}

/// Reports each duration that is out of range and makes it unreadable, so that no other rule judges
/// its value. Every field is named, so that a new duration is not forgotten.
fn remove_out_of_range(draft: &mut Draft) -> Vec<Fault> {
    let Draft {
        interval,
        delay,
        tolerance,
        initial_delay,
        jitter,
        timeout,
        restart_window,
        backoff,
        max_backoff,
        stop_timeout,
        lease,
        poll,
        keep_dead,
        keep_done,
        unreadable,
        // These are not durations.
        queue: _,
        attempts: _,
        concurrency: _,
        shared: _,
        on_dead: _,
        cron: _,
        timezone: _,
        anchor: _,
        on_timeout: _,
        restart: _,
        max_restarts: _,
        autostart: _,
        critical: _,
        ready: _,
    } = draft;
    let mut faults = Vec::new();
    for (key, value) in [
        (Key::Interval, interval),
        (Key::Delay, delay),
        (Key::Tolerance, tolerance),
        (Key::InitialDelay, initial_delay),
        (Key::Jitter, jitter),
        (Key::Timeout, timeout),
        (Key::RestartWindow, restart_window),
        (Key::Backoff, backoff),
        (Key::MaxBackoff, max_backoff),
        (Key::StopTimeout, stop_timeout),
        (Key::Lease, lease),
        (Key::Poll, poll),
        (Key::KeepDead, keep_dead),
        (Key::KeepDone, keep_done),
    ] {
        if let Some(fault) = value.and_then(|found| range::check(key, found).err()) {
            *value = None;
            unreadable.push(key);
            faults.push(fault);
        }
    }
    faults
}

/// At most one schedule may be set. One whose duration is out of range also counts, because it was
/// meant as a schedule.
fn schedule_conflicts(draft: &Draft) -> Vec<Fault> {
    let mut schedules = schedule_keys(draft);
    let first = schedules.next();
    let exclude = |other: Key| {
        let first = first?;
        let remedy = match (first, other) {
            (Key::Interval, Key::Delay) => {
                "keep `interval` for a fixed rate or `delay` for a fixed pause".to_owned()
            }
            (first, other) => format!("keep `{first}` or `{other}`"),
        };
        let message = format!("`{first}` and `{other}` cannot be combined; {remedy}");
        Some(Fault::key(other, message).with(first))
    };
    schedules.filter_map(exclude).collect()
}

/// Those of `interval`, `delay` and `cron` that are set.
fn schedule_keys(draft: &Draft) -> impl Iterator<Item = Key> {
    let interval = draft.interval.is_some().then_some(Key::Interval);
    let delay = draft.delay.is_some().then_some(Key::Delay);
    let cron = draft.cron.is_some().then_some(Key::Cron);
    interval.into_iter().chain(delay).chain(cron)
}

/// The key that makes the service periodic, if any, together with its duration. The duration is
/// `None` for `cron`, for an unreadable key, and if another schedule is set or unreadable.
fn periodic_key(draft: &Draft) -> Option<(Key, Option<Duration>)> {
    let unreadable =
        || [Key::Interval, Key::Delay, Key::Cron].into_iter().find(|key| draft.is_unreadable(*key));
    let mut schedules = schedule_keys(draft);
    match (schedules.next(), schedules.next()) {
        (None, _) => unreadable().map(|key| (key, None)),
        (Some(key), None) if unreadable().is_none() => Some((key, draft.interval.or(draft.delay))),
        (Some(key), _) => Some((key, None)),
    }
}

/// `tolerance` and `jitter` need a period, and must be shorter than it.
fn check_against_period(draft: &Draft, key: Key, value: Option<Duration>) -> Option<Fault> {
    let value = value?;
    // Computed only here, because it is expensive.
    let shortest = |(schedule, period): (Key, Option<Duration>)| match &draft.cron {
        Some(cron) if schedule == Key::Cron && !draft.is_unreadable(Key::Interval) => {
            (schedule, period.or_else(|| Some(cron.shortest_interval())))
        }
        Some(_) | None => (schedule, period),
    };
    match periodic_key(draft).map(shortest) {
        // An `anchor` shows that an `interval` is missing, which is reported there.
        None if draft.anchor.is_some() || draft.is_unreadable(Key::Anchor) => None,
        None => {
            let message = format!(
                "`{key}` has no effect on a continuous service; add `interval`, `delay` or `cron`, or remove `{key}`"
            );
            Some(Fault::key(key, message))
        }
        Some((schedule, Some(period))) if value >= period => {
            let (found, period) = (format(value), format(period));
            let limit = if schedule == Key::Cron {
                format!("`{period}` between two occurrences of `cron`")
            } else {
                format!("`{schedule}` of `{period}`")
            };
            let message = format!(
                "`{key}` of `{found}` is not shorter than the {limit}; make `{key}` shorter than `{period}`"
            );
            Some(Fault::value(key, message).with(schedule))
        }
        Some(_) => None,
    }
}

/// `anchor` requires an `interval` that fits on the wall clock.
fn check_anchor(draft: &Draft) -> Option<Fault> {
    let anchor = draft.anchor?;
    // It is unclear which schedule was meant.
    if schedule_keys(draft).count() > 1 || draft.is_unreadable(Key::Interval) {
        return None;
    }
    let Some((key, period)) = periodic_key(draft) else {
        let message =
            "`anchor` has no effect without `interval`; add `interval` or remove `anchor`";
        return Some(Fault::key(Key::Anchor, message).with(Key::Interval));
    };
    if key == Key::Interval {
        let error = Anchored::new(period?, anchor).err()?;
        let (key, related_key) = match error.is_in_interval() {
            true => (Key::Interval, Key::Anchor),
            false => (Key::Anchor, Key::Interval),
        };
        return Some(Fault::value(key, error.to_string()).with(related_key));
    }
    let message = if key == Key::Cron {
        "`anchor` has no effect with `cron`, which follows the wall clock by itself; remove `anchor`"
    } else {
        "`anchor` has no effect with `delay`, which counts from the end of each run; replace `delay` with `interval`, or remove `anchor`"
    };
    Some(Fault::key(Key::Anchor, message).with(key))
}

/// `timezone` requires `cron` or `anchor`; `initial_delay` conflicts with both.
fn check_calendar_keys(draft: &Draft) -> Vec<Fault> {
    let schedule = periodic_key(draft).map(|(key, _)| key);
    let has_cron = schedule == Some(Key::Cron);
    let has_anchor = draft.anchor.is_some() || draft.is_unreadable(Key::Anchor);
    let unambiguous = schedule_keys(draft).count() <= 1;
    let mut faults = Vec::new();
    if draft.timezone.is_some()
        && !has_cron
        && !has_anchor
        && unambiguous
        && !draft.is_unreadable(Key::Cron)
    {
        let message = "`timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`";
        faults.push(Fault::key(Key::Timezone, message).with(Key::Cron));
    }
    let first_run_by = if has_cron {
        Some(Key::Cron)
    } else {
        (has_anchor && schedule == Some(Key::Interval)).then_some(Key::Anchor)
    };
    if let Some(key) = first_run_by.filter(|_| draft.initial_delay.is_some() && unambiguous) {
        let message = format!(
            "`initial_delay` has no effect with `{key}`, which determines the first run; remove `initial_delay`"
        );
        faults.push(Fault::key(Key::InitialDelay, message).with(key));
    }
    faults
}

/// `"started"` and `"finished"` are for continuous services, and the latter is not for those that are
/// restarted after they finish.
fn check_ready(draft: &Draft) -> Option<Fault> {
    let ready = draft.ready.filter(|ready| *ready != Ready::Notified)?;
    if draft.queue {
        let message = format!(
            "`ready = \"{ready}\"` is for continuous services, and a service with `queue` is ready once it takes jobs; remove `ready`, or use `\"notified\"`"
        );
        return Some(Fault::value(Key::Ready, message).with(Key::Queue));
    }
    if let Some((key, _)) = periodic_key(draft) {
        let when = if key == Key::Cron || draft.anchor.is_some() {
            "as soon as its first run is planned"
        } else {
            "once its first run has ended well"
        };
        let message = format!(
            "`ready = \"{ready}\"` is for continuous services, and a service with `{key}` is ready {when}; remove `ready`, or use `\"notified\"`"
        );
        return Some(Fault::value(Key::Ready, message).with(key));
    }
    if ready == Ready::Finished && draft.restart == Some(Restart::Always) {
        let message = "`ready = \"finished\"` has no meaning with `restart = \"always\"`, because the service never finishes; use `\"started\"` or `\"notified\"`, or remove `restart`";
        return Some(Fault::value(Key::Ready, message).with(Key::Restart));
    }
    None
}

/// `on_timeout` requires `timeout`.
fn check_on_timeout(draft: &Draft) -> Option<Fault> {
    draft.on_timeout?;
    if draft.timeout.is_some() || draft.is_unreadable(Key::Timeout) {
        return None;
    }
    let message =
        "`on_timeout` has no effect without `timeout`; add `timeout` or remove `on_timeout`";
    Some(Fault::key(Key::OnTimeout, message).with(Key::Timeout))
}

fn check_restart_policy(draft: &Draft, faults: &mut Vec<Fault>) -> RestartPolicy {
    let default = RestartPolicy::DEFAULT;
    // Its keys `backoff` and `max_backoff` are about jobs.
    if draft.queue || draft.is_unreadable(Key::Queue) {
        return default;
    }
    let policy = RestartPolicy {
        restart: draft.restart.unwrap_or(default.restart),
        max_restarts: draft.max_restarts,
        window: draft.restart_window,
        backoff: draft.backoff.unwrap_or(default.backoff),
        max_backoff: draft.max_backoff.unwrap_or(default.max_backoff),
    };
    match policy.restart {
        // The other rules concern restarts, which never happen here.
        Restart::Never => {
            faults.extend(check_restart_never(draft));
            return policy;
        }
        Restart::Always => faults.extend(check_restart_always(draft)),
        Restart::OnFailure => {}
    }
    let known = |key| !draft.is_unreadable(key);
    if policy.window.is_some() && policy.max_restarts.is_none() && known(Key::MaxRestarts) {
        let message = "`restart_window` has no effect without `max_restarts`; add `max_restarts` or remove `restart_window`";
        faults.push(Fault::key(Key::RestartWindow, message).with(Key::MaxRestarts));
    }
    if known(Key::Backoff) && known(Key::MaxBackoff) {
        let fault = check_backoff(draft, &policy).or_else(|| check_restart_window(&policy));
        faults.extend(fault);
    }
    policy
}

fn check_restart_never(draft: &Draft) -> impl Iterator<Item = Fault> {
    let restart_keys = [
        (Key::MaxRestarts, draft.max_restarts.is_some()),
        (Key::RestartWindow, draft.restart_window.is_some()),
        (Key::Backoff, draft.backoff.is_some()),
        (Key::MaxBackoff, draft.max_backoff.is_some()),
    ];
    restart_keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| {
        let message = format!(
            "`{key}` has no effect with `restart = \"never\"`; remove `{key}` or allow restarts"
        );
        Fault::key(key, message).with(Key::Restart)
    })
}

fn check_restart_always(draft: &Draft) -> Option<Fault> {
    let (key, _) = periodic_key(draft)?;
    let message = format!(
        "`restart = \"always\"` has no effect with `{key}`, which runs the service again anyway; remove `restart`"
    );
    Some(Fault::value(Key::Restart, message).with(key))
}

fn check_backoff(draft: &Draft, policy: &RestartPolicy) -> Option<Fault> {
    if policy.backoff <= policy.max_backoff {
        return None;
    }
    let (first, longest) = (format(policy.backoff), format(policy.max_backoff));
    let (key, related_key, message) = match (draft.backoff, draft.max_backoff) {
        (None, _) => (
            Key::MaxBackoff,
            Key::Backoff,
            format!(
                "`max_backoff` of `{longest}` is shorter than the default `backoff` of `{first}`; make it at least `{first}`, or set a shorter `backoff`"
            ),
        ),
        (Some(_), None) => (
            Key::Backoff,
            Key::MaxBackoff,
            format!(
                "`backoff` of `{first}` is longer than the default `max_backoff` of `{longest}`; set `max_backoff` to `{first}` or more"
            ),
        ),
        (Some(_), Some(_)) => (
            Key::Backoff,
            Key::MaxBackoff,
            format!(
                "`backoff` of `{first}` is longer than the `max_backoff` of `{longest}`; make it at most `{longest}`"
            ),
        ),
    };
    Some(Fault::value(key, message).with(related_key))
}

/// The window must be longer than the sum of the backoffs before the allowed restarts. This is
/// stricter than necessary: a window that starts with the first restart does not contain the backoff
/// before it.
fn check_restart_window(policy: &RestartPolicy) -> Option<Fault> {
    let (window, count) = (policy.window?, policy.max_restarts?);
    let needed = total_backoff(policy, count);
    if window > needed {
        return None;
    }
    let (found, sum, backoffs) = (format(window), format(needed), list_backoffs(policy, count));
    let remedy = if needed < duration::MAX_DURATION {
        format!("make `restart_window` longer than `{sum}`, or lower `max_restarts` or `backoff`")
    } else {
        "lower `max_restarts`, `backoff` or `max_backoff`".to_owned()
    };
    let message = format!(
        "`restart_window` of `{found}` is too short for `max_restarts = {count}`: the backoffs before the restarts add up to `{sum}` ({backoffs}); {remedy}"
    );
    Some(Fault::value(Key::RestartWindow, message).with(Key::MaxRestarts))
}

/// The sum of the first `count` backoffs, in bounded time: `count` may be `u32::MAX`.
fn total_backoff(policy: &RestartPolicy, count: u32) -> Duration {
    let growing = count.min(CONSTANT_FROM);
    let sum =
        (1..=growing).fold(Duration::ZERO, |sum, k| sum.saturating_add(policy.backoff_after(k)));
    let constant = policy.backoff_after(CONSTANT_FROM).saturating_mul(count - growing);
    sum.saturating_add(constant)
}

/// The first `count` backoffs in backticks; the middle of a long list is omitted.
fn list_backoffs(policy: &RestartPolicy, count: u32) -> String {
    let show = |k| format!("`{}`", format(policy.backoff_after(k)));
    if count <= MAX_LISTED {
        return (1..=count).map(show).collect::<Vec<_>>().join(", ");
    }
    let first: Vec<_> = (1..=4).map(show).collect();
    format!("{} .. {}", first.join(", "), show(count))
}
