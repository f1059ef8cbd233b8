//! The same shop, with its mail queue on a server of `.ci/servers`.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use postgres::{Client, NoTls};

use crate::fixture::{Shop, TestDir};

/// A lease so short that the jobs of a killed shop come back during a test.
const SHORT_LEASE: (&str, &str) = ("TINA4_SERVICES__EMAIL_CONSUMER__LEASE", "1s");

/// The value of a variable of `.ci/servers`; `None` if it is not set and servers are not required.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        let required = std::env::var("TINA4_TEST_SERVERS").is_ok();
        assert!(
            !required,
            "servers are required, and `{name}` is not set; run `.ci/servers cargo test`"
        );
        // Not with `eprintln!`, whose output is shown for failed tests only.
        let _ = writeln!(
            io::stderr(),
            "left out: tests of the shop, because `{name}` is not set; run `.ci/servers cargo test`"
        );
    }
    value
}

/// An empty database on the PostgreSQL server.
fn postgres(name: &str) -> Option<String> {
    let server = variable("TINA4_TEST_POSTGRES")?;
    let mut client = Client::connect(&server, NoTls).expect("the server can be reached");
    for statement in ["drop database if exists", "create database"] {
        client.batch_execute(&format!("{statement} {name}")).expect("it is not in use");
    }
    let (server, _) = server.rsplit_once('/').expect("the address has a database");
    Some(format!("{server}/{name}"))
}

/// An empty database of the Redis server. Other tests use number 0.
fn redis(number: u8) -> Option<String> {
    let server = variable("TINA4_TEST_REDIS")?;
    let address = server.trim_start_matches("redis://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("the server can be reached");
    write!(stream, "SELECT {number}\r\nFLUSHDB\r\nQUIT\r\n").expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert_eq!(answer, "+OK\r\n+OK\r\n+OK\r\n");
    Some(format!("redis://{address}/{number}"))
}

fn start(dir: &TestDir, queue: &str, options: &[&str]) -> Shop {
    dir.start_with(&[&["--queue", queue], options].concat(), &[SHORT_LEASE])
}

/// Waits until the emails of all orders are sent, and checks that there is one for each.
fn expect_all_sent(dir: &TestDir, shop: &mut Shop, ids: &[i64]) {
    for id in ids {
        shop.wait_for_email(*id, "sent");
    }
    let expected: Vec<_> = ids.iter().map(|id| format!("order-{id:06}.eml")).collect();
    assert_eq!(dir.emails(), expected);
}

fn orders_are_mailed(queue: Option<String>) {
    let Some(queue) = queue else { return };
    let dir = TestDir::new();
    let mut shop = start(&dir, &queue, &[]);
    let ids: Vec<_> = (0..10).map(|number| shop.order_tea(&format!("customer {number}"))).collect();
    expect_all_sent(&dir, &mut shop, &ids);
    shop.wait_for_jobs("done", 10);
    let relay = shop.service("mail_relay");
    assert_ne!(relay["state"], "finished", "{relay}");
}

#[test]
fn orders_are_mailed_through_postgres() {
    orders_are_mailed(postgres("tina4_shop_mails"));
}

#[test]
fn orders_are_mailed_through_redis() {
    orders_are_mailed(redis(1));
}

/// Emails wait in all three places when the shop is killed: with their order, in the queue, and in progress.
fn kills_lose_nothing(queue: Option<String>) {
    let Some(queue) = queue else { return };
    let dir = TestDir::new();
    let mut ids = Vec::new();
    for sent in [0, 4, 9, 15] {
        let mut shop = start(&dir, &queue, &["--mail-takes", "50ms"]);
        ids.extend((0..8).map(|number| shop.order_tea(&format!("customer {number}"))));
        shop.wait_until("emails", |_| (dir.emails().len() >= sent).then_some(()));
        shop.kill();
    }
    let mut shop = start(&dir, &queue, &[]);
    expect_all_sent(&dir, &mut shop, &ids);
    // An email may have been sent whose job was interrupted for the second time: that one waits for its backoff.
    shop.wait_until("an empty queue", |shop| {
        let queue = shop.queue();
        ["ready", "delayed", "claimed"].iter().all(|state| queue[state] == 0).then_some(())
    });
    assert_eq!(shop.queue()["dead"], 0);
}

#[test]
fn kills_lose_nothing_on_postgres() {
    kills_lose_nothing(postgres("tina4_shop_kills"));
}

#[test]
fn kills_lose_nothing_on_redis() {
    kills_lose_nothing(redis(2));
}

#[cfg(unix)]
fn emails_in_progress_are_given_back(queue: Option<String>) {
    let Some(queue) = queue else { return };
    let dir = TestDir::new();
    let mut shop = start(&dir, &queue, &["--mail-takes", "1h"]);
    let id = shop.order_tea("Ada");
    shop.wait_for_jobs("claimed", 1);
    shop.terminate();
    assert_eq!(shop.wait_for_exit().code(), Some(0), "{}", shop.log());
    let mut shop = start(&dir, &queue, &[]);
    shop.wait_for_email(id, "sent");
    shop.wait_for_log("email sent", 1);
    let log = shop.log();
    assert!(log.contains("email sent order=1 attempt=1"), "the attempt did not count: {log}");
}

#[cfg(unix)]
#[test]
fn emails_in_progress_are_given_back_to_postgres() {
    emails_in_progress_are_given_back(postgres("tina4_shop_stop"));
}

#[cfg(unix)]
#[test]
fn emails_in_progress_are_given_back_to_redis() {
    emails_in_progress_are_given_back(redis(3));
}
