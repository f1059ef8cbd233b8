//! Rules 62 and 117: the log and its spans. A separate test binary, because its subscriber, which records every event with
//! its spans, is global.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use tests::{EventWatcher, Stopwatch, info, millis, wait};
use tina4_service::{
    Change, Context, Flow, OnTimeout, Permanent, Requester, Runner, Service, Tick,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context as InLayer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

/// The target of the crate's own lines and spans.
const TARGET: &str = "tina4_service";

/// One log event.
#[derive(Clone, Debug)]
struct Line {
    level: Level,
    target: &'static str,
    fields: Fields,
    /// Names and fields of its spans, innermost first.
    spans: Vec<(String, Fields)>,
    /// When it came, since the first look at the clock.
    at: Duration,
}

/// The time since the first call.
fn clock() -> Duration {
    static CLOCK: OnceLock<Stopwatch> = OnceLock::new();
    CLOCK.get_or_init(Stopwatch::start).elapsed()
}

/// Held while lines about `logs.blocked` and the like must not be written.
static GATE: Mutex<()> = Mutex::new(());
/// The services of the lines that have come to the gate.
static AT_GATE: Mutex<Vec<String>> = Mutex::new(Vec::new());

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

struct Record;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Record {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: InLayer<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        ctx.span(id).expect("a new span").extensions_mut().insert(fields);
    }

    fn on_event(&self, event: &Event<'_>, ctx: InLayer<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        let spans = ctx.event_scope(event).into_iter().flatten();
        let spans = spans.map(|span| {
            assert_eq!(span.metadata().target(), TARGET);
            let fields = span.extensions().get::<Fields>().cloned().unwrap_or_default();
            (span.name().to_owned(), fields)
        });
        let metadata = event.metadata();
        let line = Line {
            level: *metadata.level(),
            target: metadata.target(),
            fields,
            spans: spans.collect(),
            at: clock(),
        };
        let service = line.fields.get("service").map_or("", String::as_str);
        if service.starts_with("logs.blocked") {
            AT_GATE.lock().unwrap_or_else(PoisonError::into_inner).push(service.to_owned());
            drop(GATE.lock().unwrap_or_else(PoisonError::into_inner));
        }
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// Records the log of this process.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Record);
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    });
}

/// Waits for `count` lines that `wanted` accepts; they are written after subscribers have received
/// the event.
#[track_caller]
fn lines(count: usize, what: &str, wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
    let mut found = Vec::new();
    tests::until(what, || {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        found = lines.iter().filter(|line| wanted(line)).cloned().collect();
        found.len() >= count
    });
    assert_eq!(found.len(), count, "{what}: {found:#?}");
    found
}

/// Waits for these lines of the runner about `service` at this level.
#[track_caller]
fn about(service: &str, level: Level, messages: &[&str]) -> Vec<Line> {
    let about = |line: &Line| {
        line.level == level && line.fields.get("service").is_some_and(|name| name == service)
    };
    let found = lines(messages.len(), &format!("{level} of {service}"), about);
    assert!(found.iter().all(|line| [TARGET, module_path!()].contains(&line.target)), "{found:#?}");
    let said: Vec<_> = found.iter().map(|line| line.fields["message"].as_str()).collect();
    assert_eq!(said, messages);
    found
}

