//! Rule 119: the log lines of runs, as the layer of the feature `run-log` keeps them.
//!
//! A process of its own, because its subscriber is that of the whole process. Each test has its own runner.

use std::borrow::Cow;
use std::sync::{Arc, Barrier, Mutex, Once};
use std::time::Duration;

use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, in_virtual_time, spawn, until,
    virtual_time_builder, wait,
};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{
    Context, ControlError, Flow, Job, MemoryEngine, OnTimeout, Queue, Queues, Res, Restart,
    RunLines, RunLog, Runner, Service,
};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tracing::level_filters::LevelFilter;
use tracing::{Level, debug, info, trace, warn};
use tracing_subscriber::prelude::*;

both_kinds! {
    rule_119_the_lines_of_the_last_and_of_the_last_failing_run_are_kept,
    rule_119_lines_before_a_panic_and_before_a_cancellation_are_kept,
    rule_119_lines_stay_apart_while_runs_wait,
    rule_119_a_run_in_progress_can_be_read,
    rule_119_lines_of_hooks_belong_to_no_run,
    rule_119_a_run_keeps_its_last_lines,
    rule_119_and_36_the_lines_of_a_removed_service_are_forgotten,
}

/// What other layers write; their filter must not keep anything from the runs.
static SHOWN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Takes passwords out, and what is in angle brackets.
fn redact(text: &str) -> Cow<'_, str> {
    assert!(!text.contains("nobody may write this"), "secret: {text}");
    if text.contains("chatty") {
        info!("what the redaction has to say");
    }
    if let Some((before, secret)) = text.split_once('<')
        && let Some((_, after)) = secret.split_once('>')
    {
        return Cow::Owned(format!("{before}<>{after}"));
    }
    match text.split_once("password=") {
        Some((before, _)) => Cow::Owned(format!("{before}password=..")),
        None => Cow::Borrowed(text),
    }
}

/// Installs the layer, with a filter and a redaction for all tests.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let run_log = RunLog::new()
            .max_level(Level::DEBUG)
            .filter(|metadata| metadata.target() != "noise")
            .redact(redact);
        let shown =
            tracing_subscriber::fmt::layer().with_writer(|| Shown).with_filter(LevelFilter::WARN);
        tracing_subscriber::registry().with(shown).with(run_log.layer()).init();
    });
}

struct Shown;

impl std::io::Write for Shown {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        SHOWN.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn texts<T>(lines: &RunLines<T>) -> Vec<&str> {
    lines.lines.iter().map(|line| line.text.as_str()).collect()
}

/// The number and the lines of a run.
fn shown<T>(lines: Option<&RunLines<T>>) -> Option<(u64, Vec<&str>)> {
    lines.map(|lines| (lines.run, texts(lines)))
}

fn logs(t: &TestRunner) -> tina4_service::RunLogs<TestTime> {
    t.run_log("s")
}

fn rule_119_the_lines_of_the_last_and_of_the_last_failing_run_are_kept(kind: Kind) {
    install();
    let body = |ctx: &Context| {
        let run = ctx.tick().run;
        if run <= 4 {
            info!(run, kind = "number", "run");
        }
        if run == 2 { Err("no") } else { Ok(()) }
    };
    let service = kind.service("s", body).interval("1m").backoff("1m").max_backoff("1m");
    let mut t = in_virtual_time([service]);
    assert_eq!(shown(logs(&t).last.as_ref()), None);
    t.advance("1s");
    let first = logs(&t);
    assert_eq!(shown(first.last.as_ref()), Some((1, vec!["run run=1 kind=\"number\""])));
    assert_eq!((first.running.len(), &first.last_failing), (0, &None));
    let line = &first.last.as_ref().unwrap().lines[0];
    assert_eq!((line.level, line.target), (Level::INFO, "run_log"));
    assert_eq!(line.at, t.time("2026-01-01T00:00:00Z"), "as the clock of the runner shows it");
    let failing = Some((2, vec!["run run=2 kind=\"number\""]));
    for run in 2..=7_u64 {
        t.advance("1m");
        let logs = logs(&t);
        let text = format!("run run={run} kind=\"number\"");
        let last = (run <= 4).then(|| (run, vec![&*text]));
        assert_eq!(shown(logs.last.as_ref()), last, "a run without lines has none");
        assert_eq!(shown(logs.last_failing.as_ref()), failing, "after run {run}");
    }
}

fn rule_119_lines_before_a_panic_and_before_a_cancellation_are_kept(kind: Kind) {
    install();
    let service = kind.service("s", |_| -> () {
        info!("before");
        panic!("no");
    });
    let mut t = in_virtual_time([service.restart(Restart::Never)]);
    t.advance("1s");
    assert_eq!(shown(logs(&t).last_failing.as_ref()), Some((1, vec!["before"])));
    assert_eq!(logs(&t).last, logs(&t).last_failing);
    let service = kind.waiting("s", async |ctx: Ctx<'_>| {
        info!("before");
        ctx.until_stopped().await;
        info!("after");
        Err::<(), _>("late")
    });
    let service = service.interval("1h").timeout("5s").on_timeout(OnTimeout::Cancel);
    let mut t = in_virtual_time([service.restart(Restart::Never)]);
    t.advance("10s");
    let logs = logs(&t);
    let (run, lines) = shown(logs.last_failing.as_ref()).unwrap();
    assert_eq!((run, lines[0]), (1, "before"));
}

