//! Tests of whole pages.

mod document;
mod samples;

use std::time::{Duration, SystemTime};

use tina4_service::{RunOutcome, ServiceInfo, State};

use super::*;
use crate::action::Action;
use document::Document;
use samples::{now, record, snapshot};

const HOSTILE: &str = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>&amp;";

fn frame<'a>(root: &'a str, allowed: &'a [Action]) -> Frame<'a> {
    Frame {
        title: "shop (production)",
        root,
        now: now(),
        visitor: Some("alice"),
        allowed,
        done: None,
        closed: None,
        has_queues: true,
    }
}

fn page_of(info: &ServiceInfo, allowed: &[Action]) -> Document {
    let history = samples::history(vec![record(1, RunOutcome::Ok)], vec![]);
    let facts = Service {
        info,
        history: &history,
        planned: None,
        upcoming: &[],
        #[cfg(feature = "run-log")]
        logs: None,
    };
    Document::parse(&service(&frame("../", allowed), &facts))
}

fn list_of(services: &[ServiceInfo], allowed: &[Action]) -> Document {
    Document::parse(&list(&frame("./", allowed), services, "", |_| vec![]))
}

/// All pages, of services in all states, with hostile texts wherever a text comes from somewhere else.
fn all_pages() -> Vec<Document> {
    let mut services: Vec<ServiceInfo> =
        samples::STATES.iter().map(|state| snapshot("web", *state)).collect();
    for (nth, info) in services.iter_mut().enumerate() {
        info.name = format!("service-{nth}").into();
    }
    let mut hostile = snapshot(HOSTILE, State::BackingOff);
    hostile.last_error = Some(HOSTILE.into());
    services.push(hostile.clone());
    hostile.name = "with-a-long-error".into();
    hostile.last_error = Some(format!("{HOSTILE}\n{HOSTILE}").into());
    hostile.reason = Some(HOSTILE.into());
    hostile.tags = vec![HOSTILE.into()];
    hostile.waits_for = vec![HOSTILE.into()];
    hostile.overdue = Some(Duration::from_secs(90));
    hostile.crashes_in_a_row = 3;
    services.push(hostile);

    let frame = Frame {
        title: HOSTILE,
        visitor: Some(HOSTILE),
        done: Some((Action::Run, HOSTILE)),
        closed: Some(HOSTILE),
        ..frame("./", &Action::ALL)
    };
    let mut failed = record(2, RunOutcome::Error);
    failed.error = Some(format!("{HOSTILE}\nsecond line").into());
    let past = samples::history(vec![record(1, RunOutcome::Ok), failed.clone()], vec![failed]);
    let hostile_query = "state=%3Cscript%3E&tag=%22%3E&q=%22%3E%3Cscript%3E";
    let mut pages = vec![
        list(&frame, &services, "", |_| past.runs.clone()),
        list(&frame, &services, hostile_query, |_| vec![]),
        list(&frame, &[], "", |_| vec![]),
        problem(&frame, HOSTILE, HOSTILE, Some(HOSTILE)),
    ];
    let below = Frame { root: "../", ..frame };
    for info in &services {
        let facts = Service {
            info,
            history: &past,
            planned: None,
            upcoming: &[now()],
            #[cfg(feature = "run-log")]
            logs: None,
        };
        pages.push(service(&below, &facts));
    }
    #[cfg(feature = "queue")]
    pages.push(queues(&frame, &[samples::queue(HOSTILE), samples::queue("mails")]));
    pages.iter().map(|page| Document::parse(page)).collect()
}

#[test]
fn rule_113_texts_from_elsewhere_are_shown_and_not_interpreted() {
    for page in all_pages() {
        for element in &page.elements {
            assert!(!matches!(&*element.name, "img" | "style" | "iframe" | "base"), "{element:?}");
        }
        let scripts: Vec<_> = page.all("script").collect();
        assert_eq!(scripts.len(), 1, "{scripts:?}");
    }
    let mut info = snapshot("web", State::Waiting);
    info.last_error = Some(HOSTILE.into());
    assert!(page_of(&info, &[]).text.contains(HOSTILE), "it is shown as it is");
}

