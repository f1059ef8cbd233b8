//! The shape of a plan.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use super::values::{Instant, Text};
use crate::plan::plan::{Plan, PlannedService};

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { services, runner, selection, remarks } = self;
        object!(serializer, "Plan", {
            "version": VERSION,
            "services": services,
            "overridden": runner,
            "selection": selection,
            "remarks": remarks,
        })
    }
}

impl Serialize for PlannedService {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            name,
            place,
            schedule,
            after,
            requires,
            autostart,
            disabled,
            tags,
            overridden,
            next,
        } = self;
        let next: Vec<_> = next.iter().copied().map(Instant).collect();
        object!(serializer, "PlannedService", {
            "name": name,
            "place": Text(place),
            "tags": tags,
            "schedule": schedule,
            "next": next,
            "autostart": autostart,
            "disabled": disabled.as_deref(),
            "after": after,
            "requires": requires,
            "overridden": overridden,
        })
    }
}
