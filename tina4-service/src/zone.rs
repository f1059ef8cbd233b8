//! The only door to the time zone database: what a zone's clocks show at an instant.

use std::fmt;
use std::time::SystemTime;

use tina4_service_schedule::{ClockChange, Timezone};

#[cfg(feature = "cron")]
pub(crate) use known::Zone;
#[cfg(not(feature = "cron"))]
pub(crate) use unknown::Zone;

impl Zone {
    /// Writes a due time as the zone's clocks show it, and what a change of the clocks has to do
    /// with it.
    pub(crate) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        at: SystemTime,
        change: Option<ClockChange>,
    ) -> fmt::Result {
        self.write_time(f, at)?;
        match change {
            Some(ClockChange::Skipped) => f.write_str(" (clocks go forward)"),
            Some(ClockChange::Repeated) => f.write_str(" (again, clocks went back)"),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "cron")]
mod known {
    use super::{SystemTime, Timezone, fmt};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    /// Where a Unix says in which zone it is.
    const LOCALTIME: &str = "/etc/localtime";

    /// A time zone as this machine knows it.
    #[derive(Clone, Debug)]
    pub(crate) struct Zone(TimeZone);

    impl Zone {
        /// Looks up a time zone; on failure, what is wrong and what to do. `here` is what "local"
        /// means, if not what the machine says.
        pub(crate) fn find(timezone: &Timezone, here: Option<&Self>) -> Result<Self, Box<str>> {
            match (timezone, here) {
                (Timezone::Local, Some(here)) => Ok(here.clone()),
                (Timezone::Local, None) => local().map(Self),
                (Timezone::Named(name), _) => match TimeZone::get(name) {
                    // `Etc/Unknown` is a name for not knowing.
                    Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
                    Ok(_) | Err(_) => Err(unknown(name).into()),
                },
            }
        }

        /// Reads a time: `2026-03-28T12:00:00[Europe/Berlin]`, which says its zone;
        /// `2026-03-28T12:00:00Z`; or `2026-03-28T12:00` in the zone that is given.
        #[cfg(feature = "testing")]
        pub(crate) fn parse_time(
            text: &str,
            zone: Option<&Self>,
        ) -> Result<(SystemTime, Self), String> {
            let wrong = |error: jiff::Error| {
                format!(
                    "`{text}` is not a time: {error}; write `2026-03-28T12:00:00[Europe/Berlin]`, `2026-03-28T12:00:00Z` or `2026-03-28T12:00`"
                )
            };
            if text.contains('[') {
                let time: jiff::ZonedDateTime = text.parse().map_err(wrong)?;
                let at = SystemTime::try_from(time.timestamp()).map_err(wrong)?;
                return Ok((at, Self(time.time_zone().clone())));
            }
            let zone = zone.cloned().unwrap_or(Self(TimeZone::UTC));
            if let Ok(time) = text.parse::<Timestamp>() {
                return Ok((SystemTime::try_from(time).map_err(wrong)?, zone));
            }
            let time: jiff::civil::DateTime = text.parse().map_err(wrong)?;
            let time = zone.0.to_timestamp(time).map_err(wrong)?;
            Ok((SystemTime::try_from(time).map_err(wrong)?, zone))
        }

        pub(crate) fn write_time(&self, f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
            match Timestamp::try_from(at) {
                Ok(at) => {
                    let at = at.to_zoned_datetime(self.0.clone());
                    write!(f, "{}", at.strftime("%Y-%m-%d %H:%M:%S %:z"))
                }
                // Beyond the year 9999.
                Err(_) => write!(f, "{}", humantime::format_rfc3339_seconds(at)),
            }
        }
    }

    impl tina4_service_schedule::Zone for Zone {
        fn offset(&self, instant: i64) -> i64 {
            self.0.to_offset(timestamp(instant)).seconds().into()
        }

        fn next_transition(&self, instant: i64) -> Option<i64> {
            let next = self.0.following(timestamp(instant)).next()?;
            Some(next.timestamp().as_second()).filter(|next| *next > instant)
        }
    }

    /// The nearest instant that the database can speak of: it ends with the year 9999.
    fn timestamp(seconds: i64) -> Timestamp {
        let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_second(seconds).unwrap_or(end)
    }

    /// The machine's own zone. One that is not configured at all is UTC, as for `date` and the C
    /// library; one that is configured and cannot be found is a fault.
    fn local() -> Result<TimeZone, Box<str>> {
        match TimeZone::try_system() {
            Ok(zone) => Ok(zone),
            Err(_) => match std::env::var_os("TZ") {
                Some(found) if !found.is_empty() => {
                    let found = found.display();
                    let problem = format!(
                        "the environment says `TZ={found}`, which is no time zone that this machine knows; correct it, or set `timezone`"
                    );
                    Err(problem.into())
                }
                // Also a link to a zone that is not there.
                Some(_) | None if std::fs::symlink_metadata(LOCALTIME).is_ok() => {
                    let problem = format!(
                        "this machine's own time zone, `{LOCALTIME}`, cannot be read; correct it, or set `timezone`"
                    );
                    Err(problem.into())
                }
                Some(_) | None => Ok(TimeZone::UTC),
            },
        }
    }

    fn unknown(name: &str) -> String {
        let database = jiff::tz::db();
        if database.is_definitively_empty() {
            return format!(
                "`{name}` cannot be looked up, because this machine has no time zone database; install `tzdata`, or compile one in with `jiff = {{ version = \"1\", features = [\"tzdb-bundle-always\"] }}` in Cargo.toml"
            );
        }
        let alike = |known: &str| {
            strsim::jaro_winkler(&known.to_ascii_lowercase(), &name.to_ascii_lowercase())
        };
        let nearest = database
            .available()
            .map(|known| (alike(known.as_str()), known))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let remedy = match nearest {
            Some((score, known)) if score > 0.9 => format!("did you mean `{known}`?"),
            Some(_) | None => {
                "write a name of the IANA database, such as `Europe/Berlin`".to_owned()
            }
        };
        format!("this machine knows no time zone `{name}`; {remedy}")
    }
}

#[cfg(not(feature = "cron"))]
mod unknown {
    use super::{SystemTime, Timezone, fmt};

    /// Without the feature `cron` there is none.
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

    impl tina4_service_schedule::Zone for Zone {
        fn offset(&self, _: i64) -> i64 {
            match *self {}
        }

        fn next_transition(&self, _: i64) -> Option<i64> {
            match *self {}
        }
    }
}
