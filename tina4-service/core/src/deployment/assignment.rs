//! One value that a deployment gives to a key.

use super::settable_key::SettableKey;
use crate::spec::{count_too_large, negative_count, unknown_word};
use crate::{Anchor, Cron, Key, OnTimeout, Restart, Setting, Timezone, duration, name};

/// What a deployment says about one key of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// The value of a key.
    Set(Setting),
    /// `none`: the key has no value.
    Unset(Key),
    /// `off` as a schedule: the service is disabled.
    Off(Key),
    /// Whether the service is started at all.
    Enabled(bool),
    /// The tags, instead of those in the code.
    Tags(Vec<String>),
}

/// The word that unsets a key.
const NONE: &str = "none";
/// The word that disables a service in place of its schedule.
const OFF: &str = "off";

impl Assignment {
    /// Parses the value of a key: as the attribute does, without quotation marks; `off` for a schedule, and
    /// `none` for a key that has no default.
    ///
    /// # Errors
    ///
    /// Returns the problem and its remedy, in the words of the attribute.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::deployment::{Assignment, SettableKey};
    /// use tina4_service_core::{Key, Setting};
    ///
    /// let interval = SettableKey::Attribute(Key::Interval);
    /// let minute = Setting::Interval(Duration::from_secs(60));
    /// assert_eq!(Assignment::parse(interval, "1m"), Ok(Assignment::Set(minute)));
    /// assert_eq!(Assignment::parse(interval, "off"), Ok(Assignment::Off(Key::Interval)));
    /// assert_eq!(
    ///     Assignment::parse(interval, "30").unwrap_err(),
    ///     "`30` has no unit; did you mean `\"30s\"`?",
    /// );
    /// ```
    pub fn parse(key: SettableKey, text: &str) -> Result<Self, String> {
        if let Some(inner) = unquoted(text) {
            return Err(format!(
                "the quotation marks are part of the value; write `{}` without them",
                inner.escape_debug()
            ));
        }
        let key = match key {
            SettableKey::Enabled => return parse_bool(text).map(Self::Enabled),
            SettableKey::Attribute(key) => key,
        };
        if text == NONE {
            return unset(key);
        }
        let of_duration = |setting: fn(_) -> Setting| {
            duration::parse(text).map(setting).map_err(|error| error.to_string())
        };
        let setting = match key {
            Key::Interval | Key::Delay | Key::Cron | Key::Queue if text == OFF => {
                return Ok(Self::Off(key));
            }
            Key::Queue => {
                return Err(format!(
                    "the code chooses the queue; write `off` to disable the service, found `{}`",
                    text.escape_debug()
                ));
            }
            Key::Interval => of_duration(Setting::Interval)?,
            Key::Delay => of_duration(Setting::Delay)?,
            Key::Cron => Setting::Cron(Cron::parse(text).map_err(|error| format!("{error:#}"))?),
            Key::Timezone => {
                Setting::Timezone(Timezone::parse(text).map_err(|error| error.to_string())?)
            }
            Key::Anchor => Setting::Anchor(Anchor::parse(text).map_err(|error| error.to_string())?),
            Key::Tolerance => of_duration(Setting::Tolerance)?,
            Key::InitialDelay => of_duration(Setting::InitialDelay)?,
            Key::Jitter => of_duration(Setting::Jitter)?,
            Key::Timeout => of_duration(Setting::Timeout)?,
            Key::OnTimeout => Setting::OnTimeout(
                OnTimeout::from_word(text)
                    .ok_or_else(|| unknown_word(key, text, OnTimeout::ALL, OnTimeout::as_str))?,
            ),
            Key::Restart => Setting::Restart(
                Restart::from_word(text)
                    .ok_or_else(|| unknown_word(key, text, Restart::ALL, Restart::as_str))?,
            ),
            Key::MaxRestarts => Setting::MaxRestarts(
                // A variable that is removed leaves the limit of the code.
                parse_count(key, text)
                    .map_err(|problem| problem.replace("remove `max_restarts`", "write `none`"))?,
            ),
            Key::RestartWindow => of_duration(Setting::RestartWindow)?,
            Key::Backoff => of_duration(Setting::Backoff)?,
            Key::MaxBackoff => of_duration(Setting::MaxBackoff)?,
            Key::StopTimeout => of_duration(Setting::StopTimeout)?,
            Key::Attempts => Setting::Attempts(parse_count(key, text)?),
            Key::Concurrency => Setting::Concurrency(parse_count(key, text)?),
            Key::Lease => of_duration(Setting::Lease)?,
            Key::Poll => of_duration(Setting::Poll)?,
            Key::KeepDead => of_duration(Setting::KeepDead)?,
            Key::KeepDone => of_duration(Setting::KeepDone)?,
            Key::Autostart => Setting::Autostart(parse_bool(text)?),
            Key::Tags => return parse_tags(text).map(Self::Tags),
            Key::Name
            | Key::After
            | Key::Requires
            | Key::Ready
            | Key::OnStop
            | Key::Shared
            | Key::OnDead
            | Key::Critical
            | Key::Crate => return Err(fixed(key)),
        };
        Ok(Self::Set(setting))
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> SettableKey {
        SettableKey::Attribute(match self {
            Self::Set(setting) => setting.key(),
            Self::Unset(key) | Self::Off(key) => *key,
            Self::Tags(_) => Key::Tags,
            Self::Enabled(_) => return SettableKey::Enabled,
        })
    }
}

/// The problem of a key that a deployment may not set.
pub(super) fn fixed(key: Key) -> String {
    format!(
        "`{key}` cannot be changed at deployment, because the code depends on it; change it there"
    )
}

/// The text between quotation marks. Some files of variables are read without a shell, which would remove
/// them.
fn unquoted(text: &str) -> Option<&str> {
    let between = |mark| text.strip_prefix(mark)?.strip_suffix(mark);
    between('"').or_else(|| between('\''))
}

/// Whether `none` may be the value of a key.
pub(super) fn can_be_unset(key: Key) -> bool {
    unset(key).is_ok()
}

/// `none` as the value of a key.
fn unset(key: Key) -> Result<Assignment, String> {
    match key {
        Key::Anchor
        | Key::Tolerance
        | Key::Jitter
        | Key::Timeout
        | Key::MaxRestarts
        | Key::RestartWindow
        | Key::KeepDone => Ok(Assignment::Unset(key)),
        Key::Tags => Ok(Assignment::Tags(Vec::new())),
        Key::Interval | Key::Delay | Key::Cron | Key::Queue => Err(format!(
            "a service cannot lose its schedule; write `off` to disable it, or another value for `{key}`"
        )),
        Key::Timezone
        | Key::InitialDelay
        | Key::OnTimeout
        | Key::Restart
        | Key::Backoff
        | Key::MaxBackoff
        | Key::StopTimeout
        | Key::Attempts
        | Key::Concurrency
        | Key::Lease
        | Key::Poll
        | Key::KeepDead
        | Key::Autostart => {
            let default = Setting::default_text(key).unwrap_or_default();
            Err(format!("`{key}` always has a value; write one, such as `{default}`"))
        }
        Key::Name
        | Key::After
        | Key::Requires
        | Key::Ready
        | Key::OnStop
        | Key::Shared
        | Key::OnDead
        | Key::Critical
        | Key::Crate => Err(fixed(key)),
    }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let lower = text.to_ascii_lowercase();
            let remedy = match lower.as_str() {
                "true" | "1" | "yes" | "on" => "did you mean `true`?",
                "false" | "0" | "no" | "off" => "did you mean `false`?",
                _ => "write one of them",
            };
            Err(format!("expected `true` or `false`, found `{}`; {remedy}", text.escape_debug()))
        }
    }
}

