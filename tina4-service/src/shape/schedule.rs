//! The shape of a schedule.

use serde_core::ser::{Serialize, Serializer};
use tina4_service_core::{Calendar, Schedule as Declared};

use super::fields::object;
use super::values::{Seconds, Text};
use crate::time::schedule::Schedule;

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (period, cron, anchor, timezone) = match self.declared() {
            Declared::Continuous | Declared::Queue(_) => (None, None, None, None),
            Declared::Interval(period) | Declared::Delay(period) => {
                (Some(*period), None, None, None)
            }
            Declared::Calendar(Calendar::Cron(cron), timezone) => {
                (None, Some(cron), None, Some(timezone))
            }
            Declared::Calendar(Calendar::Anchored(anchored), timezone) => {
                (Some(anchored.period), None, Some(anchored.anchor), Some(timezone))
            }
        };
        object!(serializer, "Schedule", {
            "kind": self.kind(),
            "text": Text(self),
            "period_seconds": period.map(Seconds),
            "cron": cron.map(Text),
            "anchor": anchor.map(Text),
            "timezone": timezone.map(Text),
        })
    }
}
