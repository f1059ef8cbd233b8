//! The shape of the readiness of a program.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use crate::observe::readiness::{Readiness, WaitedFor};

impl Serialize for Readiness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { is_ready, runner, waiting_for, omitted } = self;
        object!(serializer, "Readiness", {
            "version": VERSION,
            "ready": is_ready,
            "runner": runner,
            "waiting_for": waiting_for,
            "omitted": omitted,
        })
    }
}

impl Serialize for WaitedFor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, why } = self;
        object!(serializer, "WaitedFor", { "name": name, "why": why })
    }
}
