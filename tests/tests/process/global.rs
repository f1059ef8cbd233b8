//! Rule 184: how the global runner is built. Each test starts a program of its own.

use tests::Child;

fn run(scenario: &str) -> Vec<String> {
    let ended = Child::start(env!("CARGO_BIN_EXE_global"), &[scenario]).wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended.out
}

#[test]
fn rule_184_the_settings_of_the_builder_take_effect() {
    let out = run("settings");
    assert_eq!(out[0], "built");
    assert!(out[1].starts_with("mine"), "{out:?}");
    assert_eq!(out[2], "[\"global.stubborn\"]");
    assert_eq!(out[3], "abandoned, early");
}

#[test]
fn rule_184_a_global_runner_that_is_in_use_stays_as_it_is() {
    let out = run("in use");
    let expected = format!(
        "the global runner has been in use since the call at {}; call \
         `build_global` before that, such as at the start of `main`",
        out[0]
    );
    assert_eq!(out[1..], [&*expected, "true"]);
}

#[test]
fn rule_184_the_global_runner_is_built_only_once() {
    let out = run("twice");
    let expected = format!(
        "the global runner was built at {}; call `build_global` only once, with \
         all settings",
        out[1]
    );
    assert_eq!((&*out[0], &out[2..]), ("built", &[expected, "false".to_owned()][..]));
}

#[test]
fn rule_184_the_global_runner_has_the_system_clock() {
    let out = run("clock");
    assert!(out[0].starts_with("the global runner follows the system clock, because "), "{out:?}");
    assert_eq!(out[1..], ["built", "false"]);
}

#[test]
fn rule_184_one_of_many_threads_builds_the_global_runner() {
    assert_eq!(run("threads"), ["1 built, 31 refused", "false"]);
}
