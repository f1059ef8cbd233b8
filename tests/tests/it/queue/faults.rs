//! The faults of queue services that are found at `register` and at `check`.

use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::queue::{
    Capabilities, Ended, Engine, EngineError, Feature, Held, NewJob, Pushed, Timestamp, Turn, Want,
};
use tina4_service::{
    Context, DeadJob, Flow, Job, Local, MemoryEngine, Queue, Queues, RegisterError, Runner,
    Service, StartError,
};

const WORDS: Queue<String> = Queue::new("words");

fn words(_job: Job<String>) {}

/// The texts of the faults that `register` reports, without the service and its place.
fn refused(service: Service) -> Vec<String> {
    let error = Runner::new().register(service).unwrap_err();
    let RegisterError::Faults(faults) = error else { panic!("{error}") };
    let text = |fault: String| match fault.split_once(": ") {
        Some((_, problem)) => problem.to_owned(),
        None => fault,
    };
    faults.iter().map(|fault| text(fault.to_string())).collect()
}

/// The faults that `check` reports.
fn faults(runner: &Runner) -> Vec<String> {
    match runner.check() {
        Err(StartError::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rule_30_parameters_that_do_not_fit_the_queue_are_faults() {
    fn numbers(_job: Job<u32>) {}
    fn nothing() {}
    fn two(_first: Job<String>, _second: Job<String>) {}
    fn flow(_job: Job<String>) -> Flow {
        Flow::Wait
    }
    fn local(_job: Job<String>, _count: Local<u32>) {}
    fn dead(_dead: DeadJob) {}
    fn clean_up(_job: Job<String>) {}
    async fn dead_async(_dead: DeadJob) {}
    fn dead_local(_dead: DeadJob, _count: Local<u32>) {}
    let of_type = "its function takes a `Job<u32>`, but the jobs of the queue `words` are of type `alloc::string::String`; use one type for both";
    for (service, expected) in [
        (Service::of("s", numbers).queue(WORDS), of_type),
        (
            Service::of("s", nothing).queue(WORDS),
            "its function takes no `Job`, but it has a queue; add a parameter `job: Job<T>`",
        ),
        (Service::of("s", words), "its function takes a `Job`, but it has no queue; add `queue`"),
        (
            Service::of("s", two).queue(WORDS),
            "its function takes more than one `Job`, and is called for one at a time; remove the others",
        ),
        (
            Service::of("s", flow).queue(WORDS),
            "its function returns a `Flow`, which means nothing for a job; return `()` or `Result<(), E>`",
        ),
        (
            Service::of("s", local).queue(WORDS).concurrency(2),
            "its function takes a `Local`, which belongs to one run at a time, and `concurrency` is 2; share a value with `Res`, or remove `concurrency`",
        ),
        (
            Service::of("s", dead).interval("1s"),
            "its function takes a `DeadJob`, which is for the function of `on_dead`; take a `Job`",
        ),
        (
            Service::of("s", words).queue(WORDS).on_stop_of(clean_up),
            "its `on_stop` takes a `Job` or a `DeadJob`, but is not called for one; remove that parameter",
        ),
        (
            Service::of("s", words).queue(WORDS).on_dead(nothing),
            "its `on_dead` takes 0 parameters of type `DeadJob`; it must take one",
        ),
        (
            Service::of("s", words).queue(WORDS).on_dead(dead_local),
            "its `on_dead` takes a `Job` or a `Local`, which belong to a run; remove that parameter",
        ),
        (
            Service::of("s", words).queue(WORDS).on_dead(dead_async),
            "its `on_dead` is async, but its function is plain; make both async, or both plain",
        ),
        (
            Service::of("s", words).queue(WORDS).interval("1s"),
            "`interval` and `queue` cannot be combined, because jobs run when they are pushed; keep one, or push a job at each `interval`",
        ),
        (
            Service::of("s", words).queue(WORDS).lease("10ms"),
            "`lease` of `10ms` is too short to be renewed in time; use at least `1s`",
        ),
    ] {
        assert_eq!(refused(service), [expected]);
    }
    // A `Local` is fine if there is one job at a time.
    Runner::new().register(Service::of("s", local).queue(WORDS)).unwrap();
}

#[test]
fn rule_30_two_services_on_one_queue_are_a_fault_unless_both_say_so() {
    let runner = Runner::new();
    runner.provide(Queues::new(MemoryEngine::new()));
    runner.register(Service::of("b", words).queue(WORDS)).unwrap();
    runner.register(Service::of("a", words).queue(WORDS).shared(true)).unwrap();
    runner.register(Service::of("c", words).queue(Queue::<String>::new("others"))).unwrap();
    let all = faults(&runner);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].starts_with("`a` at ") && all[0].contains(" and `b` at "), "{all:?}");
    let remedy = " work on the same queue `words`; add `shared = true` to each of them, or use `concurrency`";
    assert!(all[0].ends_with(remedy), "{all:?}");
    assert!(runner.start("a").unwrap_err().to_string().contains(remedy));
    assert!(runner.start("c").is_ok());
    runner.stop_all();
    runner.unregister("b").unwrap();
    runner.register(Service::of("b", words).queue(WORDS).shared(true)).unwrap();
    runner.check().unwrap();
}

#[test]
fn rule_30_a_queue_without_an_engine_is_a_fault() {
    let runner = Runner::new();
    runner.register(Service::of("a", words).queue(WORDS)).unwrap();
    let all = faults(&runner);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].contains("`a` at ") && all[0].contains("Queues"), "{all:?}");
}

