//! Pushes and finishes in a transaction of the program.

use std::thread;
use std::time::Duration;

use postgres::{Client, Transaction};
use tina4_service_queue::{
    BoundQueue, EngineError, FinishError, Job, Pop, Push, PushError, Pushed, Queue, Queues,
    Timestamp,
};

use crate::servers::{Database, Via, connect, variable};

const MAILS: Queue<String> = Queue::new("mails");

/// A database with a queue and a table of the program.
struct World {
    mails: BoundQueue<String>,
    shop: Client,
    database: Database,
}

impl World {
    fn new(via: Via) -> Option<Self> {
        let database = Database::new(via)?;
        // The clock of the program is wrong by decades: it is not asked.
        let mails = MAILS.on(&Queues::with_clock(database.open(), Timestamp::default));
        // The transactions of the program go the same way as the engine.
        let mut shop = connect(&database.address);
        shop.batch_execute("create table sent(mail text)").unwrap();
        Some(Self { mails, shop, database })
    }

    fn push(&self, mail: &str) {
        self.mails.push(&mail.to_owned()).unwrap();
    }

    fn pop(&self) -> Option<Job<String>> {
        self.mails.pop().unwrap()
    }

    /// Pops a job and waits until its lease has ended.
    fn pop_late(&self) -> Job<String> {
        let job = self.mails.pop_with(&Pop::new().lease(Duration::from_millis(20))).unwrap();
        self.database.connect().batch_execute("select pg_sleep(0.03)").unwrap();
        job.expect("it is ready")
    }

    fn sent(&mut self) -> i64 {
        self.database.connect().query_one("select count(*) from sent", &[]).unwrap().get(0)
    }
}

fn send(transaction: &mut Transaction<'_>, mail: &str) {
    // Without a named statement, as programs behind a pooler have to.
    let text = postgres::types::Type::TEXT;
    transaction.execute_typed("insert into sent values ($1)", &[(&mail, text)]).unwrap();
}

fn push_exists_when_it_commits(via: Via) {
    let Some(mut world) = World::new(via) else { return };
    let mails = world.mails.clone();
    let mut order = world.shop.transaction().unwrap();
    assert!(mails.push_in(&mut order, &"1".to_owned(), &Push::new()).unwrap().is_new());
    assert!(mails.pop().unwrap().is_none(), "not yet");
    order.commit().unwrap();
    assert_eq!(*world.pop().expect("it exists"), "1");
}

#[test]
fn rule_130_a_push_in_a_transaction_exists_when_it_commits() {
    push_exists_when_it_commits(Via::Server);
}

#[test]
fn rule_130_a_push_in_a_transaction_through_a_pooler_exists_when_it_commits() {
    push_exists_when_it_commits(Via::Pooler);
}

#[test]
fn rule_130_a_push_in_a_transaction_that_is_rolled_back_does_not_exist() {
    let Some(mut world) = World::new(Via::Server) else { return };
    let mails = world.mails.clone();
    let mut order = world.shop.transaction().unwrap();
    mails.push_in(&mut order, &"1".to_owned(), &Push::new().unique("k")).unwrap();
    order.rollback().unwrap();
    assert!(world.pop().is_none());
    let again = mails.push_with(&"2".to_owned(), &Push::new().unique("k")).unwrap();
    assert!(again.is_new(), "its key is free");
}

#[test]
fn rule_130_a_push_in_a_savepoint_goes_with_the_savepoint() {
    let Some(mut world) = World::new(Via::Server) else { return };
    let mails = world.mails.clone();
    let mut order = world.shop.transaction().unwrap();
    let mut kept = order.transaction().unwrap();
    mails.push_in(&mut kept, &"kept".to_owned(), &Push::new()).unwrap();
    kept.commit().unwrap();
    let mut undone = order.transaction().unwrap();
    mails.push_in(&mut undone, &"undone".to_owned(), &Push::new()).unwrap();
    drop(undone);
    order.commit().unwrap();
    let job = world.pop().expect("one was kept");
    assert_eq!(*job, "kept");
    assert!(world.pop().is_none());
}

