//! Rules 44 and 176: stop signals and the exit codes of `run`, with real child processes.
#![cfg(unix)]

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::child::Ended;
use tests::{Child, Stopwatch, best_of, millis, pause, secs};

/// Starts a child that calls `run` or waits for a signal; see `src/bin/runs.rs` for the scenarios.
fn start(scenario: &str) -> Child {
    Child::start(env!("CARGO_BIN_EXE_runs"), &[scenario])
}

#[test]
fn rule_44_the_first_signal_stops_gracefully() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let ended = Ended::within("a stop by a signal", PROMPT, || {
            let mut child = start("graceful");
            child.wait_for_line("ready");
            child.signal(signal);
            child.wait()
        });
        assert_eq!(ended.code(), 0, "{signal}: {ended:?}");
        // The crate prints only its report.
        assert_eq!(ended.out, ["ready", "hook: database"], "{signal}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{signal}: {ended:?}");
        assert!(ended.err.starts_with("3 services ended in "), "{signal}: {ended:?}");
        assert!(ended.err.contains(", 2 stopped, 1 registered"), "{signal}: {ended:?}");
    }
}

/// How long a whole child may take, of which nothing waits for a timeout: those are ten seconds.
const PROMPT: Duration = secs(4);

/// After this pause, a second signal counts as a new one.
const APART: Duration = millis(300);

#[test]
fn rule_44_a_second_signal_after_a_quarter_of_a_second_ends_the_process_and_says_so() {
    for (first, second, code) in [
        (Signal::SIGTERM, Signal::SIGTERM, 143),
        (Signal::SIGINT, Signal::SIGINT, 130),
        (Signal::SIGINT, Signal::SIGHUP, 129),
    ] {
        // The best of several rounds counts; it includes the end of a process and two pipes.
        best_of(5, &format!("{first}, then {second}"), millis(50), || {
            let mut child = start("stuck");
            child.wait_for_line("ready");
            child.signal(first);
            // The body has noticed the request and ignores it; the other service stops.
            child.wait_for_line("asked to stop");
            pause(APART);
            let stopwatch = Stopwatch::start();
            child.signal(second);
            let ended = child.wait();
            let took = stopwatch.elapsed();
            assert_eq!(ended.code(), code, "{first}, {second}: {ended:?}");
            let notice =
                format!("another stop signal ({second}); the process ends without clean-up");
            assert_eq!(ended.err.lines().collect::<Vec<_>>(), [notice], "{ended:?}");
            took
        });
    }
}

/// GNU `timeout` does this: it signals the process, and then its group.
#[test]
fn rule_44_a_signal_sent_twice_in_quick_succession_counts_once() {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGINT),
        (Signal::SIGHUP, Signal::SIGTERM),
    ] {
        for gap in [Duration::ZERO, millis(2), millis(100)] {
            // On a busy machine, the signals may reach the child too far apart, so one good end is enough.
            let mut bad = Vec::new();
            let counts_once = (0..10).any(|_| {
                let Some(ended) = end_after_two(first, second, gap) else { return false };
                let is_good = ended.status.success() && ended.out == ["ready", "hook: web"];
                bad.extend((!is_good).then_some(ended));
                is_good
            });
            assert!(counts_once || bad.is_empty(), "{first}, {second}, {gap:?}: {bad:#?}");
        }
    }
}

/// How a child ends that receives two signals; `None` if the machine is so busy that they were sent too far
/// apart.
fn end_after_two(first: Signal, second: Signal, gap: Duration) -> Option<Ended> {
    let mut child = start("slow to stop");
    child.wait_for_line("ready");
    let stopwatch = Stopwatch::start();
    child.signal(first);
    pause(gap);
    child.signal(second);
    (stopwatch.elapsed() <= millis(200)).then(|| child.wait())
}

