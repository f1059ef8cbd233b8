//! Writes metrics to the recorder of the crate `metrics`.

use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, with_recorder};
use tina4_service::{MetricFamily, MetricKind, MetricSample, MetricValue, Runner, WeakRunner};

/// What the recorder may use to filter metrics.
static METADATA: Metadata<'_> = Metadata::new("tina4_service", Level::INFO, Some(module_path!()));

/// Writes the metrics of a runner to the recorder of the crate `metrics`, each time that it is asked to.
///
/// The values are counted by the runner, so nothing is lost or counted twice, however often it reports. Call
/// [`Reporter::run_once`] shortly before each export, or as often as the metrics are scraped: in a service, for example.
/// A recorder must be installed by then. It holds no handle that keeps the services running.
///
/// A recorder computes histograms itself, and cannot take over one. Those of the runner become counters with the names
/// of the series that Prometheus has for a histogram: `tina4_service_duration_seconds_bucket`, with the label `le`, and
/// `tina4_service_duration_seconds_count`; and the gauge `tina4_service_duration_seconds_sum`. So
/// `histogram_quantile` works as usual. The quantiles of a summary are a gauge with the label `quantile`.
///
/// ```
/// use std::time::Duration;
/// use tina4_service::{Context, service};
/// use tina4_service_metrics::Reporter;
///
/// #[service(interval = "15s")]
/// fn report_metrics(ctx: &Context) {
///     if let Some(runner) = ctx.runner() {
///         Reporter::new(&runner).run_once();
///     }
/// }
///
/// let runner = tina4_service::start_all()?;
/// runner.stop_all();
/// # Ok::<(), tina4_service::StartError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reporter {
    runner: WeakRunner,
}

impl Reporter {
    /// A reporter of the metrics of this runner.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self { runner: runner.downgrade() }
    }

    /// Writes the current values to the recorder of this thread or of the program; does nothing if there is none, or
    /// once the runner is gone.
    ///
    /// If there are services with a queue, it asks their engine for the numbers of jobs, which may block. A recorder
    /// keeps the last value of a service that is removed.
    pub fn run_once(&self) {
        let Some(runner) = self.runner.upgrade() else { return };
        let families = runner.metrics().families;
        with_recorder(|recorder| families.iter().for_each(|family| write(recorder, family)));
    }
}

fn write(recorder: &dyn Recorder, family: &MetricFamily) {
    let MetricFamily { name, help, kind, samples, .. } = family;
    let help = || SharedString::const_str(help);
    match kind {
        MetricKind::Counter => recorder.describe_counter((*name).into(), None, help()),
        MetricKind::Gauge | MetricKind::Summary => {
            recorder.describe_gauge((*name).into(), None, help());
        }
        // Its parts have names of their own. Others are those of a later version.
        MetricKind::Histogram | _ => {}
    }
    for MetricSample { labels, value, .. } in samples {
        let labels: Vec<Label> =
            labels.iter().map(|(label, value)| Label::new(*label, value.clone())).collect();
        let with = |label: &'static str, value: f64| {
            let label = Label::new(label, value.to_string());
            labels.iter().cloned().chain([label]).collect::<Vec<_>>()
        };
        match value {
            MetricValue::Number(value) if *kind == MetricKind::Counter => {
                set_counter(recorder, (*name).to_owned(), labels, *value);
            }
            MetricValue::Number(value) => set_gauge(recorder, (*name).to_owned(), labels, *value),
            MetricValue::Histogram { buckets, sum, count, .. } => {
                let infinity = [(f64::INFINITY, *count)];
                for (bound, below) in buckets.iter().chain(&infinity) {
                    let mut labels = with("le", *bound);
                    if *bound == f64::INFINITY
                        && let Some(label) = labels.last_mut()
                    {
                        *label = Label::new("le", "+Inf");
                    }
                    set_counter(recorder, format!("{name}_bucket"), labels, *below as f64);
                }
                set_gauge(recorder, format!("{name}_sum"), labels.clone(), *sum);
                set_counter(recorder, format!("{name}_count"), labels, *count as f64);
            }
            MetricValue::Summary { quantiles, sum, count, .. } => {
                for (quantile, value) in quantiles {
                    set_gauge(recorder, (*name).to_owned(), with("quantile", *quantile), *value);
                }
                set_gauge(recorder, format!("{name}_sum"), labels.clone(), *sum);
                set_counter(recorder, format!("{name}_count"), labels, *count as f64);
            }
            // What a later version adds.
            _ => {}
        }
    }
}

fn set_counter(recorder: &dyn Recorder, name: String, labels: Vec<Label>, value: f64) {
    let counter = recorder.register_counter(&Key::from_parts(name, labels), &METADATA);
    // Counters of the runner are whole numbers.
    counter.absolute(value as u64);
}

fn set_gauge(recorder: &dyn Recorder, name: String, labels: Vec<Label>, value: f64) {
    recorder.register_gauge(&Key::from_parts(name, labels), &METADATA).set(value);
}
