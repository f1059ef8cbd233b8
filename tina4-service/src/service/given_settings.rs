//! [`GivenSettings`]: the settings that a builder was given.

use tina4_service_core::{Draft, Key, Setting};

/// The settings that a builder was given, and which keys those are.
///
/// Two of them are compared for each service that a loop registers.
// perf: only the keys that were given are compared. That is one or two of nearly thirty.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenSettings {
    draft: Draft,
    /// A bit for each key that was given. The others have their default in the draft.
    given: u64,
}

const _: () = assert!(Key::ALL.len() <= u64::BITS as usize, "a bit for each key");

impl GivenSettings {
    /// Stores a setting, replacing an earlier one with the same key.
    pub(crate) fn set(&mut self, setting: Setting) {
        self.given |= bit(key_of(&setting));
        self.draft.set(setting);
    }

    /// Records that the value of a key could not be read.
    pub(crate) fn mark_unreadable(&mut self, key: Key) {
        self.draft.unreadable.push(key);
    }

    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }
}

impl PartialEq for GivenSettings {
    fn eq(&self, other: &Self) -> bool {
        if self.given != other.given || self.draft.unreadable != other.draft.unreadable {
            return false;
        }
        let mut left = self.given;
        while left != 0 {
            let key = Key::ALL[left.trailing_zeros() as usize];
            if !is_equal(key, &self.draft, &other.draft) {
                return false;
            }
            left &= left - 1;
        }
        true
    }
}

fn bit(key: Key) -> u64 {
    1 << key as u64
}

fn key_of(setting: &Setting) -> Key {
    match setting {
        Setting::Interval(_) => Key::Interval,
        Setting::Delay(_) => Key::Delay,
        Setting::Cron(_) => Key::Cron,
        Setting::Queue => Key::Queue,
        Setting::Timezone(_) => Key::Timezone,
        Setting::Anchor(_) => Key::Anchor,
        Setting::Tolerance(_) => Key::Tolerance,
        Setting::InitialDelay(_) => Key::InitialDelay,
        Setting::Jitter(_) => Key::Jitter,
        Setting::Timeout(_) => Key::Timeout,
        Setting::OnTimeout(_) => Key::OnTimeout,
        Setting::Restart(_) => Key::Restart,
        Setting::MaxRestarts(_) => Key::MaxRestarts,
        Setting::RestartWindow(_) => Key::RestartWindow,
        Setting::Backoff(_) => Key::Backoff,
        Setting::MaxBackoff(_) => Key::MaxBackoff,
        Setting::StopTimeout(_) => Key::StopTimeout,
        Setting::Attempts(_) => Key::Attempts,
        Setting::Concurrency(_) => Key::Concurrency,
        Setting::Lease(_) => Key::Lease,
        Setting::Poll(_) => Key::Poll,
        Setting::KeepDead(_) => Key::KeepDead,
        Setting::KeepDone(_) => Key::KeepDone,
        Setting::Shared(_) => Key::Shared,
        Setting::OnDead => Key::OnDead,
        Setting::Autostart(_) => Key::Autostart,
        Setting::Critical(_) => Key::Critical,
        Setting::Ready(_) => Key::Ready,
    }
}

/// Whether a key has the same value in two drafts.
// perf: inlined, the compiler would read all fields before the loop.
#[inline(never)]
fn is_equal(key: Key, a: &Draft, b: &Draft) -> bool {
    match key {
        Key::Interval => a.interval == b.interval,
        Key::Delay => a.delay == b.delay,
        Key::Cron => a.cron == b.cron,
        Key::Queue => a.queue == b.queue,
        Key::Timezone => a.timezone == b.timezone,
        Key::Anchor => a.anchor == b.anchor,
        Key::Tolerance => a.tolerance == b.tolerance,
        Key::InitialDelay => a.initial_delay == b.initial_delay,
        Key::Jitter => a.jitter == b.jitter,
        Key::Timeout => a.timeout == b.timeout,
        Key::OnTimeout => a.on_timeout == b.on_timeout,
        Key::Restart => a.restart == b.restart,
        Key::MaxRestarts => a.max_restarts == b.max_restarts,
        Key::RestartWindow => a.restart_window == b.restart_window,
        Key::Backoff => a.backoff == b.backoff,
        Key::MaxBackoff => a.max_backoff == b.max_backoff,
        Key::StopTimeout => a.stop_timeout == b.stop_timeout,
        Key::Attempts => a.attempts == b.attempts,
        Key::Concurrency => a.concurrency == b.concurrency,
        Key::Lease => a.lease == b.lease,
        Key::Poll => a.poll == b.poll,
        Key::KeepDead => a.keep_dead == b.keep_dead,
        Key::KeepDone => a.keep_done == b.keep_done,
        Key::Shared => a.shared == b.shared,
        Key::OnDead => a.on_dead == b.on_dead,
        Key::Autostart => a.autostart == b.autostart,
        Key::Critical => a.critical == b.critical,
        Key::Ready => a.ready == b.ready,
        // No draft has these.
        Key::Name | Key::After | Key::Requires | Key::OnStop | Key::Tags | Key::Crate => true,
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::time::Duration;

    use tina4_service_core::{OnTimeout, Ready, Restart};

    use super::*;

    /// Two values of each key that needs no parsing.
    fn settings(second: bool) -> Vec<Setting> {
        let duration = Duration::from_secs(if second { 2 } else { 1 });
        let count = if second { 2 } else { 1 };
        vec![
            Setting::Interval(duration),
            Setting::Delay(duration),
            Setting::Tolerance(duration),
            Setting::InitialDelay(duration),
            Setting::Jitter(duration),
            Setting::Timeout(duration),
            Setting::OnTimeout(if second { OnTimeout::Cancel } else { OnTimeout::Report }),
            Setting::Restart(if second { Restart::Always } else { Restart::Never }),
            Setting::MaxRestarts(count),
            Setting::RestartWindow(duration),
            Setting::Backoff(duration),
            Setting::MaxBackoff(duration),
            Setting::StopTimeout(duration),
            Setting::Attempts(count),
            Setting::Concurrency(count),
            Setting::Lease(duration),
            Setting::Poll(duration),
            Setting::KeepDead(duration),
            Setting::KeepDone(duration),
            Setting::Shared(second),
            Setting::Autostart(second),
            Setting::Critical(second),
            Setting::Ready(if second { Ready::Notified } else { Ready::Started }),
        ]
    }

    fn given(settings: impl IntoIterator<Item = Setting>) -> GivenSettings {
        let mut given = GivenSettings::default();
        settings.into_iter().for_each(|setting| given.set(setting));
        given
    }

    #[test]
    fn they_are_equal_if_their_drafts_are() {
        let all = given(settings(false));
        for (one, two) in settings(false).into_iter().zip(settings(true)) {
            let base = given([one.clone()]);
            assert_eq!(base, given([one.clone()]));
            assert_ne!(base, given([two.clone()]), "{two:?}");
            assert_ne!(base, GivenSettings::default(), "{one:?}");
            let mut changed = all.clone();
            changed.set(two.clone());
            assert_ne!(all, changed, "{two:?}");
            changed.set(one);
            assert_eq!(all, changed, "{two:?}");
        }
        let mut unreadable = all.clone();
        unreadable.mark_unreadable(Key::Cron);
        assert_ne!(all, unreadable);
    }
}