#[test]
fn rule_44_a_signal_to_the_process_and_its_group_counts_once() {
    for _ in 0..20 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runs"));
        let mut child = Child::run(command.arg("slow to stop").process_group(0));
        child.wait_for_line("ready");
        child.signal_twice(Signal::SIGTERM);
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert_eq!(ended.out, ["ready", "hook: web"], "{ended:?}");
    }
}

#[test]
fn rule_44_and_62_a_signal_is_logged_and_is_an_event() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut child = start("logged");
        child.wait_for_line("ready");
        child.signal(signal);
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        let line = format!("stop signal received signal={signal}");
        let logged = ended.out.iter().filter(|text| text.contains(&line)).count();
        assert_eq!(logged, 1, "{ended:?}");
        assert!(ended.out.contains(&format!("events: [\"{signal}\"]")), "{ended:?}");
    }
}

/// The signal arrives before `run`. Several children, because it may be noticed during the start.
#[test]
fn rule_44_a_signal_from_before_the_start_gives_services_time_to_stop() {
    let children: Vec<_> = (0..12).map(|_| start("kept signal")).collect();
    for child in children {
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(ended.out.contains(&"hook: web".to_owned()), "{ended:?}");
    }
}

#[test]
fn rule_44_each_waiting_runner_receives_the_signal_once() {
    let ended = run("two waiters");
    assert_eq!(ended.out, ["SIGTERM", "Some(\"SIGTERM\")", "None"], "{ended:?}");
}

/// Several children, because the other wait may look before the waiters are notified.
#[test]
fn rule_44_another_wait_does_not_turn_the_second_signal_into_a_first() {
    let mut children: Vec<_> = (0..16).map(|_| start("stuck, and another polls")).collect();
    for child in &mut children {
        child.wait_for_line("ready");
    }
    for child in &children {
        child.signal(Signal::SIGTERM);
    }
    for child in &mut children {
        child.wait_for_line("asked to stop");
    }
    pause(APART);
    for child in &children {
        child.signal(Signal::SIGTERM);
    }
    for child in children {
        assert_eq!(child.wait().code(), 143);
    }
}

#[test]
fn rule_44_wait_for_signal_returns_when_there_is_nothing_left_to_stop() {
    let ended = run("stop all with nothing running");
    assert_eq!(ended.out, ["ready", "the runner shut down"], "{ended:?}");
}

/// `nohup` makes a program ignore SIGHUP, and a shell that starts one in the background makes it
/// ignore SIGINT.
#[test]
#[cfg(target_os = "linux")]
fn rule_44_a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (name, ignored, other) in
        [("HUP", Signal::SIGHUP, Signal::SIGINT), ("INT", Signal::SIGINT, Signal::SIGTERM)]
    {
        let mut shell = Command::new("sh");
        let program = env!("CARGO_BIN_EXE_runs");
        shell.args(["-c", &format!("trap '' {name}; exec '{program}' graceful")]);
        let mut child = Child::run(&mut shell);
        child.wait_for_line("ready");
        child.signal(ignored);
        // If it had counted, the next signal would end the process.
        pause(APART);
        child.signal(other);
        let ended = child.wait();
        assert_eq!(ended.code(), 0, "{name}: {ended:?}");
        assert_eq!(ended.out, ["ready", "hook: database"], "{name}: {ended:?}");
    }
}

#[test]
fn rule_44_wait_for_signal_returns_when_the_runner_shuts_down_without_a_signal() {
    let ended = run("waits for the runner");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.out.contains(&"the runner shut down".to_owned()), "{ended:?}");
    assert!(ended.out.iter().any(|line| line.contains("`vital` is critical")), "{ended:?}");
}

#[test]
fn rule_44_a_wait_with_a_timeout_misses_no_signal() {
    let ended = run("gives up waiting");
    assert_eq!(ended.code(), 0, "{ended:?}");
    let out: Vec<_> = ended.out.iter().filter(|line| *line != "ready").collect();
    assert_eq!(out, ["gave up", "Some(\"SIGTERM\")", "hook: web"], "{ended:?}");
}

