//! Rules 101 and 103: what a deployment changes of queue services, and of services with a new schedule.

use std::sync::Mutex;
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::{
    DeadJob, Job, Local, MemoryEngine, Queue, Queues, Runner, Schedule, Service, State, service,
};

use super::environment::{builder, faults};

const JOBS: Queue<String> = Queue::new("deployment");

/// The payloads of the dead jobs.
static DEAD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[service(name = "deployment.queue", queue = JOBS, attempts = 3, on_dead = report)]
fn work(_job: Job<String>) -> Result<(), &'static str> {
    Err("it always fails")
}

fn report(job: DeadJob) {
    DEAD.lock().unwrap().push(job.payload);
}

/// A declared service keeps its queue, its function and its `on_dead`.
#[test]
fn rule_101_a_variable_changes_the_attempts_of_a_declared_queue_service() {
    let variables = [("TINA4_SERVICES__DEPLOYMENT_QUEUE__ATTEMPTS", "1")];
    let builder = virtual_time_builder().only(["deployment.queue"]).queues(MemoryEngine::new());
    let mut test = builder.env_vars(variables).build().unwrap();
    test.push(JOBS, &"a".to_owned());
    test.advance("1s");
    let dead = test.dead(JOBS);
    assert_eq!(dead.iter().map(|job| job.attempts).collect::<Vec<_>>(), [1], "not three");
    assert_eq!(*DEAD.lock().unwrap(), ["\"a\""]);
}

#[test]
fn rule_101_a_variable_disables_a_declared_queue_service() {
    let variables = [("TINA4_SERVICES__DEPLOYMENT_QUEUE__QUEUE", "off")];
    let builder = virtual_time_builder().only(["deployment.queue"]).queues(MemoryEngine::new());
    let mut test = builder.env_vars(variables).build().unwrap();
    test.push(JOBS, &"b".to_owned());
    test.advance("1m");
    assert_eq!(test.runner().status()["deployment.queue"], State::Disabled);
    assert!(test.dead(JOBS).is_empty());
}

/// The code has no fault, so it is registered, and the variable is the one that is named.
#[test]
fn rule_103_concurrency_that_the_function_does_not_allow_names_its_source() {
    let variable = "TINA4_SERVICES__WORK__CONCURRENCY";
    let runner = builder(&[(variable, "2")]).build();
    runner.provide(Queues::new(MemoryEngine::new()));
    let work = |_: Job<String>, _: Local<u32>| {};
    runner.register(Service::of("work", work).queue(JOBS)).expect("the code has no fault");
    let found = faults(&runner);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(variable) && found[0].contains("`Local`"), "{found:#?}");
}

fn rescheduled(variables: &[(&str, &str)]) -> Runner {
    let runner = builder(variables).build();
    runner.register(Service::new("sync", |_| {}).interval("1h")).expect("the code has no fault");
    let schedule = Schedule::interval(Duration::from_secs(7));
    runner.reschedule("sync", schedule).expect("it can be changed");
    runner
}

/// A new schedule says nothing about the other settings.
#[test]
fn rule_101_and_185_a_new_schedule_hides_no_fault_of_the_deployment() {
    let enabled = ("TINA4_SERVICES__SYNC__ENABLED", "false");
    let runner = rescheduled(&[enabled, ("TINA4_SERVICES__SYNC__TIMEOUT", "30")]);
    let found = faults(&runner);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("TINA4_SERVICES__SYNC__TIMEOUT=30"), "{found:#?}");
    rescheduled(&[enabled]).check().expect("there are no faults");
}
