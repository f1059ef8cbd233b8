//! Pushes and finishes in transactions of asynchronous drivers: the same tests for each driver.

use std::time::Duration;

use tina4_service_postgres::Postgres;
use tina4_service_queue::{
    AsyncExecutor, BoundQueue, EngineError, FinishError, Job, Pop, Push, PushError, Pushed, Queue,
    Queues, Timestamp,
};

use crate::servers::{Database, Via, variable};

const MAILS: Queue<String> = Queue::new("mails");

/// A database with a queue and a table of the program.
struct World {
    mails: BoundQueue<String>,
    database: Option<Database>,
}

impl World {
    fn new(via: Via) -> Option<Self> {
        let database = off_runtime(|| {
            let database = Database::new(via)?;
            database.connect().batch_execute("create table sent(mail text)").unwrap();
            Some(database)
        })?;
        let mails = MAILS.on(&Queues::with_clock(database.open(), Timestamp::default));
        Some(Self { mails, database: Some(database) })
    }

    fn database(&self) -> &Database {
        self.database.as_ref().expect("it is there until the end")
    }

    fn push(&self, mail: &str) {
        self.mails.push(&mail.to_owned()).unwrap();
    }

    fn pop(&self) -> Option<Job<String>> {
        self.mails.pop().unwrap()
    }

    fn sent(&self) -> i64 {
        let count = "select count(*) from sent";
        off_runtime(|| self.database().connect().query_one(count, &[]).unwrap().get(0))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let database = self.database.take();
        off_runtime(|| drop(database));
    }
}

/// The blocking client of the tests panics on a thread of a runtime.
fn off_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// A future that any executor can run.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

async fn push_in<E: AsyncExecutor<Postgres>>(
    mails: &BoundQueue<String>,
    transaction: &mut E,
    mail: &str,
    options: &Push,
) -> Result<Pushed, PushError> {
    sendable(mails.push_in_async(transaction, &mail.to_owned(), options)).await
}

async fn complete_in<E: AsyncExecutor<Postgres>>(
    job: Job<String>,
    transaction: &mut E,
) -> Result<(), FinishError> {
    sendable(job.complete_in_async(transaction)).await
}

fn expect_unusable(error: &EngineError) {
    assert!(matches!(error, EngineError::Unusable { .. }), "{error:?}");
    let expected = "use a connection to the database that `PostgresEngine::open` opened";
    assert!(error.to_string().ends_with(expected), "{error}");
}

/// Begins a transaction, or a savepoint in one.
macro_rules! begin {
    (sqlx, $on:ident) => {
        ::sqlx::Connection::begin(&mut *$on).await.unwrap()
    };
    (tokio_postgres, $on:ident) => {
        $on.transaction().await.unwrap()
    };
}

