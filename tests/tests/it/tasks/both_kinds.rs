//! Rule 92: every rule is the same for plain and for async functions.
//!
//! One list of cases, two implementations: each case runs once with plain functions and once with async
//! ones, which do the same. What they report, and every change with its time, must be equal.

use std::error::Error;
use std::sync::Mutex;

use tests::{TIMEOUT, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Context, Flow, Local, OnTimeout, Permanent, Ready, Res, Restart, Service, State, Tick,
};

/// What a function does, step by step. It returns when it is asked to stop during a sleep.
#[derive(Clone, Copy)]
enum Do {
    Sleep(u64),
    UntilStopped,
    Heartbeat,
    Ready,
    /// Registers a hook that reports this text, and fails if it is empty.
    Hook(&'static str),
    /// Reports the value of the `Local`.
    Count,
    Fail(&'static str),
    FailForGood(&'static str),
    Panic(&'static str),
    Return(Flow),
}

use Do::{
    Count, Fail, FailForGood, Heartbeat, Hook, Panic, Ready as BeReady, Return, Sleep, UntilStopped,
};

/// The steps of a service's run with this number.
type Script = fn(&str, u64) -> &'static [Do];

type Outcome = Result<Flow, Box<dyn Error + Send + Sync>>;

/// What the functions reported.
#[derive(Default)]
struct Reports(Mutex<Vec<String>>);

impl Reports {
    fn add(&self, report: String) {
        self.0.lock().unwrap().push(report);
    }
}

/// The steps that take no time. `Some`: the run ends with this result.
fn immediate(step: Do, ctx: &Context, count: u32, reports: &Reports) -> Option<Outcome> {
    match step {
        Sleep(_) | UntilStopped => unreachable!("it takes time"),
        Heartbeat => ctx.heartbeat(),
        BeReady => ctx.ready(),
        Hook(text) => {
            ctx.on_stop(move || if text.is_empty() { Err("the hook failed") } else { Ok(()) })
        }
        Count => reports.add(format!("{} has count {count}", ctx.name())),
        Fail(text) => return Some(Err(text.into())),
        FailForGood(text) => return Some(Err(Permanent::new(std::io::Error::other(text)).into())),
        Panic(text) => panic!("{text}"),
        Return(flow) => return Some(Ok(flow)),
    }
    None
}

fn plain(
    ctx: &Context,
    tick: Tick,
    script: Res<Script>,
    mut count: Local<u32>,
    reports: Res<Reports>,
) -> Outcome {
    *count += 1;
    for step in script(ctx.name(), tick.run) {
        match step {
            Sleep(length) => {
                if !ctx.sleep(secs(*length)) {
                    reports.add(format!("{} was interrupted", ctx.name()));
                    return Ok(Flow::Wait);
                }
            }
            UntilStopped => while ctx.sleep(TIMEOUT) {},
            Heartbeat | BeReady | Hook(_) | Count | Fail(_) | FailForGood(_) | Panic(_)
            | Return(_) => {
                if let Some(outcome) = immediate(*step, ctx, *count, &reports) {
                    return outcome;
                }
            }
        }
    }
    Ok(Flow::Wait)
}

async fn asynchronous(
    ctx: &Context,
    tick: Tick,
    script: Res<Script>,
    mut count: Local<u32>,
    reports: Res<Reports>,
) -> Outcome {
    *count += 1;
    for step in script(ctx.name(), tick.run) {
        match step {
            Sleep(length) => {
                if !ctx.sleep_async(secs(*length)).await {
                    reports.add(format!("{} was interrupted", ctx.name()));
                    return Ok(Flow::Wait);
                }
            }
            UntilStopped => ctx.stopped().await,
            Heartbeat | BeReady | Hook(_) | Count | Fail(_) | FailForGood(_) | Panic(_)
            | Return(_) => {
                if let Some(outcome) = immediate(*step, ctx, *count, &reports) {
                    return outcome;
                }
            }
        }
    }
    Ok(Flow::Wait)
}

fn close_plain(ctx: &Context, count: Local<u32>, reports: Res<Reports>) -> Result<(), String> {
    reports.add(format!("{} closes at {}", ctx.name(), *count));
    let _ = ctx.sleep(secs(2));
    if count.is_multiple_of(2) { Ok(()) } else { Err("an odd count".to_owned()) }
}

async fn close_async(
    ctx: &Context,
    count: Local<u32>,
    reports: Res<Reports>,
) -> Result<(), String> {
    reports.add(format!("{} closes at {}", ctx.name(), *count));
    let _ = ctx.sleep_async(secs(2)).await;
    if count.is_multiple_of(2) { Ok(()) } else { Err("an odd count".to_owned()) }
}

/// Creates the services of a case.
struct Make {
    is_async: bool,
}

impl Make {
    fn service(&self, name: &'static str) -> Service {
        if self.is_async { Service::of(name, asynchronous) } else { Service::of(name, plain) }
    }

    /// A service with a hook in `on_stop`.
    fn closing(&self, name: &'static str) -> Service {
        let service = self.service(name);
        if self.is_async {
            service.on_stop_of(close_async)
        } else {
            service.on_stop_of(close_plain)
        }
    }
}

/// One case: its name, its services, their steps, and what the test does.
type Case = (&'static str, fn(&Make) -> Vec<Service>, Script, fn(&mut TestRunner));

const CASES: &[Case] = &[
    (
        "fixed rate",
        |m| vec![m.service("s").interval("10s")],
        |_, _| &[Sleep(3)],
        |t| {
            t.advance("95s");
            assert_eq!(t.runs("s"), 10);
        },
    ),
    (
        "fixed delay",
        |m| vec![m.service("s").delay("10s")],
        |_, _| &[Sleep(3)],
        |t| {
            t.advance("60s");
            assert_eq!(t.runs("s"), 5);
        },
    ),
    (
        "an initial delay",
        |m| vec![m.service("s").interval("10s").initial_delay("4s")],
        |_, _| &[],
        |t| {
            t.advance("15s");
            assert_eq!(t.runs("s"), 2);
        },
    ),
    (
        "cron",
        |m| vec![m.service("s").cron("*/5 * * * *")],
        |_, _| &[Sleep(1)],
        |t| {
            t.advance("1h");
            assert_eq!(t.runs("s"), 12);
        },
    ),
    (
        "an anchor",
        |m| vec![m.service("s").interval("1d").anchor("2026-01-02 09:00")],
        |_, _| &[],
        |t| {
            t.advance("3d");
            assert_eq!(t.runs("s"), 3);
        },
    ),
    (
        "jitter",
        |m| vec![m.service("s").interval("10s").jitter("5s")],
        |_, _| &[],
        |t| {
            t.advance("5m");
            assert!(t.runs("s") > 28);
        },
    ),
    (
        "missed runs are skipped",
        |m| vec![m.service("s").interval("10s")],
        |_, _| &[Sleep(35)],
        |t| {
            t.advance("2m");
            assert!(t.info("s").skipped >= 6);
        },
    ),
    (
        "missed occurrences",
        |m| vec![m.service("s").cron("* * * * *")],
        |_, _| &[Sleep(200)],
        |t| {
            t.advance("20m");
            t.suspend("1h");
            t.advance("20m");
        },
    ),
    (
        "a continuous service returns",
        |m| vec![m.service("s")],
        |_, _| &[Sleep(5)],
        |t| {
            t.advance("1m");
            assert_eq!(t.state("s"), State::Finished);
            t.start("s").unwrap();
            t.advance("1m");
            assert_eq!(t.runs("s"), 2);
        },
    ),
    (
        "flows",
        |m| vec![m.service("s").interval("1m")],
        |_, run| match run {
            1 => &[Return(Flow::Again)],
            2 => const { &[Return(Flow::After(secs(7)))] },
            3 => &[Sleep(1), Return(Flow::Wait)],
            _ => &[Return(Flow::Done)],
        },
        |t| {
            t.advance("5m");
            assert_eq!((t.runs("s"), t.state("s")), (4, State::Finished));
        },
    ),
    (
        "errors, backoff, recovery",
        |m| vec![m.service("s").interval("1m").max_backoff("10s")],
        |_, run| if run % 7 == 0 { &[Count] } else { &[Count, Sleep(1), Fail("no luck")] },
        |t| {
            t.advance("10m");
            assert!(t.crashes("s") > 12);
        },
    ),
    (
        "panics in the first poll and later",
        |m| vec![m.service("s").max_restarts(3)],
        |_, run| if run % 2 == 0 { &[Panic("boom")] } else { &[Sleep(1), Panic("later")] },
        |t| {
            t.advance("1m");
            assert_eq!((t.state("s"), t.crashes("s")), (State::Failed, 4));
        },
    ),
    (
        "a permanent error",
        |m| vec![m.closing("s").interval("1m")],
        |_, _| &[FailForGood("for good")],
        |t| {
            t.advance("1m");
            assert_eq!((t.state("s"), t.crashes("s")), (State::Failed, 1));
        },
    ),
    (
        "never restarted",
        |m| vec![m.service("s").restart(Restart::Never)],
        |_, _| &[Fail("once")],
        |t| {
            t.advance("1m");
            assert_eq!((t.state("s"), t.crashes("s")), (State::Failed, 1));
        },
    ),
    (
        "always restarted",
        |m| vec![m.service("s").restart(Restart::Always).max_restarts(3)],
        |_, _| &[Sleep(1)],
        |t| {
            t.advance("1m");
            assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 4));
        },
    ),
    (
        "a restart window",
        |m| {
            vec![
                m.service("s").max_restarts(2).restart_window("1h").backoff("1s").max_backoff("1s"),
            ]
        },
        |_, _| &[Sleep(100), Fail("again")],
        |t| {
            t.advance("1h");
            assert_eq!((t.state("s"), t.crashes("s")), (State::Failed, 3));
        },
    ),
    (
        "a stuck run",
        |m| vec![m.service("s").interval("1m").timeout("5s")],
        |_, _| &[Sleep(3), Heartbeat, Sleep(4), Heartbeat, Sleep(20)],
        |t| t.advance("3m"),
    ),
    (
        "a cancelled run",
        |m| vec![m.closing("s").interval("1m").timeout("5s").on_timeout(OnTimeout::Cancel)],
        |_, run| if run < 3 { &[Hook("once"), Count, UntilStopped] } else { &[Count] },
        |t| {
            t.advance("3m");
            assert_eq!(t.crashes("s"), 2);
        },
    ),
    (
        "stopped while it waits",
        |m| vec![m.closing("s").interval("1m")],
        |_, _| &[Hook("first")],
        |t| {
            t.advance("90s");
            t.stop("s").unwrap();
            assert_eq!(t.state("s"), State::Stopped);
        },
    ),
    (
        "stopped while it sleeps",
        |m| vec![m.closing("s").interval("1m")],
        |_, _| &[Hook("first"), Sleep(30)],
        |t| {
            t.advance("70s");
            t.stop("s").unwrap();
            assert_eq!(t.state("s"), State::Stopped);
        },
    ),
    (
        "stopped in a backoff",
        |m| vec![m.closing("s")],
        |_, _| &[Fail("no luck")],
        |t| {
            t.advance("2s");
            t.stop("s").unwrap();
            assert_eq!(t.state("s"), State::Stopped);
        },
    ),
    (
        "an error after a stop request",
        |m| vec![m.service("s")],
        |_, _| &[UntilStopped, Fail("interrupted")],
        |t| {
            t.advance("1s");
            t.stop("s").unwrap();
            assert_eq!((t.state("s"), t.crashes("s")), (State::Stopped, 0));
        },
    ),
    (
        "a panic after a stop request",
        |m| vec![m.service("s")],
        |_, _| &[UntilStopped, Panic("while stopping")],
        |t| {
            t.advance("1s");
            t.stop("s").unwrap();
            assert_eq!((t.state("s"), t.crashes("s")), (State::Stopped, 0));
        },
    ),
    (
        "hooks that fail",
        |m| vec![m.closing("s")],
        |_, _| &[Hook("good"), Hook(""), UntilStopped],
        |t| {
            t.advance("1s");
            let report = t.stop_all();
            assert_eq!(report.services[0].failed_hooks, 2, "{report}");
        },
    ),
    (
        "a slow hook is abandoned",
        |m| vec![m.closing("s").stop_timeout("1s")],
        |_, _| &[Return(Flow::Done)],
        |t| {
            t.advance("10s");
            t.start("s").unwrap();
            t.advance("10s");
        },
    ),
    (
        "a restart by name",
        |m| vec![m.closing("s")],
        |_, _| &[Count, UntilStopped],
        |t| {
            t.advance("1s");
            t.restart("s").unwrap();
            t.advance("1s");
            assert_eq!((t.runs("s"), t.state("s")), (2, State::Running));
        },
    ),
    (
        "pause and resume",
        |m| vec![m.service("s").interval("10s")],
        |_, _| &[Sleep(2)],
        |t| {
            t.advance("11s");
            t.pause("s").unwrap();
            t.advance("1m");
            assert_eq!((t.runs("s"), t.state("s")), (2, State::Paused));
            t.run_now("s").unwrap();
            t.advance("5s");
            t.resume("s").unwrap();
            t.advance("30s");
        },
    ),
    (
        "run_now",
        |m| vec![m.service("s").interval("1h")],
        |_, _| &[Sleep(2)],
        |t| {
            t.advance("1s");
            assert!(t.run_now("s").is_err(), "a run is in progress");
            t.advance("10s");
            t.run_now("s").unwrap();
            t.advance("1h");
            assert_eq!(t.runs("s"), 3);
        },
    ),
    (
        "a local value starts anew",
        |m| vec![m.service("s").interval("10s")],
        |_, run| if run % 3 == 0 { &[Count, Fail("third")] } else { &[Count] },
        |t| {
            t.advance("1m");
            t.restart("s").unwrap();
            t.advance("1m");
        },
    ),
    (
        "ready when it says so",
        |m| {
            vec![
                m.service("first").ready(Ready::Notified),
                m.service("second").requires("first").interval("10s"),
            ]
        },
        |name, _| if name == "first" { &[Sleep(5), BeReady, UntilStopped] } else { &[] },
        |t| {
            t.advance("4s");
            assert_eq!((t.state("second"), t.runs("second")), (State::Waiting, 0));
            t.advance("10s");
            assert_eq!(t.runs("second"), 1);
            t.stop_all();
        },
    ),
    (
        "blocked by a failure, and unblocked",
        |m| {
            vec![
                m.service("first").ready(Ready::Finished).restart(Restart::Never),
                m.service("second").requires("first"),
            ]
        },
        |name, run| match (name, run) {
            ("first", 1) => &[Sleep(1), Fail("no database")],
            ("first", _) => &[Sleep(1)],
            _ => &[UntilStopped],
        },
        |t| {
            t.advance("2s");
            assert_eq!(t.state("second"), State::Blocked);
            t.start("first").unwrap();
            t.advance("2s");
            assert_eq!(t.state("second"), State::Running);
            t.stop_all();
        },
    ),
    (
        "a critical failure",
        |m| vec![m.service("critical").critical(true).max_restarts(0), m.closing("other")],
        |name, _| if name == "critical" { &[Sleep(3), Fail("over")] } else { &[UntilStopped] },
        |t| {
            t.advance("10s");
            assert_eq!((t.state("critical"), t.state("other")), (State::Failed, State::Stopped));
        },
    ),
    (
        "the stop order",
        |m| {
            vec![
                m.closing("a").ready(Ready::Started),
                m.closing("b").ready(Ready::Started).after("a"),
                m.closing("c").after("b"),
            ]
        },
        |_, _| &[UntilStopped],
        |t| {
            t.advance("1s");
            let report = t.stop_all();
            let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
            assert_eq!(names, ["c", "b", "a"]);
        },
    ),
    (
        "injected faults",
        |m| vec![m.service("s").interval("1m")],
        |_, _| &[Count],
        |t| {
            t.crash_next("s");
            t.panic_next("s");
            t.slow_next("s", "10s");
            t.advance("5m");
            assert_eq!(t.crashes("s"), 2);
        },
    ),
    (
        "a stop timeout that is long enough",
        |m| vec![m.service("s").stop_timeout("1m")],
        |_, _| &[UntilStopped, Count, Heartbeat],
        |t| {
            t.advance("1s");
            t.stop("s").unwrap();
            t.advance("1s");
            assert_eq!(t.state("s"), State::Stopped);
        },
    ),
    (
        "run_next",
        |m| vec![m.service("s").interval("90m")],
        |_, _| &[Sleep(1)],
        |t| {
            for _ in 0..5 {
                assert_eq!(t.run_next(), ["s"]);
            }
        },
    ),
];

/// Runs a case, and returns what was reported and every change.
fn run(case: &Case, is_async: bool) -> (Vec<String>, Vec<String>) {
    let (name, services, script, act) = case;
    let reports = std::sync::Arc::new(Reports::default());
    let mut builder = virtual_time_builder().provide(*script).provide(reports.clone());
    for service in services(&Make { is_async }) {
        builder = builder.service(service);
    }
    let mut t = builder.build().unwrap_or_else(|error| panic!("{name}: {error}"));
    act(&mut t);
    t.stop_all();
    t.advance("10s");
    let timeline = t.timeline().lines().map(str::to_owned).collect();
    let reports = reports.0.lock().unwrap().clone();
    (reports, timeline)
}

#[test]
fn rule_92_every_case_is_the_same_for_plain_and_for_async_functions() {
    for case in CASES {
        let (plain, asynchronous) = (run(case, false), run(case, true));
        assert_eq!(plain.0, asynchronous.0, "{}: what they reported", case.0);
        let differing = plain.1.iter().zip(&asynchronous.1).find(|(plain, other)| plain != other);
        assert_eq!(
            plain.1.len(),
            asynchronous.1.len(),
            "{}: plain\n{}\nasync\n{}",
            case.0,
            plain.1.join("\n"),
            asynchronous.1.join("\n")
        );
        assert_eq!(differing, None, "{}", case.0);
    }
    // Printed by `cargo test -- --nocapture`.
    println!("{} cases, each with plain and with async functions", CASES.len());
}
