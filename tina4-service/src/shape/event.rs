//! The shape of an event: when and where, and the fields of its change beside them.

use serde_core::ser::{Serialize, SerializeMap, Serializer};

use super::VERSION;
use super::change::write_change;
use super::values::Instant;
use crate::observe::event::{Change, Event};

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { service, at, change } = self;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("version", &VERSION)?;
        object.serialize_entry("at", &Instant(*at))?;
        // The empty name stands for the runner.
        object.serialize_entry("service", &Some(service).filter(|name| !name.is_empty()))?;
        write_change(change, &mut object)?;
        object.end()
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        write_change(self, &mut object)?;
        object.end()
    }
}
