//! The page of one service.

use std::time::SystemTime;

use maud::{Markup, html};
#[cfg(feature = "run-log")]
use tina4_service::RunLogs;
use tina4_service::{DurationStats, History, OverriddenSetting, PlannedService, ServiceInfo};

use super::controls::panel;
use super::frame::{Frame, Tab};
use super::history::history;
#[cfg(feature = "run-log")]
use super::logs::logs;
use super::pictures::chart;
use super::schedule_words::schedule;
use super::standing::{needs_attention, remarks, state_badge};
use super::words::{coarse, counted, encode, exactly_when, grouped, message, precise, when};

/// What is known about one service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    /// Its snapshot.
    pub(crate) info: &'a ServiceInfo,
    /// Its past runs.
    pub(crate) history: &'a History,
    /// What the plan says of it, with its dependencies; `None`: there is no plan, because of a fault.
    pub(crate) planned: Option<&'a PlannedService>,
    /// Its next due times.
    pub(crate) upcoming: &'a [SystemTime],
    #[cfg(feature = "run-log")]
    /// Its log lines; `None`: the program does not keep any.
    pub(crate) logs: Option<&'a RunLogs>,
}

/// The page of one service: what it is, what it did, and what it will do.
#[must_use]
pub(crate) fn service(frame: &Frame<'_>, service: &Service<'_>) -> String {
    let Service { info, history: past, planned, upcoming, .. } = *service;
    let name = &*info.name;
    let subject = match needs_attention(info) {
        true => format!("{name}: {}, needs attention", info.state),
        false => format!("{name}: {}", info.state),
    };
    let main = html! {
        p.back { a href=(frame.root) { "All services" } }
        div.heading #heading data-live {
            h1 { (name) }
            (state_badge(info))
            p.schedule { (schedule(&info.schedule)) }
        }
        (trouble(frame, info))
        section aria-labelledby="actions-title" {
            h2 #actions-title { "Actions" }
            div #actions data-live { (panel(info, frame)) }
        }
        section aria-labelledby="facts-title" {
            h2 #facts-title { "Now" }
            (facts(frame, info))
        }
        div #pictures data-live {
            @if !past.runs.is_empty() {
                section aria-labelledby="pictures-title" {
                    h2 #pictures-title { "Last runs" }
                    div.charts {
                        (chart("Duration", &past.runs, |run| run.took, frame.now))
                        (chart("Lateness", &past.runs, |run| run.lateness, frame.now))
                    }
                }
            }
        }
        (history(frame, past))
        (log_lines(service))
        (plan(frame, info, upcoming))
        (queue_facts(frame, info))
        (dependencies(frame, info, planned))
        (overridden(&info.overridden))
        section #about aria-labelledby="about-title" {
            h2 #about-title { "Declared" }
            dl.facts {
                div { dt { "Function" } dd { code { (info.function) } } }
                div { dt { "Place" } dd { code { (info.place) } } }
                @if !info.tags.is_empty() {
                    div {
                        dt { "Tags" }
                        dd {
                            @for tag in &info.tags {
                                a.tag href={ (frame.root) "?tag=" (encode(tag)) } { (tag) } " "
                            }
                        }
                    }
                }
            }
        }
    };
    frame.document(&subject, Tab::None, Some(&[name]), &main)
}

/// What is wrong, with the whole error.
fn trouble(frame: &Frame<'_>, info: &ServiceInfo) -> Markup {
    let remarks = remarks(info);
    html! {
        div #trouble data-live {
            @if !remarks.is_empty() || info.last_error.is_some() {
                section.attention.past[!needs_attention(info)] aria-labelledby="trouble-title" {
                    h2 #trouble-title {
                        @if remarks.is_empty() { "Last error" }
                        @else { (sentence(&remarks)) }
                    }
                    @if let Some(error) = &info.last_error {
                        pre.error { (error) }
                        @if let Some(at) = info.last_failure { p.muted { (exactly_when(at, frame.now)) } }
                    }
                }
            }
        }
    }
}

