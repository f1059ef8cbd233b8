//! The shape of who asked for something.

use serde_core::ser::{Serialize, Serializer};

use super::fields::object;
use crate::observe::requester::Requester;

impl Serialize for Requester {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, "Requester", {
            "name": self.name(),
            "reason": self.reason(),
        })
    }
}
