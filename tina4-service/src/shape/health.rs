//! The shape of the health of a program.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use super::values::Text;
use crate::observe::health::{Health, UnhealthyService};

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { status, is_live, readiness, unhealthy, omitted } = self;
        object!(serializer, "Health", {
            "version": VERSION,
            "status": Text(status),
            "live": is_live,
            "readiness": readiness,
            "unhealthy": unhealthy,
            "omitted": omitted,
        })
    }
}

impl Serialize for UnhealthyService {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, why } = self;
        object!(serializer, "UnhealthyService", { "name": name, "why": why })
    }
}