#[test]
fn rule_44_a_signal_has_its_default_action_while_nothing_waits_for_it() {
    let mut child = start("no handlers");
    child.wait_for_line("ready");
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
}

#[test]
fn rule_44_wait_for_signal_returns_the_signal_and_the_second_ends_the_process() {
    // The signal is sent as soon as the handlers are installed, possibly before the child waits. If
    // that cannot be observed from outside, an early signal ends the child, and another one is
    // started.
    let child = loop {
        let mut child = start("waits");
        child.wait_for_line("ready");
        child.wait_for_signal_handlers();
        child.signal(Signal::SIGTERM);
        if child.wait_for_line_or_end("SIGTERM 15") {
            break child;
        }
        assert_eq!(child.wait().status.signal(), Some(15));
    };
    // The child continues until the second signal.
    pause(APART);
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.code(), 143, "{ended:?}");
}

fn run(scenario: &str) -> Ended {
    Ended::within(scenario, PROMPT, || start(scenario).wait())
}

#[test]
fn rule_176_run_returns_0_when_everything_ended_well() {
    assert_eq!(run("finished").code(), 0);
}

#[test]
fn rule_176_run_returns_1_when_all_services_ended_on_their_own_and_one_had_failed() {
    let ended = run("failed");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert!(ended.err.contains("\n  s (tests/src/bin/runs.rs:"), "{ended:?}");
    assert!(ended.err.contains("): failed"), "{ended:?}");
    // After a signal, a failed service is reported but does not change the exit code.
    let mut child = start("one fails");
    child.wait_for_line("ready");
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.err.contains("): failed"), "{ended:?}");
}

/// Without a log nobody would learn of crashes after which a service runs again.
#[test]
fn rule_62_without_a_subscriber_run_prints_the_first_crash_of_each_service_once() {
    let ended = run("crashes");
    assert_eq!(ended.code(), 0, "{ended:?}");
    let mut crashes: Vec<_> = ended.err.lines().filter(|line| line.contains("crashed")).collect();
    crashes.sort_unstable();
    assert_eq!(crashes.len(), 2, "{ended:?}");
    for (line, name) in crashes.into_iter().zip(["first", "second"]) {
        let (start, end) = line.split_once(" crashed for the first time: ").expect("the text");
        assert!(start.starts_with(&format!("`{name}` at tests/src/bin/runs.rs:")), "{line}");
        assert_eq!(end, "the disk\\nis full; install a `tracing` subscriber to see all log lines");
    }
    // Two crashes, and the report.
    assert_eq!(ended.err.lines().count(), 3, "{ended:?}");
}

#[test]
fn rule_62_with_a_subscriber_or_without_run_no_crash_is_printed() {
    let ended = run("crashes with a log");
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "only the report: {ended:?}");
    let crashes = ended.out.iter().filter(|line| line.contains("service crashed"));
    assert_eq!(crashes.count(), 4, "{ended:?}");
    let ended = run("crashes without run");
    assert_eq!((ended.code(), &*ended.err), (0, ""), "{ended:?}");
}

#[test]
fn rule_24_and_176_run_returns_1_when_a_critical_service_failed() {
    let ended = run("critical");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert_eq!(ended.out, ["ready", "hook: web"], "the others are stopped in order");
    assert!(ended.err.contains("shut down because `vital` is critical and failed"), "{ended:?}");
}

#[test]
fn rule_35_and_176_run_returns_1_when_a_service_is_blocked() {
    let ended = run("blocked");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert!(ended.out.is_empty(), "it never served: {ended:?}");
    assert!(ended.err.contains("1 failed, 1 blocked"), "{ended:?}");
    assert!(ended.err.contains("\n  web (tests/src/bin/runs.rs:"), "{ended:?}");
    // A critical one shuts the others down.
    let ended = run("critical and blocked");
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert_eq!(ended.out, ["ready", "hook: other"], "{ended:?}");
    assert!(
        ended.err.contains("shut down because `web` is critical and could not start"),
        "{ended:?}"
    );
}

