//! The page of all services.

use std::collections::BTreeSet;

use maud::{Markup, html};
use tina4_service::{RunRecord, ServiceInfo};

use super::controls::row_buttons;
use super::filter::Filter;
use super::frame::{Frame, Tab};
use super::pictures::strip;
use super::schedule_words::schedule;
use super::standing::{needs_attention, remarks, state_badge};
use super::words::{counted, encode, first_line, grouped, precise, when};

/// How many services one page shows. A browser lays out a table of thousands of rows anew with every change.
const ROWS: usize = 100;
/// How many of the services that need attention are named above the table.
const NAMED: usize = 8;
/// How much of an error a row shows before it is opened.
const ERROR_CHARS: usize = 90;

/// The page of all services, or of those that the query selects: `state`, `tag`, `q` (a part of the name), `page`.
///
/// `runs` returns the past runs of a service, oldest first; it is asked about those that are shown.
#[must_use]
pub(crate) fn list(
    frame: &Frame<'_>,
    services: &[ServiceInfo],
    query: &str,
    mut runs: impl FnMut(&str) -> Vec<RunRecord>,
) -> String {
    let filter = Filter::parse(query);
    let selected: Vec<&ServiceInfo> =
        services.iter().filter(|service| filter.selects(service)).collect();
    let pages = selected.len().div_ceil(ROWS).max(1);
    let page = filter.page.clamp(1, pages);
    let shown = &selected[(page - 1) * ROWS..selected.len().min(page * ROWS)];
    let failing = services.iter().filter(|service| needs_attention(service)).count();
    let subject = match failing {
        0 => "Services".to_owned(),
        many => format!("{} failing", grouped(many as u64)),
    };
    let main = html! {
        h1 { "Services" }
        (attention(frame, services, failing))
        (filters(frame, services, &filter))
        @if shown.is_empty() {
            p.empty {
                @if services.is_empty() { "This program has no services." }
                @else { "No service is selected. " a href=(frame.root) { "Show all" } }
            }
        } @else {
            div.scroll {
                table.services.cards role="table" {
                    caption {
                        (counted(selected.len() as u64, "service"))
                        @if filter.is_active() { " of " (grouped(services.len() as u64)) }
                        @if pages > 1 { ", page " (page) " of " (pages) }
                    }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for name in ["Service", "State", "Last runs", "Last run", "Next", "Runs"] {
                                th scope="col" role="columnheader" { (name) }
                            }
                            @if !frame.allowed.is_empty() {
                                th scope="col" role="columnheader" { span.hidden { "Actions" } }
                            }
                        }
                    }
                    tbody #rows data-rows role="rowgroup" {
                        @for service in shown { (row(frame, service, &runs(&service.name))) }
                    }
                }
            }
        }
        @if pages > 1 {
            nav.pages aria-label="Pages of services" {
                @if page > 1 {
                    a rel="prev" href={ (frame.root) (filter.on_page(page - 1)) } { "Previous page" }
                }
                @if page < pages {
                    a rel="next" href={ (frame.root) (filter.on_page(page + 1)) } { "Next page" }
                }
            }
        }
    };
    // Of a part of the services, only their changes are of interest.
    let names: Vec<&str> = shown.iter().map(|service| &*service.name).collect();
    let follows = if pages > 1 { &*names } else { &[] };
    frame.document(&subject, Tab::Services, Some(follows), &main)
}

/// The services that somebody should look at, with the reason.
fn attention(frame: &Frame<'_>, services: &[ServiceInfo], failing: usize) -> Markup {
    html! {
        section.attention.clear[failing == 0] #attention data-live aria-labelledby="attention-title" {
            @if failing == 0 {
                p #attention-title { "Nothing needs attention." }
            } @else {
                h2 #attention-title { (counted(failing as u64, "service")) " need" @if failing == 1 { "s" } " attention" }
                ul {
                    @for service in services.iter().filter(|service| needs_attention(service)).take(NAMED) {
                        li {
                            a href=(service_path(frame, &service.name)) { (service.name) }
                            " " (state_badge(service))
                            @for remark in remarks(service) { " " span.remark { (remark) } }
                        }
                    }
                    @if failing > NAMED {
                        li { a href={ (frame.root) "?state=attention" } { "and " (grouped((failing - NAMED) as u64)) " more" } }
                    }
                }
            }
        }
    }
}

