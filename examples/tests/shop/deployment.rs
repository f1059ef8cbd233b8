//! Settings of the shop's services that its environment changes.

use crate::fixture::{Shop, TestDir};

fn run(dir: &TestDir, time: &str, variables: &[(&str, &str)]) -> Shop {
    dir.start_with(&["--for", time], variables)
}

/// The exit code and the log of a shop that does not start.
fn refused(name: &str, value: &str) -> (Option<i32>, String) {
    let dir = TestDir::new();
    let mut shop = dir.spawn_with(&["--port", "0"], &[(name, value)]);
    (shop.wait_for_exit().code(), shop.log())
}

#[test]
fn an_interval_is_changed() {
    let dir = TestDir::new();
    let mut shop = dir.start_with(&[], &[("TINA4_SERVICES__HEARTBEAT__INTERVAL", "1s")]);
    // With its own interval of 30 s, this would take two minutes.
    shop.wait_for_log("alive", 5);
    let started = r#"service started service="heartbeat" schedule=every 1s next="#;
    assert!(shop.log().contains(started), "{}", shop.log());
}

#[test]
fn a_misspelled_name_is_a_fault_that_suggests_the_intended_one() {
    let intended = "did you mean `TINA4_SERVICES__HEARTBEAT__INTERVAL`?";
    for name in ["TINA4_SERVICES__HEARBEAT__INTERVAL", "TINA4_SERVICES__HEARTBEAT__INTERVALL"] {
        let (code, log) = refused(name, "1s");
        assert_eq!(code, Some(78), "{log}");
        assert!(log.contains(name) && log.contains(intended), "{log}");
    }
}

#[test]
fn variables_of_kubernetes_change_nothing() {
    let dir = TestDir::new();
    let variables = [
        ("TINA4_SERVICE_HOST", "10.0.0.1"),
        ("TINA4_SERVICES_SERVICE_HOST", "10.0.0.1"),
        ("TINA4_SERVICES_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("TINA4_SERVICES__MAIL_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    let mut shop = run(&dir, "1s", &variables);
    assert_eq!(shop.wait_for_exit().code(), Some(0), "{}", shop.log());
}

#[test]
fn a_service_is_disabled_and_says_by_what() {
    let dir = TestDir::new();
    let mut shop = dir.start_with(&[], &[("TINA4_SERVICES__PAYMENT_SYNC__ENABLED", "false")]);
    let payments = shop.service("payment_sync");
    assert_eq!(payments["state"], "disabled", "{payments}");
    let reason = r#"reason="TINA4_SERVICES__PAYMENT_SYNC__ENABLED=false""#;
    let line = format!(r#"service disabled service="payment_sync" {reason}"#);
    shop.wait_for_log(&line, 1);
    assert_eq!(payments["reason"], "TINA4_SERVICES__PAYMENT_SYNC__ENABLED=false", "{payments}");
    // A disabled service is healthy.
    shop.expect_healthy();
}

#[test]
fn an_invalid_expression_is_shown_with_a_caret() {
    let (code, log) = refused("TINA4_SERVICES__DAILY_REPORT__CRON", "0 25 * * *");
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains("`daily_report` at "), "{log}");
    assert!(log.contains("`25` is not an hour; write 0 to 23\n    0 25 * * *\n      ^^"), "{log}");
}

#[test]
fn a_process_runs_some_of_the_services() {
    let dir = TestDir::new();
    let variables = [("TINA4_SERVICES", "heartbeat,shutdown_timer")];
    let mut shop = dir.spawn_with(&["--port", "0", "--for", "1s"], &variables);
    assert_eq!(shop.wait_for_exit().code(), Some(0), "{}", shop.log());
    let log = shop.log();
    assert!(
        log.contains("2 of 11 services run here (TINA4_SERVICES=heartbeat,shutdown_timer)"),
        "{log}"
    );
    assert!(log.contains("2 services ended in"), "{log}");
}