/// Async runs share threads, and plain ones may take over each other's.
fn rule_119_lines_stay_apart_while_runs_wait(kind: Kind) {
    install();
    let service = |name: &'static str| {
        let body = async move |ctx: Ctx<'_>| {
            for step in 1..=5 {
                info!(step, "{}", ctx.name());
                let _ = ctx.sleep(Duration::from_secs(1)).await;
            }
        };
        kind.waiting(name, body).interval("1h")
    };
    let names = ["a", "b", "c"];
    let mut t = in_virtual_time(names.map(service));
    t.advance("10s");
    for name in names {
        let logs = t.run_log(name);
        let expected: Vec<_> = (1..=5).map(|step| format!("{name} step={step}")).collect();
        assert_eq!(texts(logs.last.as_ref().unwrap()), expected);
    }
}

fn rule_119_a_run_in_progress_can_be_read(kind: Kind) {
    install();
    // Continuous: it has no span of its own.
    let service = kind.waiting("s", async |ctx: Ctx<'_>| {
        for order in 1..=3 {
            ctx.work("order", || info!(order, "shipped"));
            let _ = ctx.sleep(Duration::from_secs(60)).await;
        }
        ctx.until_stopped().await;
    });
    let mut t = in_virtual_time([service]);
    t.advance("90s");
    let seen = logs(&t);
    assert_eq!(shown(seen.running.first()), Some((1, vec!["shipped order=1", "shipped order=2"])));
    assert_eq!((&seen.last, &seen.last_failing), (&None, &None));
    t.advance("1h");
    t.stop("s").unwrap();
    let seen = logs(&t);
    assert_eq!((seen.running.len(), &seen.last_failing), (0, &None));
    assert_eq!(seen.last.map(|lines| lines.lines.len()), Some(3));
}

fn rule_119_lines_of_hooks_belong_to_no_run(kind: Kind) {
    install();
    let service = kind.service("s", |_| info!("run")).interval("1h");
    let mut t = in_virtual_time([service.hook(kind, |_| info!("hook"))]);
    t.advance("1s");
    t.stop_all();
    let logs = logs(&t);
    assert_eq!(shown(logs.last.as_ref()), Some((1, vec!["run"])));
    assert!(logs.running.is_empty());
}

fn rule_119_a_run_keeps_its_last_lines(kind: Kind) {
    install();
    let many = kind.service("s", |_| (1..=250).for_each(|line| info!("{line}"))).interval("1h");
    let mut t = in_virtual_time([many]);
    t.advance("1s");
    let last = logs(&t).last.unwrap();
    let expected: Vec<_> = (151..=250).map(|line| line.to_string()).collect();
    assert_eq!((texts(&last), last.dropped), (expected.iter().map(|s| &**s).collect(), 150));
    // By their size.
    let long = kind.service("s", |_| (1..=90).for_each(|line| info!("{line:>1000}")));
    let mut t = in_virtual_time([long.interval("1h")]);
    t.advance("1s");
    let last = logs(&t).last.unwrap();
    assert!((10..=16).contains(&last.lines.len()), "{}", last.lines.len());
    assert_eq!(last.lines.len() as u64 + last.dropped, 90);
    assert_eq!(last.lines.last().unwrap().text.trim(), "90");
    // A single one.
    let endless = kind.service("s", |_| info!("{}", "x".repeat(1 << 20))).interval("1h");
    let mut t = in_virtual_time([endless]);
    t.advance("1s");
    let text = logs(&t).last.unwrap().lines.remove(0).text;
    assert!(text.len() <= 2_048 && text.ends_with(" [cut off at 2 KiB]"), "{}", text.len());
}

fn rule_119_and_36_the_lines_of_a_removed_service_are_forgotten(kind: Kind) {
    install();
    let service = || kind.service("s", |_| info!("run")).interval("1h");
    let mut t = in_virtual_time([service()]);
    t.advance("1s");
    assert!(logs(&t).last.is_some());
    t.unregister("s").unwrap();
    t.runner().register(service()).unwrap();
    assert_eq!((logs(&t).last, logs(&t).last_failing), (None, None));
}