/// The tests of one driver. `connect` opens a connection, and `send` has the effect of a job in a
/// transaction.
macro_rules! tests_of {
    ($driver:ident) => {
        mod $driver {
            use super::drivers::$driver::{connect, send};
            use super::*;

            async fn exists_when_it_commits(via: Via) {
                let Some(world) = World::new(via) else { return };
                let mut shops = Vec::new();
                // Several connections, which a pooler leads to the same one of the server.
                for mail in ["1", "2", "3", "4"] {
                    let mut shop = connect(&world.database().address).await;
                    let mut order = begin!($driver, shop);
                    let pushed = push_in(&world.mails, &mut order, mail, &Push::new()).await;
                    assert!(pushed.unwrap().is_new());
                    assert!(world.pop().is_none(), "not yet");
                    order.commit().await.unwrap();
                    let job = world.pop().expect("it exists");
                    assert_eq!(*job, mail);
                    job.complete().unwrap();
                    shops.push(shop);
                }
            }

            #[tokio::test]
            async fn rule_130_a_push_in_a_transaction_exists_when_it_commits() {
                exists_when_it_commits(Via::Server).await;
            }

            #[tokio::test]
            async fn rule_130_a_push_in_a_transaction_through_a_pooler_exists_when_it_commits() {
                exists_when_it_commits(Via::Pooler).await;
            }

            #[tokio::test]
            async fn rule_130_a_push_in_a_transaction_that_is_rolled_back_or_dropped_does_not_exist() {
                let Some(world) = World::new(Via::Server) else { return };
                let mut shop = connect(&world.database().address).await;
                let key = Push::new().unique("k");
                let mut order = begin!($driver, shop);
                push_in(&world.mails, &mut order, "1", &key).await.unwrap();
                order.rollback().await.unwrap();
                let mut order = begin!($driver, shop);
                let again = push_in(&world.mails, &mut order, "2", &key).await.unwrap();
                assert!(again.is_new(), "its key is free");
                drop(order);
                // The next statement of the connection comes after the rollback.
                let order = begin!($driver, shop);
                assert!(world.pop().is_none());
                order.rollback().await.unwrap();
                assert!(world.mails.push_with(&"3".to_owned(), &key).unwrap().is_new());
            }

            #[tokio::test]
            async fn rule_130_a_push_in_a_savepoint_goes_with_the_savepoint() {
                let Some(world) = World::new(Via::Server) else { return };
                let mut shop = connect(&world.database().address).await;
                let mut order = begin!($driver, shop);
                let mut kept = begin!($driver, order);
                push_in(&world.mails, &mut kept, "kept", &Push::new()).await.unwrap();
                kept.commit().await.unwrap();
                let mut undone = begin!($driver, order);
                push_in(&world.mails, &mut undone, "undone", &Push::new()).await.unwrap();
                undone.rollback().await.unwrap();
                order.commit().await.unwrap();
                let job = world.pop().expect("one was kept");
                assert_eq!(*job, "kept");
                assert!(world.pop().is_none());
            }

            #[tokio::test]
            async fn rule_133_options_of_a_push_in_a_transaction() {
                let Some(world) = World::new(Via::Server) else { return };
                world.push("usual");
                let mut shop = connect(&world.database().address).await;
                let mut order = begin!($driver, shop);
                let minute = Duration::from_secs(60);
                let mut pushed = Vec::new();
                for (mail, options) in [
                    ("urgent", Push::new().priority(5)),
                    ("later", Push::new().priority(9).delay(Duration::from_secs(9))),
                    ("once", Push::new().unique_for("k", minute)),
                    ("twice", Push::new().unique("k")),
                ] {
                    pushed.push(push_in(&world.mails, &mut order, mail, &options).await.unwrap());
                }
                assert_eq!(pushed[3], Pushed::Known(pushed[2].id()));
                order.commit().await.unwrap();
                let jobs = [world.pop(), world.pop(), world.pop()].map(|job| job.expect("ready"));
                assert_eq!(jobs.each_ref().map(|job| job.as_str()), ["urgent", "usual", "once"]);
                assert_eq!(world.mails.stats().unwrap().backlog.delayed, 1);
            }

            async fn effect_exactly_once(via: Via) {
                let Some(world) = World::new(via) else { return };
                world.push("1");
                let mut shop = connect(&world.database().address).await;
                let job = world.pop().expect("it is ready");
                let mut transaction = begin!($driver, shop);
                send(&mut transaction, &job).await;
                complete_in(job, &mut transaction).await.unwrap();
                transaction.commit().await.unwrap();
                assert!(world.pop().is_none());
                assert_eq!(world.sent(), 1);
                let stats = world.mails.stats().unwrap();
                assert_eq!((stats.counters.done, stats.backlog.claimed), (1, 0));
            }

            #[tokio::test]
            async fn rule_136_a_finish_in_a_transaction_takes_effect_with_it() {
                effect_exactly_once(Via::Server).await;
            }

            #[tokio::test]
            async fn rule_136_a_finish_in_a_transaction_through_a_pooler_takes_effect_with_it() {
                effect_exactly_once(Via::Pooler).await;
            }

            #[tokio::test]
            async fn rule_136_without_the_commit_there_is_neither_effect_nor_finish() {
                let Some(world) = World::new(Via::Server) else { return };
                world.push("1");
                let mut shop = connect(&world.database().address).await;
                let job = world.pop().expect("it is ready");
                let mut transaction = begin!($driver, shop);
                send(&mut transaction, &job).await;
                complete_in(job, &mut transaction).await.unwrap();
                transaction.rollback().await.unwrap();
                assert_eq!(world.sent(), 0);
                assert_eq!(world.mails.stats().unwrap().backlog.claimed, 1);
            }

            #[tokio::test]
            async fn rule_136_a_copy_is_kept_with_the_commit() {
                let Some(world) = World::new(Via::Server) else { return };
                world.push("1");
                world.push("2");
                let mut shop = connect(&world.database().address).await;
                let pop = Pop::new().keep_done();
                let pop = || world.mails.pop_with(&pop).unwrap().expect("it is ready");
                let mut transaction = begin!($driver, shop);
                complete_in(pop(), &mut transaction).await.unwrap();
                transaction.rollback().await.unwrap();
                assert_eq!(world.mails.done(None, 9).unwrap(), []);
                let mut transaction = begin!($driver, shop);
                complete_in(pop(), &mut transaction).await.unwrap();
                transaction.commit().await.unwrap();
                let done = world.mails.done(None, 9).unwrap();
                assert_eq!((done.len(), &*done[0].payload), (1, "\"2\""));
            }

            #[tokio::test]
            async fn rule_132_and_136_a_finish_in_a_transaction_after_the_lease_is_refused() {
                let Some(world) = World::new(Via::Server) else { return };
                world.push("1");
                let mut shop = connect(&world.database().address).await;
                let short = Pop::new().lease(Duration::from_millis(20));
                let late = world.mails.pop_with(&short).unwrap().expect("it is ready");
                let wait = "select pg_sleep(0.03)";
                off_runtime(|| world.database().connect().batch_execute(wait).unwrap());
                let mut transaction = begin!($driver, shop);
                let refused = complete_in(late, &mut transaction).await;
                assert!(matches!(refused, Err(FinishError::Stale { .. })), "{refused:?}");
                transaction.rollback().await.unwrap();
                assert_eq!(world.pop().expect("it is back").attempt(), 2);
                assert_eq!(world.mails.stats().unwrap().counters.stale, 1);
            }

            #[tokio::test]
            async fn rule_138_what_cannot_be_done_in_a_transaction_is_refused() {
                let Some(world) = World::new(Via::Server) else { return };
                world.push("1");
                let mut shop = connect(&world.database().address).await;
                let mut transaction = begin!($driver, shop);
                let invalid = Push::new().priority(10);
                let refused = push_in(&world.mails, &mut transaction, "2", &invalid).await;
                let is_invalid =
                    matches!(refused, Err(PushError::Engine(EngineError::Invalid(_))));
                assert!(is_invalid, "{refused:?}");

                // A database without queues.
                let mut other = connect(&variable("TINA4_TEST_POSTGRES").expect("it is set")).await;
                let mut transaction = begin!($driver, other);
                match push_in(&world.mails, &mut transaction, "2", &Push::new()).await {
                    Err(PushError::Engine(error)) => expect_unusable(&error),
                    pushed => panic!("{pushed:?}"),
                }
                transaction.rollback().await.unwrap();
                let mut transaction = begin!($driver, other);
                let job = world.pop().expect("it is ready");
                match complete_in(job, &mut transaction).await {
                    Err(FinishError::Engine(error)) => expect_unusable(&error),
                    completed => panic!("{completed:?}"),
                }
            }
        }
    };
}

