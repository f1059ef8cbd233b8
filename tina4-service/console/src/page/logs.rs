//! The log lines of the last runs of a service.

use maud::{Markup, html};
use tina4_service::{RunLines, RunLogs};

use super::words::{absolute, counted, grouped};

/// The log lines of the last failing run, and of the last run if that is another one.
pub(super) fn logs(logs: Option<&RunLogs>) -> Markup {
    let Some(RunLogs { running, last, last_failing, .. }) = logs else { return html! {} };
    let is_same = |a: &RunLines, b: &Option<RunLines>| b.as_ref().is_some_and(|b| a.run == b.run);
    html! {
        section #logs data-live aria-labelledby="logs-title" {
            h2 #logs-title { "Log" }
            @if running.is_empty() && last.is_none() && last_failing.is_none() {
                p.muted { "The last runs have written nothing to the log." }
            }
            @for run in running { (lines("The run in progress", run)) }
            @if let Some(run) = last_failing { (lines("The last failing run", run)) }
            @if let Some(run) = last.as_ref().filter(|run| !is_same(run, last_failing)) {
                (lines("The last run", run))
            }
        }
    }
}

fn lines(title: &str, run: &RunLines) -> Markup {
    html! {
        h3 { (title) " " span.muted { "run " (grouped(run.run)) } }
        // A long log scrolls inside its own box, which the keyboard must reach.
        div.log tabindex="0" role="region" aria-label={ "Log of run " (run.run) } {
            @if run.dropped > 0 {
                p.muted { (counted(run.dropped, "line")) " before these were dropped, because they were too many." }
            }
            @for line in &run.lines {
                p {
                    time { (absolute(line.at)) } " "
                    span class={ "level " (line.level.as_str().to_lowercase()) } { (line.level.as_str()) }
                    " " span.muted { (line.target) } " "
                    (line.text)
                }
            }
        }
    }
}
