//! Adds metrics to a registry of the crate `prometheus-client`.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tina4_service::{MetricFamily, MetricKind, MetricSample, MetricValue, Runner, WeakRunner};

/// Adds the metrics of a runner to a registry of the crate `prometheus-client`, at each scrape.
///
/// It asks the runner at each scrape, so nothing is counted twice. If there are services with a queue, it asks their
/// engine for the numbers of jobs, which may block. It holds no handle that keeps the services running.
///
/// The registry knows no summaries: the quantiles of `tina4_service_lateness_seconds` are a gauge.
///
/// ```
/// use prometheus_client::registry::Registry;
/// use tina4_service::{Runner, Service};
/// use tina4_service_metrics::RunnerCollector;
///
/// let runner = Runner::new();
/// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(RunnerCollector::new(&runner)));
///
/// let mut text = String::new();
/// prometheus_client::encoding::text::encode(&mut text, &registry)?;
/// assert!(text.contains("tina4_service_skipped_total{name=\"heartbeat\"} 0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RunnerCollector {
    runner: WeakRunner,
}

impl RunnerCollector {
    /// A collector of the metrics of this runner.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self { runner: runner.downgrade() }
    }
}

impl fmt::Debug for RunnerCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerCollector").finish_non_exhaustive()
    }
}

impl Collector for RunnerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(runner) = self.runner.upgrade() else { return Ok(()) };
        let metrics = runner.metrics();
        metrics.families.iter().try_for_each(|family| encode_family(&mut encoder, family))
    }
}

fn encode_family(encoder: &mut DescriptorEncoder<'_>, family: &MetricFamily) -> fmt::Result {
    let MetricFamily { name, help, kind, samples, .. } = family;
    let kind = match kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge | MetricKind::Summary => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
        // What a later version adds.
        _ => MetricType::Unknown,
    };
    // The encoder adds the suffix of counters, and the full stop of the text.
    let name = name.strip_suffix("_total").unwrap_or(name);
    let help = help.strip_suffix('.').unwrap_or(help);
    let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
    samples.iter().try_for_each(|sample| encode_sample(&mut encoder, sample, kind))
}

fn encode_sample(
    encoder: &mut MetricEncoder<'_>,
    sample: &MetricSample,
    kind: MetricType,
) -> fmt::Result {
    let labels: Vec<(&str, &str)> =
        sample.labels.iter().map(|(label, value)| (*label, &**value)).collect();
    match &sample.value {
        MetricValue::Number(value) if kind == MetricType::Counter => {
            ConstCounter::new(*value).encode(encoder.encode_family(&labels)?)
        }
        MetricValue::Number(value) => {
            ConstGauge::new(*value).encode(encoder.encode_family(&labels)?)
        }
        MetricValue::Histogram { buckets, sum, count, .. } => {
            // The encoder adds the numbers up.
            let mut below = 0;
            let infinity = [(f64::INFINITY, *count)];
            let single = buckets.iter().chain(&infinity).map(|(bound, cumulative)| {
                let single = cumulative - below;
                below = *cumulative;
                (*bound, single)
            });
            let single: Vec<(f64, u64)> = single.collect();
            let mut encoder = encoder.encode_family(&labels)?;
            encoder.encode_histogram::<[(&str, &str); 0]>(*sum, *count, &single, None)
        }
        MetricValue::Summary { quantiles, .. } => {
            quantiles.iter().try_for_each(|(quantile, value)| {
                let quantile = quantile.to_string();
                let labels: Vec<(&str, &str)> =
                    labels.iter().copied().chain([("quantile", &*quantile)]).collect();
                ConstGauge::new(*value).encode(encoder.encode_family(&labels)?)
            })
        }
        // What a later version adds.
        _ => Ok(()),
    }
}