#[test]
fn rule_113_pages_contain_nothing_that_the_policy_forbids() {
    for page in all_pages() {
        for element in &page.elements {
            for (name, value) in &element.attributes {
                assert!(!name.starts_with("on") && name != "style", "{element:?}");
                assert!(!value.trim_start().starts_with("javascript:"), "{element:?}");
            }
        }
        let script = page.all("script").next().expect("there is one");
        assert!(script.get("src").is_some() && script.text.is_empty(), "{script:?}");
    }
}

#[test]
fn rule_113_all_links_are_relative() {
    for page in all_pages() {
        let mut count = 0;
        for element in &page.elements {
            for name in ["href", "src", "action", "formaction"] {
                let Some(link) = element.get(name) else { continue };
                let is_relative = ["./", "../", "#"].iter().any(|start| link.starts_with(start));
                assert!(is_relative && !link.contains("//"), "{element:?}");
                count += 1;
            }
        }
        assert!(count > 4, "a page has links");
        let events = page.all("html").next().and_then(|html| html.get("data-events"));
        let is_problem = page.elements.iter().any(|element| element.get("id") == Some("problem"));
        let is_right = events.map_or(is_problem, |events| {
            events.starts_with("./events") || events.starts_with("../events?name=")
        });
        assert!(is_right, "{events:?}");
    }
}

#[test]
fn rule_113_pages_can_be_used_without_seeing_them() {
    for page in all_pages() {
        assert_eq!(page.all("html").next().and_then(|html| html.get("lang")), Some("en"));
        assert_eq!(page.all("h1").count(), 1);
        assert_eq!(page.all("main").count(), 1);
        let ids: Vec<&str> = page.elements.iter().filter_map(|element| element.get("id")).collect();
        for (nth, id) in ids.iter().enumerate() {
            assert!(!ids[..nth].contains(id), "the id {id} is there twice");
        }
        for element in &page.elements {
            for name in ["for", "aria-labelledby", "aria-describedby"] {
                let Some(target) = element.get(name) else { continue };
                assert!(ids.contains(&target), "{element:?}");
            }
            let is_field = matches!(&*element.name, "input" | "select")
                && element.get("type") != Some("hidden");
            if is_field {
                let id = element.get("id").expect("a field has an id for its label");
                assert!(page.all("label").any(|label| label.get("for") == Some(id)), "{element:?}");
            }
            if element.name == "button" && element.get("hidden").is_none() {
                assert!(!element.text.trim().is_empty(), "{element:?}");
            }
            if element.name == "th" {
                assert!(element.get("scope").is_some() && !element.text.trim().is_empty());
            }
            if element.name == "svg" {
                let is_named = element.get("aria-label").is_some() || element.text.contains("last");
                assert!(element.get("role") == Some("img") && is_named, "{element:?}");
            }
        }
        assert_eq!(page.all("table").count(), page.all("caption").count());
        // Nothing announces itself but the answer to one's own action.
        let live = |element: &&document::Element| {
            element.get("role") == Some("status") || element.get("aria-live").is_some()
        };
        assert_eq!(page.elements.iter().filter(live).count(), 1);
    }
}

/// The buttons of a page, as the last parts of the paths that they post to.
fn buttons(page: &Document) -> Vec<String> {
    let buttons = page.all("button").filter_map(|button| button.get("formaction"));
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    buttons.map(last).collect()
}

