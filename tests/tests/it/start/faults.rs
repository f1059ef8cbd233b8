//! Rules 30 and 82: all faults are reported, each with its place, and nothing starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tests::in_virtual_time;
use tina4_service::{
    ControlError, Fault, Flow, Local, RegisterError, Res, Runner, Service, StartError, State,
    service,
};

/// A value that is not provided.
struct Db;

/// Not a service.
fn plain() {}

/// There is another one with this name in the crate `tests`.
#[service(name = "tests.only-imported", autostart = false)]
fn twin() {}
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
    let names = ["reader", "lost", "hen", "egg"].map(|name| format!("faults.{name}"));
    // Two declarations of one name in one crate do not compile. The second one is in another crate.
    let runner =
        Runner::builder().only(names).only(["faults.ghost", "tests.only-imported"]).build();
    runner.register(Service::new("well", |_| {})).unwrap();
    let (one, two) = (line!() + 1, line!() + 2);
    runner.provide(1.5_f32);
    runner.provide(2.5_f32);
    let error = runner.start_all().expect_err("there are faults");
    let text = error.to_string();
    let at = |text: &str| format!("{}:{}", file!(), line_of(text));
    for part in [
        "`tests.only-imported` is the name of 2 services, at tests/src/lib.rs:".to_owned(),
        format!(
            " and {}; give each service a different `name`",
            at("#[service(name = \"tests.only-imported\"")
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
    // A faulty service cannot be started by name either, and is told its own faults only, except for
    // those of the runner.
    for (name, own) in [
        ("faults.lost", &["`faults.lost` at", "`faults.lost` at"][..]),
        ("faults.reader", &["`faults.reader` at", "`faults.reader` at"]),
        ("faults.hen", &["`faults.egg` at"]),
        ("tests.only-imported", &["`tests.only-imported` is the name of 2 services"]),
        ("well", &[]),
    ] {
        let refused = runner.start(name).expect_err("there is a fault");
        let ControlError::Start(StartError::Faults(found)) = &refused else { panic!("{refused}") };
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(texts[0].contains("`faults.ghost`"), "{refused}");
        assert_eq!(texts.len(), own.len() + 1, "{refused}");
        for (text, part) in texts[1..].iter().zip(own) {
            assert!(text.contains(part) && faults.contains(&found[0]), "{refused}");
        }
    }
}

#[test]
fn rule_30_a_service_with_wrong_settings_is_refused_when_it_is_registered() {
    let runner = Runner::new();
    let line = line!() + 1;
    let refused = runner.register(Service::new("lives", |_| {}).interval("5").jitter("x"));
    let refused = refused.expect_err("its settings have faults");
    let text = refused.to_string();
    let RegisterError::Faults(faults) = &refused else { panic!("{text}") };
    assert_eq!(text.lines().count(), faults.len() + 1, "one line per fault:\n{text}");
    let place = format!("`lives` at {}:{line}: ", file!());
    for part in [
        "the service was not registered:",
        &place,
        "`5` has no unit",
        "expected a number before `x`",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let zone = Service::new("s", |_| {}).cron("0 8 * * *").timezone("Europe/Atlantis");
    let refused = runner.register(zone).expect_err("there is no such time zone");
    assert!(refused.to_string().contains("Europe/Atlantis"), "{refused}");
    let itself = runner.register(Service::new("itself", |_| {}).requires("itself"));
    let itself = itself.expect_err("it waits for itself").to_string();
    assert!(itself.contains("waits for itself; remove one entry"), "{itself}");
    let name = runner.register(Service::new("9lives", |_| {})).expect_err("it begins with a digit");
    assert!(name.to_string().contains("a name cannot start with `9`"), "{name}");
    // Nothing of them is kept: the names are free, and the next start succeeds.
    assert!(runner.status().is_empty());
    runner.register(Service::new("lives", |_| Flow::Done)).unwrap();
    runner.start_all().unwrap();
    runner.wait();
    assert_eq!(runner.status()["lives"], State::Finished);
}

#[test]
fn rule_82_an_unknown_name_in_after_or_in_a_selection_gets_a_suggestion() {
    let runner = Runner::builder().only(["faults.eg", "nothing"]).build();
    runner.register(Service::new("heartbeat", |_| {})).unwrap();
    runner.register(Service::new("then", |_| {}).after("hartbeat").after("nobody")).unwrap();
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

/// Adds to a counter when it is dropped.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn rule_30_a_second_service_of_one_name_is_refused_and_not_kept() {
    let first = line!() + 1;
    let mut t = in_virtual_time([Service::new("s", |_| Err::<(), _>("first")).backoff("1m")]);
    t.advance("0s");
    let dropped = Arc::new(AtomicU32::new(0));
    let owned = Dropped(Arc::clone(&dropped));
    let second = line!() + 1;
    let twin = Service::new("s", move |_| {
        let _ = &owned;
        Err::<(), _>("second")
    });
    let refused = t.runner().register(twin).expect_err("the name is taken");
    let RegisterError::NameTaken { name, place, taken_by } = &refused else { panic!("{refused}") };
    assert_eq!((&**name, place.line, taken_by.line), ("s", second, first));
    let text = refused.to_string();
    for part in [format!("{}:{second}", file!()), format!("{}:{first}", file!())] {
        assert!(text.contains(&part), "`{part}` is missing in: {text}");
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "the closure was dropped");
    // The first service continues, and nobody is told of a fault.
    t.runner().start_all().unwrap();
    t.advance("1m");
    let ran: Vec<_> = t.runner().services().iter().map(|info| info.runs).collect();
    assert_eq!(ran, [2]);
    // A declared name is taken, too.
    let runner = Runner::builder().only(["faults.hen"]).build();
    let refused = runner.register(Service::new("faults.hen", |_| {})).unwrap_err();
    let line = line_of("#[service(name = \"faults.hen\"");
    assert!(refused.to_string().contains(&format!("{}:{line}", file!())), "{refused}");
}

#[test]
fn rule_30_and_36_of_two_declared_services_of_one_name_the_other_remains_when_one_is_removed() {
    let runner = Runner::builder().only(["tests.only-imported"]).build();
    assert_eq!(runner.services().len(), 2);
    runner.check().unwrap_err();
    runner.unregister("tests.only-imported").unwrap();
    runner.check().unwrap();
    assert_eq!(runner.services().len(), 1);
    runner.unregister("tests.only-imported").unwrap();
    assert!(runner.services().is_empty());
    runner.unregister("tests.only-imported").unwrap_err();
}
