//! Pages without their script: links, forms, and a redirect after each action.

use tina4_service_console::Access;

use crate::site::Site;
use crate::webdriver::Browser;

fn row(name: &str, part: &str) -> String {
    format!("//tr[@id='service-{name}']{part}")
}

#[test]
fn rule_113_everything_works_without_a_script() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.set_script_enabled(false);
    browser.open(&site.url(""));
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='1']"));
    assert!(!browser.has("//*[@id='live'][text()]"), "no script runs");

    browser.click(&row("heartbeat", "//button[starts-with(., 'Run now')]"));
    browser.wait_for("//*[@id='status']/p[text()='heartbeat was asked to run.']");
    browser.open(&site.url(""));
    browser.wait_for(&row("heartbeat", "//*[@class='count'][text()='2']"));

    browser.click(&row("heartbeat", "//button[starts-with(., 'Pause')]"));
    browser.wait_for(&row("heartbeat", "//*[contains(@class, 'state')][contains(., 'paused')]"));
    browser.click(&row("heartbeat", "//button[starts-with(., 'Resume')]"));
    browser.wait_for(&row("heartbeat", "//*[contains(@class, 'state')][contains(., 'waiting')]"));
    browser.check_log(&[]);
}

#[test]
fn rule_113_a_failure_is_seen_and_forgotten_without_a_script() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    browser.set_script_enabled(false);
    site.set_broken(true);
    browser.open(&site.url("services/payment_sync"));
    browser.click("//input[@name='reason']");
    browser.press("is it back?");
    browser.click("//button[text()='Run now']");
    browser.wait_for("//*[@id='status']/p[text()='payment_sync was asked to run.']");
    browser.open(&site.url("services/payment_sync"));
    browser.wait_for("//pre[contains(., 'connection reset')]");
    browser.wait_for("//div[@class='log']/p[contains(., 'the provider does not answer')]");
    browser.wait_for(
        "//table[contains(@class, 'history')]/tbody/tr[1]/td[contains(., 'manual by alice (is it back?)')]",
    );
    browser.click("//button[text()='Forget failures']");
    browser.wait_for("//*[@id='status']/p[contains(., 'were forgotten')]");

    // What ends a run is confirmed, on the same page.
    browser.click("//summary[starts-with(., 'Stop')]");
    browser.click("//button[text()='Stop payment_sync']");
    browser.wait_for("//div[@id='heading']//*[contains(., 'stopped')]");
    browser.check_log(&[]);
}

#[test]
fn rule_113_dead_jobs_are_redriven_without_a_script() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/a/b/", Access::Operate);
    browser.set_script_enabled(false);
    let dead = "//div[contains(@class, 'bad')][dt='dead']/dd[text()='2']";
    // The first attempts are in progress.
    crate::webdriver::until("the jobs die", || {
        browser.open(&site.url("queues"));
        browser.has(dead).then_some(())
    });
    browser.click("//summary[starts-with(., 'Redrive all')]");
    browser.click("//button[text()='Redrive all dead jobs of mails']");
    browser.wait_for("//*[@id='status']/p[contains(., 'mails were put back')]");
    assert!(browser.url().starts_with(&site.url("queues")), "{}", browser.url());
    browser.check_log(&[]);
}

#[test]
fn rule_113_pages_work_wherever_they_are_mounted() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/a/b/", Access::Operate);
    browser.set_script_enabled(false);
    // Without its slash, links would lead elsewhere.
    browser.open(site.url("").trim_end_matches('/'));
    assert_eq!(browser.url(), site.url(""));
    let is_styled = || {
        let padding =
            browser.run("return getComputedStyle(document.querySelector('header')).display");
        assert_eq!(padding, "flex", "{}", browser.url());
    };
    is_styled();
    browser.click("//th/a[text()='heartbeat']");
    browser.wait_for("//h1[text()='heartbeat']");
    assert_eq!(browser.url(), site.url("services/heartbeat"));
    is_styled();
    browser.click("//button[text()='Pause']");
    browser.wait_for("//div[@id='heading']//*[contains(., 'paused')]");
    is_styled();
    browser.click("//nav//a[text()='Queues']");
    browser.wait_for("//h2[text()='mails']");
    is_styled();
    browser.click("//a[text()='send_mail']");
    browser.wait_for("//h1[text()='send_mail']");
    browser.click("//a[text()='All services']");
    assert_eq!(browser.url(), site.url(""));
    // A page that is not there is a page, too.
    browser.open(&site.url("services/heartbeet"));
    browser.wait_for("//*[@id='problem'][contains(., 'heartbeat')]");
    is_styled();
    browser.click("//a[text()='All services']");
    assert_eq!(browser.url(), site.url(""));
    browser.check_log(&["404"]);
}
