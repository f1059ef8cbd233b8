//! An order ends as a mail in the outbox, sooner or later.

use std::fs;

use crate::fixture::Premises;

#[test]
fn an_order_ends_as_a_mail() {
    let premises = Premises::new();
    let mut shop = premises.open(&[]);
    let id = shop.order_tea("Ada");
    shop.wait_for_mail(id, "sent");
    assert_eq!(premises.mails(), ["order-000001.eml"]);
    let mail = premises.mail("order-000001.eml");
    assert!(mail.contains("To: Ada\n") && mail.contains("2 x tea"), "{mail}");
}

#[test]
fn many_orders_end_as_one_mail_each() {
    let premises = Premises::new();
    let mut shop = premises.open(&[]);
    let ids: Vec<_> = (0..20).map(|number| shop.order_tea(&format!("customer {number}"))).collect();
    for id in ids {
        shop.wait_for_mail(id, "sent");
    }
    assert_eq!(premises.mails().len(), 20);
}

#[test]
fn a_mail_that_fails_is_tried_again() {
    let premises = Premises::new();
    let mut shop = premises.open(&[]);
    let outbox = premises.data().join("outbox");
    fs::remove_dir(&outbox).expect("it is empty");
    let id = shop.order_tea("Ada");
    shop.wait_until("a failed attempt", |shop| {
        shop.log().contains("mail not sent; later").then_some(())
    });
    fs::create_dir(&outbox).expect("it is not there");
    shop.wait_for_mail(id, "sent");
    assert_eq!(shop.order(id)["mail_attempts"], 2);
    assert_eq!(premises.mails(), ["order-000001.eml"]);
}
