//! The page of the queues.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};
use tina4_service::{Backlog, Counters, DeadJob};

use super::controls::redrive;
use super::frame::{Frame, Tab};
use super::words::{coarse, counted, encode, first_line, grouped, when};

/// How much of the error of a dead job is shown before it is opened.
const TEXT_CHARS: usize = 120;

/// What is known about one queue.
#[derive(Clone, Debug)]
pub(crate) struct QueueView<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The services that work on it.
    pub(crate) services: Vec<&'a str>,
    /// The jobs in its store; `None`: the engine cannot count them, or has failed.
    pub(crate) backlog: Option<Backlog>,
    /// What this process has done with it.
    pub(crate) counters: Counters,
    /// The first of its dead jobs; or why they cannot be listed. Their payloads are not shown: they may contain anything.
    pub(crate) dead: Result<Vec<DeadJob>, String>,
}

/// The page of the queues, with their dead jobs.
#[must_use]
pub(crate) fn queues(frame: &Frame<'_>, queues: &[QueueView<'_>]) -> String {
    let dead: u64 =
        queues.iter().filter_map(|queue| queue.backlog).map(|backlog| backlog.dead).sum();
    let subject = match dead {
        0 => "Queues".to_owned(),
        dead => format!("{} – queues", counted(dead, "dead job")),
    };
    let main = html! {
        h1 { "Queues" }
        @if queues.is_empty() { p.empty { "No service works on a queue." } }
        @for queue in queues { (section(frame, queue)) }
    };
    let services: Vec<&str> = queues.iter().flat_map(|queue| queue.services.clone()).collect();
    frame.document(&subject, Tab::Queues, Some(&services), &main)
}

fn section(frame: &Frame<'_>, queue: &QueueView<'_>) -> Markup {
    let id = encode(queue.name);
    let dead = queue.backlog.map_or(0, |backlog| backlog.dead);
    html! {
        section #{ "queue-" (id) } aria-labelledby={ "queue-title-" (id) } {
            h2 #{ "queue-title-" (id) } { (queue.name) }
            p.muted {
                "worked on by "
                @for (nth, service) in queue.services.iter().enumerate() {
                    @if nth > 0 { ", " }
                    a href={ (frame.root) "services/" (encode(service)) } { (service) }
                }
            }
            div #{ "counts-" (id) } data-live { (counts(queue)) }
            div #{ "dead-" (id) } data-live {
                @match &queue.dead {
                    Ok(jobs) if jobs.is_empty() => p.muted { "No job is dead." },
                    Ok(jobs) => (dead_jobs(frame, queue.name, jobs, dead)),
                    Err(reason) => p.error { "The dead jobs cannot be listed: " (reason) },
                }
            }
        }
    }
}

fn counts(queue: &QueueView<'_>) -> Markup {
    let Counters { pushed, done, failed, dead, returned, lost, stale, .. } = queue.counters;
    let tile = |name: &str, value: &str, class: &str| {
        html! { div class={ "tile " (class) } { dt { (name) } dd { (value) } } }
    };
    html! {
        @match queue.backlog {
            Some(backlog) => dl.tiles {
                (tile("ready", &grouped(backlog.ready), ""))
                (tile("delayed", &grouped(backlog.delayed), ""))
                (tile("claimed", &grouped(backlog.claimed), ""))
                (tile("dead", &grouped(backlog.dead), if backlog.dead > 0 { "bad" } else { "" }))
                (tile("oldest ready", &backlog.oldest_ready.map_or("–".to_owned(), coarse), ""))
            },
            None => p.muted { "The engine has not counted the jobs." },
        }
        p.muted {
            "This process: " (grouped(pushed)) " pushed, " (grouped(done)) " done, " (grouped(failed))
            " failed, " (grouped(dead)) " died, " (grouped(returned)) " given back"
            @if lost > 0 { ", " (grouped(lost)) " lost" }
            @if stale > 0 { ", " (grouped(stale)) " finished too late" }
            "."
        }
    }
}

fn dead_jobs(frame: &Frame<'_>, queue: &str, jobs: &[DeadJob], dead: u64) -> Markup {
    let at = |millis: i64| {
        let since = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let text = |text: &str| {
        let (line, is_cut) = first_line(text, TEXT_CHARS);
        html! {
            @if is_cut { details { summary { (line) " …" } pre { (text) } } }
            @else { (line) }
        }
    };
    let hidden = dead.saturating_sub(jobs.len() as u64);
    html! {
        h3 { "Dead jobs" }
        (redrive(queue, None, dead, frame))
        div.scroll {
            table.dead.cards role="table" {
                caption.hidden { "Dead jobs of " (queue) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["Job", "Died", "Attempts", "Error"] {
                            th scope="col" role="columnheader" { (name) }
                        }
                        th scope="col" role="columnheader" { span.hidden { "Actions" } }
                    }
                }
                tbody role="rowgroup" {
                    @for job in jobs {
                        tr role="row" {
                            th.number scope="row" role="rowheader" { span.narrow { "Job " } (job.id) }
                            td role="cell" data-label="Died" {
                                (when(at(job.died_at.as_millis()), frame.now))
                            }
                            td.number role="cell" data-label="Attempts" { (job.attempts) }
                            td role="cell" data-label="Error" { div { (text(&job.error)) } }
                            td.actions role="cell" {
                                (redrive(queue, Some(&job.id.to_string()), dead, frame))
                            }
                        }
                    }
                }
            }
        }
        @if hidden > 0 { p.muted { "and " (grouped(hidden)) " more" } }
    }
}
