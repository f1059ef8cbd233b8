//! Rule 84: a forked child has none of its parent's threads, and its runner reports this. With real
//! processes.
#![cfg(unix)]

use tests::child::Ended;
use tests::{Child, secs};

fn run(scenario: &str) -> Ended {
    Child::start(env!("CARGO_BIN_EXE_forks"), &[scenario]).wait()
}

/// `check_inherited_runner` in `src/bin/forks.rs` lists the checks of each child.
#[test]
fn rule_84_hundreds_of_children_neither_hang_nor_claim_that_anything_runs() {
    let ended = run("children");
    assert_eq!(ended.out, ["0 hung, 0 wrong []", "3"]);
    assert_eq!(ended.code(), 0);
    // The hooks ran in the parent when it stopped, and in no child.
    assert_eq!(ended.errors("hook: "), ["again"]);
    // Each child's `provide` and `run`; the other calls return an error.
    let refused = ended.err.lines().filter(|line| line.contains("was forked from the one"));
    assert_eq!(refused.count(), 2 * 300);
}

#[test]
fn rule_84_and_92_children_of_async_services_neither_hang_nor_claim_that_anything_runs() {
    let ended = run("children of async services");
    assert_eq!(ended.out, ["0 hung or wrong []"], "{ended:?}");
    assert_eq!(ended.code(), 0, "{ended:?}");
    // The async hooks ran in the parent when it stopped, and in no child.
    let mut hooks = ended.errors("hook: ");
    hooks.sort_unstable();
    assert_eq!(hooks, ["again", "sleeps"], "{ended:?}");
}

#[test]
fn rule_84_and_92_a_child_forked_in_a_poll_is_not_a_service() {
    let ended = Ended::within("from a poll", secs(4), || run("from a poll"));
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, ["Some(\"code 0\")"], "{ended:?}");
    assert_eq!(ended.errors("hook: "), ["forks"], "{ended:?}");
}

#[test]
fn rule_84_a_child_forked_by_a_service_is_not_a_service() {
    let ended = run("from a service");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, ["Some(\"code 0\")"], "{ended:?}");
    assert_eq!(ended.errors("hook: "), ["forks"], "{ended:?}");
}

#[test]
fn rule_84_a_worker_does_not_continue_in_the_child() {
    let ended = run("returns in both");
    assert_eq!(ended.code(), 0, "{ended:?}");
    let mut out = ended.out.clone();
    out.sort_unstable();
    assert_eq!(out, ["Some(\"code 0\")", "hook: forks in the parent"], "{ended:?}");
}

#[test]
fn rule_84_a_runner_first_started_in_the_child_works_there() {
    let ended = run("daemon");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, ["Some(\"code 0\")"], "{ended:?}");
    assert_eq!(ended.errors("hook: "), ["daemon"], "{ended:?}");
    assert!(ended.err.contains(" services ended in "), "{ended:?}");
}

#[test]
fn rule_84_and_44_a_child_handles_its_own_signals() {
    let ended = Ended::within("signals", secs(15), || run("signals"));
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(
        ended.out,
        ["Some(\"SIGTERM\")", "Some(\"code 2\")", "Some(\"SIGTERM\")", "None"],
        "default, its own, default, and the parent's: {ended:?}"
    );
}
