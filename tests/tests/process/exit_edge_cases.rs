//! Rule 45 in edge cases: contended locks, few threads, values that are dropped last.

use tests::child::Ended;
use tests::{Child, Stopwatch, best_of, secs};

#[track_caller]
fn end(scenario: &str) -> Ended {
    let mut last = None;
    // Well below the limit.
    best_of(5, scenario, secs(4), || {
        let child = Child::start(env!("CARGO_BIN_EXE_exit_edge_cases"), &[scenario]);
        child.wait_for_error_line("ends");
        let stopwatch = Stopwatch::start();
        last = Some(child.wait());
        stopwatch.elapsed()
    });
    last.expect("there was a round")
}

#[test]
fn rule_45_the_end_of_the_process_drops_no_value_of_the_program() {
    // Repeated, because the result could depend on which thread drops the runner last.
    for _ in 0..5 {
        let ended = end("values");
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert_eq!(ended.errors("hook: "), ["idle"], "{ended:?}");
    }
}

#[test]
fn rule_45_hooks_run_while_another_thread_starts_services() {
    for _ in 0..20 {
        let ended = end("starting");
        assert_eq!(ended.code(), 3, "{ended:?}");
        assert_eq!(ended.errors("hook: "), ["idle"], "{ended:?}");
    }
}

#[test]
fn rule_45_hooks_run_while_other_threads_contend_for_the_locks() {
    for scenario in ["many-runners", "querying"] {
        // Repeated, because the lock could be free by chance.
        for _ in 0..8 {
            let ended = end(scenario);
            assert_eq!(ended.code(), 3, "{ended:?}");
            assert_eq!(ended.errors("hook: "), ["idle"], "{scenario}: {ended:?}");
        }
    }
}

// On Windows `process::exit` runs no hooks: see `exit.rs`.
#[cfg(not(windows))]
#[test]
fn rule_45_hooks_run_despite_a_limit_on_threads() {
    let ended = end("one-thread");
    assert_eq!(ended.code(), 3, "{ended:?}");
    let mut hooks = ended.errors("hook: ");
    hooks.sort_unstable();
    assert_eq!(hooks, ["exits", "idle"], "{ended:?}");
}
