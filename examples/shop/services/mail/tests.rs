//! The consumer as an ordinary function, and in virtual time: failures, kills, dead letters, and the relay.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tina4_service::queue::Engine;
use tina4_service::testing::TestRunner;
use tina4_service::{MemoryEngine, SqliteEngine, State};

use super::*;
use crate::store::{self, tests::tea};

/// A shop with only the services of this file, in virtual time.
struct World {
    t: TestRunner,
    store: Arc<Store>,
    outbox: PathBuf,
    _dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(|dir| SqliteEngine::open(store::database(dir.path())).expect("it can be shared"))
    }

    fn with<E: Engine + 'static>(engine: impl FnOnce(&TempDir) -> E) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let outbox = dir.path().join("outbox");
        let store = Arc::new(Store::open(dir.path()).expect("the directory is empty"));
        let t = TestRunner::builder()
            .only(["email_consumer", "mail_relay"])
            .provide(Arc::clone(&store))
            .provide(Outbox::open(&outbox, Duration::ZERO).expect("it can be created"))
            .queues(engine(&dir))
            .build()
            .expect("the services have no faults");
        Self { t, store, outbox, _dir: dir }
    }

    fn place(&self) -> i64 {
        let order = self.store.place(tea(), &self.t.queues()).expect("the database is open");
        MAILS.on(&self.t.queues()).wake();
        order.id
    }

    /// The state of an order's email.
    fn mail(&self, order: i64) -> String {
        self.store.order(order).expect("the database is open").expect("it was placed").mail
    }

    fn emails(&self) -> usize {
        fs::read_dir(&self.outbox).map_or(0, Iterator::count)
    }
}

#[test]
fn the_consumer_is_an_ordinary_function() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Res::new(Store::open(dir.path()).expect("the directory is empty"));
    let outbox = Outbox::open(&dir.path().join("outbox"), Duration::ZERO);
    let outbox = Res::new(outbox.expect("it can be created"));
    let mail = Mail { order: 1, customer: "Ada".into(), item: "tea".into(), quantity: 2 };
    let ctx = Context::standalone("email_consumer");
    email_consumer(&ctx, Job::new(mail), store, outbox).expect("the email can be sent");
    assert!(dir.path().join("outbox/order-000001.eml").exists());
}

#[test]
fn every_order_is_mailed() {
    let mut world = World::new();
    let orders: Vec<_> = (0..10).map(|_| world.place()).collect();
    assert_eq!(world.mail(orders[0]), "waiting");
    world.t.advance("1s");
    assert!(orders.iter().all(|order| world.mail(*order) == "sent"));
    assert_eq!((world.emails(), world.t.jobs(MAILS).counters.done), (10, 10));
}

#[test]
fn an_email_that_cannot_be_sent_is_tried_again() {
    let mut world = World::new();
    world.t.crash_next("email_consumer");
    let order = world.place();
    world.t.advance("1s");
    assert_eq!((world.mail(order).as_str(), world.emails()), ("waiting", 0));
    world.t.advance("3s");
    assert_eq!((world.mail(order).as_str(), world.emails()), ("sent", 1));
    assert_eq!(world.t.crashes("email_consumer"), 0, "a failed job is no crash");
}

#[test]
fn after_the_last_attempt_an_email_is_dead_until_it_is_put_back() {
    let mut world = World::new();
    fs::remove_dir(&world.outbox).expect("it is empty");
    let order = world.place();
    world.t.advance("24s");
    assert_eq!(
        world.mail(order),
        "waiting",
        "the delays are 2, 4, 8 and 16 s, less a fifth at most"
    );
    world.t.advance("20s");
    assert_eq!(world.mail(order), "dead");
    let dead = world.t.dead(MAILS);
    assert_eq!((dead.len(), dead[0].attempts), (1, 5));
    assert!(dead[0].payload.contains("Ada"), "{dead:?}");

    fs::create_dir(&world.outbox).expect("it is not there");
    assert_eq!(world.t.redrive(MAILS), 1);
    world.t.advance("1s");
    assert_eq!((world.mail(order).as_str(), world.emails()), ("sent", 1));
}

#[test]
fn an_email_whose_process_was_killed_is_sent_once() {
    let mut world = World::new();
    world.t.kill_next("email_consumer");
    let order = world.place();
    world.t.advance("29s");
    assert_eq!(world.mail(order), "waiting", "the process has the claim");
    // It had sent the email.
    let file = world.outbox.join("order-000001.eml");
    fs::write(&file, "read by the customer").expect("it can be written");
    world.t.advance("5s");
    assert_eq!(world.mail(order), "sent");
    assert_eq!(fs::read_to_string(&file).expect("it exists"), "read by the customer");
}

#[test]
fn an_email_in_progress_is_given_back_when_the_shop_stops() {
    let mut world = World::new();
    world.t.slow_next("email_consumer", "2s");
    let order = world.place();
    world.t.advance("1s");
    let report = world.t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!(world.mail(order), "waiting");
    let backlog = world.t.jobs(MAILS).backlog;
    assert_eq!((backlog.ready, backlog.claimed), (1, 0));
}

#[test]
fn emails_for_a_queue_on_a_server_are_relayed() {
    let mut world = World::with(|_| MemoryEngine::new());
    let order = world.place();
    assert_eq!(world.mail(order), "unpushed");
    world.t.advance("1s");
    assert_eq!((world.mail(order).as_str(), world.emails()), ("sent", 1));
    assert_eq!(world.t.info("mail_relay").state, State::Waiting);
}

#[test]
fn the_relay_is_finished_if_the_queue_is_in_the_database() {
    let mut world = World::new();
    // Left over by a shop whose queue was on a server.
    world.store.place(tea(), &Queues::new(MemoryEngine::new())).expect("the database is open");
    world.t.advance("1s");
    assert_eq!((world.mail(1).as_str(), world.emails()), ("sent", 1));
    assert_eq!(world.t.info("mail_relay").state, State::Finished);
}
