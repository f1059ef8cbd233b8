//! The shape of what is known about the queue of a service.

use serde_core::ser::{Serialize, Serializer};
use tina4_service_queue::{Backlog, Counters};

use super::fields::object;
use super::values::Seconds;
use crate::observe::queue_info::QueueInfo;

impl Serialize for QueueInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, running, counters, backlog } = self;
        object!(serializer, "QueueInfo", {
            "name": name,
            "running": running,
            "counters": Counts(*counters),
            "backlog": backlog.map(Jobs),
        })
    }
}

/// What this process has done.
struct Counts(Counters);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Counters { pushed, done, failed, dead, returned, stale, lost } = self.0;
        object!(serializer, "Counters", {
            "pushed": pushed,
            "done": done,
            "failed": failed,
            "dead": dead,
            "returned": returned,
            "stale": stale,
            "lost": lost,
        })
    }
}

/// The jobs in the store.
struct Jobs(Backlog);

impl Serialize for Jobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Backlog { ready, delayed, claimed, dead, oldest_ready } = self.0;
        object!(serializer, "Backlog", {
            "ready": ready,
            "delayed": delayed,
            "claimed": claimed,
            "dead": dead,
            "oldest_ready_seconds": oldest_ready.map(Seconds),
        })
    }
}
