//! Rule 31: the error of a runner without services.

use tests::Child;
use tina4_service::{Runner, StartError};

#[test]
fn rule_31_an_error_without_services_explains_the_likely_cause() {
    // Its package depends on a crate with services, which the program does not import.
    let ended = Child::start(env!("CARGO_BIN_EXE_no_services"), &[]).wait();
    let text = ended.out.join("\n");
    assert!(text.contains("no service was found"), "{text}");
    assert!(text.contains("a separate crate that nothing refers to"), "{text}");
    assert!(text.contains("use my_services as _;"), "{text}");
    // The same error helps a program that selects a service.
    let ended = Child::start(env!("CARGO_BIN_EXE_no_services"), &["heartbeat"]).wait();
    let text = ended.out.join("\n");
    assert!(
        text.contains("`only` or `except` names `heartbeat`, but there is no such service"),
        "{text}"
    );
    assert!(text.contains("use my_services as _;"), "{text}");
}

#[test]
fn rule_31_the_linker_is_not_blamed_for_an_empty_selection() {
    let text = |runner: &Runner| {
        let error = runner.start_all().expect_err("there are no services");
        assert_eq!(runner.check().expect_err("the same").to_string(), error.to_string());
        error.to_string()
    };
    let registered = "this runner has no services; `register` a service before starting";
    assert_eq!(text(&Runner::new()), registered);
    assert!(matches!(Runner::new().start_all(), Err(StartError::NothingRegistered)));
    let all = Runner::builder().build().services().into_iter().map(|info| info.name);
    let all: Vec<_> = all.map(String::from).collect();
    let selected = format!(
        "the selection excludes every declared service ({}); select one of them, or `register` a service",
        all.len()
    );
    let none = Runner::builder().only::<&str>([]).build();
    assert_eq!(text(&none), selected);
    let left_out = all.len();
    let error = Runner::builder().except(all).build().start_all();
    assert!(
        matches!(error, Err(StartError::NothingSelected { left_out: found }) if found == left_out)
    );
    // A program that selects no service gets no hint about the linker either.
    let ended = Child::start(env!("CARGO_BIN_EXE_no_services"), &["--none"]).wait();
    assert_eq!(ended.out, [registered]);
}

#[test]
fn rule_31_services_of_a_crate_that_is_only_imported_are_found() {
    // Without the import they are not found: see above.
    let ended = Child::start(env!("CARGO_BIN_EXE_only_imported"), &[]).wait();
    assert_eq!(ended.out, ["tests.only-imported: registered"], "{ended:?}");
}
