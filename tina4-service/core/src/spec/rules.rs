//! The rules that turn a [`Draft`] into a [`Spec`], one function per subject.

use std::time::Duration;

use super::Spec;
use super::draft::Draft;
use super::fault::Fault;
use super::range;
use crate::duration::{self, text};
use crate::{Key, Restart, RestartPolicy, Schedule};

/// No delay doubles more often than this before it has reached the longest there is.
const DOUBLINGS: u32 = 64;

/// How many delays a message spells out before it leaves out the middle.
const SPELLED_OUT: u32 = 8;

impl Draft {
    /// Checks every value and every pair of values, and fills in the defaults.
    ///
    /// # Errors
    ///
    /// Reports all faults, in the order of the keys.
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
    ///     "`jitter` of `1s` is not shorter than the `interval` of `1s`; make it shorter",
    /// );
    /// ```
    pub fn check(&self) -> Result<Spec, Vec<Fault>> {
        check(self)
    }
}

fn check(draft: &Draft) -> Result<Spec, Vec<Fault>> {
    let mut faults = two_schedules(draft);
    let mut draft = draft.clone();
    faults.extend(ranges(&mut draft));
    faults.extend(calendar(&draft));
    faults.extend(jitter(&draft));
    let restart = restart(&draft, &mut faults);
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.key);
        return Err(faults);
    }
    let default = Spec::DEFAULT;
    let schedule = match (draft.interval, draft.delay, draft.cron) {
        (Some(period), _, _) => Schedule::Interval(period),
        (None, Some(pause), _) => Schedule::Delay(pause),
        (None, None, Some(cron)) => Schedule::Cron(cron, draft.timezone.unwrap_or_default()),
        (None, None, None) => default.schedule,
    };
    Ok(Spec {
        schedule,
        initial_delay: draft.initial_delay.unwrap_or(default.initial_delay),
        jitter: draft.jitter.unwrap_or(default.jitter),
        timeout: draft.timeout,
        restart,
        stop_timeout: draft.stop_timeout.unwrap_or(default.stop_timeout),
        autostart: draft.autostart.unwrap_or(default.autostart),
        critical: draft.critical.unwrap_or(default.critical),
    })
}

impl Draft {
    fn is_unreadable(&self, key: Key) -> bool {
        self.unreadable.contains(&key)
    }
}

/// A value that is out of range becomes unreadable, so that no other rule mentions it.
fn ranges(draft: &mut Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, value) in [
        (Key::Interval, &mut draft.interval),
        (Key::Delay, &mut draft.delay),
        (Key::InitialDelay, &mut draft.initial_delay),
        (Key::Jitter, &mut draft.jitter),
        (Key::Timeout, &mut draft.timeout),
        (Key::RestartWindow, &mut draft.restart_window),
        (Key::Backoff, &mut draft.backoff),
        (Key::MaxBackoff, &mut draft.max_backoff),
        (Key::StopTimeout, &mut draft.stop_timeout),
    ] {
        if let Some(fault) = value.and_then(|found| range::check(key, found).err()) {
            *value = None;
            draft.unreadable.push(key);
            faults.push(fault);
        }
    }
    faults
}

/// Also when one of them is out of range.
fn two_schedules(draft: &Draft) -> Vec<Fault> {
    let mut written = written_schedules(draft);
    let first = written.next();
    let exclude = |other: Key| {
        let first = first?;
        let remedy = match (first, other) {
            (Key::Interval, Key::Delay) => {
                "keep `interval` for a fixed rate or `delay` for a fixed pause".to_owned()
            }
            (first, other) => format!("keep `{first}` or `{other}`"),
        };
        let message = format!("`{first}` and `{other}` exclude each other; {remedy}");
        Some(Fault::key(other, message).with(first))
    };
    written.filter_map(exclude).collect()
}

fn written_schedules(draft: &Draft) -> impl Iterator<Item = Key> {
    let interval = draft.interval.is_some().then_some(Key::Interval);
    let delay = draft.delay.is_some().then_some(Key::Delay);
    let cron = draft.cron.is_some().then_some(Key::Cron);
    interval.into_iter().chain(delay).chain(cron)
}

/// The key that makes the service periodic, if one was written, and its duration, if it has one and
/// that is certain.
fn period(draft: &Draft) -> Option<(Key, Option<Duration>)> {
    let unreadable =
        || [Key::Interval, Key::Delay, Key::Cron].into_iter().find(|key| draft.is_unreadable(*key));
    let mut written = written_schedules(draft);
    match (written.next(), written.next()) {
        (None, _) => unreadable().map(|key| (key, None)),
        (Some(key), None) if unreadable().is_none() => Some((key, draft.interval.or(draft.delay))),
        (Some(key), _) => Some((key, None)),
    }
}

fn jitter(draft: &Draft) -> Option<Fault> {
    let jitter = draft.jitter?;
    // Which takes a while to find out.
    let shortest = |(key, period): (Key, Option<Duration>)| match &draft.cron {
        Some(cron) if key == Key::Cron && !draft.is_unreadable(Key::Interval) => {
            (key, period.or_else(|| Some(cron.shortest_pause())))
        }
        Some(_) | None => (key, period),
    };
    match period(draft).map(shortest) {
        None => {
            let message = "`jitter` has no effect on a continuous service; add `interval`, `delay` or `cron`, or remove `jitter`";
            Some(Fault::key(Key::Jitter, message))
        }
        Some((key, Some(period))) if jitter >= period => {
            let (found, period) = (text(jitter), text(period));
            let limit = if key == Key::Cron {
                format!("`{period}` between two times of `cron`")
            } else {
                format!("`{key}` of `{period}`")
            };
            let message =
                format!("`jitter` of `{found}` is not shorter than the {limit}; make it shorter");
            Some(Fault::value(Key::Jitter, message).with(key))
        }
        Some(_) => None,
    }
}

