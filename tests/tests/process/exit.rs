//! Rule 45: a program that ends without `stop_all` still stops its services and runs their hooks.
//!
//! On Windows this holds only if `main` returns or panics. There `process::exit` ends all other
//! threads before anything else can run, so no hook runs; its tests are for the other systems.

use tests::child::Ended;
use tests::{Child, secs};

/// Runs a child that ends as configured, and checks that the hooks of `idle` and `blocked` ran
/// once, in order.
#[track_caller]
fn end(arguments: &[&str]) -> Ended {
    let ended = Child::start(env!("CARGO_BIN_EXE_exits"), arguments).wait();
    let hooks = ended.errors("hook: ");
    let of = |name: &str| -> Vec<&str> {
        hooks.iter().copied().filter(|hook| hook.starts_with(name)).collect()
    };
    assert_eq!(of("idle"), ["idle, inner", "idle"], "{arguments:?}: {ended:?}");
    assert_eq!(of("blocked"), ["blocked"], "{arguments:?}: {ended:?}");
    ended
}

/// The ways in which a program ends so that its hooks run, with their exit codes.
const WAYS: &[(&str, i32)] = if cfg!(windows) {
    &[("return", 7), ("panic", 101)]
} else {
    &[("return", 7), ("panic", 101), ("exit", 3), ("service", 3), ("hook", 3)]
};

/// Every service can stop, so the process must end before the limit of 5 s.
const PROMPT: std::time::Duration = secs(4);

#[test]
fn rule_45_hooks_run_and_the_exit_code_stays_whether_main_returns_or_exits() {
    for &(scenario, code) in WAYS {
        let ended = Ended::within(scenario, PROMPT, || end(&[scenario]));
        assert_eq!(ended.code(), code, "{scenario}: {ended:?}");
        assert_eq!(ended.out, ["ends"], "{scenario}: {ended:?}");
    }
}

#[cfg(not(windows))]
#[test]
fn rule_45_hooks_of_the_service_that_exits_run_too() {
    assert_eq!(end(&["service"]).errors("hook: exits"), [""]);
    // The second hook, which exits, does not run again; the first one still runs.
    assert_eq!(end(&["hook"]).errors("hook: exits, "), ["last", "first"]);
}

/// The standard library parks the second thread; after a second its service is abandoned.
#[test]
#[cfg(target_os = "linux")]
fn rule_45_two_threads_end_the_process_and_no_hook_is_lost() {
    for (scenario, code) in [("return", 7), ("exit", 3), ("service", 3)] {
        let ended = Ended::within(scenario, secs(3), || end(&[scenario, "twice"]));
        assert_eq!(ended.code(), code, "{scenario}: {ended:?}");
        assert!(ended.took >= secs(1), "{scenario}: {ended:?}");
        assert_eq!(ended.errors("hook: second"), [""], "{scenario}: {ended:?}");
    }
    // A hook that exits does not prevent the earlier hooks.
    let ended = end(&["return", "hook-twice"]);
    assert_eq!(ended.errors("hook: second"), [", first"], "{ended:?}");
    // A body that waits for something other than the end of the process is not abandoned early.
    let ended = Ended::within("stuck", secs(7), || end(&["return", "twice", "stuck"]));
    assert_eq!(ended.errors("hook: second"), [""], "{ended:?}");
    assert!(ended.took >= secs(5), "{ended:?}");
}

#[test]
fn rule_45_the_end_never_hangs_while_another_thread_holds_stdout() {
    let ways = WAYS.iter().filter(|(scenario, _)| ["return", "exit", "service"].contains(scenario));
    for &(scenario, code) in ways {
        for log in ["silent", "tracing"] {
            let arguments = [scenario, "hold-stdout", log];
            let ended = Ended::within(scenario, PROMPT, || end(&arguments));
            assert_eq!(ended.code(), code, "{scenario}, {log}: {ended:?}");
        }
    }
}

#[test]
fn rule_45_the_end_takes_at_most_five_seconds_whatever_a_body_does() {
    let (scenario, code) = if cfg!(windows) { ("return", 7) } else { ("exit", 3) };
    // In parallel, because each takes five seconds.
    let ways = [("stuck", "silent"), ("talks", "tracing")];
    let children = ways.map(|(body, log)| {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        tests::spawn(move || {
            let arguments = [scenario, "hold-stdout", body, log];
            drop(sender.send(Ended::within(body, secs(7), || end(&arguments))));
        });
        (body, receiver)
    });
    for (body, receiver) in children {
        // The thread itself ends in time, or panics.
        let ended = receiver.recv().expect("it ends in time");
        assert_eq!(ended.code(), code, "{body}: {ended:?}");
        assert!(ended.took >= secs(5), "{body}: {ended:?}");
    }
}

#[cfg(windows)]
#[test]
fn rule_45_on_windows_process_exit_ends_immediately_without_hooks() {
    for scenario in ["exit", "service", "hook"] {
        let start = || Child::start(env!("CARGO_BIN_EXE_exits"), &[scenario]);
        let ended = Ended::within(scenario, PROMPT, || start().wait());
        assert_eq!(ended.code(), 3, "{scenario}: {ended:?}");
        let hooks = ended.errors("hook: ");
        assert!(hooks.iter().all(|hook| *hook == "exits, last"), "{scenario}: {ended:?}");
    }
}

/// The C library of a DLL calls its `atexit` functions although the other threads have ended.
#[cfg(windows)]
#[test]
fn rule_45_on_windows_process_exit_waits_for_no_ended_thread() {
    let dir = std::path::Path::new(env!("CARGO_BIN_EXE_exits")).with_file_name("examples");
    assert!(dir.join("plugin.dll").exists(), "run `cargo build -p tests --example plugin`");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plugin_host"));
    command.current_dir(dir);
    let ended = Ended::within("plugin", PROMPT, || Child::run(&mut command).wait());
    assert_eq!(ended.code(), 3, "{ended:?}");
}
