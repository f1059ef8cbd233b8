//! Rule 114: metrics have stable names, a bounded number, and alert rules that know them.

use std::collections::BTreeSet;
use std::fs;
use std::time::SystemTime;

use tests::{Kind, both_kinds, in_virtual_time, virtual_time_builder, workspace};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{Context, Job, MemoryEngine, MetricValue, Queue, Runner, Service, Settings};

both_kinds! {
    rule_114_the_metrics_of_a_service_say_what_its_snapshot_says,
    rule_114_and_111_what_nobody_expects_to_run_is_silent,
    rule_114_the_histogram_counts_each_run_once,
}

/// The value in the line of the text that begins like this.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no `{series}` in\n{text}"));
    line.parse().expect("a number")
}

fn has(text: &str, series: &str) -> bool {
    text.lines().any(|line| line.starts_with(series))
}

fn prometheus(t: &TestRunner) -> String {
    t.runner().prometheus()
}

fn rule_114_the_metrics_of_a_service_say_what_its_snapshot_says(kind: Kind) {
    let body = |ctx: &Context| match ctx.tick().run {
        2 => Err("no"),
        3 => panic!("no"),
        _ => Ok(()),
    };
    let service = kind.service("s", body).interval("1h").backoff("1m").tags(["a", "b"]);
    let sleeper = kind.sleeper("sleeper");
    let mut t = in_virtual_time([service, sleeper]);
    t.advance("1h 90s");
    let text = prometheus(&t);
    for (series, expected) in [
        ("tina4_service_info{name=\"s\",schedule=\"every 1h\",tags=\"a,b\"}", 1.0),
        ("tina4_service_state{name=\"s\",state=\"backing_off\"}", 1.0),
        ("tina4_service_state{name=\"s\",state=\"waiting\"}", 0.0),
        ("tina4_service_runs_total{name=\"s\",outcome=\"ok\"}", 1.0),
        ("tina4_service_runs_total{name=\"s\",outcome=\"error\"}", 1.0),
        ("tina4_service_runs_total{name=\"s\",outcome=\"panic\"}", 1.0),
        ("tina4_service_runs_total{name=\"s\",outcome=\"cancelled\"}", 0.0),
        ("tina4_service_runs_total{name=\"sleeper\",outcome=\"ok\"}", 0.0),
        ("tina4_service_restarts_total{name=\"s\"}", 1.0),
        ("tina4_service_skipped_total{name=\"s\"}", 0.0),
        ("tina4_service_consecutive_failures{name=\"s\"}", 2.0),
        ("tina4_service_overdue_seconds{name=\"s\"}", 0.0),
        ("tina4_service_stuck{name=\"s\"}", 0.0),
        ("tina4_service_paused{name=\"s\"}", 0.0),
        ("tina4_service_running_seconds{name=\"s\"}", 0.0),
        ("tina4_service_running_seconds{name=\"sleeper\"}", 3_690.0),
        ("tina4_service_lateness_seconds_count{name=\"s\"}", 3.0),
        ("tina4_service_lateness_seconds{name=\"s\",quantile=\"0.99\"}", 0.0),
        ("tina4_service_duration_seconds_count{name=\"s\"}", 3.0),
        ("tina4_service_duration_seconds_bucket{name=\"s\",le=\"0.001\"}", 3.0),
        ("tina4_runner_services{state=\"backing_off\"}", 1.0),
        ("tina4_runner_services{state=\"failed\"}", 0.0),
        ("tina4_runner_uptime_seconds", 3_690.0),
        ("tina4_runner_events_missed_total", 0.0),
        ("tina4_runner_series_omitted", 0.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    let info = t.info("s");
    let unix = |at: TestTime| {
        let since = SystemTime::from(at).duration_since(SystemTime::UNIX_EPOCH);
        since.expect("after 1970").as_secs_f64()
    };
    for (metric, expected) in [
        ("last_start", info.last_start),
        ("last_success", info.last_success),
        ("last_failure", info.last_failure),
        ("next_due", info.next_due),
    ] {
        let series = format!("tina4_service_{metric}_timestamp_seconds{{name=\"s\"}}");
        assert!((value(&text, &series) - unix(expected.unwrap())).abs() < 0.001, "{series}");
    }
    // Values that are unknown or do not apply are left out.
    assert!(!has(&text, "tina4_service_last_success_timestamp_seconds{name=\"sleeper\"}"));
    assert!(!has(&text, "tina4_service_overdue_seconds{name=\"sleeper\"}"));
    // It becomes overdue: two hours after the start of its last success at 0:00.
    t.pause("s").unwrap();
    t.advance("4h");
    assert_eq!(value(&prometheus(&t), "tina4_service_overdue_seconds{name=\"s\"}"), 0.0);
}

fn rule_114_and_111_what_nobody_expects_to_run_is_silent(kind: Kind) {
    let fails = |name: &'static str| {
        let service = kind.service(name, |_| Err::<(), _>("no")).interval("1h");
        service.backoff("1h").max_backoff("1h")
    };
    let mut builder = virtual_time_builder().settings(Settings::new().disable("disabled"));
    for name in ["fails", "paused", "stopped", "disabled"] {
        builder = builder.service(fails(name));
    }
    let mut t = builder.build().unwrap();
    t.advance("1s");
    t.pause("paused").unwrap();
    t.stop("stopped").unwrap();
    t.advance("10h");
    let text = prometheus(&t);
    for name in ["fails", "paused", "stopped", "disabled"] {
        let of = |metric: &str| value(&text, &format!("tina4_service_{metric}{{name=\"{name}\"}}"));
        let alerts = [of("overdue_seconds") > 0.0, of("consecutive_failures") > 0.0];
        assert_eq!(alerts, [name == "fails"; 2], "{name}");
        assert_eq!(of("stuck"), 0.0);
    }
}

fn rule_114_the_histogram_counts_each_run_once(kind: Kind) {
    let buckets = |t: &TestRunner| {
        let text = prometheus(t);
        let of = |part: &str| value(&text, &format!("tina4_service_duration_seconds_{part}"));
        let below = |le: &str| of(&format!("bucket{{name=\"s\",le=\"{le}\"}}"));
        let (sum, count) = (of("sum{name=\"s\"}"), of("count{name=\"s\"}"));
        assert_eq!(below("+Inf"), count);
        (below("0.001"), below("5"), below("60"), count, sum)
    };
    for first_asked in [0, 1, 2, 5] {
        let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1m")]);
        for run in 0..6 {
            if run >= first_asked {
                buckets(&t);
            }
            if run % 2 == 1 {
                t.slow_next("s", "7s");
            }
            t.advance(if run == 0 { "30s" } else { "1m" });
        }
        // Three short runs and three of seven seconds, whenever the metrics were first asked for.
        assert_eq!(buckets(&t), (3.0, 3.0, 6.0, 6.0, 21.0), "asked before run {first_asked}");
    }
    // Back-to-back runs, which share a record of the history: those before the first call are known if they were
    // alike.
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("10ms")]);
    t.advance("5s");
    let (_, _, _, before, _) = buckets(&t);
    t.advance("5s");
    let (fast, _, _, after, _) = buckets(&t);
    assert_eq!((before, after, fast), (501.0, 1_001.0, 1_001.0));
}