/// What goes only with `cron`, and what does not go with it.
fn calendar(draft: &Draft) -> Vec<Fault> {
    let by_calendar = match period(draft) {
        Some((key, _)) => key == Key::Cron,
        None => false,
    };
    let certain = written_schedules(draft).count() <= 1;
    let mut faults = Vec::new();
    if draft.timezone.is_some() && !by_calendar && certain && !draft.is_unreadable(Key::Cron) {
        let message = "`timezone` has no effect without `cron`; add `cron` or remove `timezone`";
        faults.push(Fault::key(Key::Timezone, message).with(Key::Cron));
    }
    if draft.initial_delay.is_some() && by_calendar && certain {
        let message = "`initial_delay` has no effect with `cron`, which says itself when the first run is; remove `initial_delay`";
        faults.push(Fault::key(Key::InitialDelay, message).with(Key::Cron));
    }
    faults
}

fn restart(draft: &Draft, faults: &mut Vec<Fault>) -> RestartPolicy {
    let default = RestartPolicy::DEFAULT;
    let policy = RestartPolicy {
        restart: draft.restart.unwrap_or(default.restart),
        max_restarts: draft.max_restarts,
        window: draft.restart_window,
        backoff: draft.backoff.unwrap_or(default.backoff),
        max_backoff: draft.max_backoff.unwrap_or(default.max_backoff),
    };
    match policy.restart {
        // Everything else is about restarts that never happen.
        Restart::Never => {
            faults.extend(never(draft));
            return policy;
        }
        Restart::Always => faults.extend(always(draft)),
        Restart::OnFailure => {}
    }
    let known = |key| !draft.is_unreadable(key);
    if policy.window.is_some() && policy.max_restarts.is_none() && known(Key::MaxRestarts) {
        let message = "`restart_window` has no effect without `max_restarts`; add `max_restarts` or remove `restart_window`";
        faults.push(Fault::key(Key::RestartWindow, message).with(Key::MaxRestarts));
    }
    if known(Key::Backoff) && known(Key::MaxBackoff) {
        let fault = backoff(draft, &policy).or_else(|| window(&policy));
        faults.extend(fault);
    }
    policy
}

fn never(draft: &Draft) -> impl Iterator<Item = Fault> {
    let written = [
        (Key::MaxRestarts, draft.max_restarts.is_some()),
        (Key::RestartWindow, draft.restart_window.is_some()),
        (Key::Backoff, draft.backoff.is_some()),
        (Key::MaxBackoff, draft.max_backoff.is_some()),
    ];
    written.into_iter().filter(|(_, is_written)| *is_written).map(|(key, _)| {
        let message = format!(
            "`{key}` has no effect with `restart = \"never\"`; remove `{key}` or allow restarts"
        );
        Fault::key(key, message).with(Key::Restart)
    })
}

fn always(draft: &Draft) -> Option<Fault> {
    let (key, _) = period(draft)?;
    let message = format!(
        "`restart = \"always\"` has no effect with `{key}`, which runs the service again anyway; remove `restart`"
    );
    Some(Fault::value(Key::Restart, message).with(key))
}

fn backoff(draft: &Draft, policy: &RestartPolicy) -> Option<Fault> {
    if policy.backoff <= policy.max_backoff {
        return None;
    }
    let (first, longest) = (text(policy.backoff), text(policy.max_backoff));
    let (key, also, message) = match (draft.backoff, draft.max_backoff) {
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
    Some(Fault::value(key, message).with(also))
}

/// A window in which the allowed restarts cannot happen would never see too many of them.
fn window(policy: &RestartPolicy) -> Option<Fault> {
    let (window, count) = (policy.window?, policy.max_restarts?);
    let needed = total(policy, count);
    if window > needed {
        return None;
    }
    let (found, sum, delays) = (text(window), text(needed), delays(policy, count));
    let remedy = if needed < duration::LONGEST {
        format!("make it longer than `{sum}`, or lower `max_restarts` or `backoff`")
    } else {
        "lower `max_restarts`, `backoff` or `max_backoff`".to_owned()
    };
    let message = format!(
        "`restart_window` of `{found}` is too short for `max_restarts = {count}`, whose delays are {delays} (`{sum}` in all); {remedy}"
    );
    Some(Fault::value(Key::RestartWindow, message).with(Key::MaxRestarts))
}

/// The sum of the first `count` delays, without walking through all of them.
fn total(policy: &RestartPolicy, count: u32) -> Duration {
    let walked = count.min(DOUBLINGS);
    let doubling = (1..=walked).fold(Duration::ZERO, |sum, k| sum.saturating_add(policy.delay(k)));
    let level = policy.delay(DOUBLINGS).saturating_mul(count - walked);
    doubling.saturating_add(level)
}

fn delays(policy: &RestartPolicy, count: u32) -> String {
    let spell = |k| format!("`{}`", text(policy.delay(k)));
    if count <= SPELLED_OUT {
        return (1..=count).map(spell).collect::<Vec<_>>().join(", ");
    }
    let first: Vec<_> = (1..=4).map(spell).collect();
    format!("{} .. {}", first.join(", "), spell(count))
}
