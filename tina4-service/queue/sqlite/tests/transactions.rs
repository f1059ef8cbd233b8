//! Pushes and finishes in a transaction of the program.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tempfile::TempDir;
use tina4_service_queue::{
    BoundQueue, EngineError, FinishError, Job, Pop, Push, PushError, Pushed, Queue, Queues,
    Timestamp,
};
use tina4_service_sqlite::SqliteEngine;

const MAILS: Queue<String> = Queue::new("mails");

/// A file with a queue and a table of the program, and a clock in seconds.
struct World {
    path: PathBuf,
    mails: BoundQueue<String>,
    shop: Connection,
    clock: Arc<AtomicI64>,
    _directory: TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db");
        let clock = Arc::new(AtomicI64::new(1_000_000));
        let now = Arc::clone(&clock);
        let engine = SqliteEngine::open(&path).unwrap();
        let queues = Queues::with_clock(engine, move || {
            Timestamp::from_millis(now.load(Ordering::SeqCst) * 1000)
        });
        let shop = Connection::open(&path).unwrap();
        shop.execute_batch("create table sent(mail text)").unwrap();
        Self { path, mails: MAILS.on(&queues), shop, clock, _directory: directory }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn begin(&mut self) -> Transaction<'_> {
        self.shop.transaction_with_behavior(TransactionBehavior::Immediate).unwrap()
    }

    fn push(&self, mail: &str) {
        self.mails.push(&mail.to_owned()).unwrap();
    }

    fn pop(&self) -> Option<Job<String>> {
        self.mails.pop().unwrap()
    }

    fn sent(&self) -> i64 {
        self.shop.query_row("select count(*) from sent", [], |row| row.get(0)).unwrap()
    }
}

fn send(transaction: &Transaction<'_>, mail: &str) {
    transaction.execute("insert into sent values (?1)", [mail]).unwrap();
}

#[test]
fn rule_130_a_push_in_a_transaction_exists_when_it_commits() {
    let mut world = World::new();
    let mails = world.mails.clone();
    let mut order = world.begin();
    assert!(mails.push_in(&mut order, &"1".to_owned(), &Push::new()).unwrap().is_new());
    assert!(mails.pop().unwrap().is_none(), "not yet");
    order.commit().unwrap();
    assert_eq!(*world.pop().expect("it exists"), "1");
}

#[test]
fn rule_130_a_push_in_a_transaction_that_is_rolled_back_does_not_exist() {
    let mut world = World::new();
    let mails = world.mails.clone();
    let mut order = world.begin();
    mails.push_in(&mut order, &"1".to_owned(), &Push::new().unique("k")).unwrap();
    order.rollback().unwrap();
    assert!(world.pop().is_none());
    let again = mails.push_with(&"2".to_owned(), &Push::new().unique("k")).unwrap();
    assert!(again.is_new(), "its key is free");
}

#[test]
fn rule_130_a_push_in_a_savepoint_goes_with_the_savepoint() {
    let mut world = World::new();
    let mails = world.mails.clone();
    let mut order = world.begin();
    let mut kept = order.savepoint().unwrap();
    mails.push_in(&mut kept, &"kept".to_owned(), &Push::new()).unwrap();
    kept.commit().unwrap();
    let mut undone = order.savepoint().unwrap();
    mails.push_in(&mut undone, &"undone".to_owned(), &Push::new()).unwrap();
    drop(undone);
    order.commit().unwrap();
    let job = world.pop().expect("one was kept");
    assert_eq!(*job, "kept");
    assert!(world.pop().is_none());
}

#[test]
fn rule_133_options_of_a_push_in_a_transaction() {
    let mut world = World::new();
    let mails = world.mails.clone();
    world.push("usual");
    let mut order = world.begin();
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
    assert!(world.pop().is_none());
    world.pass(9);
    assert_eq!(*world.pop().expect("it is due"), "later");
}