#[test]
fn rule_133_options_of_a_push_in_a_transaction() {
    let Some(mut world) = World::new(Via::Server) else { return };
    let mails = world.mails.clone();
    world.push("usual");
    let mut order = world.shop.transaction().unwrap();
    let mut push =
        |mail: &str, options: &Push| mails.push_in(&mut order, &mail.to_owned(), options).unwrap();
    push("urgent", &Push::new().priority(5));
    push("later", &Push::new().priority(9).delay(Duration::from_secs(9)));
    let first = push("once", &Push::new().unique_for("k", Duration::from_secs(60)));
    let twice = push("twice", &Push::new().unique("k"));
    assert_eq!(twice, Pushed::Known(first.id()));
    order.commit().unwrap();
    let jobs = [world.pop(), world.pop(), world.pop()].map(|job| job.expect("it is ready"));
    assert_eq!(jobs.each_ref().map(|job| job.as_str()), ["urgent", "usual", "once"]);
    assert_eq!(mails.stats().unwrap().backlog.delayed, 1);
}

/// Pushes of other keys and without a key do not wait for the transaction.
#[test]
fn rule_130_a_push_waits_only_for_a_transaction_that_takes_its_key() {
    let Some(mut world) = World::new(Via::Server) else { return };
    let mails = world.mails.clone();
    let mut other = world.database.connect();
    let mut order = world.shop.transaction().unwrap();
    let key = || Push::new().unique("k");
    let first = mails.push_in(&mut order, &"first".to_owned(), &key()).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| mails.push_with(&"second".to_owned(), &key()).unwrap());
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        while other.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {}
        for mail in ["a", "b", "c"] {
            mails.push(&mail.to_owned()).unwrap();
            assert!(mails.push_with(&mail.to_owned(), &Push::new().unique(mail)).unwrap().is_new());
        }
        assert!(!second.is_finished());
        order.commit().unwrap();
        assert_eq!(second.join().unwrap(), Pushed::Known(first.id()));
    });
}

