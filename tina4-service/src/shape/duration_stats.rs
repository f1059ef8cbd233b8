//! The shape of statistics of a duration.

use serde_core::ser::{Serialize, Serializer};

use super::fields::object;
use super::values::Seconds;
use crate::observe::duration_stats::DurationStats;

impl Serialize for DurationStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { last, mean, p99, max } = *self;
        object!(serializer, "DurationStats", {
            "last_seconds": Seconds(last),
            "mean_seconds": Seconds(mean),
            "p99_seconds": Seconds(p99),
            "max_seconds": Seconds(max),
        })
    }
}
