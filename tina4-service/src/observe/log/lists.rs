//! Log lines about all services of a runner.

use std::collections::BTreeMap;

use crate::observe::info::ServiceInfo;
use crate::observe::log::entry::{StartedMany, TimeOf};
use crate::sys::log_target::LOG_TARGET;
use crate::time::schedule::Schedule;

/// Writes that many services were started, and, at debug, each of them.
pub(super) fn write_many(many: &StartedMany) {
    let StartedMany { instances, waiting, next } = many;
    // In UTC, because each has a time zone of its own.
    let utc = Schedule::continuous();
    let next = next.map(|next| tracing::field::display(TimeOf(&utc, next)));
    let count = instances.len();
    line!(info, count, schedules = many.schedules(), waiting, next, "services started");
    if tracing::enabled!(target: LOG_TARGET, tracing::Level::DEBUG) {
        for instance in instances {
            let service = instance.definition.name_str();
            line!(debug, service, schedule = %instance.schedule(), "service started");
        }
    }
}

/// The most services that a table lists.
const ROWS: usize = 1_000;

/// Writes how many services there are in each state, and a line for each.
pub(super) fn write_table(services: &[ServiceInfo]) {
    let mut counts = BTreeMap::<String, usize>::new();
    for service in services {
        *counts.entry(service.state.to_string()).or_default() += 1;
    }
    let states: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let (total, states) = (services.len(), states.join(", "));
    let listed = total.min(ROWS);
    line!(info, total, listed, states, "services listed, because SIGUSR1 was received");
    for info in &services[..listed] {
        let next = info.next_due.map(|next| tracing::field::display(TimeOf(&info.schedule, next)));
        let state = tracing::field::display(info.state);
        line!(info, service = &*info.name, state, next, "{info}");
    }
}
