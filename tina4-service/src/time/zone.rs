//! The only access to the time zone database, which maps instants to local time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tina4_service_core::{ClockChange, Timezone};

#[cfg(feature = "cron")]
pub(crate) use with_cron::Zone;
#[cfg(not(feature = "cron"))]
pub(crate) use without_cron::Zone;

impl Zone {
    /// Writes a due time in local time, with a note if a DST change affects it.
    pub(crate) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        at: SystemTime,
        change: Option<ClockChange>,
    ) -> fmt::Result {
        self.write_time(f, at)?;
        match change {
            Some(ClockChange::AfterGap) => f.write_str(" (clocks go forward)"),
            Some(ClockChange::InOverlap) => f.write_str(" (again, clocks went back)"),
            None => Ok(()),
        }
    }
}

/// The first second that humantime cannot print: the start of the year 10000.
const YEAR_10000: u64 = 253_402_300_800;

/// Writes an instant in UTC.
pub(crate) fn write_utc(f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) if since.as_secs() < YEAR_10000 => {
            write!(f, "{}", humantime::format_rfc3339_seconds(at))
        }
        Ok(_) | Err(_) => write_seconds(f, at),
    }
}

/// Writes an instant that is out of the range of the calendar library: `@` and the seconds since 1970.
fn write_seconds(f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
    let (sign, distance) = match at.duration_since(UNIX_EPOCH) {
        Ok(since) => ("", since),
        Err(before) => ("-", before.duration()),
    };
    write!(f, "@{sign}{}", distance.as_secs())?;
    match distance.subsec_nanos() {
        0 => Ok(()),
        nanos => f.write_str(format!(".{nanos:09}").trim_end_matches('0')),
    }
}

#[cfg(feature = "cron")]
mod with_cron {
    use super::{SystemTime, Timezone, fmt, write_seconds};
    use crate::text::one_line::OneLine;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use crate::text::nearest::nearest;

    /// The file with the time zone of a Unix system.
    const LOCALTIME: &str = "/etc/localtime";

    /// The names for UTC; each also exists in the area `Etc`. They need no database, which many container
    /// images lack.
    const UTC: [&str; 9] =
        ["GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich", "UCT", "Universal", "UTC", "Zulu"];

    /// A time zone as this machine knows it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Zone(TimeZone);

    impl Zone {
        /// Looks up a time zone; the error contains the problem and its remedy. `local_zone` is the
        /// zone that "local" stands for; `None`: the machine's own.
        pub(crate) fn find(
            timezone: &Timezone,
            local_zone: Option<&Self>,
        ) -> Result<Self, Box<str>> {
            match (timezone, local_zone) {
                (Timezone::Local, Some(zone)) => Ok(zone.clone()),
                (Timezone::Local, None) => local().map(Self),
                (Timezone::Named(name), _) => named(name).map(Self).ok_or_else(|| unknown(name)),
            }
        }

        pub(crate) fn write_time(&self, f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
            match Timestamp::try_from(at) {
                Ok(at) => {
                    let at = at.to_zoned_datetime(self.0.clone());
                    write!(f, "{}", at.strftime("%Y-%m-%d %H:%M:%S %:z"))
                }
                // Outside the years -9999 to 9999, or within about 26 hours of either end.
                Err(_) => write_seconds(f, at),
            }
        }
    }

    /// Parsing and printing of times for tests.
    #[cfg(feature = "testing")]
    impl Zone {
        /// Parses a time: `2026-03-28T12:00:00[Europe/Berlin]`, which names its zone;
        /// `2026-03-28T12:00:00Z`; or `2026-03-28T12:00` in the given zone, or in UTC if there is none.
        /// Also parses the output of [`Zone::write_time`] and [`Zone::write_with_fraction`].
        pub(crate) fn parse_time(
            text: &str,
            zone: Option<&Self>,
        ) -> Result<(SystemTime, Self), String> {
            let wrong = |error: jiff::Error| {
                format!(
                    "`{text}` is not a time: {error}; write `2026-03-28T12:00:00[Europe/Berlin]`, `2026-03-28T12:00:00Z` or `2026-03-28T12:00`"
                )
            };
            // jiff accepts no space before the offset.
            let text = text.replacen(" +", "+", 1).replacen(" -", "-", 1);
            if let Some((time, zone)) = text.split_once('[') {
                let is_utc = zone.strip_suffix(']').is_some_and(is_utc);
                // An offset instead of a name, because it needs no database.
                let utc = is_utc.then(|| format!("{time}[+00:00]"));
                let time: jiff::ZonedDateTime =
                    utc.as_ref().unwrap_or(&text).parse().map_err(wrong)?;
                let at = SystemTime::try_from(time.timestamp()).map_err(wrong)?;
                let zone = if is_utc { TimeZone::UTC } else { time.time_zone().clone() };
                return Ok((at, Self(zone)));
            }
            let zone = zone.cloned().unwrap_or(Self(TimeZone::UTC));
            if let Ok(time) = text.parse::<Timestamp>() {
                return Ok((SystemTime::try_from(time).map_err(wrong)?, zone));
            }
            let time: jiff::civil::DateTime = text.parse().map_err(wrong)?;
            let time = zone.0.to_timestamp(time).map_err(wrong)?;
            Ok((SystemTime::try_from(time).map_err(wrong)?, zone))
        }

        /// Writes a time with its fraction of a second and the name of the zone.
        pub(crate) fn write_with_fraction(
            &self,
            f: &mut fmt::Formatter<'_>,
            at: SystemTime,
        ) -> fmt::Result {
            match Timestamp::try_from(at) {
                Ok(at) => {
                    let at = at.to_zoned_datetime(self.0.clone());
                    write!(f, "{}", at.strftime("%Y-%m-%d %H:%M:%S%.f %:z"))?;
                }
                Err(_) => return write_seconds(f, at),
            }
            match self.name() {
                Some(name) => write!(f, "[{name}]"),
                None => Ok(()),
            }
        }