#[test]
fn rule_113_only_what_makes_sense_and_is_permitted_has_a_button() {
    let all = |state: State| buttons(&page_of(&snapshot("web", state), &Action::ALL));
    assert_eq!(all(State::Waiting), ["run", "pause", "restart", "stop"]);
    assert_eq!(all(State::Running), ["pause", "restart", "stop"]);
    assert_eq!(all(State::Paused), ["run", "resume", "restart", "stop"]);
    assert_eq!(all(State::Blocked), ["stop"]);
    assert_eq!(all(State::Stopping), [""; 0]);
    assert_eq!(all(State::Failed), ["start", "reset"]);
    for state in [State::Registered, State::Disabled, State::Stopped, State::Finished] {
        assert_eq!(all(state), ["start"], "{state}");
    }
    let mut failing = snapshot("web", State::BackingOff);
    failing.crashes_in_a_row = 1;
    assert_eq!(
        buttons(&page_of(&failing, &Action::ALL)),
        ["run", "pause", "reset", "restart", "stop"]
    );
    failing.waits_for = vec!["database".into()];
    failing.state = State::Waiting;
    assert_eq!(buttons(&page_of(&failing, &Action::ALL)), ["reset", "stop", "restart"]);

    // Whoever may only pause gets that button alone, and readers get none, and no form that changes anything.
    for state in samples::STATES {
        let info = snapshot("web", state);
        let services = std::slice::from_ref(&info);
        for page in [page_of(&info, &[Action::Pause]), list_of(services, &[Action::Pause])] {
            assert!(buttons(&page).iter().all(|button| button == "pause"), "{state}");
        }
        for page in [page_of(&info, &[]), list_of(services, &[])] {
            assert_eq!(buttons(&page), [""; 0], "{state}");
            assert!(page.all("form").all(|form| form.get("method") == Some("get")));
            assert!(page.text.contains("read only"));
        }
    }
}

#[test]
fn rule_113_what_ends_a_run_is_confirmed_without_a_script() {
    let page = page_of(&snapshot("web", State::Waiting), &Action::ALL);
    for action in ["stop", "restart"] {
        let confirmed = page.all("details").filter(|details| {
            details.html.contains(&format!("formaction=\"../services/web/{action}\""))
        });
        assert_eq!(confirmed.count(), 1, "{action}");
        let list = list_of(&[snapshot("web", State::Waiting)], &Action::ALL);
        assert!(!buttons(&list).contains(&action.to_owned()), "{action}");
    }
    // The Enter key in the field of the reason uses the first button of the form, which does nothing.
    let first = page.all("button").next().expect("there are buttons");
    assert!(first.get("disabled").is_some() && first.get("hidden").is_some());
}

#[test]
fn rule_113_the_title_says_how_many_fail() {
    let mut overdue = snapshot("late", State::Waiting);
    overdue.overdue = Some(Duration::from_secs(180));
    let services = [snapshot("good", State::Waiting), snapshot("bad", State::Failed), overdue];
    let title = |services: &[ServiceInfo]| {
        let page = list_of(services, &[]);
        page.all("title").next().expect("there is one").text.clone()
    };
    assert_eq!(title(&services), "2 failing – shop (production)");
    assert_eq!(title(&services[..1]), "Services – shop (production)");

    let page = list_of(&services, &[]);
    for text in ["2 services need attention", "✕ failed", "overdue for 3 min", "◷ waiting"] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
}

#[test]
fn rule_113_a_long_list_has_pages_and_filters() {
    let mut services: Vec<ServiceInfo> = vec![];
    for nth in 0..250 {
        let mut info = snapshot("x", State::Waiting);
        info.name = format!("service-{nth:03}").into();
        if nth % 100 == 7 {
            info.tags = vec!["mail".into()];
            info.state = State::Failed;
        }
        services.push(info);
    }
    let mut asked = vec![];
    let mut shown = |query: &str| {
        asked.clear();
        let html = list(&frame("./", &[]), &services, query, |name| {
            asked.push(name.to_owned());
            vec![]
        });
        (asked.clone(), Document::parse(&html))
    };
    let (names, page) = shown("");
    assert_eq!((names.len(), &*names[0], &*names[99]), (100, "service-000", "service-099"));
    let next = page.all("a").find(|link| link.get("rel") == Some("next")).expect("there is more");
    assert_eq!(next.get("href"), Some("./?state=&tag=&q=&page=2"));
    let events = page.all("html").next().and_then(|html| html.get("data-events")).unwrap_or("");
    assert_eq!(events.matches("name=").count(), 100, "only what is shown is of interest");
    assert_eq!(shown("page=3").0.len(), 50);
    assert_eq!(shown("page=99").0[0], "service-200");
    assert_eq!(shown("tag=mail").0, ["service-007", "service-107", "service-207"]);
    assert_eq!(shown("state=attention").0.len(), 3);
    assert_eq!(shown("state=failed&q=E-1").0, ["service-107"]);
    assert!(shown("q=nothing").1.text.contains("No service is selected."));
}

