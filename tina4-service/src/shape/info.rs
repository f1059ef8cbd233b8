//! The shape of the snapshot of a service.

use serde_core::ser::{Serialize, Serializer};

use super::VERSION;
use super::fields::object;
use super::values::{Instant, Seconds, Text};
use crate::observe::info::ServiceInfo;

impl Serialize for ServiceInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_healthy = self.is_healthy();
        // Every field is named, so that a new one is not forgotten.
        let Self {
            name,
            place,
            function,
            schedule,
            state,
            since,
            next_due,
            runs,
            crashes,
            restarts,
            crashes_in_a_row,
            skipped,
            last_start,
            last_end,
            last_duration,
            last_error,
            last_failure,
            last_success,
            succeeded,
            overdue,
            last_outcome,
            last_trigger,
            last_requested_by,
            lateness,
            duration,
            ready,
            waits_for,
            reason,
            tags,
            overridden,
            stuck,
            heartbeat_age,
            unhealthy_after,
            #[cfg(feature = "queue")]
            queue,
        } = self;
        #[cfg(not(feature = "queue"))]
        let queue = None::<()>;
        object!(serializer, "ServiceInfo", {
            "version": VERSION,
            "name": name,
            "place": Text(place),
            "function": function,
            "tags": tags,
            "schedule": schedule,
            "state": Text(state),
            "since": Instant(*since),
            "ready": ready,
            "healthy": is_healthy,
            "unhealthy_after": unhealthy_after,
            "stuck": stuck,
            "reason": reason.as_deref(),
            "waits_for": waits_for,
            "next_due": next_due.map(Instant),
            "overdue_seconds": overdue.map(Seconds),
            "heartbeat_age_seconds": heartbeat_age.map(Seconds),
            "last_start": last_start.map(Instant),
            "last_end": last_end.map(Instant),
            "last_duration_seconds": last_duration.map(Seconds),
            "last_trigger": last_trigger.map(Text),
            "last_requested_by": last_requested_by,
            "last_outcome": last_outcome.map(Text),
            "last_success": last_success.map(Instant),
            "last_failure": last_failure.map(Instant),
            "last_error": last_error.as_deref(),
            "runs": runs,
            "succeeded": succeeded,
            "crashes": crashes,
            "crashes_in_a_row": crashes_in_a_row,
            "restarts": restarts,
            "skipped": skipped,
            "lateness": lateness,
            "duration": duration,
            "overridden": overridden,
            "queue": queue,
        })
    }
}
