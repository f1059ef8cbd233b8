//! Every order leads to an email in the outbox, or to a dead job that can be put back.

use std::fs;

use crate::fixture::TestDir;

#[test]
fn an_order_is_mailed() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let id = shop.order_tea("Ada");
    shop.wait_for_email(id, "sent");
    assert_eq!(dir.emails(), ["order-000001.eml"]);
    let email = dir.email("order-000001.eml");
    assert!(email.contains("To: Ada\n") && email.contains("2 x tea"), "{email}");
}

#[test]
fn many_orders_are_mailed_once_each() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let ids: Vec<_> = (0..20).map(|number| shop.order_tea(&format!("customer {number}"))).collect();
    for id in ids {
        shop.wait_for_email(id, "sent");
    }
    assert_eq!(dir.emails().len(), 20);
    shop.wait_for_jobs("done", 20);
}

#[test]
fn a_failed_email_is_tried_again() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let outbox = dir.data().join("outbox");
    fs::remove_dir(&outbox).expect("it is empty");
    let id = shop.order_tea("Ada");
    shop.wait_for_jobs("delayed", 1);
    fs::create_dir(&outbox).expect("it is not there");
    shop.wait_for_email(id, "sent");
    assert_eq!(dir.emails(), ["order-000001.eml"]);
    // The second attempt, or on a busy machine a later one.
    shop.wait_for_log("email sent order=1 attempt=", 1);
    assert!(!shop.log().contains("email sent order=1 attempt=1 "), "{}", shop.log());
    // A failed job is no crash.
    shop.expect_healthy();
}

#[test]
fn a_dead_email_is_kept_until_it_is_put_back() {
    let dir = TestDir::new();
    let mut shop = dir.start_with(&[], &[("TINA4_SERVICES__EMAIL_CONSUMER__ATTEMPTS", "1")]);
    let outbox = dir.data().join("outbox");
    fs::remove_dir(&outbox).expect("it is empty");
    let id = shop.order_tea("Ada");
    shop.wait_for_email(id, "dead");
    let dead = shop.get("/mails/dead").body;
    assert_eq!(dead[0]["mail"]["customer"], "Ada", "{dead}");
    assert_eq!(dead[0]["attempts"], 1, "{dead}");
    assert!(dead[0]["error"].as_str().is_some_and(|error| !error.is_empty()), "{dead}");
    // It survives a kill.
    shop.kill();
    fs::create_dir(&outbox).expect("it is not there");
    let mut shop = dir.start(&[]);
    assert_eq!((&shop.order(id)["mail"], &shop.queue()["dead"]), (&"dead".into(), &1.into()));
    assert!(dir.emails().is_empty());

    assert_eq!(shop.post("/mails/redrive", "").body["redriven"], 1);
    shop.wait_for_email(id, "sent");
    assert_eq!(dir.emails(), ["order-000001.eml"]);
    assert_eq!(shop.get("/mails/dead").body.as_array().map(Vec::len), Some(0));
}
