//! The metrics that a registry of the crate `prometheus-client` gets are those of the runner.
#![cfg(feature = "prometheus-client")]

use std::collections::BTreeMap;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tina4_service::{Flow, Runner, Service};
use tina4_service_metrics::RunnerCollector;

/// The series with their values. The encoder writes labels in another order, and the bounds of buckets as `1.0`.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let mut labels: Vec<String> =
            labels.trim_end_matches('}').split(',').map(|l| l.replace(".0\"", "\"")).collect();
        labels.sort_unstable();
        (format!("{name}{{{}}}", labels.join(",")), value.parse().expect("a number"))
    };
    lines.map(parse).collect()
}

#[test]
fn rule_114_a_registry_gets_the_series_of_the_text() {
    let runner = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    runner.register(Service::new("once", |_| Flow::Done)).unwrap();
    runner.register(Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    runner.wait();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(RunnerCollector::new(&runner)));
    let scrape = || {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    };
    let (found, expected) = (scrape(), runner.prometheus());
    let (found, expected) = (series(&found), series(&expected));
    for (name, value) in &expected {
        // A summary is a gauge here, and time passes.
        let is_summary = name.starts_with("tina4_service_lateness_seconds_");
        let varies = ["tina4_runner_uptime_seconds{}", "tina4_runner_threads{}"].contains(&&**name);
        if !is_summary && !varies {
            assert_eq!(found.get(name), Some(value), "{name}");
        }
    }
    assert!(found.len() > 60);
    assert!(scrape().contains("# TYPE tina4_service_runs counter\n"));
    drop(runner);
    assert_eq!(scrape(), "# EOF\n", "the registry keeps no services running");
}
