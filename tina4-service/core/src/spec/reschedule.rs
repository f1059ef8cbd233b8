//! Changes the schedule of a service whose settings are checked already.

use super::Spec;
use super::fault::Fault;
use super::range;
use crate::duration::format;
use crate::{Key, Schedule};

impl Spec {
    /// The same settings with another schedule.
    ///
    /// An `initial_delay` stays, although a calendar schedule does not use it: it counts again if the
    /// schedule is changed back.
    ///
    /// # Errors
    ///
    /// Returns the first setting that does not fit the new schedule. A continuous service cannot get
    /// due times, and no other service can become continuous: its function is written for one or the
    /// other.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::{Draft, Schedule};
    ///
    /// let seconds = Duration::from_secs;
    /// let draft = Draft { interval: Some(seconds(60)), jitter: Some(seconds(5)), ..Draft::default() };
    /// let spec = draft.check().unwrap();
    /// let faster = spec.with_schedule(Schedule::Interval(seconds(10))).unwrap();
    /// assert_eq!(faster.schedule, Schedule::Interval(seconds(10)));
    ///
    /// let fault = spec.with_schedule(Schedule::Interval(seconds(5))).unwrap_err();
    /// assert_eq!(
    ///     fault.to_string(),
    ///     "its `jitter` of `5s` is not shorter than the new period of `5s`; use a longer period",
    /// );
    /// ```
    pub fn with_schedule(&self, schedule: Schedule) -> Result<Self, Fault> {
        match (&self.schedule, &schedule) {
            (Schedule::Queue(_), _) | (_, Schedule::Queue(_)) => {
                let message = "it works on the jobs of a queue, so it has no due times to change; give it an `interval`, a `delay` or a `cron` instead";
                return Err(Fault::key(Key::Queue, message));
            }
            (Schedule::Continuous, _) => {
                let message = "it is continuous, so it has no due times to change; give it an `interval`, a `delay` or a `cron`";
                return Err(Fault::key(Key::Interval, message));
            }
            (_, Schedule::Continuous) => {
                let message = "it has due times, so it cannot become continuous; use an interval, a delay or a calendar";
                return Err(Fault::key(Key::Interval, message));
            }
            (_, Schedule::Interval(period)) => range::check(Key::Interval, *period)?,
            (_, Schedule::Delay(pause)) => range::check(Key::Delay, *pause)?,
            // Checked when it was created.
            (_, Schedule::Calendar(..)) => {}
        }
        let jitter = Some(self.jitter).filter(|jitter| !jitter.is_zero());
        for (key, limited) in [(Key::Jitter, jitter), (Key::Tolerance, self.tolerance)] {
            // The period is computed only if needed, because that is expensive for `cron`.
            if let Some(found) = limited
                && let Some(period) = schedule.shortest_period()
                && found >= period
            {
                let (found, period) = (format(found), format(period));
                let message = format!(
                    "its `{key}` of `{found}` is not shorter than the new period of `{period}`; use a longer period"
                );
                return Err(Fault::value(Key::Interval, message).with(key));
            }
        }
        Ok(Self { schedule, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Anchor, Anchored, Calendar, Cron, Timezone};

    const SECOND: Duration = Duration::from_secs(1);

    fn spec(schedule: Schedule, jitter: Duration) -> Spec {
        Spec { schedule, jitter, ..Spec::DEFAULT }
    }

    #[test]
    fn rule_185_the_settings_must_fit_the_new_schedule() {
        let minute = 60 * SECOND;
        let periodic = spec(Schedule::Interval(minute), 10 * SECOND);
        let cron = |text| Calendar::Cron(Cron::parse(text).expect("it is valid"));
        let calendar = |calendar| Schedule::Calendar(calendar, Timezone::Local);
        let midnight = Anchor::parse("00:00").expect("it is valid");
        let anchored =
            |period| Calendar::Anchored(Anchored::new(period, midnight).expect("it is valid"));
        for (schedule, refused) in [
            (Schedule::Interval(11 * SECOND), None),
            (Schedule::Interval(10 * SECOND), Some("new period of `10s`")),
            (Schedule::Interval(Duration::ZERO), Some("`interval` cannot be zero")),
            (Schedule::Delay(9 * SECOND), Some("new period of `9s`")),
            (Schedule::Delay(367 * 86_400 * SECOND), Some("`delay` of `367days`")),
            (calendar(cron("* * * * *")), None),
            (calendar(cron("*/10 * * * * *")), Some("new period of `10s`")),
            (calendar(anchored(minute)), None),
            (calendar(anchored(10 * SECOND)), Some("new period of `10s`")),
            (Schedule::Continuous, Some("it cannot become continuous")),
        ] {
            let answer = periodic.with_schedule(schedule.clone());
            match (answer, refused) {
                (Ok(found), None) => {
                    assert_eq!(found, Spec { schedule, ..periodic.clone() });
                }
                (Err(fault), Some(part)) => assert!(fault.to_string().contains(part), "{fault}"),
                (answer, _) => panic!("{schedule}: {answer:?}"),
            }
        }
        let tolerant =
            Spec { tolerance: Some(9 * SECOND), ..spec(Schedule::Interval(minute), SECOND) };
        tolerant.with_schedule(Schedule::Delay(10 * SECOND)).unwrap();
        let fault = tolerant.with_schedule(Schedule::Delay(9 * SECOND)).unwrap_err();
        assert!(fault.to_string().contains("its `tolerance` of `9s` is not shorter"), "{fault}");
        let continuous = spec(Schedule::Continuous, Duration::ZERO);
        let fault = continuous.with_schedule(Schedule::Interval(minute)).unwrap_err();
        assert!(fault.to_string().contains("it is continuous"), "{fault}");
    }
}