#[test]
fn rule_43_and_176_run_returns_2_when_a_service_did_not_stop() {
    let ended = run("abandoned");
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(
        ended.out.contains(&"hook: web".to_owned()),
        "the others are stopped in order: {ended:?}"
    );
    assert!(ended.err.contains("1 abandoned"), "{ended:?}");
    assert!(ended.err.contains("\n  stuck (tests/src/bin/runs.rs:"), "{ended:?}");
    // Even if a critical service failed, too.
    let ended = run("both");
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.err.contains("`vital` is critical and failed"), "{ended:?}");
}

#[test]
fn rule_30_and_176_run_returns_78_and_lists_the_faults() {
    let ended = run("faults");
    assert_eq!(ended.code(), 78, "{ended:?}");
    let lines: Vec<_> = ended.err.lines().collect();
    assert_eq!(lines.len(), 3, "{ended:?}");
    assert_eq!(lines[0], "2 faults found; nothing was started:");
    assert!(
        lines[1..].iter().any(|line| line.starts_with("  - `a` at tests/src/bin/runs.rs:")),
        "{ended:?}"
    );
    assert!(
        lines[1..].iter().any(|line| line.starts_with("  - `b` at tests/src/bin/runs.rs:")),
        "{ended:?}"
    );
}

/// A program under supervision is asked what its services are doing, and goes on.
#[test]
fn rule_62_and_101_sigusr1_writes_the_services_to_the_log_if_the_deployment_wants_it() {
    let program = env!("CARGO_BIN_EXE_runs");
    let mut command = Command::new(program);
    command.arg("table").env("TINA4_SERVICES__DUMP_ON_SIGUSR1", "true");
    let mut child = Child::run(&mut command);
    child.wait_for_line_containing("service failed");
    for _ in 0..2 {
        child.signal(Signal::SIGUSR1);
        child.wait_for_line_containing(
            "services listed, because SIGUSR1 was received total=3 listed=3",
        );
        // The one that has failed comes first.
        child
            .wait_for_line_containing("a: failed, continuous, runs: 1, crashes: 1, last error: no");
        child.wait_for_line_containing("web: running, continuous, runs: 1, crashes: 0");
    }
    child.signal(Signal::SIGTERM);
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    // The builder sets the same, and nothing has to wait for a signal.
    let mut child = start("table without run");
    child.wait_for_line("ready");
    child.signal(Signal::SIGUSR1);
    child.wait_for_line_containing("web: running, continuous");
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait().status.signal(), Some(15), "stop signals have no handler");
}

/// The table is made in several steps, and lists those that need attention first.
#[test]
fn rule_62_the_table_of_thousands_of_services_lists_the_first_thousand() {
    let program = env!("CARGO_BIN_EXE_runs");
    let mut command = Command::new(program);
    command.arg("table of many").env("TINA4_SERVICES__DUMP_ON_SIGUSR1", "true");
    let mut child = Child::run(&mut command);
    child.wait_for_line_containing("service failed");
    child.signal(Signal::SIGUSR1);
    child.wait_for_line_containing(
        r#"total=2502 listed=1000 states="1 failed, 1 registered, 2500 waiting""#,
    );
    child.wait_for_line_containing("fails: failed, continuous, runs: 1, crashes: 1");
    // In the order of their names: the last of the first 999.
    child.wait_for_line_containing("idle-1897: waiting, every 1h");
    child.signal(Signal::SIGTERM);
    // More than fifty are stopped with one line.
    child.wait_for_line_containing("services stopped count=2500");
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
}

#[test]
fn rule_62_without_the_setting_sigusr1_has_no_handler() {
    let mut child = start("table");
    child.wait_for_line("ready");
    child.signal(Signal::SIGUSR1);
    assert_eq!(child.wait().status.signal(), Some(10));
}
