//! Which orders are accepted, and why the others are rejected.

use super::*;

#[test]
fn a_valid_order_is_trimmed_and_accepted() {
    let body = br#"{"customer": " Ada ", "item": "tea", "quantity": 2}"#;
    let order = NewOrder { customer: "Ada".into(), item: "tea".into(), quantity: 2 };
    assert_eq!(OrderForm::parse(body), Ok(order));
}

#[test]
fn an_invalid_order_is_rejected_with_the_reason() {
    let long = format!(r#"{{"customer": "{}", "item": "tea", "quantity": 1}}"#, "x".repeat(201));
    for (body, reason) in [
        ("", "EOF"),
        ("tea, please", "send {\"customer\""),
        (r#"{"customer": "Ada", "item": "tea"}"#, "missing field `quantity`"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": -1}"#, "-1"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": 1.5}"#, "1.5"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": 0}"#, "`quantity` is 0"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": 1001}"#, "from 1 to 1000"),
        (r#"{"customer": "Ada", "item": "tea", "quantity": 1, "price": 0}"#, "`price`"),
        (r#"{"customer": " ", "item": "tea", "quantity": 1}"#, "`customer` is empty"),
        (r#"{"customer": "A\nBcc: all", "item": "tea", "quantity": 1}"#, "line break"),
        (&long, "201 characters"),
    ] {
        let error = OrderForm::parse(body.as_bytes()).expect_err(body).to_string();
        assert!(error.contains(reason), "{body}: {error}");
    }
}