#[test]
fn rule_62_logs_inside_a_run_are_in_its_span() {
    listen();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let body = |ctx: &Context| {
        let late = ctx.tick().lateness;
        tracing::info!(from = "logs.span", ?late, "inside");
        ctx.on_stop(move || tracing::info!(from = "logs.span", ?late, "in a hook"));
    };
    runner.register(Service::new("logs.span", body).interval("1ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("logs.span", |change| matches!(change, Change::RunEnded { run: 3, .. }));
    runner.stop_all();
    let runs = usize::try_from(info(&runner, "logs.span").runs).unwrap();
    let own = |line: &Line| line.fields.get("from").is_some_and(|from| from == "logs.span");
    let found = lines(runs + 1, "the lines of the body and of the hook", own);
    for (line, run) in found.iter().zip((1..=runs).chain([runs])) {
        let [(span, fields)] = &line.spans[..] else { panic!("one span: {line:?}") };
        assert_eq!(span, "service");
        assert_eq!((&*fields["name"], &*fields["run"]), ("logs.span", &*run.to_string()));
        assert_eq!(fields["lateness"], line.fields["late"]);
    }
}

/// Two runs of a current-thread runtime take turns, and each poll is in the span of its own run; so are
/// the parts of a `work_async`. The runtime itself, in between, is in no span.
#[test]
fn rule_94_every_poll_is_in_the_span_of_its_run_and_nothing_else_is() {
    async fn logs(ctx: &Context) -> Flow {
        for _ in 0..3 {
            tracing::info!(from = "logs.poll", at = ctx.name(), "in a poll");
            tokio::task::yield_now().await;
            let part = async { tracing::info!(from = "logs.poll", at = ctx.name(), "in a part") };
            ctx.work_async("part", part).await;
        }
        Flow::Done
    }
    listen();
    let runner = Runner::new();
    let names = ["logs.poll.a", "logs.poll.b"];
    for name in names {
        runner.register(Service::of(name, logs).interval("1h")).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        runner.start_all().unwrap();
        while names.iter().any(|name| runner.is_running(name)) {
            tracing::info!(from = "logs.poll", at = "outside", "between the polls");
            tokio::task::yield_now().await;
        }
    });
    let of = |at: &'static str| {
        move |line: &Line| {
            let has = |field: &str, value: &str| line.fields.get(field).is_some_and(|v| v == value);
            has("from", "logs.poll") && has("at", at)
        }
    };
    for name in names {
        for line in lines(6, name, of(name)) {
            let is_part = line.fields["message"] == "in a part";
            let spans: Vec<_> = line.spans.iter().map(|(span, _)| span.as_str()).collect();
            assert_eq!(spans, if is_part { &["work", "service"][..] } else { &["service"][..] });
            assert_eq!(line.spans.last().unwrap().1["name"], name);
        }
    }
    let all = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let outside: Vec<_> = all.into_iter().filter(of("outside")).collect();
    assert!(!outside.is_empty() && outside.iter().all(|line| line.spans.is_empty()));
}

/// Runs that share tasks have a span each, although some of them panic.
#[test]
fn rule_94_runs_that_share_a_task_share_no_span() {
    const NAME: &str = "logs.shared";
    async fn logs(tick: Tick) -> Flow {
        let task = tokio::task::id().to_string();
        tracing::info!(from = NAME, run = tick.run, task, "in a run");
        assert!(!matches!(tick.run, 3 | 6), "on purpose");
        if tick.run < 9 { Flow::Again } else { Flow::Done }
    }
    listen();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let runner = Runner::builder().only::<&str>([]).runtime(runtime.handle().clone()).build();
    let service = Service::of(NAME, logs).interval("1h").backoff("1ms");
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    wait(&runner);
    let found = lines(9, NAME, |line| line.fields.get("from").is_some_and(|from| from == NAME));
    for line in &found {
        let [(span, fields)] = &line.spans[..] else { panic!("one span: {line:?}") };
        assert_eq!((&**span, &*fields["name"]), ("service", NAME));
        assert_eq!(fields["run"], line.fields["run"]);
    }
    let tasks: BTreeSet<_> = found.iter().map(|line| &line.fields["task"]).collect();
    assert!(tasks.len() < 9, "{tasks:?}");
}

/// The lines that were logged with `from`, once there are `count`: each message with the spans around
/// it, innermost first.
#[track_caller]
fn lines_from(from: &str, count: usize) -> Vec<(String, Vec<(String, Fields)>)> {
    let own = |line: &Line| line.fields.get("from").is_some_and(|found| found == from);
    let found = lines(count, from, own);
    found.into_iter().map(|line| (line.fields["message"].clone(), line.spans)).collect()
}

/// The span that `Context::work` opens.
fn work(service: &str, name: &str, run: u64) -> (String, Fields) {
    let run = run.to_string();
    let fields = [("service", service), ("name", name), ("run", &run)];
    let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
    ("work".to_owned(), Fields::from(fields))
}

