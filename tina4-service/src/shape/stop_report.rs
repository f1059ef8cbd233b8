//! The shape of what stopping has led to.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use super::values::{Seconds, Text};
use crate::observe::stop_report::{StopReport, Stopped, StoppedService};

impl Serialize for StopReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_clean = self.is_clean();
        let Self { services, took, critical, in_progress, forked } = self;
        object!(serializer, "StopReport", {
            "version": VERSION,
            "services": **services,
            "took_seconds": Seconds(*took),
            "clean": is_clean,
            "critical": critical,
            "in_progress": in_progress,
            "forked": forked,
        })
    }
}

impl Serialize for StoppedService {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, place, state, took, age, failed_hooks } = self;
        object!(serializer, "StoppedService", {
            "name": name,
            "place": Text(place),
            "state": Text(state),
            "took_seconds": took.map(Seconds),
            "age_seconds": age.map(Seconds),
            "failed_hooks": failed_hooks,
        })
    }
}

impl Serialize for Stopped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // All results have the same fields.
        let (result, after, state, age, place) = match self {
            Self::Ended { after } => ("ended", Some(after), None, None, None),
            Self::NotActive { state } => ("not_active", None, Some(state), None, None),
            Self::Requested => ("requested", None, None, None, None),
            Self::Abandoned { age, place } => ("abandoned", None, None, Some(age), Some(place)),
        };
        object!(serializer, "Stopped", {
            "version": VERSION,
            "result": result,
            "after_seconds": after.copied().map(Seconds),
            "state": state.map(Text),
            "age_seconds": age.copied().map(Seconds),
            "place": place.map(Text),
        })
    }
}