/// Remarks as a heading: `Overdue for 1 min; failed twice in a row`.
fn sentence(remarks: &[String]) -> String {
    let text = remarks.join("; ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn facts(frame: &Frame<'_>, info: &ServiceInfo) -> Markup {
    let instant = |name: &str, at: Option<SystemTime>| {
        html! {
            div {
                dt { (name) }
                dd { @match at { Some(at) => (exactly_when(at, frame.now)), None => span.muted { "–" } } }
            }
        }
    };
    html! {
        // Each fact is replaced by itself.
        dl.facts #facts data-live data-parts {
            div { dt { "State" } dd { (info.state) " since " (when(info.since, frame.now)) } }
            (instant("Next due", info.next_due))
            (instant("Last success", info.last_success))
            (instant("Last failure", info.last_failure))
            div {
                dt { "Last run" }
                dd {
                    @match info.last_outcome { Some(outcome) => (outcome), None => span.muted { "–" } }
                    @if let Some(took) = info.last_duration { " in " (precise(took)) }
                    @if let Some(trigger) = info.last_trigger { span.muted { " (" (trigger) ")" } }
                    @if let Some(by) = &info.last_requested_by { ", requested by " (by) }
                }
            }
            div {
                dt { "Runs" }
                dd {
                    span.count { (grouped(info.runs)) }
                    span.muted {
                        ": " (grouped(info.succeeded)) " ok, " (grouped(info.crashes)) " failed, "
                        (counted(info.restarts, "restart")) ", " (grouped(info.skipped)) " skipped"
                    }
                }
            }
            (spread("Duration", info.duration, info.last_outcome.is_some()))
            (spread("Lateness", info.lateness, info.runs > 0))
            div { dt { "Ready" } dd { @if info.ready { "yes" } @else { "no" } } }
            @if let Some(age) = info.heartbeat_age {
                div { dt { "Heartbeat" } dd { (coarse(age)) " ago" } }
            }
        }
    }
}

fn spread(name: &str, stats: DurationStats, is_known: bool) -> Markup {
    html! {
        div {
            dt { (name) }
            dd {
                @if is_known {
                    "last " (precise(stats.last))
                    span.muted {
                        ", mean " (precise(stats.mean)) ", p99 " (precise(stats.p99))
                        ", max " (precise(stats.max))
                    }
                } @else {
                    span.muted { "–" }
                }
            }
        }
    }
}

fn plan(frame: &Frame<'_>, info: &ServiceInfo, upcoming: &[SystemTime]) -> Markup {
    html! {
        @if !upcoming.is_empty() {
            section #plan data-live aria-labelledby="plan-title" {
                h2 #plan-title { "Next due times" }
                p.muted { "The schedule is: " code { (info.schedule) } }
                ol.plan { @for at in upcoming { li { (exactly_when(*at, frame.now)) } } }
            }
        }
    }
}

#[cfg(feature = "run-log")]
fn log_lines(service: &Service<'_>) -> Markup {
    logs(service.logs)
}

#[cfg(not(feature = "run-log"))]
fn log_lines(_: &Service<'_>) -> Markup {
    html! {}
}

#[cfg(not(feature = "queue"))]
fn queue_facts(_: &Frame<'_>, _: &ServiceInfo) -> Markup {
    html! {}
}

#[cfg(feature = "queue")]
fn queue_facts(frame: &Frame<'_>, info: &ServiceInfo) -> Markup {
    let Some(queue) = &info.queue else { return html! {} };
    html! {
        section #queue data-live aria-labelledby="queue-title" {
            h2 #queue-title { "Queue" }
            p {
                a href={ (frame.root) "queues#queue-" (encode(queue.name)) } { (queue.name) }
                ": " (counted(queue.running as u64, "job")) " in progress here"
                @if let Some(backlog) = queue.backlog {
                    ", " (grouped(backlog.ready)) " ready, " (grouped(backlog.delayed)) " delayed, "
                    (grouped(backlog.claimed)) " claimed, " (grouped(backlog.dead)) " dead"
                }
            }
        }
    }
}

fn dependencies(frame: &Frame<'_>, info: &ServiceInfo, planned: Option<&PlannedService>) -> Markup {
    let links = |title: &str, names: &[std::borrow::Cow<'static, str>]| {
        html! {
            @if !names.is_empty() {
                div {
                    dt { (title) }
                    dd {
                        @for name in names {
                            a href={ (frame.root) "services/" (encode(name)) } { (name) } " "
                        }
                    }
                }
            }
        }
    };
    let (after, requires) =
        planned.map_or((&[][..], &[][..]), |planned| (&*planned.after, &*planned.requires));
    html! {
        @if !(after.is_empty() && requires.is_empty() && info.waits_for.is_empty()) {
            section #dependencies data-live aria-labelledby="dependencies-title" {
                h2 #dependencies-title { "Depends on" }
                dl.facts {
                    (links("Starts after", after))
                    (links("Requires", requires))
                    (links("Waits for", &info.waits_for))
                }
            }
        }
    }
}

fn overridden(settings: &[OverriddenSetting]) -> Markup {
    let value = |text: &Option<String>| {
        html! {
            @match text { Some(text) => code { (text) }, None => span.muted { "none" } }
        }
    };
    html! {
        @if !settings.is_empty() {
            section #overridden aria-labelledby="overridden-title" {
                h2 #overridden-title { "Changed by the deployment" }
                div.scroll {
                    table {
                        caption.hidden { "Settings whose value is not that of the code" }
                        thead {
                            tr {
                                @for name in ["Setting", "In the code", "Now", "Source"] {
                                    th scope="col" { (name) }
                                }
                            }
                        }
                        tbody {
                            @for setting in settings {
                                tr {
                                    th scope="row" { code { (setting.key) } }
                                    td { (value(&setting.original)) }
                                    td { (value(&setting.value)) }
                                    td { (message(&setting.source.to_string())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
