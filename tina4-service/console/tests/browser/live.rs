//! Pages with their script: they follow what happens, and never get into the way of whoever uses them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use tina4_service_console::{Access, Action};

use crate::site::{HOSTILE, Site};
use crate::webdriver::{Browser, ENTER, TAB, until};

/// A part of the row of a service in the list.
fn row(name: &str, part: &str) -> String {
    format!("//tr[@id='service-{name}']{part}")
}

/// Marks the page, so that a reload can be noticed.
fn mark(browser: &Browser) {
    browser.run("window.isSamePage = true");
}

fn assert_marked(browser: &Browser) {
    assert_eq!(browser.run("return window.isSamePage === true"), true, "the page was reloaded");
}

#[test]
fn rule_113_a_run_is_seen_without_a_reload() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='1']"));
    mark(&browser);
    browser.click(&row("heartbeat", "//button[starts-with(., 'Run now')]"));
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='2']"));
    browser.wait_for("//*[@id='status']/p[text()='heartbeat was asked to run.']");
    // A run that somebody else has asked for.
    site.runner.run_now("heartbeat").expect("it waits");
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='3']"));
    assert_marked(&browser);
    browser.check_log(&[]);
}

#[test]
fn rule_113_pause_and_resume_keep_the_focus() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    mark(&browser);
    browser.click(&row("heartbeat", "//button[starts-with(., 'Pause')]"));
    browser.wait_for(&row("heartbeat", "//button[starts-with(., 'Resume')]"));
    browser.wait_for(&row("heartbeat", "//*[contains(@class, 'state')][contains(., 'paused')]"));
    assert!(browser.focused().ends_with("heartbeat"), "{}", browser.focused());
    browser.click(&row("heartbeat", "//button[starts-with(., 'Resume')]"));
    browser.wait_for(&row("heartbeat", "//*[contains(@class, 'state')][contains(., 'waiting')]"));
    assert_marked(&browser);
    browser.check_log(&[]);
}

#[test]
fn rule_113_a_failure_shows_its_error_and_its_log() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    browser.wait_for("//p[text()='Nothing needs attention.']");
    mark(&browser);
    site.set_broken(true);
    browser.click(&row("payment_sync", "//button[starts-with(., 'Run now')]"));
    browser
        .wait_for(&row("payment_sync", "//*[contains(@class, 'bad')][contains(., 'backing off')]"));
    browser.wait_for(&row("payment_sync", "//summary[contains(., 'the provider did not answer')]"));
    browser.wait_for("//section[@id='attention']//a[text()='payment_sync']");
    until("the title", || browser.title().starts_with("1 failing – shop").then_some(()));
    assert_marked(&browser);

    browser.click("//section[@id='attention']//a[text()='payment_sync']");
    browser.wait_for("//pre[contains(., 'connection reset')]");
    browser.wait_for("//h3[starts-with(., 'The last failing run')]");
    browser.wait_for("//div[@class='log']/p[contains(., 'the provider does not answer')]");
    mark(&browser);
    // Its page follows, too.
    site.set_broken(false);
    browser.click("//button[text()='Run now']");
    browser.wait_for(
        "//table[contains(@class, 'history')]/tbody/tr[1]/td[contains(., 'manual by alice')]",
    );
    browser.wait_for("//div[@id='heading']//*[contains(., 'waiting')]");
    assert_marked(&browser);
    browser.check_log(&[]);
}

#[test]
fn rule_113_an_open_error_stays_open() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    site.set_broken(true);
    browser.open(&site.url(""));
    browser.click(&row("payment_sync", "//button[starts-with(., 'Run now')]"));
    browser.click(&row("payment_sync", "//details/summary"));
    browser.run("window.opened = document.querySelector('#service-payment_sync details')");
    browser.run("document.activeElement.blur()");
    let runs = site.runs("payment_sync");
    site.runner.run_now("payment_sync").expect("it backs off");
    // The rest of its row goes on.
    browser.wait_for(&row("payment_sync", &format!("//*[@class='count'][text()='{}']", runs + 1)));
    assert_eq!(browser.run("return window.opened.isConnected && window.opened.open"), true);
    // Once it is closed, its cell follows, too.
    browser.run("window.opened.open = false");
    site.runner.run_now("payment_sync").expect("it backs off");
    until("a new cell", || {
        (browser.run("return window.opened.isConnected") == false).then_some(())
    });
    browser.check_log(&[]);
}

