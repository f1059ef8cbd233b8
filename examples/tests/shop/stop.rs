//! Orderly shutdown: on SIGTERM the shop stores what is pending, and exits with 0.

use std::io::Write as _;
use std::net::TcpStream;

use rusqlite::Connection;

use crate::fixture::{Shop, TestDir};

/// The database of a shop that has ended.
fn database(dir: &TestDir) -> Connection {
    Connection::open(dir.data().join("shop.db")).expect("the shop created it")
}

/// Stops the shop, which must succeed.
fn stop(shop: &mut Shop) {
    shop.terminate();
    let status = shop.wait_for_exit();
    let log = shop.log();
    assert_eq!(status.code(), Some(0), "{log}");
    let report = log.lines().find(|line| line.contains("services ended in"));
    // The relay of emails has nothing to do, and finishes at once unless the stop comes first.
    let ends = ["10 services ended", "9 stopped, 1 finished"];
    let ends_early = ["10 services ended", "10 stopped"];
    let is_orderly = |report: &str| {
        [ends, ends_early].iter().any(|ends| ends.iter().all(|end| report.contains(end)))
    };
    assert!(report.is_some_and(is_orderly), "{log}");
}

#[test]
fn every_visit_is_stored_before_the_checkpoint() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    for _ in 0..7 {
        shop.get("/mails/dead");
    }
    stop(&mut shop);
    assert!(shop.log().contains("flushing pending visits"), "{}", shop.log());
    // The checkpoint truncated the log, and nothing was written after it.
    let wal = dir.data().join("shop.db-wal").metadata();
    assert!(wal.is_ok_and(|wal| wal.len() == 0));
    let query = "SELECT count FROM counters WHERE name = 'visits'";
    assert_eq!(database(&dir).query_row(query, [], |row| row.get(0)), Ok(7));
}

#[test]
fn emails_in_progress_are_given_back_immediately() {
    let dir = TestDir::new();
    let mut shop = dir.start(&["--mail-takes", "1h"]);
    for customer in ["Ada", "Bob"] {
        shop.order_tea(customer);
    }
    shop.wait_for_jobs("claimed", 2);
    stop(&mut shop);
    // Ready, and not attempted yet.
    let query = "SELECT count(*) FROM tina4_job WHERE state = 0 AND attempt = 0";
    assert_eq!(database(&dir).query_row(query, [], |row| row.get(0)), Ok(2));
}

#[test]
fn a_client_that_never_finishes_does_not_prevent_stop() {
    let dir = TestDir::new();
    let mut shop = dir.start(&[]);
    let mut client = TcpStream::connect(shop.address()).expect("the shop is listening");
    write!(client, "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n{{")
        .expect("the shop reads");
    // Connections are accepted in order, so the first request is now in progress.
    assert_eq!(shop.get("/ops/livez").status, 200);
    stop(&mut shop);
    assert!(shop.log().contains("cut off"), "{}", shop.log());
}