#[test]
fn rule_119_the_filter_is_that_of_the_layer_alone() {
    install();
    let service = Service::new("s", |_| {
        trace!("trace");
        debug!("debug, and nobody else wants it");
        info!(target: "noise", "noise");
        warn!("warn, and others want it, too");
        Flow::Done
    });
    let runner = Runner::new();
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let logs = runner.run_log("s").unwrap();
    let expected = ["debug, and nobody else wants it", "warn, and others want it, too"];
    assert_eq!(texts(&logs.last.unwrap()), expected);
    let shown = String::from_utf8(SHOWN.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("warn, and others want it, too") && !shown.contains("nobody else"));
}

#[test]
fn rule_119_secrets_are_redacted() {
    install();
    let service = Service::new("s", |_| {
        info!(password = "hunter2", "login");
        info!("login with password=hunter2");
        info!("chatty");
        info!("nobody may write this: hunter2");
        info!("end");
        Flow::Done
    });
    let runner = Runner::new();
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let logs = runner.run_log("s").unwrap();
    let expected = [
        "login password=..",
        "login with password=..",
        "chatty",
        "[a panic occurred while this line was written]",
        "end",
    ];
    assert_eq!(texts(&logs.last.unwrap()), expected);
    assert_eq!(runner.services()[0].crashes, 0, "a redaction that panics is no crash");
}

#[test]
fn rule_119_threads_inside_the_span_of_a_run_write_its_lines() {
    install();
    let runner = Runner::new();
    let (late, ended) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (wait_for_end, tell) = (Arc::clone(&ended), Arc::clone(&late));
    let body = move |_: &_| {
        info!("own");
        let span = tracing::Span::current();
        let (ended, late) = (Arc::clone(&wait_for_end), Arc::clone(&tell));
        let inside = span.clone();
        let (done, is_done) = std::sync::mpsc::channel();
        spawn(move || {
            inside.in_scope(|| info!("helper"));
            info!("outside");
            done.send(()).unwrap();
        });
        is_done.recv().unwrap();
        spawn(move || {
            ended.wait();
            span.in_scope(|| info!("too late"));
            late.wait();
        });
        Flow::Done
    };
    runner.register(Service::new("s", body).interval("1h")).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    ended.wait();
    late.wait();
    assert_eq!(texts(&runner.run_log("s").unwrap().last.unwrap()), ["own", "helper"]);
}

const NUMBERS: Queue<u32> = Queue::new("numbers");

#[test]
fn rule_119_concurrent_jobs_have_lines_of_their_own() {
    install();
    struct Steps(Barrier);
    fn work(number: Job<u32>, steps: Res<Steps>) -> Result<(), &'static str> {
        for step in 1..=3 {
            info!(number = *number, step, "job");
            steps.0.wait();
        }
        if *number == 3 { Err("no") } else { Ok(()) }
    }
    let runner = Runner::new();
    let queues = Queues::new(MemoryEngine::new());
    runner.provide(queues.clone());
    runner.provide(Steps(Barrier::new(4)));
    let service = Service::of("s", work).queue(NUMBERS).concurrency(4).attempts(1);
    let mut watcher = EventWatcher::new(&runner);
    runner.register(service).unwrap();
    for number in 1..=4 {
        NUMBERS.on(&queues).push(&number).unwrap();
    }
    runner.start_all().unwrap();
    (0..4).for_each(|_| drop(watcher.wait_for_run_end("s")));
    until("the lines are there", || runner.run_log("s").unwrap().running.is_empty());
    let logs = runner.run_log("s").unwrap();
    let of = |number| (1..=3).map(move |step| format!("job number={number} step={step}"));
    assert!(texts(logs.last_failing.as_ref().unwrap()).into_iter().eq(of(3)), "{logs:#?}");
    let last = logs.last.unwrap();
    assert!((1..=4).any(|number| texts(&last).into_iter().eq(of(number))), "{last:#?}");
    runner.stop_all();
}

#[test]
fn rule_119_async_jobs_have_lines_of_their_own() {
    install();
    async fn work(ctx: &Context, number: Job<u32>) -> Result<(), &'static str> {
        for step in 1..=3 {
            info!(number = *number, step, "job");
            let _ = ctx.sleep_async(Duration::from_secs(1)).await;
        }
        if *number == 3 { Err("no") } else { Ok(()) }
    }
    let service = Service::of("s", work).queue(NUMBERS).concurrency(4).attempts(1);
    let builder = virtual_time_builder().queues(MemoryEngine::new()).service(service);
    let mut t = builder.build().unwrap();
    for number in 1..=4 {
        t.push(NUMBERS, &number);
    }
    t.advance("1500ms");
    let running = logs(&t).running;
    assert_eq!(running.iter().map(|lines| lines.lines.len()).collect::<Vec<_>>(), [2; 4]);
    t.advance("10s");
    let logs = logs(&t);
    let expected: Vec<_> = (1..=3).map(|step| format!("job number=3 step={step}")).collect();
    assert_eq!(texts(logs.last_failing.as_ref().unwrap()), expected);
    assert!(logs.running.is_empty());
}

