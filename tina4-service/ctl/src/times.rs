//! Instants and lengths of time, as people read them.

use std::time::{Duration, SystemTime};

/// An instant of the console, such as `2026-01-02T03:04:05.678Z`.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let millis = if text.get(19..20) == Some(".") { number(20, 23)? } else { 0 };
    if !text.ends_with('Z') || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // The days before a month, in a year that begins with March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(seconds * 1_000 + millis))
}

/// How far an instant is away, such as `in 3m` or `12s ago`.
pub(crate) fn relative(at: SystemTime, now: SystemTime) -> String {
    match at.duration_since(now) {
        Ok(left) if left < Duration::from_secs(1) => "now".to_owned(),
        Ok(left) => format!("in {}", short(left)),
        Err(earlier) if earlier.duration() < Duration::from_secs(1) => "now".to_owned(),
        Err(earlier) => format!("{} ago", short(earlier.duration())),
    }
}

/// A length of time in its largest unit that has at least two of it: `90s`, `3m`, `36h`.
pub(crate) fn short(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.as_millis());
    match seconds {
        0 if millis == 0 => format!("{}us", duration.as_micros()),
        0..2 => format!("{millis}ms"),
        2..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A number of seconds of the console.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_115_instants_are_read_and_shown_as_distances() {
        let unix = |text| parse(text).map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2000-03-01T00:00:00.000Z", Some(951_868_800_000)),
            ("2024-02-29T12:34:56.789Z", Some(1_709_210_096_789)),
            ("2026-11-28T13:00:00Z", Some(1_795_870_800_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("yesterday", None),
            ("2026-13-01T00:00:00.000Z", None),
            ("2026-01-01T00:00:00.000+01:00", None),
        ] {
            assert_eq!(unix(text), millis.map(Duration::from_millis), "{text}");
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let half = Duration::from_millis(500);
        assert_eq!(
            (relative(now + half, now), relative(now - half, now)),
            ("now".into(), "now".into())
        );
        assert_eq!(relative(now + Duration::from_secs(30), now), "in 30s");
        assert_eq!(relative(now - Duration::from_secs(600), now), "10m ago");
        for (millis, expected) in [
            (0, "0us"),
            (5, "5ms"),
            (1_999, "1999ms"),
            (2_000, "2s"),
            (119_000, "119s"),
            (120_000, "2m"),
            (7_200_000, "2h"),
            (172_800_000, "2d"),
        ] {
            assert_eq!(short(Duration::from_millis(millis)), expected);
        }
    }
}
