//! A shop that is killed loses no order, and mails none twice.

use crate::fixture::Premises;

#[test]
fn what_was_not_mailed_at_a_kill_is_mailed_after_the_next_start() {
    let premises = Premises::new();
    let mut shop = premises.open(&["--mail-takes", "1h"]);
    let ids = ["Ada", "Bob", "Cem"].map(|customer| shop.order_tea(customer));
    // One is in progress, the others wait.
    shop.wait_for_mail(ids[0], "taken");
    assert_eq!(shop.order(ids[2])["mail"], "waiting");
    shop.kill();
    assert!(premises.mails().is_empty());

    let mut shop = premises.open(&[]);
    for id in ids {
        shop.wait_for_mail(id, "sent");
    }
    assert_eq!(ids.map(|id| shop.order(id)["mail_attempts"].clone()), [2, 1, 1]);
    let expected = ["order-000001.eml", "order-000002.eml", "order-000003.eml"];
    assert_eq!(premises.mails(), expected);
    assert_eq!(shop.log().matches("mail sent").count(), 3, "{}", shop.log());
}

#[test]
fn kills_at_any_moment_neither_lose_nor_double_a_mail() {
    let premises = Premises::new();
    let mut taken = Vec::new();
    for round in 0..5 {
        let mut shop = premises.open(&[]);
        // No wait: the kill comes while the mails of this round are on their way.
        taken.extend((0..=round).map(|number| shop.order_tea(&format!("customer {number}"))));
        shop.kill();
    }
    let mut shop = premises.open(&[]);
    for id in &taken {
        shop.wait_for_mail(*id, "sent");
    }
    let expected: Vec<_> = taken.iter().map(|id| format!("order-{id:06}.eml")).collect();
    assert_eq!(premises.mails(), expected);
}
