//! The metrics that a recorder of the crate `metrics` gets are those of the runner.
#![cfg(feature = "metrics")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use tina4_service::{Flow, Runner, Service};
use tina4_service_metrics::Reporter;

#[derive(Default)]
struct Cell(AtomicU64);

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.absolute(value);
    }

    fn absolute(&self, value: u64) {
        self.0.store((value as f64).to_bits(), Ordering::Relaxed);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, _: f64) {
        panic!("the reporter sets gauges");
    }

    fn decrement(&self, _: f64) {
        panic!("the reporter sets gauges");
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

/// Keeps all values by series, as the text format writes it.
#[derive(Default)]
struct Values(Mutex<BTreeMap<String, Arc<Cell>>>, Mutex<Vec<String>>);

impl Values {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={:?}", label.key(), label.value())).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let mut values = self.0.lock().expect("no test panics with the lock");
        Arc::clone(values.entry(format!("{}{labels}", key.name())).or_default())
    }
}

impl Recorder for Values {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.1.lock().expect("no test panics with the lock").push(key.as_str().to_owned());
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe_counter(key, unit, text);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("the runner has counted already");
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("the runner has counted already");
    }
}

#[test]
fn rule_114_a_recorder_gets_the_series_of_the_text() {
    let runner = Runner::builder().only::<&str>([]).env_vars::<&str, &str>([]).build();
    runner.register(Service::new("once", |_| Flow::Done)).unwrap();
    runner.register(Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    runner.wait();
    let values = Values::default();
    let reporter = Reporter::new(&runner);
    let text = metrics::with_local_recorder(&values, || {
        // However often it reports.
        reporter.run_once();
        reporter.run_once();
        runner.prometheus()
    });
    let values_of_series = values.0.lock().unwrap();
    let mut lines = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let cell = values_of_series.get(series).unwrap_or_else(|| panic!("{series} is missing"));
        let found = f64::from_bits(cell.0.load(Ordering::Relaxed));
        // Time passes between the two.
        if !["tina4_runner_uptime_seconds", "tina4_runner_threads"].contains(&series) {
            assert_eq!(found, value.parse::<f64>().unwrap(), "{series}");
        }
        lines += 1;
    }
    assert_eq!(lines, values_of_series.len(), "no others");
    assert!(values.1.lock().unwrap().contains(&"tina4_service_runs_total".to_owned()));
    drop(runner);
    metrics::with_local_recorder(&values, || reporter.run_once());
}
