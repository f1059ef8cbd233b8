//! Rules 30 and 82: all faults are reported, each with its place, and nothing starts.

use tests::{in_virtual_time, sleep_until_stopped};
use tina4_service::{
    Change, ControlError, Fault, Local, Res, Runner, Service, StartError, State, Stopped, service,
};

/// A value that is not provided.
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
#[service(name = "faults.hen", after = [egg], ready = "started")]
fn hen() {}
#[service(name = "faults.egg", after = ["faults.hen"], ready = "started")]
fn egg() {}

/// The line of a declaration in this file.
fn line_of(text: &str) -> usize {
    let source = include_str!("faults.rs");
    let line = source.lines().position(|line| line.starts_with(text));
    line.unwrap_or_else(|| panic!("`{text}` is in this file")) + 1
}

#[test]
fn rule_30_all_faults_are_reported_together_with_file_and_line_and_nothing_starts() {
    let names = ["twin", "reader", "lost", "hen", "egg"].map(|name| format!("faults.{name}"));
    let runner = Runner::builder().only(names).only(["faults.ghost"]).build();
    runner.register(Service::new("9lives", |_| {}).interval("5"));
    runner.register(Service::new("well", |_| {}));
    // Two declarations of one name in one crate do not compile. The second one may be in another
    // crate or built at run time.
    let second_twin = line!() + 1;
    runner.register(Service::new("faults.twin", |_| {}));
    let (one, two) = (line!() + 1, line!() + 2);
    runner.provide(1.5_f32);
    runner.provide(2.5_f32);
    let error = runner.start_all().expect_err("there are faults");
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
        format!("`f32` was provided 2 times, at {0}:{one} and {0}:{two}", file!()),
        format!(
            "`9lives` at {}:{}: ",
            file!(),
            line_of("    runner.register(Service::new(\"9lives\"")
        ),
        "`5` has no unit".to_owned(),
        "`only` or `except` names `faults.ghost`, but there is no such service".to_owned(),
    ] {
        assert!(text.contains(&part), "`{part}` is missing in:\n{text}");
    }
    let StartError::Faults(faults) = &error else { panic!("{error:?}") };
    assert_eq!(text.lines().count(), faults.len() + 1, "one line per fault:\n{text}");
    assert!(
        faults
            .iter()
            .any(|fault| matches!(fault, Fault::Cycle { services } if services.len() == 2))
    );
    assert!(
        runner.status().values().all(|state| *state == State::Registered),
        "nothing has started"
    );
    assert_eq!(runner.check().expect_err("the same").to_string(), text);
    // A faulty service cannot be started by name either.
    let lost = runner.start("faults.lost").expect_err("it has a fault");
    assert!(matches!(&lost, ControlError::Start(StartError::Faults(_))), "{lost}");
}

#[test]
fn rule_82_an_unknown_name_in_after_or_in_a_selection_gets_a_suggestion() {
    let runner = Runner::builder().only(["faults.eg", "nothing"]).build();
    runner.register(Service::new("heartbeat", |_| {}));
    runner.register(Service::new("then", |_| {}).after("hartbeat").after("nobody"));
    let text = runner.check().expect_err("there are unknown names").to_string();
    let declared = Runner::builder().build().services().remove(0).name;
    let after = |name| format!("starts after `{name}`, which is not a service; ");
    let selected =
        |name| format!("`only` or `except` names `{name}`, but there is no such service; ");
    for part in [
        after("hartbeat") + "did you mean `heartbeat`?",
        after("nobody") + "put `#[service]` on it, or correct the name",
        selected("faults.eg") + "did you mean `faults.egg`?",
        selected("nothing") + &format!("the services are `heartbeat`, `then`, `{declared}`, "),
    ] {
        assert!(text.contains(&part), "`{part}` is missing in:\n{text}");
    }
}

#[test]
fn rule_30_a_second_service_of_one_name_does_not_replace_the_first() {
    let mut t = in_virtual_time([Service::new("s", |_| Err::<(), _>("first")).backoff("1m")]);
    t.advance("0s");
    let line = line!() + 1;
    t.runner().register(Service::new("s", |_| Err::<(), _>("second")));
    // The fault names both places, and the first service continues.
    for refused in [Runner::start, Runner::restart] {
        let error = refused(t.runner(), "s").unwrap_err();
        assert!(matches!(&error, ControlError::Start(StartError::Faults(_))), "{error}");
        assert!(error.to_string().contains(&format!("{}:{line}", file!())), "{error}");
    }
    t.runner().start_all().unwrap_err();
    t.advance("1m");
    let ran: Vec<_> = t.runner().services().iter().map(|info| info.runs).collect();
    assert_eq!(ran, [2, 0]);
    let second =
        |change: &Change| matches!(change, Change::Crashed { cause, .. } if &**cause == "second");
    assert!(!t.events().iter().any(|event| second(&event.change)));
    assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    assert!(!t.runner().is_running("s"));
}

#[test]
fn rule_30_status_shows_the_one_of_two_namesakes_that_requests_go_to() {
    let mut t = in_virtual_time([Service::new("s", sleep_until_stopped)]);
    t.advance("0s");
    t.runner().register(Service::new("s", sleep_until_stopped));
    assert!(t.runner().is_running("s"));
    assert_eq!(t.runner().status()["s"], State::Running);
}
