//! Rules 30 to 33: the check before the start, the order, and what start does not wait for.

use crossbeam_channel::bounded;
use tests::{Child, Watch, info, manual, secs};
use tina4_service::{
    Change, Context, ControlError, Fault, Flow, Local, Res, Runner, Service, StartError, State,
    service,
};

/// A value that nobody provides.
struct Db;

/// Not a service.
fn plain() {}

#[service(name = "faults.twin")]
fn first_twin() {}
#[service(name = "faults.reader", on_stop = close)]
fn reader(_db: Res<Db>, _same: Res<Db>) {}
fn close(_cache: Res<String>, _maybe: Option<Res<u8>>, _own: Local<u8>) {}
#[service(name = "faults.lost", after = [plain, "nobody"])]
fn lost() {}
#[service(name = "faults.hen", after = [egg])]
fn hen() {}
#[service(name = "faults.egg", after = ["faults.hen"])]
fn egg() {}

/// The line of a declaration, found in this very file.
fn line_of(text: &str) -> usize {
    let source = include_str!("faults.rs");
    let line = source.lines().position(|line| line.starts_with(text));
    line.unwrap_or_else(|| panic!("`{text}` is in this file")) + 1
}

#[test]
fn rule_30_every_fault_is_reported_at_once_with_file_and_line_and_nothing_starts() {
    let names = ["twin", "reader", "lost", "hen", "egg"].map(|name| format!("faults.{name}"));
    let runner = Runner::builder().only(names).only(["faults.ghost"]).build();
    runner.register(Service::new("9lives", |_| {}).interval("5"));
    runner.register(Service::new("well", |_| {}));
    // Two declared in one crate would not compile; one of them may be declared elsewhere, or built.
    let second_twin = line!() + 1;
    runner.register(Service::new("faults.twin", |_| {}));
    let (one, two) = (line!() + 1, line!() + 2);
    runner.provide(1.5_f32);
    runner.provide(2.5_f32);
    let error = runner.start_all().expect_err("it is full of faults");
    let text = error.to_string();
    let at = |text: &str| format!("{}:{}", file!(), line_of(text));
    let twin = line_of("#[service(name = \"faults.twin\")]");
    for part in [
        format!(
            "`faults.twin` is the name of 2 services, at {0}:{twin} and {0}:{second_twin}",
            file!()
        ),
        format!(
            "`faults.reader` at {} asks for `Res<it::start::faults::Db>`",
            at("#[service(name = \"faults.reader\"")
        ),
        format!(
            "`faults.reader` at {} asks for `Res<alloc::string::String>`",
            at("#[service(name = \"faults.reader\"")
        ),
        format!("`faults.lost` at {} starts after `plain`", at("#[service(name = \"faults.lost\"")),
        format!(
            "`faults.lost` at {} starts after `nobody`",
            at("#[service(name = \"faults.lost\"")
        ),
        format!(
            "`faults.egg` at {} and `faults.hen` at {} wait for each other",
            at("#[service(name = \"faults.egg\""),
            at("#[service(name = \"faults.hen\"")
        ),
        format!("a `f32` was given 2 times, at {0}:{one} and {0}:{two}", file!()),
        format!(
            "`9lives` at {}:{}: ",
            file!(),
            line_of("    runner.register(Service::new(\"9lives\"")
        ),
        "`5` has no unit".to_owned(),
        "`faults.ghost` is selected, but there is no service of that name".to_owned(),
    ] {
        assert!(text.contains(&part), "`{part}` is not in:\n{text}");
    }
    let StartError::Faults(faults) = &error else { panic!("{error:?}") };
    assert_eq!(text.lines().count(), faults.len() + 1, "a line each:\n{text}");
    assert!(
        faults
            .iter()
            .any(|fault| matches!(fault, Fault::Cycle { services } if services.len() == 2))
    );
    assert!(runner.status().values().all(|state| *state == State::Registered), "nothing started");
    assert_eq!(runner.check().expect_err("the same").to_string(), text);
    // One that is well, beside those that are not, can be started by name; the others cannot.
    let lost = runner.start("faults.lost").expect_err("it is at fault");
    assert!(matches!(&lost, ControlError::Start(StartError::Faults(_))), "{lost}");
}

