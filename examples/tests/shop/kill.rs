//! A killed shop loses no order, and emails none twice.

use crate::fixture::TestDir;

#[test]
fn emails_that_a_kill_prevented_are_sent_after_the_next_start() {
    let dir = TestDir::new();
    let mut shop = dir.start(&["--mail-takes", "1h"]);
    let ids = ["Ada", "Bob", "Cem"].map(|customer| shop.order_tea(customer));
    // One email is in progress, the others wait.
    shop.wait_for_email(ids[0], "taken");
    assert_eq!(shop.order(ids[2])["mail"], "waiting");
    shop.kill();
    assert!(dir.emails().is_empty());

    let mut shop = dir.start(&[]);
    for id in ids {
        shop.wait_for_email(id, "sent");
    }
    assert_eq!(ids.map(|id| shop.order(id)["mail_attempts"].clone()), [2, 1, 1]);
    let expected = ["order-000001.eml", "order-000002.eml", "order-000003.eml"];
    assert_eq!(dir.emails(), expected);
    assert_eq!(shop.log().matches("email sent").count(), 3, "{}", shop.log());
}

#[test]
fn kills_at_any_time_neither_lose_nor_duplicate_an_email() {
    let dir = TestDir::new();
    let mut orders = Vec::new();
    for round in 0..5 {
        let mut shop = dir.start(&[]);
        // The kill follows immediately, while the emails of this round are being sent.
        orders.extend((0..=round).map(|number| shop.order_tea(&format!("customer {number}"))));
        shop.kill();
    }
    let mut shop = dir.start(&[]);
    for id in &orders {
        shop.wait_for_email(*id, "sent");
    }
    let expected: Vec<_> = orders.iter().map(|id| format!("order-{id:06}.eml")).collect();
    assert_eq!(dir.emails(), expected);
}
