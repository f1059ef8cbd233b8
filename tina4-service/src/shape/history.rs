//! The shape of the past runs of a service.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use super::values::{Instant, Seconds, Text};
use crate::observe::history::History;
use crate::observe::run_record::RunRecord;

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { runs, failures } = self;
        object!(serializer, "History", {
            "version": VERSION,
            "runs": runs,
            "failures": failures,
        })
    }
}

impl Serialize for RunRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            run,
            count,
            trigger,
            by,
            attempt,
            due,
            start,
            end,
            lateness,
            took,
            shortest,
            outcome,
            error,
            #[cfg(feature = "queue")]
            job,
        } = self;
        #[cfg(feature = "queue")]
        let job = job.map(Text);
        #[cfg(not(feature = "queue"))]
        let job = None::<()>;
        object!(serializer, "RunRecord", {
            "run": run,
            "count": count,
            "trigger": Text(trigger),
            "by": by,
            "attempt": attempt,
            "due": Instant(*due),
            "start": Instant(*start),
            "end": Instant(*end),
            "lateness_seconds": Seconds(*lateness),
            "took_seconds": Seconds(*took),
            "shortest_seconds": Seconds(*shortest),
            "outcome": Text(outcome),
            "error": error.as_deref(),
            "job": job,
        })
    }
}
