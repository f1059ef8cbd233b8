//! The past runs of a service as a table.

use maud::{Markup, html};
use tina4_service::{History, RunRecord};

use super::frame::Frame;
use super::words::{first_line, grouped, precise, when};

/// How much of an error the table shows before it is opened.
const ERROR_CHARS: usize = 120;

/// The past runs, newest first, and the failures that are older than these.
pub(super) fn history(frame: &Frame<'_>, history: &History) -> Markup {
    let oldest = history.runs.first().map_or(u64::MAX, |run| run.run);
    let older: Vec<&RunRecord> =
        history.failures.iter().rev().filter(|failure| failure.run < oldest).collect();
    html! {
        section aria-labelledby="history-title" {
            h2 #history-title { "History" }
            div #history data-live {
                @if history.runs.is_empty() && older.is_empty() {
                    p.muted { "No run has ended yet." }
                } @else {
                    div.scroll {
                        table.history.cards role="table" {
                            caption.hidden { "The last runs, newest first" }
                            thead role="rowgroup" {
                                tr role="row" {
                                    @for name in ["Run", "Outcome", "Trigger", "Began", "Took", "Late", "Error"] {
                                        th scope="col" role="columnheader" { (name) }
                                    }
                                }
                            }
                            tbody role="rowgroup" {
                                @for run in history.runs.iter().rev() { (row(frame, run)) }
                            }
                            @if !older.is_empty() {
                                tbody role="rowgroup" {
                                    tr role="row" { th.group colspan="7" scope="rowgroup" role="rowheader" { "Failures before these" } }
                                    @for run in older { (row(frame, run)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(frame: &Frame<'_>, run: &RunRecord) -> Markup {
    let class = match run.outcome {
        outcome if outcome.is_ok() => "good",
        outcome if outcome.is_failure() => "bad",
        _ => "off",
    };
    let symbol = match run.outcome {
        outcome if outcome.is_ok() => "✓",
        outcome if outcome.is_failure() => "✕",
        _ => "■",
    };
    html! {
        tr role="row" {
            th.number scope="row" role="rowheader" {
                span.narrow { "Run " }
                (grouped(run.run))
                @if run.count > 1 { span.muted { " to " (grouped(run.run + run.count - 1)) } }
            }
            td role="cell" data-label="Outcome" {
                div {
                    span class={ "state " (class) } { span aria-hidden="true" { (symbol) } " " (run.outcome) }
                    @if run.attempt > 1 { span.muted { " attempt " (run.attempt) } }
                }
            }
            td role="cell" data-label="Trigger" {
                div {
                    (run.trigger)
                    @if let Some(by) = &run.by { " by " (by) }
                    (job(run))
                }
            }
            td role="cell" data-label="Began" { (when(run.start, frame.now)) }
            td.number role="cell" data-label="Took" {
                div {
                    @if run.count > 1 { (precise(run.shortest)) " to " }
                    (precise(run.took))
                }
            }
            td.number role="cell" data-label="Late" { (precise(run.lateness)) }
            td.none[run.error.is_none()] role="cell" data-label="Error" {
                @if let Some(error) = &run.error { div { (error_cell(error)) } }
            }
        }
    }
}

fn error_cell(error: &str) -> Markup {
    let (line, is_cut) = first_line(error, ERROR_CHARS);
    html! {
        @if is_cut { details.error { summary { (line) " …" } pre { (error) } } }
        @else { (line) }
    }
}

#[cfg(feature = "queue")]
fn job(run: &RunRecord) -> Markup {
    html! { @if let Some(job) = &run.job { span.muted { " " (job) } } }
}

#[cfg(not(feature = "queue"))]
fn job(_: &RunRecord) -> Markup {
    html! {}
}
