//! The JSON line of one measurement, and the tables of all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::metric::{Column, Figure, Metric};
use crate::peer::{Peer, Unavailable};
use crate::peers;

/// The line that a measuring process prints: each figure is a number, or a reason why there is none.
pub(crate) fn line(
    peer: &dyn Peer,
    metric: &dyn Metric,
    outcome: &Result<Vec<Figure>, Unavailable>,
) -> String {
    let mut line = json!({ "peer": peer.name(), "metric": metric.name() });
    match outcome {
        Ok(figures) => {
            let figures = metric.columns().iter().zip(figures).map(|(column, figure)| {
                let value = figure.as_ref().map_or_else(|reason| json!(reason.0), |it| json!(it));
                (column.name.to_owned(), value)
            });
            line["figures"] = Value::Object(figures.collect());
        }
        Err(Unavailable(reason)) => line["unavailable"] = json!(reason),
    }
    line.to_string()
}

/// A parsed line.
pub(crate) struct Line {
    peer: &'static str,
    metric: &'static str,
    outcome: Result<Vec<Result<f64, String>>, String>,
}

impl Line {
    pub(crate) fn read(
        peer: &'static dyn Peer,
        metric: &'static dyn Metric,
        text: &str,
    ) -> Option<Self> {
        let line: Value = serde_json::from_str(text).ok()?;
        let outcome = match line.get("unavailable") {
            Some(reason) => Err(reason.as_str()?.to_owned()),
            None => {
                let figures = metric.columns().iter().map(|column| {
                    let figure = line.get("figures")?.get(column.name)?;
                    let reason = || figure.as_str().unwrap_or("no figure").to_owned();
                    Some(figure.as_f64().ok_or_else(reason))
                });
                Ok(figures.collect::<Option<_>>()?)
            }
        };
        Some(Self { peer: peer.name(), metric: metric.name(), outcome })
    }

    /// Stands in for the line of a process that printed none.
    pub(crate) fn missing(
        peer: &'static dyn Peer,
        metric: &'static dyn Metric,
        status: &str,
    ) -> Self {
        let outcome = Err(format!("ended without a figure: {status}"));
        Self { peer: peer.name(), metric: metric.name(), outcome }
    }
}

/// All lines, by metric and peer.
#[derive(Default)]
pub(crate) struct Results(BTreeMap<(&'static str, &'static str), Samples>);

/// The results of one pair in all rounds.
#[derive(Default)]
struct Samples {
    /// The values of each figure.
    values: Vec<Vec<f64>>,
    /// For each figure, the reason why there is none.
    reasons: Vec<Option<String>>,
    /// Why there is no figure at all.
    unavailable: Option<String>,
}

impl Results {
    pub(crate) fn add(&mut self, line: Line) {
        let samples = self.0.entry((line.metric, line.peer)).or_default();
        let figures = match line.outcome {
            Ok(figures) => figures,
            Err(reason) => {
                samples.unavailable = Some(reason);
                return;
            }
        };
        samples.values.resize_with(figures.len(), Vec::new);
        samples.reasons.resize(figures.len(), None);
        for (index, figure) in figures.into_iter().enumerate() {
            match figure {
                Ok(value) => samples.values[index].push(value),
                Err(reason) => samples.reasons[index] = Some(reason),
            }
        }
    }

    fn median(&self, metric: &str, peer: &str, column: usize) -> Result<f64, &str> {
        let samples = self.0.iter().find(|(key, _)| **key == (metric, peer));
        let samples = samples.map(|(_, samples)| samples).ok_or("not measured")?;
        let mut values = samples.values.get(column).cloned().unwrap_or_default();
        match median(&mut values) {
            Some(median) => Ok(median),
            None => {
                let reason = samples.reasons.get(column).and_then(Option::as_deref);
                Err(reason.or(samples.unavailable.as_deref()).unwrap_or("no figure"))
            }
        }
    }
}

/// The upper median; `None` if there are no values.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The table of one metric: a row for each peer, figures with their ratio to this crate's.
pub(crate) fn table(metric: &dyn Metric, peers: &[&'static dyn Peer], results: &Results) -> String {
    let mut text = format!("### {}\n\n| `{}` |", metric.title(), metric.name());
    let columns = metric.columns();
    for column in columns {
        let _ = write!(text, " {} |", column.name);
    }
    let _ = writeln!(text, "\n| --- |{}", " ---: |".repeat(columns.len()));
    for peer in peers {
        let _ = write!(text, "| {} |", peer.name());
        let figures = |peer: &str| -> Vec<Result<f64, &str>> {
            let indexes = 0..columns.len();
            indexes.map(|index| results.median(metric.name(), peer, index)).collect()
        };
        let mine = figures(peers::ALL[0].name());
        let theirs = figures(peer.name());
        match theirs[0] {
            // A reason that all figures share is printed once.
            Err(reason) if theirs.iter().all(|figure| *figure == Err(reason)) => {
                let _ = write!(text, " n/a: {reason} |{}", " |".repeat(columns.len() - 1));
            }
            Ok(_) | Err(_) => {
                for ((column, figure), mine) in columns.iter().zip(theirs).zip(mine) {
                    let _ = write!(text, " {} |", cell(column, figure, mine));
                }
            }
        }
        text.push('\n');
    }
    text.push('\n');
    text
}

fn cell(column: &Column, figure: Result<f64, &str>, mine: Result<f64, &str>) -> String {
    match (figure, mine) {
        (Err(reason), _) => format!("n/a: {reason}"),
        (Ok(figure), Ok(mine)) if column.compared && mine > 0.0 => {
            format!("{} ({})", three_digits(figure), three_digits(figure / mine))
        }
        (Ok(figure), _) => three_digits(figure),
    }
}

/// A figure with three significant digits, or all digits of its whole part.
fn three_digits(figure: f64) -> String {
    let decimals = match figure.abs() {
        0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{figure:.decimals$}");
    // Group the thousands.
    let (whole, part) = text.split_once('.').map_or((text.as_str(), ""), |(a, b)| (a, b));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if part.is_empty() { grouped } else { format!("{grouped}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::three_digits;

    #[test]
    fn figures_have_three_significant_digits() {
        let cases = [(0.0, "0"), (0.0123, "0.012"), (1.0, "1.00"), (54.27, "54.3")];
        for (figure, text) in cases {
            assert_eq!(three_digits(figure), text);
        }
        assert_eq!(three_digits(1_234_567.8), "1,234,568");
        assert_eq!(three_digits(999.6), "1,000");
    }
}
