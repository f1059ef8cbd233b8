//! Every order leads to an email in the outbox.

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
}

#[test]
fn a_failed_email_is_retried() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let outbox = dir.data().join("outbox");
    fs::remove_dir(&outbox).expect("it is empty");
    let id = shop.order_tea("Ada");
    shop.wait_until("a failed attempt", |shop| {
        shop.log().contains("email not sent; will retry").then_some(())
    });
    fs::create_dir(&outbox).expect("it is not there");
    shop.wait_for_email(id, "sent");
    assert_eq!(shop.order(id)["mail_attempts"], 2);
    assert_eq!(dir.emails(), ["order-000001.eml"]);
}