#[test]
fn rule_31_no_service_at_all_explains_why_that_may_be() {
    // Its package has services, in a crate that this program does not name.
    let ended = Child::start(env!("CARGO_BIN_EXE_nothing"), &[]).ended();
    let text = ended.out.join("\n");
    assert!(text.contains("no service was found"), "{text}");
    assert!(text.contains("a crate of their own that nothing else names"), "{text}");
    assert!(text.contains("use my_services as _;"), "{text}");
    // So has one that selects some: it has none to select from.
    let ended = Child::start(env!("CARGO_BIN_EXE_nothing"), &["heartbeat"]).ended();
    let text = ended.out.join("\n");
    assert!(
        text.contains("`heartbeat` is selected, but there is no service of that name"),
        "{text}"
    );
    assert!(text.contains("use my_services as _;"), "{text}");
}

#[test]
fn rule_31_the_linker_is_not_blamed_for_what_was_not_asked_for() {
    let text = |runner: &Runner| {
        let error = runner.start_all().expect_err("there is nothing to start");
        assert_eq!(runner.check().expect_err("the same").to_string(), error.to_string());
        error.to_string()
    };
    let registered = "this runner has no services; `register` one before starting";
    assert_eq!(text(&Runner::new()), registered);
    assert!(matches!(Runner::new().start_all(), Err(StartError::NothingRegistered)));
    let all = Runner::builder().build().services().into_iter().map(|info| info.name);
    let all: Vec<_> = all.map(String::from).collect();
    let selected = format!(
        "`only` and `except` exclude every declared service ({}); select one, or `register` one",
        all.len()
    );
    let none = Runner::builder().only::<&str>([]).build();
    assert_eq!(text(&none), selected);
    let left_out = all.len();
    let error = Runner::builder().except(all).build().start_all();
    assert!(
        matches!(error, Err(StartError::NothingSelected { left_out: found }) if found == left_out)
    );
    // A program without services that asks for none is not told to look for them either.
    let ended = Child::start(env!("CARGO_BIN_EXE_nothing"), &["--none"]).ended();
    assert_eq!(ended.out, [registered]);
}