const NUMBERS: Queue<u32> = Queue::new("numbers");
const SHARED: Queue<u32> = Queue::new("shared");

fn work(number: Job<u32>) -> Result<(), &'static str> {
    if *number == 13 { Err("unlucky") } else { Ok(()) }
}

/// A runner whose metrics have all names.
fn with_everything() -> TestRunner {
    let mut t = virtual_time_builder()
        .queues(MemoryEngine::new())
        .service(Service::of("work", work).queue(NUMBERS).attempts(1))
        .service(Service::of("first", work).queue(SHARED).shared(true))
        .service(Service::of("second", work).queue(SHARED).shared(true))
        .service(Service::new("s", |_| {}).interval("1h"))
        .service(Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0))
        .build()
        .unwrap();
    t.start_all().unwrap();
    for number in [7, 8, 13] {
        t.push(NUMBERS, &number);
    }
    t.advance("10s");
    t
}

#[test]
fn rule_114_the_metrics_of_queues_say_what_their_engine_and_this_process_know() {
    let mut t = with_everything();
    let text = prometheus(&t);
    for (series, expected) in [
        ("tina4_queue_pushed_total{queue=\"numbers\"}", 3.0),
        ("tina4_queue_done_total{queue=\"numbers\"}", 2.0),
        ("tina4_queue_failed_total{queue=\"numbers\"}", 1.0),
        ("tina4_queue_dead_total{queue=\"numbers\"}", 1.0),
        ("tina4_queue_returned_total{queue=\"numbers\"}", 0.0),
        ("tina4_queue_stale_total{queue=\"numbers\"}", 0.0),
        ("tina4_queue_lost_total{queue=\"numbers\"}", 0.0),
        ("tina4_queue_running{queue=\"numbers\"}", 0.0),
        ("tina4_queue_jobs{queue=\"numbers\",state=\"dead\"}", 1.0),
        ("tina4_queue_jobs{queue=\"numbers\",state=\"ready\"}", 0.0),
        ("tina4_queue_oldest_ready_seconds{queue=\"numbers\"}", 0.0),
        ("tina4_service_runs_total{name=\"work\",outcome=\"ok\"}", 2.0),
        ("tina4_service_runs_total{name=\"work\",outcome=\"error\"}", 1.0),
        ("tina4_service_duration_seconds_count{name=\"work\"}", 3.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    // A queue that several services share is there once.
    let shared =
        text.lines().filter(|line| line.starts_with("tina4_queue_done_total{queue=\"shared"));
    assert_eq!(shared.count(), 1);
    t.stop("work").unwrap();
    t.push(NUMBERS, &1);
    t.advance("60s");
    let text = prometheus(&t);
    assert_eq!(value(&text, "tina4_queue_jobs{queue=\"numbers\",state=\"ready\"}"), 1.0);
    assert_eq!(value(&text, "tina4_queue_oldest_ready_seconds{queue=\"numbers\"}"), 60.0);
}

/// The names of metrics in a text: `tina4_`, then letters and underscores.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("tina4_"));
    words.filter(|word| *word != "tina4_service").map(str::to_owned).collect()
}

#[test]
fn rule_114_the_documents_and_alert_rules_use_the_names_that_there_are() {
    let metrics = with_everything().runner().metrics();
    let names: BTreeSet<String> =
        metrics.families.iter().map(|family| family.name.to_owned()).collect();
    let read = |path: &str| {
        let path = workspace().join("tina4-service").join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let chapter = read("src/observing.md");
    let rows: String = chapter.lines().filter(|line| line.starts_with("| `tina4_")).collect();
    assert_eq!(names_in(&rows), names, "the table in `observing.md`");
    for path in ["deploy/alerts.yml", "deploy/alerts_test.yml", "deploy/dashboard.json"] {
        let used = names_in(&read(path));
        let base = |name: &String| {
            let parts = ["_bucket", "_sum", "_count"].iter();
            let base = parts.filter_map(|part| name.strip_suffix(part)).next();
            base.filter(|base| names.contains(*base)).unwrap_or(name).to_owned()
        };
        let unknown: Vec<_> = used.iter().filter(|name| !names.contains(&base(name))).collect();
        assert!(used.len() > 5 && unknown.is_empty(), "{path}: {unknown:?}");
    }
    let alerts = read("deploy/alerts.yml");
    let tested = read("deploy/alerts_test.yml");
    for alert in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tested.contains(&format!("alertname: {alert}\n")), "`{alert}` has no test case");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/dashboard.json")).unwrap();
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 5));
}