#[test]
fn rule_136_a_finish_in_a_transaction_takes_effect_with_it() {
    let mut world = World::new();
    world.push("1");
    let job = world.pop().expect("it is ready");
    let mut transaction = world.begin();
    send(&transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    world.pass(1000);
    assert!(world.pop().is_none());
    assert_eq!(world.sent(), 1);
    let stats = world.mails.stats().unwrap();
    assert_eq!((stats.counters.done, stats.backlog.claimed), (1, 0));
}

#[test]
fn rule_136_without_the_commit_there_is_neither_effect_nor_finish() {
    let mut world = World::new();
    world.push("1");
    let job = world.pop().expect("it is ready");
    let mut transaction = world.begin();
    send(&transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    drop(transaction);
    assert_eq!(world.sent(), 0);
    assert!(world.pop().is_none(), "its lease has not ended");
    world.pass(30);
    let job = world.pop().expect("it is back");
    assert_eq!(job.attempt(), 2);
    let mut transaction = world.begin();
    send(&transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    assert_eq!(world.sent(), 1);
}

#[test]
fn rule_136_a_copy_is_kept_with_the_commit() {
    let mut world = World::new();
    world.push("1");
    let mails = world.mails.clone();
    let pop = || mails.pop_with(&Pop::new().keep_done()).unwrap().expect("it is ready");
    let job = pop();
    let mut transaction = world.begin();
    job.complete_in(&mut transaction).unwrap();
    drop(transaction);
    assert_eq!(mails.done(None, 9).unwrap(), []);
    world.pass(30);
    let job = pop();
    let mut transaction = world.begin();
    let mut savepoint = transaction.savepoint().unwrap();
    job.complete_in(&mut savepoint).unwrap();
    savepoint.commit().unwrap();
    transaction.commit().unwrap();
    let done = mails.done(None, 9).unwrap();
    assert_eq!((done.len(), done[0].attempts), (1, 2));
    world.pass(1000);
    assert!(world.pop().is_none());
    // A claim that is no longer held leaves none.
    world.push("2");
    let late = pop();
    world.pass(30);
    let mut transaction = world.begin();
    let refused = late.complete_in(&mut transaction);
    assert!(matches!(refused, Err(FinishError::Stale { .. })), "{refused:?}");
    transaction.commit().unwrap();
    assert_eq!(mails.done(None, 9).unwrap().len(), 1);
}

#[test]
fn rule_132_and_136_a_finish_in_a_transaction_after_the_lease_is_refused() {
    let mut world = World::new();
    world.push("1");
    let late = world.pop().expect("it is ready");
    world.pass(30);
    let job = world.pop().expect("it is back");
    let mut transaction = world.begin();
    send(&transaction, &late);
    let refused = late.complete_in(&mut transaction);
    assert!(matches!(refused, Err(FinishError::Stale { queue: "mails", .. })), "{refused:?}");
    transaction.rollback().unwrap();
    let mut transaction = world.begin();
    send(&transaction, &job);
    job.complete_in(&mut transaction).unwrap();
    transaction.commit().unwrap();
    assert_eq!(world.sent(), 1, "exactly once");
    let counters = world.mails.stats().unwrap().counters;
    assert_eq!((counters.done, counters.stale), (1, 1));
}

#[test]
fn rule_136_a_finish_in_a_savepoint() {
    let mut world = World::new();
    world.push("1");
    let job = world.pop().expect("it is ready");
    let mut transaction = world.begin();
    let mut savepoint = transaction.savepoint().unwrap();
    job.complete_in(&mut savepoint).unwrap();
    savepoint.commit().unwrap();
    transaction.commit().unwrap();
    world.pass(1000);
    assert!(world.pop().is_none());
}

#[test]
fn rule_138_a_transaction_in_a_file_without_queues_is_refused() {
    let world = World::new();
    let mut other = Connection::open_in_memory().unwrap();
    let mut transaction = other.transaction().unwrap();
    let pushed = world.mails.push_in(&mut transaction, &"1".to_owned(), &Push::new());
    let Err(PushError::Engine(error @ EngineError::Unusable { .. })) = pushed else {
        panic!("{pushed:?}")
    };
    let expected =
        "which has no queues; use a connection to the file that `SqliteEngine::open` opened";
    assert!(error.to_string().ends_with(expected), "{error}");
    world.push("1");
    let refused = world.pop().expect("it is ready").complete_in(&mut transaction);
    assert!(
        matches!(refused, Err(FinishError::Engine(EngineError::Unusable { .. }))),
        "{refused:?}"
    );
}

#[test]
fn rule_138_an_option_that_is_not_valid_is_refused_in_a_transaction() {
    let mut world = World::new();
    let mails = world.mails.clone();
    let mut transaction = world.begin();
    let pushed = mails.push_in(&mut transaction, &"1".to_owned(), &Push::new().priority(10));
    assert!(matches!(pushed, Err(PushError::Engine(EngineError::Invalid(_)))), "{pushed:?}");
    transaction.commit().unwrap();
    assert!(world.pop().is_none());
}

#[test]
fn a_second_connection_of_the_program_can_read_meanwhile() {
    let mut world = World::new();
    let path = world.path.clone();
    let transaction = world.begin();
    let other = Connection::open(path).unwrap();
    let jobs: i64 =
        other.query_row("select count(*) from tina4_job", [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 0);
    transaction.commit().unwrap();
}