/// A whole number as in Rust, where the attribute is: `1_000`, `0x3e8` and `1000u32` are the same.
fn parse_count(key: Key, text: &str) -> Result<u32, String> {
    if text.strip_prefix('-').is_some_and(|positive| digits_of(positive).is_some()) {
        return Err(negative_count(key));
    }
    let Some((radix, digits)) = digits_of(text) else {
        return Err(format!(
            "expected a whole number, found `{}`; write one, such as `5`",
            text.escape_debug()
        ));
    };
    // It is a number, so it can only be too large.
    u32::from_str_radix(&digits, radix).map_err(|_| count_too_large(key, text))
}

/// The radix and the digits of a whole number; `None`: the text is none.
fn digits_of(text: &str) -> Option<(u32, String)> {
    let number = text.strip_suffix("u32").unwrap_or(text);
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed =
        prefixes.iter().find_map(|(prefix, radix)| Some((*radix, number.strip_prefix(prefix)?)));
    let is_decimal = number.starts_with(|c: char| c.is_ascii_digit());
    let (radix, digits) = prefixed.or(is_decimal.then_some((10, number)))?;
    let digits = digits.replace('_', "");
    let are_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    are_digits.then_some((radix, digits))
}

/// Tags, separated by commas.
fn parse_tags(text: &str) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim) {
        name::check_tag(tag).map_err(|error| error.to_string())?;
        if tags.iter().any(|known| known == tag) {
            return Err(format!("the tag `{tag}` is given more than once; keep one"));
        }
        tags.push(tag.to_owned());
    }
    Ok(tags)
}