#[test]
fn rule_117_a_continuous_service_has_spans_only_around_its_work_and_its_clean_up() {
    const NAME: &str = "logs.continuous";
    listen();
    let runner = Runner::new();
    let body = |ctx: &Context| {
        tracing::info!(from = NAME, "before");
        let answer = ctx.work("outer", || {
            tracing::info!(from = NAME, "outside");
            ctx.work("inner", || tracing::info!(from = NAME, "inside"));
            42
        });
        assert_eq!(answer, 42);
        ctx.on_stop(|| tracing::info!(from = NAME, "hook"));
        tracing::info!(from = NAME, "after");
        Flow::Done
    };
    runner.register(Service::new(NAME, body)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let found = lines_from(NAME, 5);
    let (outer, inner) = (work(NAME, "outer", 1), work(NAME, "inner", 1));
    let expected = [
        ("before", vec![]),
        ("outside", vec![outer.clone()]),
        ("inside", vec![inner, outer]),
        ("after", vec![]),
    ];
    assert_eq!(found[..4], expected.map(|(message, spans)| (message.to_owned(), spans)));
    let (message, spans) = &found[4];
    let [(span, fields)] = &spans[..] else { panic!("one span: {spans:?}") };
    assert_eq!((&**message, &**span, &*fields["name"]), ("hook", "service", NAME));
}

#[test]
fn rule_117_work_is_inside_the_span_of_a_run() {
    const NAME: &str = "logs.work";
    listen();
    let runner = Runner::new();
    let body = |ctx: &Context| {
        ctx.work("part", || tracing::info!(from = NAME, "inside"));
        if ctx.tick().run == 2 { Flow::Done } else { Flow::Again }
    };
    runner.register(Service::new(NAME, body).interval("1h")).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    for ((message, spans), run) in lines_from(NAME, 2).into_iter().zip(1..) {
        let [part, (span, _)] = &spans[..] else { panic!("two spans: {spans:?}") };
        assert_eq!((&*message, part, &**span), ("inside", &work(NAME, "part", run), "service"));
    }
}

#[test]
fn rule_117_a_panic_ends_the_span_of_the_work() {
    const NAME: &str = "logs.panics-at-work";
    listen();
    let runner = Runner::new();
    let body = |ctx: &Context| {
        tracing::info!(from = NAME, "outside");
        if ctx.tick().run == 1 {
            ctx.work("part", || panic!("no"));
        }
        Flow::Done
    };
    runner.register(Service::new(NAME, body).backoff("1ms")).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    for (_, spans) in lines_from(NAME, 2) {
        assert_eq!(spans, []);
    }
}

#[test]
fn rule_29_and_62_a_cancelled_run_is_reported_as_stuck_and_then_as_crashed() {
    listen();
    let runner = Runner::new();
    let body = |ctx: &Context| while ctx.sleep(millis(60_000)) {};
    let service = Service::new("logs.cancelled", body).timeout("5ms").max_restarts(0);
    runner.register(service.on_timeout(OnTimeout::Cancel)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let stuck = "service is stuck: its run takes longer than its timeout";
    let crashed = "service crashed; it will not be restarted";
    let found = about("logs.cancelled", Level::WARN, &[stuck, crashed]);
    assert_eq!(found[1].fields["error"], "cancelled: took longer than its timeout of 5ms");
    about("logs.cancelled", Level::ERROR, &["service failed"]);
}

#[test]
fn rule_62_start_stop_and_finish_are_logged_at_info() {
    listen();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(Service::new("logs.stops", |ctx| while ctx.sleep(millis(60_000)) {})).unwrap();
    runner.register(Service::new("logs.ends", |_| Flow::Done)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("logs.stops");
    watcher.wait_for_change("logs.ends", &Change::Finished);
    runner.stop_all();
    about("logs.stops", Level::INFO, &["service started", "service stopped"]);
    about("logs.ends", Level::INFO, &["service started", "service finished"]);
}

#[test]
fn rule_62_and_101_the_log_says_what_is_disabled_and_what_runs_here() {
    listen();
    let variables = [
        ("TINA4_SERVICES", "logs.off,logs.needs"),
        ("TINA4_SERVICES__LOGS_OFF__ENABLED", "false"),
        // Of a Kubernetes Service.
        ("TINA4_SERVICES__LOGS_SERVICE_HOST", "10.0.0.1"),
    ];
    let runner = Runner::builder().only::<&str>([]).env_vars(variables).build();
    let off = |name: &'static str| Service::new(name, |_| {}).interval("1h");
    runner.register(off("logs.off")).unwrap();
    runner.register(off("logs.needs").requires("logs.off")).unwrap();
    runner.register(off("logs.elsewhere")).unwrap();
    runner.start_all().unwrap();
    runner.start("logs.off").unwrap();
    let by = "1 of 3 services run here (TINA4_SERVICES=logs.off,logs.needs)";
    let selected = lines(1, "the selection", |line| {
        line.fields.get("message").is_some_and(|text| text.contains("services run here"))
    });
    assert_eq!(selected[0].fields["message"], by);
    let ignored = lines(1, "the ignored variable", |line| line.fields.contains_key("variable"));
    assert_eq!(ignored[0].level, Level::DEBUG);
    assert_eq!(ignored[0].fields["variable"], "TINA4_SERVICES__LOGS_SERVICE_HOST");
    let disabled = about(
        "logs.off",
        Level::INFO,
        &["service disabled", "disabled service started on request"],
    );
    assert_eq!(disabled[0].fields["reason"], "TINA4_SERVICES__LOGS_OFF__ENABLED=false");
    assert_eq!(disabled[1].fields["disabled_by"], "TINA4_SERVICES__LOGS_OFF__ENABLED=false");
    let elsewhere = about("logs.elsewhere", Level::INFO, &["service disabled"]);
    assert_eq!(elsewhere[0].fields["reason"], "TINA4_SERVICES=logs.off,logs.needs");
    let is_blocked = |line: &Line| {
        line.level == Level::WARN
            && line.fields.get("service").is_some_and(|name| name == "logs.needs")
    };
    let blocked = lines(1, "the blocked service", is_blocked);
    assert_eq!(
        blocked[0].fields["reason"],
        "`logs.off` is disabled by `TINA4_SERVICES__LOGS_OFF__ENABLED=false`"
    );
    runner.stop_all();
}

/// A run waits for the line for a tenth of a second, so that a log that blocks delays nobody for long.
#[test]
fn rule_62_the_start_is_logged_before_the_first_line_of_the_run() {
    listen();
    for round in 0..200 {
        let runner = Runner::new();
        let names = [0, 1, 2, 3].map(|number| format!("logs.order-{round}-{number}"));
        for name in &names {
            let body = |ctx: &Context| {
                tracing::info!(service = ctx.name(), "a line of its own");
                Flow::Done
            };
            runner.register(Service::new(name.clone(), body)).unwrap();
        }
        let before = clock();
        runner.start_all().unwrap();
        runner.wait();
        for name in &names {
            let is_about = |line: &Line| line.fields.get("service") == Some(name);
            let mut found = lines(3, name, is_about);
            // On a busy machine, the line may be so late that the run does not wait any longer.
            if found[0].fields["message"] == "a line of its own" {
                assert!(found[0].at - before >= millis(100), "it has not waited: {found:#?}");
                found.swap(0, 1);
            }
            let said: Vec<_> = found.iter().map(|line| line.fields["message"].as_str()).collect();
            assert_eq!(said, ["service started", "a line of its own", "service finished"]);
        }
    }
}

#[test]
fn rule_62_a_blocked_log_delays_no_run() {
    listen();
    let blocked = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    let runner = Runner::new();
    runner.register(Service::new("logs.blocked", |_| {}).interval("1h")).unwrap();
    runner.register(Service::new("logs.behind-it", |_| {}).interval("1h")).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    let starter = runner.clone();
    tests::spawn(move || starter.start_all().map(drop).unwrap());
    watcher.wait_for_run_end("logs.blocked");
    watcher.wait_for_run_end("logs.behind-it");
    drop(blocked);
    about("logs.behind-it", Level::INFO, &["service started"]);
    assert!(runner.stop_all().is_clean());
}

/// A log may wait for tasks, which a blocking call must not keep from making progress.
#[test]
fn rule_91_and_62_a_blocking_call_on_a_runtime_does_not_wait_for_a_blocked_log() {
    listen();
    // A runner of which one worker is blocked in the log. Until then, any thread may be the one that writes.
    let runner = |name: &str, blocked: &mut Option<MutexGuard<'static, ()>>| {
        drop(blocked.take());
        let (fail, gate) = crossbeam_channel::bounded::<()>(0);
        let body = move |_: &Context| gate.recv();
        let runner = Runner::new();
        let service = Service::new(name.to_owned(), body).max_restarts(0);
        runner.register(service).unwrap();
        runner.start_all().unwrap();
        about(name, Level::INFO, &["service started"]);
        *blocked = Some(GATE.lock().unwrap_or_else(PoisonError::into_inner));
        drop(fail);
        tests::until("a worker is blocked", || {
            let services = AT_GATE.lock().unwrap_or_else(PoisonError::into_inner);
            services.iter().filter(|service| *service == name).count() == 2
        });
        runner
    };
    let mut blocked = None;
    let mut round = 0;
    // The only thread: the calls do not wait for the log at all. Each of the two would wait for a second.
    tests::best_of(5, "two calls", tests::secs(1), || {
        round += 1;
        let failed = runner(&format!("logs.blocked-1-{round}"), &mut blocked);
        let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let stopwatch = tests::Stopwatch::start();
        current.block_on(async {
            assert!(!failed.stop_all().in_progress);
            failed.wait();
        });
        stopwatch.elapsed()
    });
    // The only worker: another thread replaces it while it waits, and so executes the other task. It has a second,
    // in which a busy machine may not do so.
    let is_replaced = (0..5).any(|round| {
        let failed = runner(&format!("logs.blocked-2-{round}"), &mut blocked);
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let threads = builder.worker_threads(1).enable_all().build().unwrap();
        let call = threads.spawn(async move {
            // Queued on the worker, which then makes the call.
            let other = tokio::spawn(async {});
            let report = failed.stop_all();
            let is_executed = other.is_finished();
            other.await.unwrap();
            (report, is_executed)
        });
        let (report, is_executed) = threads.block_on(call).unwrap();
        assert!(!report.in_progress, "{report}");
        is_executed
    });
    assert!(is_replaced);
}

#[test]
fn rule_20_and_62_a_crash_is_a_warning_with_all_details_and_a_failure_an_error_with_its_place() {
    listen();
    let runner = Runner::new();
    let panic_line = line!() + 3;
    let body = |ctx: &Context| match ctx.tick().run {
        1 => Err::<(), _>("the disk is full"),
        _ => panic!("the disk is gone"),
    };
    let line = line!() + 1;
    let service = Service::new("logs.fails", body);
    runner.register(service.backoff("3ms").max_restarts(1)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let again = "service crashed; it will be restarted";
    let last = "service crashed; it will not be restarted";
    let found = about("logs.fails", Level::WARN, &[again, last]);
    let field = |line: &Line, name: &str| line.fields.get(name).cloned().unwrap_or_default();
    assert_eq!(
        (field(&found[0], "in_a_row"), field(&found[0], "restart_in")),
        ("1".into(), "3ms".into())
    );
    assert_eq!(field(&found[0], "error"), "the disk is full");
    assert_eq!(field(&found[1], "in_a_row"), "2");
    let panicked = format!("panicked: the disk is gone at {}:{}:", file!(), panic_line);
    assert!(field(&found[1], "error").starts_with(&panicked), "{found:#?}");
    let found = about("logs.fails", Level::ERROR, &["service failed"]);
    assert!(field(&found[0], "error").starts_with(&panicked), "{found:#?}");
    assert_eq!(field(&found[0], "place"), format!("{}:{line}", file!()));
}

#[test]
fn rule_28_and_62_the_log_says_that_an_error_is_permanent() {
    listen();
    let runner = Runner::new();
    let body = |_: &Context| Err::<(), _>(Permanent::new("no such key"));
    runner.register(Service::new("logs.permanent", body)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let crashed =
        about("logs.permanent", Level::WARN, &["service crashed; it will not be restarted"]);
    let failed = about("logs.permanent", Level::ERROR, &["service failed"]);
    for line in [&crashed[0], &failed[0]] {
        assert_eq!(line.fields["error"], "permanent error: no such key");
    }
}

#[test]
fn rule_5_43_62_and_63_skipped_and_stuck_runs_are_warnings_and_abandoned_ones_errors() {
    listen();
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (go, gate) = crossbeam_channel::bounded::<()>(0);
    let body = move |_: &Context| {
        let _ = gate.recv();
    };
    let service = Service::new("logs.stuck", body.clone()).timeout("5ms");
    runner.register(service.stop_timeout("5ms")).unwrap();
    runner.register(Service::new("logs.skips", body).interval("5ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for("logs.stuck", |change| matches!(change, Change::Stuck { .. }));
    let stuck = "service is stuck: its run takes longer than its timeout";
    about("logs.stuck", Level::WARN, &[stuck]);
    runner.stop("logs.stuck").unwrap();
    let abandoned = "service abandoned: it did not stop in time; check `ctx.is_stopping()` in its loop, sleep with `ctx.sleep(..)`, which returns early on a stop request, or give it a longer `stop_timeout`";
    let found = about("logs.stuck", Level::ERROR, &[abandoned]);
    assert!(found[0].fields["place"].starts_with(file!()), "{found:?}");
    // About ten due times of the other service pass during this pause, while its run is blocked.
    tests::pause(millis(50));
    drop(go);
    let skipped = watcher.wait_for("logs.skips", |change| matches!(change, Change::Skipped { .. }));
    let Change::Skipped { count } = skipped.change else { unreachable!("it was asked for") };
    let reported = |line: &Line| {
        line.fields.get("service").is_some_and(|name| name == "logs.skips")
            && line.fields.get("count").is_some_and(|reported| *reported == count.to_string())
    };
    let found = lines(1, "the skip", reported);
    assert_eq!(found[0].level, Level::WARN);
    runner.stop_all();
    about("logs.stuck", Level::INFO, &["service started", "abandoned service ended after all"]);
}

/// A subscriber is user code, too: it may call the runner.
#[test]
fn rule_51_log_lines_are_written_without_a_lock() {
    struct Calls(Runner);
    impl<S: Subscriber> Layer<S> for Calls {
        fn on_event(&self, _: &Event<'_>, _: InLayer<'_, S>) {
            assert!(!self.0.services().is_empty());
        }
    }
    let runner = Runner::new();
    let logger = runner.clone();
    let states = tests::within("start and stop", move || {
        // For this thread, which writes the lines about its own requests.
        let subscriber = tracing_subscriber::registry().with(Calls(logger));
        tracing::subscriber::with_default(subscriber, || {
            runner.register(Service::new("logs.calls", |_| {}).interval("1h")).unwrap();
            runner.start_all().unwrap();
            runner.stop("logs.calls").unwrap();
            runner.status()
        })
    });
    assert_eq!(states["logs.calls"], tina4_service::State::Stopped);
}

#[test]
fn rule_62_and_113_the_line_about_a_request_comes_before_those_about_what_follows() {
    listen();
    let runner = Runner::new();
    let service = Service::new("logs.asked", |_| {}).interval("1h").initial_delay("1h");
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    let alice = runner.on_behalf_of(Requester::new("alice\n").because("a\u{1b}[2Jb"));
    alice.pause("logs.asked").unwrap();
    alice.stop("logs.asked").unwrap();
    alice.pause("logs.asked").unwrap_err();
    let expected = [
        "service started",
        "request received",
        "service paused",
        "request received",
        "service stopped",
        "request received",
        "request refused",
    ];
    let lines = about("logs.asked", Level::INFO, &expected);
    let fields = ["by", "reason", "request"].map(|field| &*lines[1].fields[field]);
    assert_eq!(fields, ["alice", "a\\u{1b}[2Jb", "pause"]);
    assert_eq!(lines[6].fields["error"], "`logs.asked` is stopped; `start` it first");
}

#[test]
fn rule_62_and_118_a_hook_that_panics_is_reported() {
    listen();
    let runner = Runner::new();
    runner.on_change(|_| panic!("no network"));
    let fails = Service::new("logs.told", |_| Err::<(), _>("no")).max_restarts(0);
    runner.register(fails).unwrap();
    runner.start_all().unwrap();
    let is_about_hook = |line: &Line| {
        line.fields["message"].starts_with("a hook of `on_change` panicked")
            && line.fields["service"] == "logs.told"
    };
    let lines = lines(1, "the panic of the hook", is_about_hook);
    assert_eq!((lines[0].level, lines[0].spans.len()), (Level::ERROR, 0));
    assert!(lines[0].fields["error"].starts_with("panicked: no network at "), "{lines:?}");
    runner.stop_all();
}