#[test]
fn rule_113_what_has_the_focus_stays_as_it_is() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    browser.run("window.button = document.querySelector('#service-heartbeat button')");
    browser.run("window.button.focus()");
    // Somebody else does something.
    site.runner.pause("heartbeat").expect("it waits");
    browser.wait_for(&row("heartbeat", "//*[contains(@class, 'state')][contains(., 'paused')]"));
    assert_eq!(browser.run("return document.activeElement === window.button"), true);
    assert!(
        browser.has(&row("heartbeat", "//button[starts-with(., 'Pause')]")),
        "it is left alone"
    );
    browser.run("window.button.blur()");
    site.runner.run_now("heartbeat").expect("it is paused");
    browser.wait_for(&row("heartbeat", "//button[starts-with(., 'Resume')]"));
    browser.check_log(&[]);
}

#[test]
fn rule_113_a_reason_that_is_half_written_stays() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url("services/heartbeat"));
    browser.click("//input[@name='reason']");
    browser.press("disk is ful");
    browser.run("document.activeElement.blur()");
    site.runner.pause("heartbeat").expect("it waits");
    browser.wait_for("//div[@id='heading']//*[contains(., 'paused')]");
    assert_eq!(browser.run("return document.querySelector('#reason').value"), "disk is ful");
    // The action takes it along, and clears the field.
    browser.click("//summary[starts-with(., 'Restart')]");
    browser.click("//button[text()='Restart heartbeat']");
    browser
        .wait_for("//table[contains(@class, 'history')]//td[contains(., 'alice (disk is ful)')]");
    assert_eq!(browser.run("return document.querySelector('#reason').value"), "");
    browser.check_log(&[]);
}

#[test]
fn rule_113_a_refused_action_says_why() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    browser.wait_for(&row("heartbeat", "//button[starts-with(., 'Run now')]"));
    mark(&browser);
    // The page does not know yet that it was stopped.
    browser.run("window.EventSource = null; window.fetchNow = window.fetch");
    browser.run(
        "window.fetch = (url, options) => options?.method ? window.fetchNow(url, options) : new Promise(() => {})",
    );
    site.runner.stop("heartbeat").expect("it is known");
    browser.click(&row("heartbeat", "//button[starts-with(., 'Run now')]"));
    browser.wait_for("//*[@id='status']/p[@class='problem'][contains(., 'heartbeat')]");
    assert_marked(&browser);
    browser.check_log(&["409"]);
}

#[test]
fn rule_113_hostile_texts_are_shown_and_not_run() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    site.set_broken(true);
    site.runner.run_now("payment_sync").expect("it waits");
    let segment = "%3Cscript%3Ewindow.hacked%20%3D%20true%3C%2Fscript%3E";
    let tag = format!("?tag={segment}");
    let unknown = format!("services/{segment}");
    for page in ["", &tag, "services/payment_sync", "services/report", "queues", &unknown] {
        browser.open(&site.url(page));
        let text = browser.run("return document.body.textContent");
        assert!(text.as_str().is_some_and(|text| text.contains(HOSTILE)), "{page}: {text}");
        assert_eq!(browser.run("return typeof window.hacked"), "undefined", "{page}");
    }
    // What the script puts into the page is no different.
    browser.open(&site.url("queues"));
    browser.click("//tbody/tr[1]//button");
    browser.wait_for("//*[@id='status']/p");
    assert_eq!(browser.run("return typeof window.hacked"), "undefined");
    browser.check_log(&["404"]);
}