fn effect_exactly_once(via: Via) {
    let Some(mut world) = World::new(via) else { return };
    world.push("1");
    let job = world.pop().expect("it is ready");
    let mut transaction = world.shop.transaction().unwrap();
    send(&mut transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    assert!(world.pop().is_none());
    assert_eq!(world.sent(), 1);
    let stats = world.mails.stats().unwrap();
    assert_eq!((stats.counters.done, stats.backlog.claimed), (1, 0));
}

#[test]
fn rule_136_a_finish_in_a_transaction_takes_effect_with_it() {
    effect_exactly_once(Via::Server);
}

#[test]
fn rule_136_a_finish_in_a_transaction_through_a_pooler_takes_effect_with_it() {
    effect_exactly_once(Via::Pooler);
}

#[test]
fn rule_136_without_the_commit_there_is_neither_effect_nor_finish() {
    let Some(mut world) = World::new(Via::Server) else { return };
    world.push("1");
    let job = world.pop().expect("it is ready");
    let mut transaction = world.shop.transaction().unwrap();
    send(&mut transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    drop(transaction);
    assert_eq!(world.sent(), 0);
    assert_eq!(world.mails.stats().unwrap().backlog.claimed, 1);
}

#[test]
fn rule_136_a_copy_is_kept_with_the_commit() {
    let Some(mut world) = World::new(Via::Server) else { return };
    world.push("1");
    world.push("2");
    let mails = world.mails.clone();
    let pop = || mails.pop_with(&Pop::new().keep_done()).unwrap().expect("it is ready");
    let mut transaction = world.shop.transaction().unwrap();
    pop().complete_in(&mut transaction).unwrap();
    drop(transaction);
    assert_eq!(mails.done(None, 9).unwrap(), []);
    let mut transaction = world.shop.transaction().unwrap();
    pop().complete_in(&mut transaction).unwrap();
    let row = transaction.query_one("show synchronous_commit", &[]).unwrap();
    assert_eq!(row.get::<_, String>(0), "on", "the transaction is the caller's");
    transaction.commit().unwrap();
    let done = mails.done(None, 9).unwrap();
    assert_eq!((done.len(), &*done[0].payload), (1, "\"2\""));
    // A claim that is no longer held leaves none.
    world.push("3");
    let brief = Pop::new().lease(Duration::from_millis(20)).keep_done();
    let late = mails.pop_with(&brief).unwrap().expect("it is ready");
    let mut transaction = world.shop.transaction().unwrap();
    transaction.batch_execute("select pg_sleep(0.03)").unwrap();
    let refused = late.complete_in(&mut transaction);
    assert!(matches!(refused, Err(FinishError::Stale { .. })), "{refused:?}");
    transaction.commit().unwrap();
    assert_eq!(mails.done(None, 9).unwrap().len(), 1);
}

/// Also if the transaction began before the lease ended.
#[test]
fn rule_132_and_136_a_finish_in_a_transaction_after_the_lease_is_refused() {
    let Some(mut world) = World::new(Via::Server) else { return };
    world.push("1");
    let mails = world.mails.clone();
    let mut transaction = world.shop.transaction().unwrap();
    send(&mut transaction, "early");
    let late = mails.pop_with(&Pop::new().lease(Duration::from_millis(20))).unwrap();
    transaction.batch_execute("select pg_sleep(0.03)").unwrap();
    let refused = late.expect("it is ready").complete_in(&mut transaction);
    assert!(matches!(refused, Err(FinishError::Stale { queue: "mails", .. })), "{refused:?}");
    transaction.rollback().unwrap();
    let job = world.pop().expect("it is back");
    assert_eq!(job.attempt(), 2);
    let mut transaction = world.shop.transaction().unwrap();
    send(&mut transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    assert_eq!(world.sent(), 1, "exactly once");
    let counters = world.mails.stats().unwrap().counters;
    assert_eq!((counters.done, counters.stale), (1, 1));
}

/// The transaction has locked the row of the job.
#[test]
fn rule_132_a_renewal_does_not_wait_for_the_transaction_that_finishes_the_job() {
    let Some(mut world) = World::new(Via::Server) else { return };
    world.push("1");
    world.push("2");
    let (first, second) = (world.pop().expect("it is ready"), world.pop().expect("it is ready"));
    let engine = world.database.open();
    let mut transaction = world.shop.transaction().unwrap();
    let query = "select id from tina4.job where payload::text = '\"1\"' for update";
    transaction.query(query, &[]).unwrap();
    first.renew().expect("it is still held");
    second.renew().expect("it is held");
    drop(engine);
    first.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    second.complete().unwrap();
}

#[test]
fn rule_132_a_finish_after_the_lease_is_refused_by_the_clock_of_the_server() {
    let Some(world) = World::new(Via::Server) else { return };
    world.push("1");
    let late = world.pop_late();
    let refused = late.complete();
    assert!(matches!(refused, Err(FinishError::Stale { queue: "mails", .. })), "{refused:?}");
    assert_eq!(world.pop().expect("it is back").attempt(), 2);
}

/// Claims are not synced, so a crash of the server can undo one, while its process goes on.
#[test]
fn rule_132_a_claim_that_the_server_has_forgotten_is_not_mistaken_for_the_next_one() {
    let Some(world) = World::new(Via::Server) else { return };
    world.push("1");
    let forgotten = world.pop().expect("it is ready");
    let undo = "update tina4.job set state = 0, attempt = 0, claim = 0, owner = null, lease = null";
    world.database.connect().batch_execute(undo).unwrap();
    let job = world.pop().expect("it is ready");
    assert!(job.fence() > forgotten.fence());
    let refused = forgotten.complete();
    assert!(matches!(refused, Err(FinishError::Stale { queue: "mails", .. })), "{refused:?}");
    job.complete().unwrap();
}

#[test]
fn rule_138_a_transaction_in_a_database_without_queues_is_refused() {
    let Some(world) = World::new(Via::Server) else { return };
    let mut other = connect(&variable("TINA4_TEST_POSTGRES").expect("it is set"));
    let mut transaction = other.transaction().unwrap();
    let pushed = world.mails.push_in(&mut transaction, &"1".to_owned(), &Push::new());
    let Err(PushError::Engine(error @ EngineError::Unusable { .. })) = pushed else {
        panic!("{pushed:?}")
    };
    let expected = "use a connection to the database that `PostgresEngine::open` opened";
    assert!(error.to_string().ends_with(expected), "{error}");
    transaction.rollback().unwrap();
    world.push("1");
    let mut transaction = other.transaction().unwrap();
    let refused = world.pop().expect("it is ready").complete_in(&mut transaction);
    assert!(
        matches!(refused, Err(FinishError::Engine(EngineError::Unusable { .. }))),
        "{refused:?}"
    );
}

#[test]
fn rule_138_an_option_that_is_not_valid_is_refused_in_a_transaction() {
    let Some(mut world) = World::new(Via::Server) else { return };
    let mails = world.mails.clone();
    let mut transaction = world.shop.transaction().unwrap();
    let pushed = mails.push_in(&mut transaction, &"1".to_owned(), &Push::new().priority(10));
    assert!(matches!(pushed, Err(PushError::Engine(EngineError::Invalid(_)))), "{pushed:?}");
    transaction.commit().unwrap();
    assert!(world.pop().is_none());
}