#[test]
fn a_failure_is_visible_in_a_picture_and_in_its_text() {
    let mut runs: Vec<_> = (1..=20).map(|run| record(run, RunOutcome::Ok)).collect();
    runs[4] = record(5, RunOutcome::Panic);
    let strip = super::pictures::strip(&runs).into_string();
    assert!(strip.contains("<title>last 20 runs, 1 failed, the last one: ok; "), "{strip}");
    let bad = strip.split("class=\"bad\" d=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(bad, Some("M22 20v-20"), "one bar of the full height");
    let chart = super::pictures::chart("Duration", &runs, |run| run.took, now()).into_string();
    assert_eq!(chart.matches("class=\"cross\"").count(), 1);
    assert!(chart.contains("highest 20 ms; 1 failed\""), "{chart}");
    // A run without a duration, and none at all.
    let mut short = record(1, RunOutcome::Ok);
    (short.took, short.shortest) = (Duration::ZERO, Duration::ZERO);
    for runs in [&[short][..], &[]] {
        for html in [
            super::pictures::strip(runs),
            super::pictures::chart("Late", runs, |run| run.lateness, now()),
        ] {
            assert!(!html.into_string().contains("NaN"));
        }
    }
}

#[test]
fn the_history_shows_old_failures_too() {
    let mut failed = record(3, RunOutcome::Error);
    failed.error = Some("no disk\nbecause".into());
    let mut folded = record(40, RunOutcome::Ok);
    (folded.count, folded.shortest) = (60, Duration::from_millis(2));
    let past = samples::history(vec![folded], vec![failed]);
    let info = snapshot("web", State::Waiting);
    let facts = Service {
        info: &info,
        history: &past,
        planned: None,
        upcoming: &[now() + Duration::from_secs(30)],
        #[cfg(feature = "run-log")]
        logs: None,
    };
    let page = Document::parse(&service(&frame("../", &[]), &facts));
    for text in ["40 to 99", "2 ms to 40 ms", "Failures before these", "no disk …", "(in 30 s)"] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
}

#[test]
fn rule_113_colours_have_the_contrast_of_wcag_aa() {
    let css = include_str!("page.css");
    let (light, dark) = css.split_once("@media (prefers-color-scheme: dark)").expect("two schemes");
    let dark = &dark[..dark.find("*, ::before").expect("the end of the colours")];
    for scheme in [light, dark] {
        let luminance = |name: &str| {
            let at = scheme.find(&format!("--{name}: #")).unwrap_or_else(|| panic!("--{name}"));
            let hex = &scheme[at + name.len() + 5..][..6];
            let part = |from: usize| {
                let value = u8::from_str_radix(&hex[from..from + 2], 16).expect("a colour");
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
        };
        let ratio = |a: &str, b: &str| {
            let (a, b) = (luminance(a), luminance(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        let texts = ["text", "muted", "accent", "good", "warning", "held", "bad"];
        for ground in ["ground", "raised", "bad-ground"] {
            for text in texts {
                assert!(ratio(text, ground) >= 4.5, "{text} on {ground}: {}", ratio(text, ground));
            }
            for shape in ["control", "good-bar", "bad-bar"] {
                assert!(
                    ratio(shape, ground) >= 3.0,
                    "{shape} on {ground}: {}",
                    ratio(shape, ground)
                );
            }
        }
        assert!(ratio("on-bad", "bad") >= 4.5 && ratio("on-accent", "accent") >= 4.5);
    }
}

#[test]
fn the_script_is_short_and_plain() {
    let script = include_str!("page.js");
    let lines = script.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("/**")
    });
    assert!(lines.count() < 190);
    for forbidden in
        ["innerHTML", "eval(", "insertAdjacentHTML", "document.write", "http:", "https:"]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn an_instant_before_1970_breaks_no_page() {
    let mut info = snapshot("web", State::Waiting);
    info.since = SystemTime::UNIX_EPOCH - Duration::from_secs(10);
    info.next_due = Some(now() + Duration::from_secs(100 * 365 * 86_400));
    assert!(page_of(&info, &[]).text.contains("since"));
}