/// The links and fields that narrow the list. They need no script.
fn filters(frame: &Frame<'_>, services: &[ServiceInfo], filter: &Filter) -> Markup {
    let tags: BTreeSet<&str> =
        services.iter().flat_map(|service| service.tags.iter().map(|tag| &**tag)).collect();
    let states: BTreeSet<String> =
        services.iter().map(|service| service.state.to_string()).collect();
    html! {
        form.filters method="get" action=(frame.root) role="search" {
            p.field {
                label for="q" { "Name" }
                input #q type="search" name="q" value=(filter.part) autocomplete="off";
            }
            p.field {
                label for="state" { "State" }
                select #state name="state" {
                    option value="" { "any" }
                    option value="attention" selected[filter.state == "attention"] { "needs attention" }
                    @for state in states {
                        option value=(state) selected[filter.state == state] { (state) }
                    }
                }
            }
            @if !tags.is_empty() {
                p.field {
                    label for="tag" { "Tag" }
                    select #tag name="tag" {
                        option value="" { "any" }
                        @for tag in tags { option value=(tag) selected[filter.tag == tag] { (tag) } }
                    }
                }
            }
            button { "Filter" }
            @if filter.is_active() { a href=(frame.root) { "Show all" } }
        }
    }
}

fn service_path(frame: &Frame<'_>, name: &str) -> String {
    format!("{}services/{}", frame.root, encode(name))
}

/// One row. Each cell can be replaced by itself.
fn row(frame: &Frame<'_>, service: &ServiceInfo, runs: &[RunRecord]) -> Markup {
    html! {
        tr #{ "service-" (encode(&service.name)) } data-parts role="row" {
            th scope="row" role="rowheader" {
                a.name href=(service_path(frame, &service.name)) { (service.name) }
                span.schedule { (schedule(&service.schedule)) }
                @for tag in &service.tags { " " span.tag { (tag) } }
            }
            td role="cell" data-label="State" {
                div {
                    (state_badge(service))
                    @for remark in remarks(service) { " " span.remark { (remark) } }
                }
            }
            td.runs.none[runs.is_empty()] role="cell" data-label="Last runs" { (strip(runs)) }
            td role="cell" data-label="Last run" { div { (last_run(frame, service)) } }
            td role="cell" data-label="Next" { (next(frame, service)) }
            td role="cell" data-label="Runs" {
                div {
                    span.count { (grouped(service.runs)) }
                    @if service.crashes > 0 { " " span.remark.short { (grouped(service.crashes)) " failed" } }
                }
            }
            @if !frame.allowed.is_empty() {
                td.actions role="cell" data-label="Actions" { (row_buttons(service, frame)) }
            }
        }
    }
}

fn last_run(frame: &Frame<'_>, service: &ServiceInfo) -> Markup {
    html! {
        @if let (Some(end), Some(outcome)) = (service.last_end, service.last_outcome) {
            (when(end, frame.now)) ", " (outcome)
            @if let Some(took) = service.last_duration { span.muted { " in " (precise(took)) } }
        } @else if let Some(start) = service.last_start {
            "began " (when(start, frame.now))
        } @else {
            span.muted { "never" }
        }
        @if let Some(error) = &service.last_error { (error_text(error)) }
    }
}

/// An error: one line of it, and the rest on request.
fn error_text(error: &str) -> Markup {
    let (line, is_cut) = first_line(error, ERROR_CHARS);
    html! {
        @if is_cut {
            details.error { summary { (line) " …" } pre { (error) } }
        } @else {
            p.error { (line) }
        }
    }
}

fn next(frame: &Frame<'_>, service: &ServiceInfo) -> Markup {
    html! {
        @match service.next_due {
            Some(next) => (when(next, frame.now)),
            None => span.muted { "–" },
        }
    }
}
