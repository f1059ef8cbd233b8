//! A killed shop loses no order, and emails none twice.

use crate::fixture::{Shop, TestDir};

/// Waits until the emails of all orders are sent, and checks that there is one for each.
fn expect_all_sent(dir: &TestDir, shop: &mut Shop, ids: &[i64]) {
    for id in ids {
        shop.wait_for_email(*id, "sent");
    }
    let expected: Vec<_> = ids.iter().map(|id| format!("order-{id:06}.eml")).collect();
    assert_eq!(dir.emails(), expected);
}

#[test]
fn emails_that_a_kill_prevented_are_sent_after_the_next_start() {
    let dir = TestDir::new();
    let mut shop = dir.start(&["--mail-takes", "1h"]);
    let ids = ["Ada", "Bob", "Cem", "Dan", "Eve"].map(|customer| shop.order_tea(customer));
    // Four emails are in progress, the last one waits.
    shop.wait_for_jobs("claimed", 4);
    assert_eq!(shop.queue()["ready"], 1);
    shop.kill();
    assert!(dir.emails().is_empty());

    let mut shop = dir.start(&[]);
    expect_all_sent(&dir, &mut shop, &ids);
    // Their leases of 30 s have not ended: the queue has noticed that their process has.
    shop.wait_for_log("email sent", 5);
    let log = shop.log();
    let counts = ["attempt=1", "attempt=2"].map(|attempt| log.matches(attempt).count());
    assert_eq!(counts, [1, 4], "{log}");
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
    expect_all_sent(&dir, &mut shop, &orders);
}

#[test]
fn kills_in_the_middle_of_sending_lose_nothing() {
    let dir = TestDir::new();
    let mut shop = dir.start(&["--mail-takes", "1h"]);
    let orders: Vec<_> =
        (0..24).map(|number| shop.order_tea(&format!("customer {number}"))).collect();
    shop.wait_for_jobs("claimed", 4);
    shop.kill();
    // Each time, some more are sent, and others are in progress.
    for sent in [3, 9, 14] {
        let mut shop = dir.start(&["--mail-takes", "30ms"]);
        shop.wait_until("emails", |_| (dir.emails().len() >= sent).then_some(()));
        shop.kill();
    }
    let mut shop = dir.start(&[]);
    expect_all_sent(&dir, &mut shop, &orders);
    // An email may have been sent whose job was interrupted for the second time: that one waits for its backoff.
    shop.wait_until("an empty queue", |shop| {
        let queue = shop.queue();
        ["ready", "delayed", "claimed"].iter().all(|state| queue[state] == 0).then_some(())
    });
    assert_eq!(shop.queue()["dead"], 0);
}
