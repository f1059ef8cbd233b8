//! A day of the shop in virtual time, which takes seconds. It has every service except `web`, which
//! serves in real time; a service of the test places the orders instead.

use std::fs;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tina4_service::testing::TestRunner;
use tina4_service::{Queues, Res, SqliteEngine, State, service};

use super::database::database_sync;
use super::mail::email_consumer;
use crate::outbox::Outbox;
use crate::store::tests::tea;
use crate::store::{self, BoxError, Store};
use crate::visits::VisitCounter;

/// Replaces `web`: places an order every hour.
#[service(interval = "1h", after = [database_sync, email_consumer])]
fn customers(
    store: Res<Store>,
    queues: Res<Queues>,
    visits: Res<VisitCounter>,
) -> Result<(), BoxError> {
    visits.record();
    store.place(tea(), &queues).map(drop)
}

#[test]
fn a_day_with_a_dst_change_takes_seconds() {
    let start = real_time();
    a_day_with_a_dst_change();
    let took = start.elapsed();
    // Visible with `cargo test -- --nocapture`.
    println!("a day of the shop took {took:?}");
    // A few seconds, and more on a slow or busy machine: nothing waits for any of its 90,000 seconds.
    assert!(took < Duration::from_secs(120), "a day of the shop took {took:?}");
}

fn a_day_with_a_dst_change() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let outbox = dir.path().join("outbox");
    let mut t = TestRunner::builder()
        .except(["web"])
        .at("2026-03-28T18:00:00[Europe/Berlin]")
        .provide(Store::open(dir.path()).expect("the directory is empty"))
        .queues(SqliteEngine::open(store::database(dir.path())).expect("it can be shared"))
        .provide(
            Outbox::open(&outbox, Duration::from_secs(3)).expect("the directory can be created"),
        )
        .provide(VisitCounter::default())
        .build()
        .expect("the services have no faults");

    // 08:00 comes an hour early, because of the DST gap that night.
    t.advance("12h 59m 59s");
    assert_eq!(t.runs("daily_report"), 0);
    t.advance("1s");
    assert_eq!(t.runs("daily_report"), 1);
    t.advance_to("2026-03-29T19:00");

    // A day has 86,400 s, and the first run is immediate.
    for (name, every) in
        [("heartbeat", 30), ("counter", 10), ("metrics_collector", 60), ("database_upkeep", 600)]
    {
        assert_eq!((t.runs(name), t.crashes(name)), (86_400 / every + 1, 0), "{name}");
    }
    assert_eq!(t.runs("database_sync"), 86_400 / 5 + 1, "its runs take no virtual time");
    assert_eq!((t.runs("daily_report"), t.runs("customers")), (1, 25));
    // Two of every six calls fail; six calls take 20 s.
    let payments = t.info("payment_sync");
    assert_eq!((payments.runs, payments.crashes, payments.restarts), (25_921, 8_640, 8_640));
    assert_eq!((payments.state, payments.crashes_in_a_row), (State::Waiting, 0), "recovered");
    for service in t.runner().services() {
        assert!(service.is_healthy(), "{service}");
        assert_eq!(service.crashes > 0, service.name == "payment_sync", "{service}");
    }

    // The last order of the day is mailed and paid; one more arrives just before the shop stops.
    t.advance("10s");
    t.run_now("customers").expect("the service is waiting");
    t.advance("0s");
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!(fs::read_dir(outbox).expect("it was created").count(), 25);
    let wal = dir.path().join("shop.db-wal").metadata();
    assert!(wal.is_ok_and(|wal| wal.len() == 0), "the checkpoint was last");
    let database = Connection::open(dir.path().join("shop.db")).expect("it was created");
    for (count, query) in [
        (26, "SELECT count FROM counters WHERE name = 'visits'"),
        (26, "SELECT count(*) FROM orders"),
        (25, "SELECT count(*) FROM orders WHERE paid_at IS NOT NULL"),
        (25, "SELECT count(*) FROM mails WHERE state = 'sent'"),
        (1, "SELECT count(*) FROM mails WHERE state = 'waiting'"),
        (1, "SELECT count(*) FROM tina4_job WHERE state = 0 AND attempt = 0"),
    ] {
        assert_eq!(database.query_row(query, [], |row| row.get(0)), Ok(count), "{query}");
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures real time")]
fn real_time() -> Instant {
    Instant::now()
}