#[test]
fn rule_119_the_limit_of_the_runner_holds_and_failing_runs_are_kept_longest() {
    install();
    const SERVICES: usize = 600;
    let fill = || (0..20).for_each(|line| info!("{line:>1000}"));
    let services = (0..SERVICES).map(|number| {
        let body = move |_: &_| {
            fill();
            if number < 20 { Err("no") } else { Ok(()) }
        };
        Service::new(format!("service-{number}"), body).interval("1h").restart(Restart::Never)
    });
    let mut t = in_virtual_time(services);
    t.advance("1s");
    let names = (0..SERVICES).map(|number| format!("service-{number}"));
    let logs: Vec<_> = names.map(|name| t.run_log(&name)).collect();
    let size =
        |lines: &RunLines<TestTime>| texts(lines).iter().map(|text| text.len()).sum::<usize>();
    let kept: usize = logs.iter().filter_map(|logs| logs.last.as_ref()).map(size).sum();
    assert!((3 << 20..=4 << 20).contains(&kept), "{kept} bytes");
    assert!(logs.iter().take(20).all(|logs| logs.last_failing.is_some()));
    // The oldest ones are gone, the newest ones are there.
    let first = logs.iter().position(|logs| logs.last.is_some()).unwrap();
    assert!(first > 100 && logs[first..].iter().all(|logs| logs.last.is_some()), "{first}");
}

/// The secret lies where a text is cut, and only the whole one is recognized as a secret.
#[test]
fn rule_119_a_text_is_redacted_before_it_is_cut() {
    install();
    let service = Service::new("s", |_| {
        for length in [1_987, 1_989, 1_991] {
            info!("{:>length$}", "<hunter2>");
        }
        info!("short <{}>", "x".repeat(10_000));
        info!("{}<hunter2>", " ".repeat(100_000));
        Flow::Done
    });
    let runner = Runner::new();
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let last = runner.run_log("s").unwrap().last.unwrap();
    let texts = texts(&last);
    let is_fine = |text: &&str| text.len() <= 2_048 && !text.contains("hunt");
    assert!(texts.len() == 5 && texts.iter().all(is_fine), "{texts:#?}");
    assert_eq!(texts[3], "short <>");
}

/// What a run has written is forgotten with it, although a task keeps its span.
#[test]
fn rule_119_spans_that_are_kept_do_not_use_up_the_limit_of_the_runner() {
    install();
    static SPANS: Mutex<Vec<tracing::Span>> = Mutex::new(Vec::new());
    let runs = 400;
    let body = |_: &_| {
        (0..20).for_each(|line| info!("{line:>1000}"));
        SPANS.lock().unwrap().push(tracing::Span::current());
    };
    let mut t = in_virtual_time([Service::new("s", body).interval("1m")]);
    for _ in 0..runs {
        t.advance("1m");
    }
    assert!(SPANS.lock().unwrap().len() >= runs);
    let last = logs(&t).last.expect("it has written something");
    assert!((10..=16).contains(&last.lines.len()), "{}", last.lines.len());
}

#[test]
fn rule_119_and_174_the_lines_of_an_unknown_name_are_refused() {
    let runner = Runner::new();
    runner.register(Service::new("heartbeat", |_| {}).interval("1h")).unwrap();
    let refused = runner.run_log("hartbeat").unwrap_err();
    let ControlError::Unknown { nearest: Some(nearest), .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(nearest, "heartbeat");
}

/// A task that waits leaves its thread to others, whose lines are not its own.
#[test]
fn rule_119_what_a_thread_writes_between_two_polls_is_no_line_of_the_run() {
    install();
    let (steps, mut done) = unbounded_channel::<()>();
    let proceed = Arc::new(Notify::new());
    let told = Arc::clone(&proceed);
    async fn wait_inside(steps: Res<UnboundedSender<()>>, proceed: Res<Notify>) -> Flow {
        info!("inside");
        steps.send(()).unwrap();
        proceed.notified().await;
        info!("inside again");
        Flow::Done
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let logs = runtime.block_on(async {
        let runner = Runner::new();
        runner.provide(steps);
        runner.provide(proceed);
        runner.register(Service::of("s", wait_inside)).unwrap();
        runner.start_all().unwrap();
        done.recv().await.unwrap();
        info!("outside");
        told.notify_one();
        runner.wait_async().await;
        runner.run_log("s").unwrap()
    });
    assert_eq!(shown(logs.last.as_ref()), Some((1, vec!["inside", "inside again"])));
}
