//! Which durations a key accepts.

use std::time::Duration;

use super::fault::Fault;
use crate::Key;
use crate::duration::{LONGEST, SHORTEST, text};

/// Checks that `key` accepts `duration`: [`SHORTEST`] to [`LONGEST`], or zero for `initial_delay`.
pub(super) fn check(key: Key, duration: Duration) -> Result<(), Fault> {
    if duration.is_zero() && key == Key::InitialDelay {
        return Ok(());
    }
    if duration < SHORTEST {
        let found = text(duration);
        let message = if duration.is_zero() {
            format!("`{key}` cannot be zero; use at least `1ms`, or remove it")
        } else {
            format!("`{key}` of `{found}` is too short; use at least `1ms`")
        };
        return Err(Fault::value(key, message));
    }
    if duration > LONGEST {
        let found = text(duration);
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
            (Key::Interval, SHORTEST, None),
            (Key::Interval, LONGEST, None),
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
                LONGEST + ns,
                Some("`delay` of `366days 1ns` is too long; use at most `366days`"),
            ),
        ] {
            let found = check(key, duration).err().map(|fault| fault.to_string());
            assert_eq!(found.as_deref(), expected, "{key} {duration:?}");
        }
    }
}
