//! Stopping in order: SIGTERM ends the shop well, and what is pending is written down first.

use std::io::Write as _;
use std::net::TcpStream;

use rusqlite::Connection;

use crate::fixture::{Premises, Shop};

/// The books of a shop that has closed.
fn books(premises: &Premises) -> Connection {
    Connection::open(premises.data().join("shop.db")).expect("the shop made it")
}

/// Asks the shop to stop; it must end well.
fn close(shop: &mut Shop) {
    shop.terminate();
    let end = shop.wait_for_end();
    let log = shop.log();
    assert_eq!(end.code(), Some(0), "{log}");
    let report = log.lines().find(|line| line.contains("services ended in"));
    assert!(report.is_some_and(|report| report.contains("9 stopped")), "{log}");
}

#[test]
fn every_visit_is_written_down_before_the_database_is_put_away() {
    let premises = Premises::new();
    let mut shop = premises.open(&[]);
    for _ in 0..7 {
        shop.get("/health");
    }
    close(&mut shop);
    assert!(shop.log().contains("flushing what is pending"), "{}", shop.log());
    // Nothing was written after the log of changes was folded into the database.
    let changes = premises.data().join("shop.db-wal").metadata();
    assert!(changes.is_ok_and(|changes| changes.len() == 0));
    let count = "SELECT count FROM tallies WHERE name = 'visits'";
    assert_eq!(books(&premises).query_row(count, [], |row| row.get(0)), Ok(7));
}

#[test]
fn a_mail_in_progress_is_put_back_at_once() {
    let premises = Premises::new();
    let mut shop = premises.open(&["--mail-takes", "1h"]);
    let id = shop.order_tea("Ada");
    shop.wait_for_mail(id, "taken");
    close(&mut shop);
    let job = "SELECT state, attempts FROM mail_jobs";
    let job = books(&premises).query_row(job, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(job, Ok(("waiting".to_owned(), 0)));
}

#[test]
fn a_client_that_never_finishes_does_not_keep_the_shop_open() {
    let premises = Premises::new();
    let mut shop = premises.open(&[]);
    let mut client = TcpStream::connect(shop.address()).expect("the shop is open");
    write!(client, "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n{{")
        .expect("the shop reads");
    // Connections are served in turn: now the shop is in the midst of the first.
    assert_eq!(shop.get("/health").status, 200);
    close(&mut shop);
    assert!(shop.log().contains("cut off"), "{}", shop.log());
}
