//! Log lines about all services of a runner.

use std::sync::Arc;

use crate::observe::log::entry::{StartedMany, StoppedMany, Table, TimeOf};
use crate::observe::log::names::names;
use crate::service::instance::Instance;
use crate::sys::log_target::LOG_TARGET;
use crate::time::schedule::Schedule;

/// Writes that many services were started, and, at debug, each of them.
pub(super) fn write_many(many: &StartedMany) {
    let StartedMany { services, waiting, next, not_waited_for } = many;
    // In UTC, because each has a time zone of its own.
    let utc = Schedule::continuous();
    let next = next.map(|next| tracing::field::display(TimeOf(&utc, next)));
    let count = services.len();
    let not_waited_for = Some(names(not_waited_for)).filter(|names| !names.is_empty());
    // perf: the schedules are counted only if somebody reads the line.
    line!(
        info,
        count,
        schedules = many.schedules(),
        waiting,
        next,
        not_waited_for,
        "services started"
    );
    if is_debug() {
        for (instance, new) in services {
            let service = instance.definition.name_str();
            let schedule = new.as_deref().cloned().unwrap_or_else(|| instance.schedule());
            line!(debug, service, %schedule, "service started");
        }
    }
}

/// Writes that many services are disabled, and, at debug, each of them.
pub(super) fn write_disabled(instances: &[Arc<Instance>]) {
    let known = || instances.iter().map(|instance| instance.definition.name());
    let count = instances.len();
    line!(info, count, services = names(&known().collect::<Vec<_>>()), "services disabled");
    if is_debug() {
        for instance in instances {
            let service = instance.definition.name_str();
            let reason = instance.definition.disabled().map(|reason| &**reason);
            line!(debug, service, reason, "service disabled");
        }
    }
}

/// Writes that many services have stopped, and, at debug, each of them.
pub(super) fn write_stopped(many: &StoppedMany) {
    let StoppedMany { instances, took } = many;
    line!(info, count = instances.len(), ?took, "services stopped");
    if is_debug() {
        for instance in instances {
            line!(debug, service = instance.definition.name_str(), "service stopped");
        }
    }
}

fn is_debug() -> bool {
    tracing::enabled!(target: LOG_TARGET, tracing::Level::DEBUG)
}

/// Writes how many services there are in each state, and a line for each that is listed.
pub(super) fn write_table(table: &Table) {
    let Table { total, states, infos } = table;
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let (listed, states) = (infos.len(), states.join(", "));
    line!(info, total, listed, states, "services listed, because SIGUSR1 was received");
    for info in infos {
        let next = info.next_due.map(|next| tracing::field::display(TimeOf(&info.schedule, next)));
        let state = tracing::field::display(info.state);
        line!(info, service = &*info.name, state, next, "{info}");
    }
}
