//! Durations, instants and counts as people read them, and parts of URLs.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use maud::{Markup, html};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A whole number of seconds, in one or two units: `12 s`, `3 min`, `2 h 5 min`, `4 d 3 h`.
///
/// The script writes the same texts while an open page ages (`words` in `page.js`).
pub(super) fn coarse(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |first: u64, unit: &str, second: u64, small: &str| match second {
        0 => format!("{first} {unit}"),
        _ => format!("{first} {unit} {second} {small}"),
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

/// A duration with three digits: `0.42 ms`, `17.3 ms`, `1.25 s`; from two minutes on as [`coarse`].
pub(super) fn precise(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        _ if duration.as_secs() >= 2 * MINUTE => return coarse(duration),
        0.0 => return "0 ms".to_owned(),
        ..0.001 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// An instant as seen from `now`: `in 12 s`, `3 min ago`, `now`.
pub(super) fn relative(at: SystemTime, now: SystemTime) -> String {
    match (at.duration_since(now), now.duration_since(at)) {
        (Ok(ahead), _) if ahead.as_secs() > 0 => format!("in {}", coarse(ahead)),
        (_, Ok(past)) if past.as_secs() > 0 => format!("{} ago", coarse(past)),
        _ => "now".to_owned(),
    }
}

/// Date and time in UTC: `2026-01-02 03:04:05 UTC`.
pub(super) fn absolute(at: SystemTime) -> String {
    let mut text = rfc3339(at);
    if text.len() == "2026-01-02T03:04:05Z".len() {
        text.replace_range(10..11, " ");
        text.replace_range(19..20, " UTC");
    }
    text
}

/// Seconds from 1970 to the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// `unknown` outside the years 1970 to 9999, for which `humantime` panics or fails.
fn rfc3339(at: SystemTime) -> String {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since.as_secs() <= LAST => humantime::format_rfc3339_seconds(at).to_string(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

/// An instant as seen from now, which the script keeps true; the exact one is in its tooltip.
pub(super) fn when(at: SystemTime, now: SystemTime) -> Markup {
    html! {
        time data-relative datetime=(rfc3339(at)) title=(absolute(at)) { (relative(at, now)) }
    }
}

/// Date and time, and the instant as seen from now.
pub(super) fn exactly_when(at: SystemTime, now: SystemTime) -> Markup {
    html! {
        time datetime=(rfc3339(at)) { (absolute(at)) }
        " " span.muted { "(" (when(at, now)) ")" }
    }
}

/// A count and its noun: `1 run`, `12,345 runs`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A count with its thousands separated: `12,345`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A message of the form `problem; remedy` as a person reads it: it begins with a capital, and what is in backticks is
/// code.
pub(super) fn message(text: &str) -> Markup {
    let (before, after) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let capitalized = before.to_uppercase() + after;
    html! {
        @for (nth, part) in capitalized.split('`').enumerate() {
            @if nth % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The first line of a text, and whether there is more of it.
pub(super) fn first_line(text: &str, limit: usize) -> (&str, bool) {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(limit).map_or(line.len(), |(end, _)| end);
    (&line[..end], end < text.trim_end().len())
}

/// A text as one segment of the path of a URL, or as a value in its query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                encoded.push(byte.into())
            }
            // A segment `.` or `..` would be resolved by the browser.
            b'.' if text.bytes().any(|byte| byte != b'.') => encoded.push('.'),
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_texts() {
        let coarse = |seconds| coarse(Duration::from_secs(seconds));
        let texts = [0, 59, 60, 3_599, 3_600, 7_500, 86_400, 360_000].map(coarse);
        assert_eq!(texts, ["0 s", "59 s", "1 min", "59 min", "1 h", "2 h 5 min", "1 d", "4 d 4 h"]);
        let precise = |micros| precise(Duration::from_micros(micros));
        let texts = [0, 7, 420, 1_000, 17_340, 999_000, 1_250_000, 60_000_000, 119_000_000];
        assert_eq!(
            texts.map(precise),
            ["0 ms", "7 µs", "420 µs", "1 ms", "17.3 ms", "999 ms", "1.25 s", "60 s", "119 s"]
        );
        assert_eq!(precise(7_500_000_000), "2 h 5 min");
    }

    #[test]
    fn instants_are_seen_from_now() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_millis(seconds);
        let now = at(1_000_000_000_000);
        let cases = [
            (now, "now"),
            (at(1_000_000_000_999), "now"),
            (at(1_000_000_012_000), "in 12 s"),
            (at(999_999_999_500), "now"),
            (at(999_999_820_000), "3 min ago"),
        ];
        for (at, text) in cases {
            assert_eq!(relative(at, now), text);
        }
        assert_eq!(absolute(now), "2001-09-09 01:46:40 UTC");
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST);
        assert_eq!(absolute(last), "9999-12-31 23:59:59 UTC");
        let second = Duration::from_secs(1);
        for outside in [SystemTime::UNIX_EPOCH - second, last + second] {
            assert_eq!(absolute(outside), "unknown");
        }
        assert_eq!(
            when(at(1_000_000_012_000), now).into_string(),
            "<time data-relative datetime=\"2001-09-09T01:46:52Z\" \
             title=\"2001-09-09 01:46:52 UTC\">in 12 s</time>"
        );
    }

    #[test]
    fn counts_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((counted(1, "run"), counted(2, "run")), ("1 run".into(), "2 runs".into()));
    }

    #[test]
    fn a_message_has_a_capital_and_code() {
        let html = message("there is no `<x>`; did you mean `y`?").into_string();
        assert_eq!(html, "There is no <code>&lt;x&gt;</code>; did you mean <code>y</code>?");
        assert_eq!(message("`a` is off").into_string(), "<code>a</code> is off");
        assert_eq!(message("").into_string(), "");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(first_line("one\ntwo", 10), ("one", true));
        assert_eq!(first_line("one\n", 10), ("one", false));
        assert_eq!(first_line("ééé", 2), ("éé", true));
        assert_eq!(first_line("", 2), ("", false));
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        let cases = [
            ("mail.send-daily", "mail.send-daily"),
            ("..", "%2E%2E"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("\"<é", "%22%3C%C3%A9"),
        ];
        for (text, encoded) in cases {
            assert_eq!(encode(text), encoded);
        }
    }
}
