//! Rule 180: services that are created from functions with parameters.

use std::sync::Mutex;

use tests::{in_virtual_time, info, virtual_time_builder};
use tina4_service::{
    Change, Context, ControlError, Fault, Flow, Local, Permanent, Res, Runner, Service, StartError,
    State, Tick, service,
};

#[derive(Default)]
struct Count(u32);
struct Greeting;
type Log = Mutex<Vec<String>>;

fn record(log: &Log, text: String) {
    log.lock().unwrap().push(text);
}

#[expect(clippy::too_many_arguments, reason = "eight is the maximum")]
fn all(
    text: Local<String>,
    mut one: Local<Count>,
    mut two: Local<Count>,
    present: Option<Res<u16>>,
    log: Res<Log>,
    absent: Option<Res<u8>>,
    tick: Tick,
    ctx: &Context,
) -> Flow {
    (one.0, two.0) = (1, 2);
    record(&log, format!("{} {} {text:?}", ctx.name(), tick.run));
    record(&log, format!("{:?} {:?}", absent.is_none(), present.as_deref()));
    Flow::Done
}

fn all_again(ctx: &Context, one: Local<Count>, log: Res<Log>, two: Local<Count>) {
    record(&log, format!("{} {} {}", ctx.name(), one.0, two.0));
}

fn recorded(runner: impl FnOnce(Service) -> Runner, service: Service) -> Vec<String> {
    let runner = runner(service);
    let log: std::sync::Arc<Log> = std::sync::Arc::default();
    runner.provide(std::sync::Arc::clone(&log));
    runner.start_all().unwrap();
    tests::wait(&runner);
    std::mem::take(&mut *log.lock().unwrap())
}

fn runner_with(service: Service) -> Runner {
    let runner = Runner::new();
    runner.register(service).unwrap();
    runner
}

#[test]
fn rule_180_up_to_eight_parameters_in_any_order_also_for_on_stop_of() {
    let runner = |service| {
        let runner = runner_with(service);
        runner.provide(7_u16);
        runner
    };
    let log = recorded(runner, Service::of("all", all).on_stop_of(all_again));
    assert_eq!(log, ["all 1 Local(\"\")", "true Some(7)", "all 1 2"]);
}

#[test]
fn rule_180_a_closure_whose_parameters_have_types() {
    let greeting = "hello".to_owned();
    let closure = move |log: Res<Log>, ctx: &Context| {
        record(&log, format!("{greeting} {}", ctx.name()));
        Flow::Done
    };
    assert_eq!(recorded(runner_with, Service::of("closure", closure)), ["hello closure"]);
}

/// A function with `#[service]` stays an ordinary function.
#[service(name = "service-of.declared", autostart = false)]
fn declared(log: Res<Log>, ctx: &Context) -> Flow {
    record(&log, ctx.name().to_owned());
    Flow::Done
}

#[test]
fn rule_180_a_declared_function_serves_a_second_time_under_another_name() {
    let service = Service::of("built", declared);
    assert_eq!(recorded(runner_with, service), ["built"]);
    let runner = runner_with(Service::of("built", declared));
    let path = info(&runner, "built").function;
    assert!(path.ends_with("attribute::service_of::declared"), "{path}");
}

fn count(mut runs: Local<Count>, sum: Res<Mutex<Vec<u32>>>) {
    runs.0 += 1;
    sum.lock().unwrap().push(runs.0);
}

#[test]
fn rule_180_services_of_one_function_have_their_own_local_values() {
    let sum: std::sync::Arc<Mutex<Vec<u32>>> = std::sync::Arc::default();
    let mut t = virtual_time_builder()
        .service(Service::of("one", count).interval("1m"))
        .service(Service::of("two", count).interval("1m"))
        .provide(std::sync::Arc::clone(&sum))
        .build()
        .unwrap();
    t.advance("2m");
    assert_eq!(*sum.lock().unwrap(), [1, 1, 2, 2, 3, 3]);
}

fn end(service: Service) -> (State, Option<String>) {
    let mut t = in_virtual_time([service.max_restarts(0)]);
    t.advance("0s");
    let info = t.info("s");
    (info.state, info.last_error.map(|error| error.to_string()))
}

#[test]
fn rule_180_and_153_every_type_of_result() {
    fn unit() {}
    fn flow() -> Flow {
        Flow::Done
    }
    fn result(tick: Tick) -> Result<(), Permanent> {
        if tick.run == 0 { Ok(()) } else { Err(Permanent::new("no")) }
    }
    fn result_flow(_ctx: &Context) -> Result<Flow, String> {
        Err("text".to_owned())
    }
    fn never() -> ! {
        std::panic::resume_unwind(Box::new("never"))
    }
    assert_eq!(end(Service::of("s", unit)), (State::Finished, None));
    assert_eq!(end(Service::of("s", flow)), (State::Finished, None));
    let failed = |text: &str| (State::Failed, Some(text.to_owned()));
    assert_eq!(end(Service::of("s", result)), failed("permanent error: no"));
    assert_eq!(end(Service::of("s", result_flow)), failed("text"));
    assert_eq!(end(Service::of("s", never)), failed("panicked: never"));
}

#[test]
fn rule_180_and_42_an_error_of_the_hook_is_reported() {
    fn close(_ctx: &Context, _own: Local<u8>) -> Result<(), &'static str> {
        Err("not closed")
    }
    let mut t = in_virtual_time([Service::of("s", || Flow::Done).on_stop_of(close)]);
    t.advance("0s");
    let failed = |change: &Change| matches!(change, Change::HookFailed { cause } if &**cause == "not closed");
    assert_eq!(t.events().iter().filter(|event| failed(&event.change)).count(), 1);
}

#[test]
fn rule_180_needs_are_checked_before_the_start_as_for_a_declared_service() {
    fn greet(_greeting: Res<Greeting>, _maybe: Option<Res<u8>>) {}
    fn close(_text: Res<String>) {}
    let runner = Runner::new();
    let line = line!() + 1;
    runner.register(Service::of("s", greet).on_stop_of(close).interval("1h")).unwrap();
    runner.register(Service::new("other", |_| {}).interval("1h")).unwrap();
    let error = runner.start_all().expect_err("two values are missing");
    let text = error.to_string();
    let StartError::Faults(faults) = &error else { panic!("{error}") };
    assert_eq!(faults.len(), 2, "{text}");
    assert!(
        faults
            .iter()
            .all(|fault| matches!(fault, Fault::MissingResource { service, .. } if service == "s"))
    );
    for resource in ["it::attribute::service_of::Greeting", "alloc::string::String"] {
        let part = format!("`s` at {}:{line} asks for `Res<{resource}>`", file!());
        assert!(text.contains(&part), "`{part}` is missing in:\n{text}");
    }
    assert!(!runner.is_running("other"));
    let refused = runner.start("s").expect_err("two values are missing");
    assert!(matches!(refused, ControlError::Start(StartError::Faults(_))), "{refused}");
    runner.provide(Greeting);
    assert_eq!(runner.check().expect_err("one is missing").to_string().lines().count(), 2);
    runner.provide("bye".to_owned());
    runner.start_all().unwrap();
    assert!(runner.is_running("s"));
}
