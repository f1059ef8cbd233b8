//! Validates the names of time zones, as far as that is possible without a time zone database.
//!
//! The database belongs to the machine the program runs on, and changes several times a year, so a
//! name cannot be looked up at compile time. But IANA names have a fixed form: an area from a list
//! that does not change, followed by a place; or one of a few legacy names. Anything else is refused
//! at compile time; the rest is looked up when the program checks its services.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// The time zone of a cron expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Timezone {
    /// The time zone of the machine.
    #[default]
    Local,
    /// An IANA name, such as `Europe/Berlin`, or `UTC`.
    Named(Cow<'static, str>),
}

/// The areas of the IANA time zone database, including legacy ones.
const AREAS: [&str; 16] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];

/// IANA names without an area. No new ones are added.
const LEGACY_NAMES: [&str; 45] = [
    "CET",
    "CST6CDT",
    "Cuba",
    "EET",
    "Egypt",
    "Eire",
    "EST",
    "EST5EDT",
    "Factory",
    "GB",
    "GB-Eire",
    "GMT",
    "GMT+0",
    "GMT-0",
    "GMT0",
    "Greenwich",
    "Hongkong",
    "HST",
    "Iceland",
    "Iran",
    "Israel",
    "Jamaica",
    "Japan",
    "Kwajalein",
    "Libya",
    "MET",
    "MST",
    "MST7MDT",
    "Navajo",
    "NZ",
    "NZ-CHAT",
    "Poland",
    "Portugal",
    "PRC",
    "PST8PDT",
    "ROC",
    "ROK",
    "Singapore",
    "Turkey",
    "UCT",
    "Universal",
    "UTC",
    "W-SU",
    "WET",
    "Zulu",
];

/// The similarity above which a word counts as a misspelling of an area.
const MIN_SIMILARITY: f64 = 0.8;

/// The reason why a string is not the name of a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimezoneError {
    /// The string is empty.
    Empty,
    /// An offset from UTC, not a zone; the whole string.
    Offset(String),
    /// A character that no name contains.
    Character(char),
    /// A name that lacks an area or a place, and is not a legacy name; the whole string.
    Incomplete(String),
    /// The part before the first `/` is not an area; that part.
    UnknownArea(String),
}

impl Timezone {
    /// Parses `local`, `UTC` or a possible IANA name, in any letter case.
    ///
    /// # Errors
    ///
    /// Returns an error if this cannot be the name of a time zone.
    ///
    /// ```
    /// use tina4_service_core::Timezone;
    ///
    /// assert_eq!(Timezone::parse("local").unwrap(), Timezone::Local);
    /// assert!(Timezone::parse("Europe/Berlin").is_ok());
    /// assert_eq!(
    ///     Timezone::parse("UTC+2").unwrap_err().to_string(),
    ///     "`UTC+2` is an offset, not a time zone; name a time zone instead, such as `Europe/Berlin`",
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<Self, TimezoneError> {
        if text.is_empty() {
            return Err(TimezoneError::Empty);
        }
        if text.eq_ignore_ascii_case("local") {
            return Ok(Self::Local);
        }
        let matches = |name: &&str| name.eq_ignore_ascii_case(text);
        if LEGACY_NAMES.iter().any(matches) {
            return Ok(Self::Named(Cow::Owned(text.to_owned())));
        }
        if is_offset(text) {
            return Err(TimezoneError::Offset(text.to_owned()));
        }
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
        if let Some(found) = text.chars().find(|c| !allowed(c)) {
            return Err(TimezoneError::Character(found));
        }
        match text.split_once('/') {
            Some((area, place)) if !place.is_empty() => {
                if AREAS.iter().any(|known| known.eq_ignore_ascii_case(area)) {
                    Ok(Self::Named(Cow::Owned(text.to_owned())))
                } else {
                    Err(TimezoneError::UnknownArea(area.to_owned()))
                }
            }
            Some(_) | None => Err(TimezoneError::Incomplete(text.to_owned())),
        }
    }
}

fn is_offset(text: &str) -> bool {
    let rest = ["UTC", "GMT"].iter().find_map(|word| {
        let (start, rest) = text.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    });
    let rest = rest.unwrap_or(text);
    rest.strip_prefix(['+', '-']).is_some_and(|digits| {
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == ':')
    })
}

/// `local`, or the name as written.
impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for TimezoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the time zone is empty; write `\"local\"`, `\"UTC\"` or a name such as `\"Europe/Berlin\"`",
            ),
            Self::Offset(found) => write!(
                f,
                "`{found}` is an offset, not a time zone; name a time zone instead, such as `Europe/Berlin`"
            ),
            Self::Character(' ') => f.write_str(
                "the name of a time zone has no spaces; write `_`, as in `America/New_York`",
            ),
            Self::Character(found) => write!(
                f,
                "the name of a time zone cannot contain `{}`; write a name such as `Europe/Berlin`",
                found.escape_debug()
            ),
            Self::Incomplete(found) => write!(
                f,
                "`{found}` is not a time zone; write an area and a place, such as `Europe/Berlin`, or `UTC`"
            ),
            Self::UnknownArea(found) => {
                write!(f, "unknown time zone area `{found}`; ")?;
                let nearest = AREAS
                    .iter()
                    .map(|area| (strsim::jaro_winkler(area, found), *area))
                    .max_by(|(a, _), (b, _)| a.total_cmp(b));
                match nearest {
                    Some((similarity, area)) if similarity > MIN_SIMILARITY => write!(f, "did you mean `{area}`?"),
                    Some(_) | None => write!(f, "the areas are {}", AREAS.join(", ")),
                }
            }
        }
    }
}

impl Error for TimezoneError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn possible_names() {
        for name in [
            "UTC",
            "utc",
            "GMT",
            "Zulu",
            "Europe/Berlin",
            "america/argentina/buenos_aires",
            "Etc/GMT+5",
            "America/Port-au-Prince",
            "Antarctica/DumontDUrville",
            "W-SU",
            "GMT+0",
        ] {
            let want = Timezone::Named(Cow::Owned(name.to_owned()));
            assert_eq!(Timezone::parse(name), Ok(want), "{name}");
        }
        assert_eq!(Timezone::parse("Local"), Ok(Timezone::Local));
    }

    #[test]
    fn impossible_names() {
        let text = str::to_owned;
        for (name, error) in [
            ("", TimezoneError::Empty),
            ("+02:00", TimezoneError::Offset(text("+02:00"))),
            ("GMT-3", TimezoneError::Offset(text("GMT-3"))),
            ("America/New York", TimezoneError::Character(' ')),
            ("Europe/Zürich", TimezoneError::Character('ü')),
            ("PST", TimezoneError::Incomplete(text("PST"))),
            ("Berlin", TimezoneError::Incomplete(text("Berlin"))),
            ("Europe/", TimezoneError::Incomplete(text("Europe/"))),
            ("Eurpe/Berlin", TimezoneError::UnknownArea(text("Eurpe"))),
        ] {
            assert_eq!(Timezone::parse(name), Err(error), "{name:?}");
        }
        let message = TimezoneError::UnknownArea(text("Eurpe")).to_string();
        assert_eq!(message, "unknown time zone area `Eurpe`; did you mean `Europe`?");
    }
}
