//! Rules 150, 158 and 178: services are found wherever they are declared, and selected by name.

use tests::{EventWatcher, info};
use tina4_service::{Ready, Runner, Service, State};

mod outer {
    mod inner {
        /// A private module, which only `inner` and its children can name.
        mod innermost {
            use tina4_service::service;

            #[service(name = "discovery.deep", ready = "finished")]
            fn deep() {}
        }

        pub(crate) use first::base;

        mod first {
            /// Renamed where it is imported.
            #[tina4_service::service(name = "discovery.base", interval = "1h")]
            pub(crate) fn base() {}
        }
    }

    use inner::base as renamed;

    #[tina4_service::service(name = "discovery.later", after = [renamed, "discovery.deep"])]
    fn later() {}
}

/// A function inside a function is a service, too.
#[expect(dead_code, reason = "only its existence matters")]
fn not_called() {
    #[tina4_service::service(name = "discovery.local")]
    fn local() {}
}

#[test]
fn rule_150_services_in_private_modules_and_functions_are_found() {
    let names = ["deep", "base", "later", "local"].map(|name| format!("discovery.{name}"));
    let runner = Runner::builder().only(names.clone()).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    for name in &names {
        watcher.wait_for_run_end(name);
    }
    let path = info(&runner, "discovery.deep").function;
    assert_eq!(path, "it::start::discovery::outer::inner::innermost::deep");
    runner.stop_all();
}

const ABOVE: u32 = line!();
#[tina4_service::service(
    name = "discovery.placed",
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
declare!("discovery.by-macro", by_macro);

#[test]
fn rule_150_a_place_is_the_start_of_the_attribute_or_of_the_macro_call() {
    let runner = Runner::builder().build();
    for (name, above) in [("discovery.placed", ABOVE), ("discovery.by-macro", ABOVE_MACRO)] {
        let place = info(&runner, name).place;
        assert_eq!((place.file, place.line, place.column), (file!(), above + 1, 1), "{name}");
    }
}

#[test]
fn rule_158_after_identifies_a_function_by_its_type_under_any_name() {
    let runner =
        Runner::builder().only(["discovery.base", "discovery.deep", "discovery.later"]).build();
    let plan = runner.check().unwrap();
    let later = plan.services().iter().find(|service| service.name == "discovery.later").unwrap();
    assert_eq!(later.after, ["discovery.base", "discovery.deep"]);
    // A service that is left out is not a fault, and is not waited for.
    let runner = Runner::builder().only(["discovery.later"]).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_run_end("discovery.later");
}

#[test]
fn rule_158_after_accepts_the_replacement_of_a_service_that_is_left_out() {
    let runner = Runner::builder().only(["discovery.later"]).build();
    runner.register(Service::new("discovery.deep", |_| {}).ready(Ready::Finished)).unwrap();
    runner.register(Service::new("discovery.base", |_| {}).ready(Ready::Finished)).unwrap();
    let plan = runner.check().unwrap();
    let order: Vec<_> = plan.services().iter().map(|service| &*service.name).collect();
    assert_eq!(order, ["discovery.base", "discovery.deep", "discovery.later"]);
    // The path and the name both find the replacement.
    assert_eq!(plan.services()[2].after, ["discovery.base", "discovery.deep"]);
}

#[test]
fn rule_178_except_leaves_services_out_and_only_keeps_them() {
    let all = Runner::builder().build().status();
    assert_eq!(all["discovery.deep"], State::Registered);
    let rest = Runner::builder().except(["discovery.deep"]).build().status();
    assert_eq!(rest.len(), all.len() - 1);
    assert!(!rest.contains_key("discovery.deep"));
    assert!(Runner::new().status().is_empty());
}
