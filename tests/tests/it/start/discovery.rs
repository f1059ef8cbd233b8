//! Rules 150, 158 and 178: services are found wherever they are declared, and selected by name.

use tests::{EventWatcher, info};
use tina4_service::{Runner, Service, State};

mod outer {
    mod inner {
        /// A module that no other module can name.
        mod innermost {
            use tina4_service::service;

            #[service(name = "registration.deep")]
            fn deep() {}
        }

        pub(crate) use first::base;

        mod first {
            /// Renamed where it is imported.
            #[tina4_service::service(name = "registration.base", interval = "1h")]
            pub(crate) fn base() {}
        }
    }

    use inner::base as renamed;

    #[tina4_service::service(name = "registration.later", after = [renamed, "registration.deep"])]
    fn later() {}
}

/// A function inside a function is a service, too.
#[expect(dead_code, reason = "only its existence matters")]
fn not_called() {
    #[tina4_service::service(name = "registration.local")]
    fn local() {}
}

#[test]
fn rule_150_services_in_private_modules_and_functions_are_found() {
    let names = ["deep", "base", "later", "local"].map(|name| format!("registration.{name}"));
    let runner = Runner::builder().only(names.clone()).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    for name in &names {
        watcher.wait_for_run_end(name);
    }
    let path = info(&runner, "registration.deep").function;
    assert_eq!(path, "it::start::discovery::outer::inner::innermost::deep");
    runner.stop_all();
}

const ABOVE: u32 = line!();
#[tina4_service::service(
    name = "registration.placed",
    crate = ::tina4_service
)]
fn placed() {}

macro_rules! declare {
    ($name:literal, $function:ident) => {
        #[tina4_service::service(name = $name)]
        fn $function() {}
    };
}

const ABOVE_MACRO: u32 = line!();
declare!("registration.by-macro", by_macro);

#[test]
fn rule_150_a_place_is_the_start_of_the_attribute_or_of_the_macro_call() {
    let runner = Runner::builder().build();
    for (name, above) in [("registration.placed", ABOVE), ("registration.by-macro", ABOVE_MACRO)] {
        let place = info(&runner, name).place;
        assert_eq!((place.file, place.line, place.column), (file!(), above + 1, 1), "{name}");
    }
}

#[test]
fn rule_158_after_identifies_a_function_by_its_type_under_any_name() {
    let runner = Runner::builder()
        .only(["registration.base", "registration.deep", "registration.later"])
        .build();
    let plan = runner.check().unwrap();
    let later =
        plan.services().iter().find(|service| service.name == "registration.later").unwrap();
    assert_eq!(later.after, ["registration.base", "registration.deep"]);
    // A service that is left out is no fault, and is not waited for.
    let runner = Runner::builder().only(["registration.later"]).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_run_end("registration.later");
}

#[test]
fn rule_158_after_accepts_the_replacement_of_a_service_that_is_left_out() {
    let runner = Runner::builder().only(["registration.later"]).build();
    runner.register(Service::new("registration.deep", |_| {}));
    runner.register(Service::new("registration.base", |_| {}));
    let plan = runner.check().unwrap();
    let order: Vec<_> = plan.services().iter().map(|service| &*service.name).collect();
    assert_eq!(order, ["registration.base", "registration.deep", "registration.later"]);
    // The path and the name both find the replacement.
    assert_eq!(plan.services()[2].after, ["registration.base", "registration.deep"]);
}

#[test]
fn rule_178_except_leaves_services_out_and_only_keeps_them() {
    let all = Runner::builder().build().status();
    assert_eq!(all["registration.deep"], State::Registered);
    let rest = Runner::builder().except(["registration.deep"]).build().status();
    assert_eq!(rest.len(), all.len() - 1);
    assert!(!rest.contains_key("registration.deep"));
    assert!(Runner::new().status().is_empty());
}
