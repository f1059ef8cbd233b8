//! Rule 45 with async services: what still runs if the thread that ends the process is the one that polls them.
//!
//! On Windows `process::exit` ends all other threads first: see `exit.rs`.

use tests::Child;
use tests::child::Ended;

fn end(scenario: &str) -> Ended {
    Child::start(env!("CARGO_BIN_EXE_async_exits"), &[scenario]).wait()
}

/// Whether a call would block the runtime is found out without a panic, which a panic hook that is installed
/// later would see.
#[test]
fn rule_91_and_25_a_refused_call_does_not_panic() {
    let ended = end("refused");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out, ["ends"], "{ended:?}");
}

#[cfg(not(windows))]
mod process_exit {
    use std::ops::Range;
    use std::time::Duration;

    use tests::child::Ended;
    use tests::{millis, secs};

    use super::end;

    /// Checks the exit code, the time, and the hooks, each of which runs once.
    #[track_caller]
    fn check(scenario: &str, took: Range<Duration>, expected: &[&str]) -> Ended {
        let ended = Ended::within(scenario, took.end, || end(scenario));
        assert_eq!(ended.code(), 3, "{scenario}: {ended:?}");
        assert!(ended.took >= took.start, "{scenario}: {ended:?}");
        let mut hooks = ended.errors("hook: ");
        // Services that do not depend on each other stop in no order.
        hooks.sort_unstable();
        assert_eq!(hooks, expected, "{scenario}: {ended:?}");
        ended
    }

    /// The hooks that need no runtime.
    const PLAIN: [&str; 4] =
        ["async, registered", "base, plain", "base, registered", "thread, plain"];

    #[test]
    fn rule_45_async_hooks_are_reported_as_not_run_if_the_exiting_thread_drives_their_runtime() {
        for scenario in ["main", "not-driven"] {
            let ended = check(scenario, secs(0)..secs(3), &PLAIN);
            let reports = ended.errors("the async `on_stop` of ");
            assert_eq!(
                reports,
                [
                    "`async`, `idle`, `plain` was not run: the tokio runtime of the async services polled no task \
                     any more, because its threads were blocked or ended the process; await `stop_all_async` before the end of the process"
                ],
                "{ended:?}"
            );
        }
    }

    #[test]
    fn rule_45_a_hook_in_progress_does_not_make_the_end_of_the_process_wait_for_an_async_hook() {
        let ended = check("slow-hook", millis(300)..secs(3), &["slow, registered"]);
        assert_eq!(
            ended.errors("the async `on_stop` of `slow` was not run: ").len(),
            1,
            "{ended:?}"
        );
    }

    #[test]
    fn rule_45_an_async_service_may_end_the_process() {
        let plain = [&PLAIN[..3], &["exits, plain"], &PLAIN[3..]].concat();
        let ended = check("task", secs(0)..secs(3), &plain);
        assert_eq!(ended.errors("the async `on_stop` of `async`, `idle`, `plain` was ").len(), 1);
        // The only worker of a multi-thread runtime: the other threads might have been busy.
        let ended = check("only-worker", secs(1)..secs(4), &plain);
        assert_eq!(ended.errors("the async `on_stop` of `async`, `idle`, `plain` was ").len(), 1);
    }

    #[test]
    fn rule_45_async_hooks_run_at_the_end_of_the_process_if_other_threads_drive_their_runtime() {
        let mut all = [&PLAIN[..], &["async, async", "idle, async", "plain, async"]].concat();
        all.sort_unstable();
        for scenario in ["workers", "other-thread"] {
            let ended = check(scenario, secs(0)..secs(3), &all);
            assert!(ended.errors("the async").is_empty(), "{ended:?}");
        }
    }
}
