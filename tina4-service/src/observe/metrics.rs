//! The metrics of a runner, and their text for Prometheus.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The metrics of a runner, as [`metrics`](crate::metrics) returns them: the values at one time.
///
/// `Display` prints them in the text format 0.0.4 of Prometheus. The chapter [`observing`](crate::observing) lists all
/// names.
///
/// ```
/// use tina4_service::{MetricValue, Runner, Service};
///
/// let runner = Runner::new();
/// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
/// let metrics = runner.metrics();
/// let stuck = metrics.families.iter().find(|family| family.name == "tina4_service_stuck");
/// assert_eq!(stuck.unwrap().samples[0].value, MetricValue::Number(0.0));
/// assert!(metrics.to_string().contains("tina4_service_stuck{name=\"heartbeat\"} 0\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// All metrics, in a fixed order. A family without samples is left out.
    pub families: Vec<MetricFamily>,
}

/// All samples of one metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricFamily {
    /// The name, such as `tina4_service_runs_total`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// One sample for each combination of labels.
    pub samples: Vec<MetricSample>,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// A number that only grows while the process lives.
    Counter,
    /// A number that may rise and fall.
    Gauge,
    /// Counts of values by size.
    Histogram,
    /// Quantiles of values.
    Summary,
}

/// One sample of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricSample {
    /// Names and values of its labels.
    pub labels: Vec<(&'static str, Cow<'static, str>)>,
    /// Its value.
    pub value: MetricValue,
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricValue {
    /// That of a counter or a gauge.
    Number(f64),
    /// That of a histogram.
    #[non_exhaustive]
    Histogram {
        /// Upper bounds, and how many values are not above each; without the bound of infinity, whose number is `count`.
        buckets: Vec<(f64, u64)>,
        /// The sum of the values.
        sum: f64,
        /// The number of values.
        count: u64,
    },
    /// That of a summary.
    #[non_exhaustive]
    Summary {
        /// Quantiles, from 0 to 1, with their values.
        quantiles: Vec<(f64, f64)>,
        /// The sum of the values.
        sum: f64,
        /// The number of values.
        count: u64,
    },
}

impl MetricKind {
    /// Its name in the text format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

impl Metrics {
    pub(crate) fn new(mut families: Vec<MetricFamily>) -> Self {
        families.retain(|family| !family.samples.is_empty());
        Self { families }
    }
}

impl MetricFamily {
    pub(crate) fn new(name: &'static str, kind: MetricKind, help: &'static str) -> Self {
        Self { name, help, kind, samples: Vec::new() }
    }

    pub(crate) fn add(
        &mut self,
        labels: impl Into<Vec<(&'static str, Cow<'static, str>)>>,
        value: MetricValue,
    ) {
        self.samples.push(MetricSample { labels: labels.into(), value });
    }

    pub(crate) fn number(
        &mut self,
        labels: impl Into<Vec<(&'static str, Cow<'static, str>)>>,
        value: f64,
    ) {
        self.add(labels, MetricValue::Number(value));
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.families.iter().try_for_each(|family| family.fmt(f))
    }
}

/// The lines of the family in the text format 0.0.4 of Prometheus.
impl fmt::Display for MetricFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, help, kind, samples } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str())?;
        for MetricSample { labels, value } in samples {
            match value {
                MetricValue::Number(value) => line(f, (name, ""), labels, None, *value)?,
                MetricValue::Histogram { buckets, sum, count } => {
                    for (bound, below) in buckets {
                        let bound = Some(("le", *bound));
                        line(f, (name, "_bucket"), labels, bound, *below as f64)?;
                    }
                    let infinity = Some(("le", f64::INFINITY));
                    line(f, (name, "_bucket"), labels, infinity, *count as f64)?;
                    line(f, (name, "_sum"), labels, None, *sum)?;
                    line(f, (name, "_count"), labels, None, *count as f64)?;
                }
                MetricValue::Summary { quantiles, sum, count } => {
                    for (quantile, value) in quantiles {
                        line(f, (name, ""), labels, Some(("quantile", *quantile)), *value)?;
                    }
                    line(f, (name, "_sum"), labels, None, *sum)?;
                    line(f, (name, "_count"), labels, None, *count as f64)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes a line: the name with its suffix, the labels and one more, and the value.
fn line(
    f: &mut fmt::Formatter<'_>,
    (name, suffix): (&str, &str),
    labels: &[(&'static str, Cow<'static, str>)],
    more: Option<(&str, f64)>,
    value: f64,
) -> fmt::Result {
    write!(f, "{name}{suffix}")?;
    let mut separator = '{';
    for (label, value) in labels {
        write!(f, "{separator}{label}=\"")?;
        escape(f, value)?;
        f.write_char('"')?;
        separator = ',';
    }
    if let Some((label, bound)) = more {
        write!(f, "{separator}{label}=\"{}\"", Number(bound))?;
        separator = ',';
    }
    if separator == ',' {
        f.write_char('}')?;
    }
    writeln!(f, " {}", Number(value))
}

/// Writes the value of a label, in which a backslash, a quotation mark and a line feed are escaped.
fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|c| match c {
        '\\' => f.write_str("\\\\"),
        '"' => f.write_str("\\\""),
        '\n' => f.write_str("\\n"),
        c => f.write_char(c),
    })
}

/// A number as the text format writes it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            infinite if infinite == f64::INFINITY => f.write_str("+Inf"),
            infinite if infinite == f64::NEG_INFINITY => f.write_str("-Inf"),
            number => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_114_the_text_is_that_of_the_format() {
        let mut plain = MetricFamily::new("plain", MetricKind::Gauge, "No labels.");
        plain.number([], 1.5);
        let mut labels = MetricFamily::new("labels_total", MetricKind::Counter, "Labels.");
        labels.number([("name", "a\\b\"c\nd\u{e9}".into()), ("state", "ok".into())], 3.0);
        let histogram =
            MetricValue::Histogram { buckets: vec![(0.001, 1), (2.5, 3)], sum: 7.25, count: 4 };
        let mut times = MetricFamily::new("times", MetricKind::Histogram, "Times.");
        times.add([("name", "a".into())], histogram);
        let mut late = MetricFamily::new("late", MetricKind::Summary, "Late.");
        let summary = MetricValue::Summary { quantiles: vec![(0.99, 0.5)], sum: 1.0, count: 2 };
        late.add([], summary);
        let empty = MetricFamily::new("empty", MetricKind::Gauge, "Nothing.");
        assert_eq!(
            Metrics::new(vec![plain, labels, empty, times, late]).to_string(),
            "# HELP plain No labels.\n# TYPE plain gauge\nplain 1.5\n\
             # HELP labels_total Labels.\n# TYPE labels_total counter\n\
             labels_total{name=\"a\\\\b\\\"c\\nd\u{e9}\",state=\"ok\"} 3\n\
             # HELP times Times.\n# TYPE times histogram\n\
             times_bucket{name=\"a\",le=\"0.001\"} 1\n\
             times_bucket{name=\"a\",le=\"2.5\"} 3\n\
             times_bucket{name=\"a\",le=\"+Inf\"} 4\n\
             times_sum{name=\"a\"} 7.25\ntimes_count{name=\"a\"} 4\n\
             # HELP late Late.\n# TYPE late summary\nlate{quantile=\"0.99\"} 0.5\nlate_sum 1\nlate_count 2\n",
        );
        assert_eq!(Number(f64::NEG_INFINITY).to_string(), "-Inf");
    }
}
