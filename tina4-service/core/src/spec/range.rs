//! Which durations a key accepts.

use std::time::Duration;

use super::fault::Fault;
use crate::Key;
use crate::duration::{MAX_DURATION, MIN_DURATION, format};

/// Checks that `key` accepts `duration`: [`MIN_DURATION`] to [`MAX_DURATION`], or zero for `initial_delay`.
pub(super) fn check(key: Key, duration: Duration) -> Result<(), Fault> {
    if duration.is_zero() && key == Key::InitialDelay {
        return Ok(());
    }
    if duration < MIN_DURATION {
        let found = format(duration);
        let message = if duration.is_zero() {
            format!("`{key}` cannot be zero; use at least `1ms`, or remove it")
        } else {
            format!("`{key}` of `{found}` is too short; use at least `1ms`")
        };
        return Err(Fault::value(key, message));
    }
    if duration > MAX_DURATION {
        let found = format(duration);
        let message = format!("`{key}` of `{found}` is too long; use at most `366days`");
        return Err(Fault::value(key, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_outside_the_range_are_refused() {
        let ns = Duration::from_nanos(1);
        for (key, duration, expected) in [
            (Key::Interval, MIN_DURATION, None),
            (Key::Interval, MAX_DURATION, None),
            (Key::InitialDelay, Duration::ZERO, None),
            (
                Key::Interval,
                Duration::ZERO,
                Some("`interval` cannot be zero; use at least `1ms`, or remove it"),
            ),
            (
                Key::InitialDelay,
                ns,
                Some("`initial_delay` of `1ns` is too short; use at least `1ms`"),
            ),
            (
                Key::Delay,
                MAX_DURATION + ns,
                Some("`delay` of `366days 1ns` is too long; use at most `366days`"),
            ),
        ] {
            let found = check(key, duration).err().map(|fault| fault.to_string());
            assert_eq!(found.as_deref(), expected, "{key} {duration:?}");
        }
    }
}
