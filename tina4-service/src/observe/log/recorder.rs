//! A log subscriber for unit tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::sys::sync::std_lock;

/// A line as a subscriber sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) message: String,
    /// The names of all fields, and the values of those that have one.
    pub(crate) fields: BTreeSet<String>,
    values: BTreeMap<String, String>,
}

impl Seen {
    /// What the line says of one field; empty: it has no value.
    pub(crate) fn value(&self, field: &str) -> String {
        assert!(self.fields.contains(field), "{self:?}");
        self.values.get(field).cloned().unwrap_or_default().replace('"', "")
    }
}

#[derive(Default)]
struct Recorder(Arc<Mutex<Vec<Seen>>>);

struct Collect<'a>(&'a mut Seen);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.message = format!("{value:?}");
        } else {
            self.0.values.insert(field.name().to_owned(), format!("{value:?}"));
        }
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut seen = Seen {
            level: metadata.level().to_string().to_lowercase(),
            target: metadata.target().to_owned(),
            fields: metadata.fields().iter().map(|field| field.name().to_owned()).collect(),
            ..Seen::default()
        };
        seen.fields.remove("message");
        event.record(&mut Collect(&mut seen));
        std_lock(&self.0).push(seen);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The lines that `write` writes.
pub(crate) fn written(write: impl FnOnce()) -> Vec<Seen> {
    let recorder = Recorder::default();
    let lines = Arc::clone(&recorder.0);
    tracing::subscriber::with_default(recorder, write);
    let lines = std_lock(&lines);
    lines.clone()
}