#[test]
fn rule_82_an_unknown_name_in_after_or_in_a_selection_is_recognised() {
    let runner = Runner::builder().only(["faults.eg", "nothing"]).build();
    runner.register(Service::new("heartbeat", |_| {}));
    runner.register(Service::new("then", |_| {}).after("hartbeat").after("nobody"));
    let text = runner.check().expect_err("there are unknown names").to_string();
    let declared = Runner::builder().build().services().remove(0).name;
    let after = |name| format!("starts after `{name}`, which is not a service; ");
    let selected = |name| format!("`{name}` is selected, but there is no service of that name; ");
    for part in [
        after("hartbeat") + "did you mean `heartbeat`?",
        after("nobody") + "put `#[service]` on it, or correct the name",
        selected("faults.eg") + "did you mean `faults.egg`?",
        selected("nothing") + &format!("the services are heartbeat, then, {declared}, "),
    ] {
        assert!(text.contains(&part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn rule_32_after_first_then_names() {
    let (runner, _clock) = manual();
    let mut watch = Watch::new(&runner);
    for (name, after) in
        [("a", vec!["z"]), ("b", vec![]), ("c", vec!["a", "b"]), ("m", vec![]), ("z", vec![])]
    {
        let service = Service::new(name, |ctx| while ctx.sleep(secs(3_600)) {});
        runner.register(after.into_iter().fold(service, Service::after));
    }
    let plan = runner.check().unwrap();
    let planned: Vec<_> = plan.services().iter().map(|service| service.name.clone()).collect();
    assert_eq!(planned, ["b", "m", "z", "a", "c"]);
    assert!(
        runner.status().values().all(|state| *state == State::Registered),
        "a plan starts nothing"
    );
    runner.start_all().unwrap();
    for name in ["a", "b", "c", "m", "z"] {
        watch.began(name);
    }
    let events = watch.events();
    let of = |wanted: fn(&Change) -> bool| -> Vec<&str> {
        events.iter().filter(|event| wanted(&event.change)).map(|event| &*event.service).collect()
    };
    assert_eq!(of(|change| *change == Change::Started), planned);
    let runs = of(|change| matches!(change, Change::RunBegan { .. }));
    let place = |name: &str| runs.iter().position(|run| *run == name);
    assert!(
        place("z") < place("a") && place("a") < place("c") && place("b") < place("c"),
        "{runs:?}"
    );
    runner.stop_all();
}

#[test]
fn rule_32_up_means_that_the_first_run_has_begun() {
    let (runner, clock) = manual();
    let mut watch = Watch::new(&runner);
    let (go, gate) = bounded::<()>(0);
    let slow = move |_: &Context| {
        let _ = gate.recv();
    };
    runner.register(Service::new("first", slow).initial_delay("10s"));
    runner.register(Service::new("then", |_| {}).interval("1s").after("first"));
    runner.start_all().unwrap();
    let held = info(&runner, "then");
    assert_eq!((held.state, held.next_due), (State::Waiting, None), "it is held");
    assert!(matches!(runner.run_now("then"), Err(ControlError::NotUpYet { .. })));
    clock.advance(secs(9));
    assert_eq!(info(&runner, "then").runs, 0);
    clock.advance(secs(1));
    // Its run has begun, and goes on: that is enough.
    watch.ended("then");
    assert_eq!(runner.status()["first"], State::Running);
    drop(go);
    runner.stop_all();
}

#[test]
fn rule_32_what_comes_after_a_service_that_ends_early_is_not_held_for_ever() {
    let (runner, _clock) = manual();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("first", |_| {}).initial_delay("1h"));
    runner.register(Service::new("then", |_| {}).after("first"));
    runner.start_all().unwrap();
    runner.stop("first").unwrap();
    watch.began("then");
    runner.stop_all();
}

#[test]
fn rule_33_start_never_waits_for_a_run() {
    let runner = Runner::new();
    let (go, gate) = bounded::<()>(0);
    let slow = move |_: &Context| {
        let _ = gate.recv();
    };
    runner.register(Service::new("s", slow));
    // Returns, though the run cannot end before the next line.
    let started = tests::within("start_all", move || runner.start_all().unwrap());
    drop(go);
    started.wait();
    assert_eq!(started.status()["s"], State::Finished);
}

#[test]
fn autostart_false_is_left_to_be_started_by_name() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("lazy", |_| Flow::Done).autostart(false));
    runner.register(Service::new("eager", |ctx| while ctx.sleep(secs(3_600)) {}));
    runner.start_all().unwrap();
    watch.began("eager");
    assert_eq!(runner.status()["lazy"], State::Registered);
    assert!(runner.check().unwrap().to_string().contains("not started by itself"));
    runner.start("lazy").unwrap();
    watch.change("lazy", &Change::Finished);
    runner.stop_all();
}

#[test]
fn a_second_start_all_starts_what_is_not_running() {
    let runner = Runner::new();
    let mut watch = Watch::new(&runner);
    runner.register(Service::new("done", |_| Flow::Done));
    runner.register(Service::new("stopped", |ctx| while ctx.sleep(secs(3_600)) {}));
    runner.register(Service::new("running", |ctx| while ctx.sleep(secs(3_600)) {}));
    runner.start_all().unwrap();
    for name in ["done", "stopped", "running"] {
        watch.began(name);
    }
    watch.change("done", &Change::Finished);
    runner.stop("stopped").unwrap();
    runner.register(Service::new("new", |_| Flow::Done));
    runner.start_all().unwrap();
    watch.began("stopped");
    watch.began("new");
    let runs = |name| info(&runner, name).runs;
    assert_eq!((runs("done"), runs("stopped"), runs("running")), (1, 2, 1));
    runner.stop_all();
    // After a stop of all, start is a fresh start.
    runner.start_all().unwrap();
    watch.began("running");
    runner.stop_all();
}

#[test]
fn the_plan_names_due_times_and_places() {
    let (runner, _clock) = manual();
    let line = line!() + 1;
    runner.register(Service::new("report", |_| {}).interval("1h").initial_delay("30m"));
    let plan = runner.check().unwrap().to_string();
    assert!(plan.contains("report  every 1h"), "{plan}");
    assert!(plan.contains("1970-01-01T00:30:00Z, 1970-01-01T01:30:00Z"), "{plan}");
    assert!(plan.contains(&format!("({}:{line})", file!())), "{plan}");
}