#[test]
fn rule_138_an_option_that_the_engine_does_not_have_is_a_fault() {
    let runner = Runner::new();
    let limited = [Feature::Lease, Feature::DeadLetters, Feature::DoneJobs]
        .into_iter()
        .fold(Capabilities::ALL, Capabilities::without);
    runner.provide(Queues::new(MemoryEngine::limited_to(limited)));
    let service = Service::of("a", words).queue(WORDS).lease("1m").keep_dead("1d").keep_done("1d");
    runner.register(service).unwrap();
    let all = faults(&runner);
    assert_eq!(all.len(), 3, "{all:?}");
    let expected = "`lease`: the engine `memory` does not support leases; omit the lease, or another engine; or remove `lease`";
    assert!(all[0].ends_with(expected), "{all:?}");
    assert!(all[1].contains("`keep_dead`: the engine `memory` does not support"), "{all:?}");
    let expected = "`keep_done`: the engine `memory` does not support copies of done jobs; store what you need in the function, or another engine; or remove `keep_done`";
    assert!(all[2].ends_with(expected), "{all:?}");
    // The defaults are not options.
    let runner = Runner::new();
    runner.provide(Queues::new(MemoryEngine::limited_to(Capabilities::NONE)));
    runner.register(Service::of("a", words).queue(WORDS)).unwrap();
    runner.check().unwrap();
}

#[test]
fn rule_82_all_faults_of_queue_services_are_reported_together() {
    let error = virtual_time_builder()
        .queues(MemoryEngine::limited_to(Capabilities::NONE))
        .service(Service::of("a", words).queue(WORDS).lease("1m"))
        .service(Service::of("b", words).queue(WORDS).lease("1m"))
        .service(Service::new("c", |_: &Context| {}).after("d"))
        .build()
        .unwrap_err()
        .to_string();
    assert_eq!(error.matches("`lease`").count(), 4, "{error}");
    assert!(error.contains("work on the same queue") && error.contains("`d`"), "{error}");
}

#[test]
fn rule_185_a_queue_service_has_no_schedule_to_change() {
    let runner = Runner::new();
    runner.register(Service::of("a", words).queue(WORDS)).unwrap();
    let schedule = tina4_service::Schedule::interval(std::time::Duration::from_secs(1));
    let error = runner.reschedule("a", schedule).unwrap_err().to_string();
    assert!(error.contains("it works on the jobs of a queue"), "{error}");
}

/// An engine whose check has a result.
struct Checked {
    engine: MemoryEngine,
    check: fn() -> Result<Vec<String>, EngineError>,
}

impl Engine for Checked {
    fn name(&self) -> &'static str {
        "checked"
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn owner(&self) -> &str {
        self.engine.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.engine.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.engine.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.engine.renew(held, lease, now)
    }

    fn check(&self) -> Result<Vec<String>, EngineError> {
        (self.check)()
    }
}

fn with_check(check: fn() -> Result<Vec<String>, EngineError>) -> Runner {
    let runner = Runner::new();
    runner.provide(Queues::new(Checked { engine: MemoryEngine::new(), check }));
    runner.register(Service::of("b", words).queue(WORDS)).unwrap();
    runner.register(Service::of("a", words).queue(Queue::<String>::new("others"))).unwrap();
    runner
}

#[test]
fn rule_30_and_138_an_engine_that_cannot_be_used_is_a_fault_beside_the_others() {
    let runner = with_check(|| {
        Err(EngineError::Unusable { engine: "checked", problem: "it is full; empty it".to_owned() })
    });
    let line = line!() + 1;
    runner.register(Service::of("c", || {}).interval("1s").after("nothing")).unwrap();
    let all = faults(&runner);
    let [unknown, engine] = &*all else { panic!("{all:?}") };
    assert!(unknown.contains(&format!("faults.rs:{line}")) && unknown.contains("`nothing`"));
    assert!(engine.starts_with("`a` at ") && engine.contains("faults.rs:"), "{engine}");
    let expected = " cannot work on jobs: the store of the engine `checked` cannot be used: it is full; empty it";
    assert!(engine.contains(" and `b` at ") && engine.ends_with(expected), "{engine}");
}

#[test]
fn rule_30_an_engine_that_fails_or_panics_in_the_check_is_a_fault() {
    let failing = || Err(EngineError::Failed { engine: "checked", source: "no connection".into() });
    let all = faults(&with_check(failing));
    assert!(all[0].ends_with("failed: no connection; try again when its store works"), "{all:?}");
    let all = faults(&with_check(|| panic!("planted")));
    assert!(all[0].contains(" cannot work on jobs: its engine panicked: planted at "), "{all:?}");
}

#[test]
fn rule_130_remarks_of_the_engine_are_in_the_plan() {
    let plan = with_check(|| Ok(vec!["it forgets; tell it not to".to_owned()])).check().unwrap();
    assert_eq!(plan.remarks(), ["it forgets; tell it not to"]);
    assert!(plan.to_string().ends_with("\nnote: it forgets; tell it not to\n"), "{plan}");
}

#[test]
fn an_engine_that_no_service_uses_is_not_asked() {
    let runner = Runner::new();
    runner.provide(Queues::new(Checked {
        engine: MemoryEngine::new(),
        check: || panic!("it is not asked"),
    }));
    runner.register(Service::of("c", || {}).interval("1s")).unwrap();
    assert_eq!(runner.check().unwrap().remarks(), [] as [String; 0]);
}