        /// The zone's name in the time zone database; `None`: it has none.
        pub(crate) fn name(&self) -> Option<&str> {
            self.0.iana_name()
        }
    }

    impl tina4_service_core::Zone for Zone {
        fn offset(&self, instant: i64) -> i64 {
            self.0.to_offset(timestamp(instant)).seconds().into()
        }

        fn next_transition(&self, instant: i64) -> Option<i64> {
            let next = self.0.following(timestamp(instant)).next()?;
            Some(next.timestamp().as_second()).filter(|next| *next > instant)
        }
    }

    /// The nearest instant that jiff can represent: jiff supports the years -9999 to 9999.
    fn timestamp(seconds: i64) -> Timestamp {
        let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_second(seconds).unwrap_or(end)
    }

    /// Whether this is one of the names for UTC.
    fn is_utc(name: &str) -> bool {
        let location = match name.split_at_checked("Etc/".len()) {
            Some((area, location)) if area.eq_ignore_ascii_case("Etc/") => location,
            Some(_) | None => name,
        };
        UTC.iter().any(|known| known.eq_ignore_ascii_case(location))
    }

    /// The zone with this name.
    fn named(name: &str) -> Option<TimeZone> {
        if is_utc(name) {
            return Some(TimeZone::UTC);
        }
        // `Etc/Unknown` means that the zone is unknown.
        TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
    }

    /// The machine's own zone: UTC if none is configured, as for `date` and the C library. A zone that
    /// is configured but cannot be found is an error.
    fn local() -> Result<TimeZone, Box<str>> {
        if let Ok(zone) = TimeZone::try_system()
            && !zone.is_unknown()
        {
            return Ok(zone);
        }
        let Some(found) = std::env::var_os("TZ") else { return from_localtime() };
        // The C library ignores a leading colon.
        let text = found.to_str().map(|text| text.strip_prefix(':').unwrap_or(text));
        let zone = match text {
            Some("") => Some(TimeZone::UTC),
            Some(LOCALTIME) => return from_localtime(),
            Some(text) => named(name_in(text)).or_else(|| TimeZone::posix(text).ok()),
            None => None,
        };
        zone.ok_or_else(|| {
            let found = found.to_string_lossy();
            let found = OneLine(&found);
            if has_no_database() {
                return no_database(format_args!(
                    "the time zone `{found}` in the environment variable `TZ`"
                ));
            }
            let problem = format!(
                "the environment variable `TZ` is `{found}`, which this machine does not know as a time zone; correct it, or set `timezone`"
            );
            problem.into()
        })
    }

    /// The zone that `/etc/localtime` refers to. It may be a dangling link, as in an image without a
    /// database; if the name of the missing file is a name for UTC, the name alone is sufficient.
    fn from_localtime() -> Result<TimeZone, Box<str>> {
        if std::fs::symlink_metadata(LOCALTIME).is_err() {
            return Ok(TimeZone::UTC);
        }
        let link = std::fs::read_link(LOCALTIME).ok();
        let name = link.as_ref().and_then(|link| link.to_str()).map(name_in);
        match (name, name.and_then(named)) {
            (_, Some(zone)) => Ok(zone),
            (Some(name), None) if has_no_database() => {
                let name = OneLine(name);
                Err(no_database(format_args!("`{name}`, the target of the link `{LOCALTIME}`,")))
            }
            (_, None) => {
                let problem = format!(
                    "this machine's own time zone, `{LOCALTIME}`, cannot be read; correct it, or set `timezone`"
                );
                Err(problem.into())
            }
        }
    }

    /// The name of a zone: the part of its file's path after the database's directory.
    fn name_in(path: &str) -> &str {
        const DIRECTORY: &str = "zoneinfo/";
        path.rfind(DIRECTORY).map_or(path, |start| &path[start + DIRECTORY.len()..])
    }

    fn has_no_database() -> bool {
        jiff::tz::db().is_definitively_empty()
    }

    fn no_database(what: impl fmt::Display) -> Box<str> {
        let problem = format!(
            "{what} cannot be looked up, because this machine has no time zone database; install `tzdata`, or compile one in with `jiff = {{ version = \"1\", features = [\"tzdb-bundle-always\"] }}` in Cargo.toml"
        );
        problem.into()
    }

    fn unknown(name: &str) -> Box<str> {
        let shown = OneLine(name);
        if has_no_database() {
            return no_database(format_args!("`{shown}`"));
        }
        let known = jiff::tz::db().available().map(|known| known.as_str().to_owned());
        let remedy = match nearest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "write a name of the IANA database, such as `Europe/Berlin`".to_owned(),
        };
        format!("the time zone `{shown}` is unknown to this machine; {remedy}").into()
    }
}

#[cfg(not(feature = "cron"))]
mod without_cron {
    use super::{SystemTime, Timezone, fmt};

    /// Without the feature `cron` there are no time zones.
    #[derive(Clone, Debug)]
    pub(crate) enum Zone {}

    impl Zone {
        pub(crate) fn find(_: &Timezone, _: Option<&Self>) -> Result<Self, Box<str>> {
            Err("`cron` needs the feature `cron` of tina4-service; add it in Cargo.toml".into())
        }

        pub(super) fn write_time(&self, _: &mut fmt::Formatter<'_>, _: SystemTime) -> fmt::Result {
            match *self {}
        }
    }

    impl tina4_service_core::Zone for Zone {
        fn offset(&self, _: i64) -> i64 {
            match *self {}
        }

        fn next_transition(&self, _: i64) -> Option<i64> {
            match *self {}
        }
    }
}
