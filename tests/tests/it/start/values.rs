//! Rules 178 and 181: the values that services share.

use std::sync::{Arc, Mutex, RwLock};

use tests::EventWatcher;
use tina4_service::{Change, ControlError, Fault, Res, Runner, Service, StartError};

struct Db(&'static str);
trait Store: Send + Sync {
    fn name(&self) -> &'static str;
}
impl Store for Db {
    fn name(&self) -> &'static str {
        self.0
    }
}
mod other {
    pub(super) struct Db;
}

/// The addresses that services saw.
type Seen = Mutex<Vec<usize>>;

fn address<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).addr()
}

#[test]
fn rule_181_an_arc_of_a_value_serves_as_the_value_and_as_the_arc() {
    fn value(seen: Res<Seen>, db: Res<Db>, maybe: Option<Res<Db>>) {
        let maybe = maybe.expect("it was provided");
        seen.lock().unwrap().extend([address(&*db), address(&*maybe)]);
    }
    fn arc(seen: Res<Arc<Seen>>, db: Res<Arc<Db>>) {
        seen.lock().unwrap().push(address(&**db));
    }
    let (db, seen) = (Arc::new(Db("db")), Arc::new(Seen::default()));
    let runner = Runner::new();
    runner.provide(Arc::clone(&db));
    runner.provide(Arc::clone(&seen));
    runner.register(Service::of("value", value)).unwrap();
    runner.register(Service::of("arc", arc)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    // All of them share the value that the program kept.
    assert_eq!(*seen.lock().unwrap(), [address(&*db); 3]);
}

#[test]
fn rule_181_an_arc_of_a_trait_object_serves_as_the_trait_object() {
    fn names(store: Res<dyn Store>, text: Res<str>, seen: Res<Mutex<Vec<String>>>) {
        seen.lock().unwrap().push(format!("{} {}", store.name(), &*text));
    }
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let runner = Runner::new();
    runner.provide::<Arc<dyn Store>>(Arc::new(Db("db")));
    runner.provide::<Arc<str>>("text".into());
    runner.provide(Arc::clone(&seen));
    runner.register(Service::of("names", names)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    assert_eq!(*seen.lock().unwrap(), ["db text"]);
}

#[test]
fn rule_181_a_value_and_an_arc_of_its_type_are_a_fault_if_a_service_asks_for_the_value() {
    fn arc(db: Res<Arc<Db>>) {
        assert_eq!(db.0, "arc");
    }
    fn optional(_db: Option<Res<Db>>) {}
    let runner = Runner::new();
    let place = |line| format!("{}:{line}", file!());
    runner.provide(Db("value"));
    runner.provide(Arc::new(Db("arc")));
    let (value, other) = (place(line!() - 2), place(line!() - 1));
    runner.register(Service::of("arc", arc)).unwrap();
    runner.check().expect("`Arc<Db>` means only one of them");
    runner.register(Service::of("optional", optional)).unwrap();
    runner.register(Service::of("again", |_: Res<Db>| {})).unwrap();
    let error = runner.start_all().expect_err("`Res<Db>` could mean either");
    let StartError::Faults(faults) = &error else { panic!("{error}") };
    let [fault @ Fault::ProvidedInTwoForms { .. }] = &faults[..] else { panic!("{error}") };
    let db = "it::start::values::Db";
    assert_eq!(
        fault.to_string(),
        format!(
            "`{db}` was provided at {value} and, in an `Arc`, at {other}, so `Res<{db}>` could mean \
             either; provide only one of them, or wrap one in a distinct type"
        )
    );
    // It prevents only the start of the services that ask for the value.
    for name in ["optional", "again"] {
        let refused = runner.start(name).expect_err("ambiguous");
        assert!(matches!(refused, ControlError::Start(StartError::Faults(_))), "{refused}");
    }
    let mut watcher = EventWatcher::new(&runner);
    runner.start("arc").unwrap();
    watcher.wait_for_change("arc", &Change::Finished);
}

#[test]
fn rule_181_and_30_an_arc_that_was_provided_twice_is_a_fault_of_the_services_that_ask_for_its_value()
 {
    let runner = Runner::new();
    runner.provide(Arc::new(Db("one")));
    runner.provide(Arc::new(Db("two")));
    runner.register(Service::of("s", |_: Res<Db>| {})).unwrap();
    let refused = runner.start("s").expect_err("provided twice");
    assert!(refused.to_string().contains("was provided 2 times"), "{refused}");
}

/// The fault of a service that asks for a `T`.
fn fault<T: ?Sized + Send + Sync + 'static>(runner: &Runner) -> String {
    runner.register(Service::of("s", |_: Res<T>| {})).unwrap();
    let error = runner.check().expect_err("the value is missing");
    let StartError::Faults(faults) = &error else { panic!("{error}") };
    let [fault @ Fault::MissingResource { .. }] = &faults[..] else { panic!("{error}") };
    fault.to_string()
}

#[test]
fn rule_178_and_82_a_missing_value_is_reported_with_a_similar_one_that_was_provided() {
    let module = "it::start::values";
    let asked = |text: &str, fault: &str| assert!(fault.ends_with(text), "`{text}`:\n{fault}");

    let runner = Runner::new();
    runner.provide(Db("db"));
    runner.provide(7_u8);
    asked(
        &format!(
            " asks for `Res<alloc::sync::Arc<{module}::Db>>`, which was not provided, but \
             `{module}::Db` was; ask for `Res<{module}::Db>`, or call `provide(..)` with a value of the \
             type `alloc::sync::Arc<{module}::Db>` before starting"
        ),
        &fault::<Arc<Db>>(&runner),
    );

    let runner = Runner::new();
    runner.provide(Arc::new(RwLock::new(Db("db"))));
    assert!(fault::<Db>(&runner).contains("RwLock<it::start::values::Db>>>`, or call "));

    let runner = Runner::new();
    runner.provide(other::Db);
    assert!(fault::<Db>(&runner).contains(&format!("but `{module}::other::Db` was; ask")));

    let runner = Runner::new();
    runner.provide(7_u8);
    asked(
        ", which was not provided; call `provide(..)` with a value of that type before starting, or ask \
         for `Option<Res<..>>`",
        &fault::<Db>(&runner),
    );
}
