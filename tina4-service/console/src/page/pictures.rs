//! The last runs as pictures: inline SVG, without styles of its own, with a text for those who do not see it.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use maud::{Markup, html};
use tina4_service::RunRecord;

use super::words::{absolute, counted, precise, when};

/// How many runs a strip shows.
const STRIP_RUNS: usize = 20;
/// The width of one run in a strip, with its gap.
const STRIP_STEP: usize = 5;
const STRIP_HEIGHT: f64 = 20.0;

/// The size of a chart. The axes are labelled in HTML, so that the text does not shrink.
const CHART_WIDTH: f64 = 600.0;
const CHART_HEIGHT: f64 = 90.0;
/// The space above the highest bar, for the mark of a failure.
const CHART_TOP: f64 = 14.0;

/// Durations and outcomes of the last runs, the newest to the right. Failed runs are dashed and have the full
/// height.
pub(super) fn strip(runs: &[RunRecord]) -> Markup {
    let shown = &runs[runs.len().saturating_sub(STRIP_RUNS)..];
    let Some(longest) = shown.iter().map(|run| run.took).max() else {
        return html! { span.muted { "–" } };
    };
    let (mut good, mut bad, mut other) = (String::new(), String::new(), String::new());
    let first = STRIP_RUNS - shown.len();
    for (slot, run) in (first..).zip(shown) {
        let x = slot * STRIP_STEP + STRIP_STEP / 2;
        let (path, height) = match run {
            run if run.outcome.is_ok() => (&mut good, bar_height(run.took, longest)),
            run if run.outcome.is_failure() => (&mut bad, STRIP_HEIGHT),
            run => (&mut other, bar_height(run.took, longest)),
        };
        write!(path, "M{x} {STRIP_HEIGHT}v-{height:.0}").expect("writing to a string");
    }
    let size = format!("0 0 {} {STRIP_HEIGHT}", STRIP_RUNS * STRIP_STEP);
    html! {
        svg.strip role="img" viewBox=(size) {
            title { (summary(shown)) }
            @for (class, path) in [("good", good), ("bad", bad), ("off", other)] {
                @if !path.is_empty() { path class=(class) d=(path) {} }
            }
        }
    }
}

/// The height of a bar in a strip. The root leaves short runs visible beside long ones.
fn bar_height(took: Duration, longest: Duration) -> f64 {
    2.0 + (STRIP_HEIGHT - 4.0) * share(took, longest).sqrt()
}

/// Which part of the longest one a duration is, from 0 to 1.
fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { (part.as_secs_f64() / whole.as_secs_f64()).min(1.0) }
}

/// A strip in words.
fn summary(runs: &[RunRecord]) -> String {
    let count = runs.iter().map(|run| run.count).sum();
    let failed = runs.iter().filter(|run| run.outcome.is_failure()).count();
    let shortest = runs.iter().map(|run| run.shortest).min().unwrap_or_default();
    let longest = runs.iter().map(|run| run.took).max().unwrap_or_default();
    let mut text = format!("last {}", counted(count, "run"));
    match failed {
        0 => text.push_str(", none failed"),
        failed => write!(text, ", {failed} failed").expect("writing to a string"),
    }
    if let Some(last) = runs.last() {
        write!(text, ", the last one: {}", last.outcome).expect("writing to a string");
    }
    write!(text, "; {} to {}", precise(shortest), precise(longest)).expect("writing to a string");
    text
}

/// One value of each of the last runs over time, with a cross above those that failed.
pub(super) fn chart(
    name: &str,
    runs: &[RunRecord],
    value: fn(&RunRecord) -> Duration,
    now: SystemTime,
) -> Markup {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return html! {} };
    let highest = runs.iter().map(value).max().unwrap_or_default();
    let mut sorted: Vec<Duration> = runs.iter().map(value).collect();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    let failed = runs.iter().filter(|run| run.outcome.is_failure()).count();
    // A few runs do not fill the whole width.
    let step = CHART_WIDTH / f64::max(runs.len() as f64, 10.0);
    let left = CHART_WIDTH - runs.len() as f64 * step;
    let text = format!(
        "{name} of the last {}: median {}, highest {}; {failed} failed",
        counted(runs.len() as u64, "record"),
        precise(median),
        precise(highest)
    );
    let room = CHART_HEIGHT - CHART_TOP;
    html! {
        figure {
            figcaption {
                strong { (name) }
                span.muted { "median " (precise(median)) ", highest " (precise(highest)) }
            }
            svg.chart role="img" aria-label=(text) viewBox={ "0 0 " (CHART_WIDTH) " " (CHART_HEIGHT) } {
                path.grid d={
                    "M0 " (CHART_TOP) "h" (CHART_WIDTH)
                    "M0 " (CHART_TOP + room / 2.0) "h" (CHART_WIDTH)
                } {}
                @for (nth, run) in runs.iter().enumerate() {
                    @let x = left + nth as f64 * step;
                    @let height = f64::max(room * share(value(run), highest), 1.0);
                    g {
                        title {
                            "run " (run.run) ", " (absolute(run.start)) ": " (precise(value(run)))
                            ", " (run.outcome)
                        }
                        // Between the bars, so that a low one can be pointed at.
                        rect.hit x=(px(x)) y="0" width=(px(step)) height=(CHART_HEIGHT) {}
                        rect class=(class(run)) x=(px(x + step * 0.12)) y=(px(CHART_HEIGHT - height))
                            width=(px(step * 0.76)) height=(px(height)) {}
                        @if run.outcome.is_failure() {
                            path.cross d=(cross(x + step / 2.0, CHART_HEIGHT - height - 7.0)) {}
                        }
                    }
                }
            }
            p.axis aria-hidden="true" {
                span { "from " (when(first.start, now)) }
                span { "to " (when(last.start, now)) }
            }
        }
    }
}

fn class(run: &RunRecord) -> &'static str {
    match run.outcome {
        outcome if outcome.is_ok() => "good",
        outcome if outcome.is_failure() => "bad",
        _ => "off",
    }
}

/// A coordinate with one digit after the point.
fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn cross(x: f64, y: f64) -> String {
    format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0)
}
