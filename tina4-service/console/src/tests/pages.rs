use super::*;

/// A request as browsers make it for a page.
fn browse(console: &Console, path: &str) -> Answer {
    let answer = console.answer(&page_request("GET", path));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    answer
}

fn page_request(method: &str, path: &str) -> Request {
    local(method, path).with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

#[test]
fn rule_113_browsers_get_pages_and_others_get_json() {
    let runner = runner();
    let console = console(&runner).title("shop (production)");
    let list = browse(&console, "/");
    assert_eq!(list.status, 200);
    assert!(list.text().contains("<title>1 failing – shop (production)</title>"), "{list:?}");
    assert!(list.text().contains("href=\"./services/import\""));
    // The same page by another path, from which links lead to the same places.
    assert!(browse(&console, "/services").text().contains("href=\"./services/import\""));
    let one = browse(&console, "/services/import");
    assert!(one.text().contains("href=\"../\"") && one.text().contains("<h1>import</h1>"));
    for path in ["/", "/services", "/services/import"] {
        assert_eq!(get(&console, path).header("content-type"), Some("application/json"), "{path}");
    }
    // What has no page is the same for everybody.
    let runs = console.answer(&page_request("GET", "/services/import/runs"));
    assert_eq!(runs.header("content-type"), Some("application/json"));
    assert_eq!(console.answer(&page_request("HEAD", "/")).text(), "");
}

#[test]
fn rule_113_a_refusal_is_a_page_for_a_browser() {
    let runner = runner();
    let console = console(&runner);
    let unknown = browse(&console, "/services/imprt");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("Did you mean <code>import</code>?"), "{unknown:?}");
    let refused = console.answer(&page_request("POST", "/services/mail/run").form("back=list"));
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("href=\"../../\""), "{refused:?}");
    // Who may not even read gets no name of anything, but a page that looks like one.
    let closed = Console::new(&runner).access(|_| Access::None);
    let none = browse(&closed, "/");
    assert!(none.status == 403 && !none.text().contains("import"), "{none:?}");
    let href = none.text().split("stylesheet\" href=\".").nth(1);
    let href = href.and_then(|rest| rest.split('"').next()).expect("it has a style sheet");
    let css = get(&closed, href);
    assert_eq!((css.status, css.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert_eq!(css.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(css.headers.iter().filter(|(name, _)| *name == "cache-control").count(), 1);
    assert_eq!(get(&closed, "/assets/page.css").status, 404);
}

#[test]
fn rule_113_pages_show_texts_redacted() {
    let runner = runner();
    let console = console(&runner).redact(|text| text.replace("hunter2", "..").into());
    for path in ["/", "/services/import"] {
        let page = browse(&console, path);
        assert!(page.text().contains("no disk, password=.."), "{path}");
        assert!(!page.text().contains("hunter2"), "{path}");
    }
}

#[test]
fn rule_113_a_link_cannot_make_a_page_say_something() {
    let runner = runner();
    let console = console(&runner);
    let says = |query: &str| {
        let page = browse(&console, &format!("/?{query}"));
        let status = page.text().split("id=\"status\" role=\"status\">").nth(1);
        let status = status.and_then(|rest| rest.split("</div>").next()).expect("it is there");
        status.to_owned()
    };
    assert_eq!(says("done=pause&name=mail"), "<p>mail was paused.</p>");
    for query in [
        "done=pause",
        "name=mail",
        "done=pause&name=your+password+has+expired",
        "done=pay&name=mail",
        "done=redrive&name=mail",
        "done=%ff&name=mail",
    ] {
        assert_eq!(says(query), "", "{query}");
    }
}

#[test]
fn rule_113_buttons_are_those_of_the_visitor() {
    let runner = runner();
    let buttons = |access: Access| {
        let console = Console::new(&runner).access(move |_| access.by("alice"));
        let page = browse(&console, "/services/mail");
        assert!(page.text().contains("alice"));
        let actions = Action::ON_SERVICES.into_iter();
        let has = |action: &Action| {
            page.text().contains(&format!("formaction=\"../services/mail/{action}\""))
        };
        actions.filter(has).collect::<Vec<_>>()
    };
    assert_eq!(buttons(Access::Read), []);
    assert_eq!(buttons(Access::Only(&[Action::Pause, Action::Start])), [Action::Pause]);
    let all = [Action::Run, Action::Pause, Action::Stop, Action::Restart];
    assert_eq!(buttons(Access::Operate), all);
}