#[test]
fn rule_113_the_keyboard_is_enough() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.open(&site.url(""));
    browser.press(&TAB.to_string());
    assert_eq!(browser.focused(), "Skip to content");
    let outline = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_ne!(browser.run(outline), "none", "the focus is visible");
    let is_in_view = "return document.activeElement.getBoundingClientRect().top >= 0";
    assert_eq!(browser.run(is_in_view), true);
    browser.press(&ENTER.to_string());
    assert_eq!(browser.run("return document.activeElement.id"), "main");
    mark(&browser);
    tab_to(&browser, "Run now heartbeat");
    browser.press(&ENTER.to_string());
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='2']"));
    browser.wait_for("//*[@id='status']/p");
    assert_eq!(browser.focused(), "Run now heartbeat", "the focus stays");
    assert_marked(&browser);

    browser.open(&site.url("services/heartbeat"));
    tab_to(&browser, "reason");
    browser.press("upgrade");
    // The Enter key in the field does nothing.
    browser.press(&ENTER.to_string());
    tab_to(&browser, "Stop…");
    browser.press(&ENTER.to_string());
    tab_to(&browser, "Stop heartbeat");
    browser.press(&ENTER.to_string());
    browser.wait_for("//button[text()='Start']");
    assert_eq!(site.runs("heartbeat"), 2);
    browser.check_log(&[]);
}

/// Presses Tab until the element with this text has the focus.
fn tab_to(browser: &Browser, text: &str) {
    for _ in 0..60 {
        if browser.focused() == text {
            return;
        }
        browser.press(&TAB.to_string());
    }
    panic!("Tab does not lead to `{text}`");
}

#[test]
fn rule_113_a_page_without_a_stream_asks_again_and_again() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/a/b/", Access::Operate);
    // As many streams as the console serves.
    let streams: Vec<TcpStream> = (0..40).filter_map(|_| open_stream(&site)).collect();
    assert!(!streams.is_empty() && streams.len() < 40, "{} streams", streams.len());
    browser.open(&site.url(""));
    browser.wait_for("//*[@id='live'][text()='every 10 s']");
    mark(&browser);
    site.runner.run_now("heartbeat").expect("it waits");
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='2']"));
    // The visitor's own actions are seen at once.
    browser.click(&row("heartbeat", "//button[starts-with(., 'Pause')]"));
    browser.wait_for(&row("heartbeat", "//button[starts-with(., 'Resume')]"));
    assert_marked(&browser);
    browser.check_log(&["503"]);
}

/// Opens a stream of events; `None`: it was refused.
fn open_stream(site: &Site) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(site.address()).expect("the server listens");
    let path = site.path("events");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("it accepts the request");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("it answers");
    status.ends_with(b"200").then_some(stream)
}

#[test]
fn rule_113_a_page_that_is_hidden_holds_no_connection() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Read);
    browser.open(&site.url(""));
    browser.wait_for("//*[@id='live'][text()='live']");
    let hide = |hidden: bool| {
        browser.run(&format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'))"
        ));
    };
    assert_eq!(browser.run("return events instanceof EventSource"), true);
    hide(true);
    assert_eq!(browser.run("return events"), Value::Null, "its stream is closed");
    site.runner.run_now("heartbeat").expect("it waits");
    until("the run", || (site.runs("heartbeat") == 2).then_some(()));
    assert_eq!(
        browser.run("return document.querySelector('#service-heartbeat .count').textContent"),
        "1"
    );
    hide(false);
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='2']"));
    browser.check_log(&[]);
}

#[test]
fn rule_113_only_permitted_buttons_are_there() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Only(&[Action::Pause]));
    for page in ["", "services/heartbeat"] {
        browser.open(&site.url(page));
        browser.wait_for("//button[starts-with(., 'Pause')]");
        assert!(!browser.has("//button[starts-with(., 'Run now') or starts-with(., 'Stop')]"));
    }
    browser.open("about:blank");
    drop(site);
    let site = Site::start("/ops/", Access::Read);
    browser.open(&site.url("services/heartbeat"));
    browser.wait_for("//p[contains(., 'not operate it')]");
    let posting = browser.run("return document.querySelectorAll('form[method=post]').length");
    assert_eq!(posting, json!(0));
    let nothing: Value = browser.run("return document.querySelector('#status').textContent");
    assert_eq!(nothing, "");
    browser.check_log(&[]);
}