#[test]
fn rule_114_the_number_of_series_has_a_bound_and_trouble_is_listed_first() {
    let runner = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    for number in 0..3_500 {
        let name = format!("s{number:04}");
        let service = if number < 2_000 {
            Service::new(name, |_| {}).interval("1h").initial_delay("1h")
        } else {
            Service::new(name, |_| Err::<(), _>("no")).max_restarts(0)
        };
        runner.register(service).unwrap();
    }
    runner.start_all().unwrap();
    tests::until("they have failed", || {
        let failed = |info: &tina4_service::ServiceInfo| info.crashes > 0;
        runner.services().iter().filter(|info| failed(info)).count() == 1_500
    });
    let text = runner.prometheus();
    assert_eq!(value(&text, "tina4_runner_series_omitted"), 1_500.0);
    assert_eq!(value(&text, "tina4_runner_services{state=\"failed\"}"), 1_500.0);
    assert_eq!(value(&text, "tina4_runner_services{state=\"waiting\"}"), 2_000.0);
    let listed: Vec<_> =
        text.lines().filter(|line| line.starts_with("tina4_service_info")).collect();
    assert_eq!(listed.len(), 2_000);
    for (name, is_listed) in [("s0999", true), ("s1000", false), ("s2000", true), ("s2999", true)] {
        let series = format!("tina4_service_info{{name=\"{name}\"");
        assert_eq!(has(&text, &series), is_listed, "{name}");
    }
    runner.stop_all();
}

#[test]
fn rule_114_metrics_are_available_as_values() {
    let runner = Runner::new();
    runner.register(Service::new("s", |_| {}).interval("1h")).unwrap();
    let metrics = runner.metrics();
    let family = |name: &str| metrics.families.iter().find(|family| family.name == name).unwrap();
    let sample = &family("tina4_service_duration_seconds").samples[0];
    assert_eq!(sample.labels, [("name", "s".into())]);
    let MetricValue::Histogram { buckets, sum, count, .. } = &sample.value else { panic!() };
    assert_eq!((buckets.len(), *sum, *count), (15, 0.0, 0));
    assert!(metrics.to_string().contains("tina4_service_duration_seconds_count{name=\"s\"} 0\n"));
}
