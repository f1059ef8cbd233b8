//! The responses of the HTTP interface.

use serde_json::json;

use crate::fixture::TestDir;

#[test]
fn an_invalid_order_is_rejected_with_the_reason() {
    let dir = TestDir::new();
    let shop = dir.start(&[]);
    for (body, reason) in [
        ("tea, please", "send {\"customer\""),
        (r#"{"customer": "Ada", "item": "tea"}"#, "missing field `quantity`"),
        (r#"{"customer": "", "item": "tea", "quantity": 1}"#, "`customer` is empty"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": 0}"#, "`quantity` is 0"),
    ] {
        let response = shop.post("/orders", body);
        assert_eq!(response.status, 400, "{body}: {response:?}");
        let error = response.body["error"].as_str().expect("the reason is a string");
        assert!(error.contains(reason), "{body}: {error}");
    }
    let response = shop.post("/orders", &"x".repeat(20_000));
    assert_eq!(response.status, 413, "{response:?}");
    assert_eq!(shop.get("/orders/1").status, 404);
}

#[test]
fn an_order_can_be_retrieved() {
    let dir = TestDir::new();
    let shop = dir.start(&["--mail-takes", "1h"]);
    let order = shop.order(shop.order_tea("Ada"));
    assert_eq!(order["customer"], "Ada");
    assert_eq!(order["item"], "tea");
    assert_eq!(order["quantity"], 2);
}

#[test]
fn the_services_are_listed_and_healthy() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    shop.expect_healthy();

    let listed = shop.get("/ops/services").body;
    let services = listed["services"].as_array().expect("a list");
    let named = |name: &str| services.iter().find(|service| service["name"] == name);
    for name in [
        "counter",
        "daily_report",
        "database_sync",
        "database_upkeep",
        "email_consumer",
        "heartbeat",
        "mail_relay",
        "metrics_collector",
        "payment_sync",
        "web",
    ] {
        assert!(named(name).is_some(), "{name} is missing in {listed}");
    }
    let web = named("web").expect("it was there");
    assert_eq!((&web["state"], &web["runs"]), (&"running".into(), &1.into()));
    assert!(web["queue"].is_null(), "{web}");
    let queue = &named("email_consumer").expect("it was there")["queue"];
    let expected = json!({
        "ready": 0, "delayed": 0, "claimed": 0, "dead": 0, "oldest_ready_seconds": null
    });
    assert_eq!(queue["backlog"], expected);
    assert_eq!(queue["counters"]["failed"], 0);
}
