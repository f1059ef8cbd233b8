//! How pages look: on narrow screens, in light and in dark.

use serde_json::Value;
use tina4_service_console::Access;

use crate::site::Site;
use crate::webdriver::{Browser, until};

const PAGES: [&str; 4] = ["", "services/payment_sync", "services/send_mail", "queues"];

#[test]
fn rule_113_nothing_scrolls_sideways_at_320_pixels() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    site.set_broken(true);
    site.runner.run_now("payment_sync").expect("it waits");
    until("the run", || (site.runs("payment_sync") == 2).then_some(()));
    for width in [320, 600, 900, 1280] {
        browser.set_width(width);
        for page in PAGES {
            browser.open(&site.url(page));
            // The scroll bar of a desktop takes a part of the width.
            let wide = browser.run(
                "const page = document.documentElement; return page.scrollWidth - page.clientWidth",
            );
            assert_eq!(wide, 0, "{page} at {width}");
            if width == 320 {
                let boxes = browser.run(
                    "return [...document.querySelectorAll('.scroll')] \
                     .filter((one) => one.scrollWidth > one.clientWidth).length",
                );
                assert_eq!(boxes, 0, "{page}: a table is wider than the page");
            }
            // Each button is large enough for a finger.
            let low = browser.run(
                "return [...document.querySelectorAll('button:not([hidden]), summary')] \
                 .filter((one) => one.offsetHeight > 0 && one.offsetHeight < 24).length",
            );
            assert_eq!(low, 0, "{page}");
        }
    }
    browser.check_log(&[]);
}

#[test]
fn rule_113_pages_are_light_or_dark_as_the_visitor_prefers() {
    let Some(browser) = Browser::start() else { return };
    let site = Site::start("/ops/", Access::Operate);
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.set_scheme(scheme);
        browser.open(&site.url(""));
        let ground = browser.run("return getComputedStyle(document.body).backgroundColor");
        let bar = browser.run("return getComputedStyle(document.querySelector('svg path')).stroke");
        assert_ne!(bar, "none", "pictures have their colours from the style sheet");
        grounds.push(ground);
    }
    assert_eq!(grounds, [Value::from("rgb(255, 255, 255)"), Value::from("rgb(20, 23, 27)")]);
    browser.check_log(&[]);
}