mod drivers {
    pub(super) mod sqlx {
        use sqlx::postgres::PgConnectOptions;
        use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

        pub(crate) async fn connect(address: &str) -> Box<PgConnection> {
            let options: PgConnectOptions = address.parse().expect("it is an address");
            // PgBouncer refuses this setting.
            let options = options.extra_float_digits(None);
            let connected = PgConnection::connect_with(&options).await;
            Box::new(connected.expect("the server can be reached"))
        }

        pub(crate) async fn send(transaction: &mut Transaction<'_, Postgres>, mail: &str) {
            let insert = sqlx::query("insert into sent values ($1)").bind(mail).persistent(false);
            insert.execute(&mut **transaction).await.unwrap();
        }
    }

    pub(super) mod tokio_postgres {
        use tokio_postgres::types::Type;
        use tokio_postgres::{Client, NoTls, Transaction};

        pub(crate) async fn connect(address: &str) -> Client {
            let connected = tokio_postgres::connect(address, NoTls).await;
            let (client, connection) = connected.expect("the server can be reached");
            tokio::spawn(connection);
            client
        }

        pub(crate) async fn send(transaction: &mut Transaction<'_>, mail: &str) {
            let insert = "insert into sent values ($1)";
            transaction.execute_typed(insert, &[(&mail, Type::TEXT)]).await.unwrap();
        }
    }
}

tests_of!(sqlx);
tests_of!(tokio_postgres);
