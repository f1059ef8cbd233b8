//! The faults of queue services: parameters that do not fit, options that the engine does not have, and
//! services that share a queue without saying so.

use std::collections::BTreeMap;

use tina4_service_core::{Key, QueueSpec, Schedule};
use tina4_service_queue::{Feature, Queues};

use crate::plan::fault::Fault;
use crate::service::definition::Definition;
use crate::service::params::Need;
use crate::service::resources::Resources;
use tina4_service_core::lifecycle::RunKind;

/// What is wrong with the parameters and the result of the functions of a service. Of a declared one, the
/// attribute has checked most of it, as far as aliases do not hide it.
pub(super) fn parameter_problems(definition: &Definition) -> Vec<String> {
    let body = definition.body_needs();
    let mut problems = Vec::new();
    let mut add = |problem: String| problems.push(problem);
    if definition.on_stop_needs().iter().any(is_job) {
        add("its `on_stop` takes a `Job` or a `DeadJob`, but is not called for one; remove that parameter".to_owned());
    }
    let dead = |need: &Need| matches!(need, Need::DeadJob);
    if body.iter().any(dead) {
        add("its function takes a `DeadJob`, which is for the function of `on_dead`; take a `Job`"
            .to_owned());
    }
    let jobs = || body.iter().filter_map(payload_of);
    let Some(queue) = definition.queue() else {
        if jobs().next().is_some() {
            add("its function takes a `Job`, but it has no queue; add `queue`".to_owned());
        }
        return problems;
    };
    match (jobs().next(), jobs().nth(1)) {
        (None, _) => add("its function takes no `Job`, but it has a queue; add a parameter `job: Job<T>`".to_owned()),
        (Some(_), Some(_)) => add("its function takes more than one `Job`, and is called for one at a time; remove the others".to_owned()),
        (Some(payload), None) if payload.id != queue.payload_id() => {
            let (found, wanted) = ((payload.name)(), (queue.payload.name)());
            add(format!(
                "its function takes a `Job<{found}>`, but the jobs of the queue `{}` are of type `{wanted}`; use one type for both",
                queue.name
            ));
        }
        (Some(_), None) => {}
    }
    if definition.may_return_flow() {
        add("its function returns a `Flow`, which means nothing for a job; return `()` or `Result<(), E>`".to_owned());
    }
    let local = |need: &Need| matches!(need, Need::Local);
    if let Some(on_dead) = definition.on_dead() {
        let needs = on_dead.needs();
        let count = needs.iter().filter(|need| dead(need)).count();
        if count != 1 {
            add(format!(
                "its `on_dead` takes {count} parameters of type `DeadJob`; it must take one"
            ));
        }
        if needs.iter().any(|need| payload_of(need).is_some() || local(need)) {
            add("its `on_dead` takes a `Job` or a `Local`, which belong to a run; remove that parameter".to_owned());
        }
        if on_dead.run_kind() == RunKind::Task && definition.run_kind() == RunKind::Call {
            add(
                "its `on_dead` is async, but its function is plain; make both async, or both plain"
                    .to_owned(),
            );
        }
    }
    problems
}

/// What is wrong with `concurrency`, if its function can only run once at a time.
pub(super) fn concurrency_problem(definition: &Definition) -> Option<String> {
    let concurrency = match definition.spec().schedule {
        Schedule::Queue(QueueSpec { concurrency, .. }) => concurrency,
        Schedule::Continuous
        | Schedule::Interval(_)
        | Schedule::Delay(_)
        | Schedule::Calendar(..) => 1,
    };
    let has_local = || definition.body_needs().iter().any(|need| matches!(need, Need::Local));
    (concurrency > 1 && has_local()).then(|| format!(
        "its function takes a `Local`, which belongs to one run at a time, and `concurrency` is {concurrency}; share a value with `Res`, or remove `concurrency`"
    ))
}

fn payload_of(need: &Need) -> Option<&crate::service::params::NamedType> {
    match need {
        Need::Job { payload, .. } => Some(payload),
        Need::Nothing | Need::Resource { .. } | Need::Local | Need::DeadJob => None,
    }
}

fn is_job(need: &Need) -> bool {
    match need {
        Need::Job { .. } | Need::DeadJob => true,
        Need::Nothing | Need::Resource { .. } | Need::Local => false,
    }
}

/// The options of a queue service that its engine does not have (rule 138).
pub(super) fn refused_options(
    definition: &Definition,
    resources: &Resources,
) -> Vec<(Key, String)> {
    let Schedule::Queue(spec) = definition.spec().schedule else { return Vec::new() };
    // If there is none, that is reported as a missing value.
    let Some(queues) = resources.get::<Queues>() else { return Vec::new() };
    let options = [
        (Key::Lease, spec.lease.is_some(), Feature::Lease),
        (Key::KeepDead, spec.keep_dead.is_some(), Feature::DeadLetters),
        (Key::KeepDone, spec.keep_done.is_some(), Feature::DoneJobs),
    ];
    let refused = |(key, is_set, feature): (Key, bool, Feature)| {
        let error = queues.require(feature).err().filter(|_| is_set)?;
        Some((key, format!("`{key}`: {error}; or remove `{key}`")))
    };
    options.into_iter().filter_map(refused).collect()
}

/// The queues on which several of these services work although not all of them have `shared`. `only`: just this
/// queue.
pub(super) fn taken_queues<'s>(
    definitions: impl Iterator<Item = &'s Definition>,
    only: Option<&str>,
) -> Vec<Fault> {
    let mut by_queue: BTreeMap<&str, Vec<&Definition>> = BTreeMap::new();
    for definition in definitions {
        let queue = definition.queue().map(|queue| queue.name);
        if let Some(queue) = queue.filter(|queue| only.is_none_or(|only| only == *queue)) {
            by_queue.entry(queue).or_default().push(definition);
        }
    }
    let is_shared = |definition: &&Definition| match definition.spec().schedule {
        Schedule::Queue(QueueSpec { shared, .. }) => shared,
        Schedule::Continuous
        | Schedule::Interval(_)
        | Schedule::Delay(_)
        | Schedule::Calendar(..) => false,
    };
    let taken = |(queue, users): (&str, Vec<&Definition>)| {
        if users.len() < 2 || users.iter().all(is_shared) {
            return None;
        }
        let mut services: Vec<_> = users.iter().map(|user| (user.name(), user.place())).collect();
        services.sort_unstable();
        Some(Fault::QueueTaken { queue: queue.to_owned(), services })
    };
    by_queue.into_iter().filter_map(taken).collect()
}
