//! PostgreSQL as the engine of [`tina4_service_queue`]: durable jobs that any number of machines share.
//!
//! ```no_run
//! use tina4_service_postgres::PostgresEngine;
//! use tina4_service_queue::{Queue, Queues};
//!
//! const EMAILS: Queue<String> = Queue::new("emails");
//!
//! let engine = PostgresEngine::open("postgres://shop:secret@localhost/shop")?;
//! let emails = EMAILS.on(&Queues::new(engine));
//! emails.push(&"hello".to_owned())?;
//! let job = emails.pop()?.expect("it was pushed");
//! job.complete()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In a transaction of the program
//!
//! [`BoundQueue::push_in`](tina4_service_queue::BoundQueue::push_in) and
//! [`Job::complete_in`](tina4_service_queue::Job::complete_in) take a transaction of the crate `postgres`, or a
//! savepoint of one, in the same database.
//!
//! ```no_run
//! use postgres::{Client, NoTls};
//! use tina4_service_postgres::PostgresEngine;
//! use tina4_service_queue::{Push, Queue, Queues};
//!
//! const EMAILS: Queue<String> = Queue::new("emails");
//!
//! let address = "postgres://shop:secret@localhost/shop";
//! let emails = EMAILS.on(&Queues::new(PostgresEngine::open(address)?));
//! let mut shop = Client::connect(address, NoTls)?;
//!
//! let mut order = shop.transaction()?;
//! order.execute("insert into orders default values", &[])?;
//! emails.push_in(&mut order, &"thank you".to_owned(), &Push::new())?;
//! order.commit()?; // the order and its mail, or neither
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two features add the transactions of asynchronous drivers, for
//! [`BoundQueue::push_in_async`](tina4_service_queue::BoundQueue::push_in_async) and
//! [`Job::complete_in_async`](tina4_service_queue::Job::complete_in_async): `sqlx` those of the crate `sqlx`, and
//! `tokio-postgres` those of `tokio_postgres`. Of `sqlx`, both 0.8 and 0.9 will do. If cargo chooses another one for this package
//! than for the program, tell it: `cargo update -p sqlx@0.9.0 --precise 0.8.6`. A pooler in transaction mode needs
//! `PgConnectOptions::extra_float_digits(None)`.
//!
//! ```no_run
//! # #[cfg(feature = "sqlx")]
//! # mod example {
//! use sqlx::PgPool;
//! use tina4_service_queue::{BoundQueue, Push};
//!
//! async fn order(shop: &PgPool, emails: &BoundQueue<String>) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut order = shop.begin().await?;
//!     sqlx::query("insert into orders default values").execute(&mut *order).await?;
//!     emails.push_in_async(&mut order, &"thank you".to_owned(), &Push::new()).await?;
//!     order.commit().await?; // the order and its mail, or neither
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # What is stored
//!
//! Tables and functions in the schema `tina4`, which [`PostgresEngine::open`] creates; it needs the right to do so only
//! the first time, and when a new version of this package adds to them. Programs with an earlier version that are open
//! then go on. A row with a queue and a payload is a job, so that other programs can push:
//!
//! ```sql
//! insert into tina4.job(queue, payload) values ('emails', '"hello"');   -- found at the next poll
//! select tina4.push('emails', '"hello"', delay => '10 min', priority => 5, key => 'welcome-42');  -- and told of at once
//! ```
//!
//! # Time
//!
//! The clock of the server decides when delays and leases end. If a process is killed, its jobs come back when
//! their leases end.
//!
//! # Durability
//!
//! A push has been synced by the server when it returns, even if the server does not do that by default
//! (`synchronous_commit`); pushes that wait at the same time share one commit. A push with a
//! unique key also waits for a transaction that is about to take the key: for up to 10 s, and 2 s if others wait for keys as
//! well. Pushes with other keys do not wait for it. Claims and finishes are not synced:
//! after a power cut the job runs again. A push in a transaction is as durable as the transaction.
//! [`check`](tina4_service_queue::Engine::check) tells of settings of the server under which a power cut can lose
//! jobs.
//!
//! # Connections
//!
//! An engine has up to six connections, each made at its first use on a thread of its own: for turns, for
//! pushes, for pushes with a unique key, for those of them that have to wait, because another transaction is about to take the
//! key, for everything else, and for notifications if somebody waits for them. A connection that is lost is made again: at once, and then with pauses of 50 ms up to a second. What was
//! in progress on it fails, because the server may have done it.
//!
//! No call waits for ever. A trip to the server, which may include a new connection, ends after 15 s
//! ([`PostgresBuilder::timeout`]), and a call waits for at most two, the one in progress and its own. The server itself
//! gives up the wait for a lock before that. A service waits for less, so that it can renew its claims and stop in time
//! ([`turn_within`](tina4_service_queue::Engine::turn_within)); jobs that are claimed for it later are given back. So are
//! those whose answer was lost with the connection, by the next turn, unless the clock of the server was set back. An
//! engine is dropped without waiting for the server.
//!
//! Statements have no names, and no session has a state, so they may go through a pooler in transaction mode such as
//! pgbouncer. Only notifications need a connection of their own, see [`PostgresBuilder::listen_at`]. Without them, jobs
//! that other processes push are found by polling. An engine to which they do not arrive tries again, after a second at
//! first and once a minute later.
//!
//! Connections are not encrypted unless a connector is given: see [`PostgresBuilder::tls`].
//!
//! # Long transactions
//!
//! A transaction that stays open for long, whatever tables it uses, keeps the server from cleaning up after finished
//! jobs. Claims do not become slower by that: each engine remembers up to where the jobs of a queue are gone, and does
//! not look there again. Only some turns step over what is left of all jobs that were finished meanwhile, which takes
//! about 0.1 s for 100,000: the first one of an engine for a queue, one in five minutes, the first one after a crash of
//! the server, and those that look whether a job may run alone. So do
//! [`backlog`](tina4_service_queue::Engine::backlog) and the look of idle services for jobs; if that takes more than two
//! seconds, each of them gets a turn instead.
//!
//! A job that becomes ready is nevertheless seen by the next turn, however late its transaction commits. Only a row
//! whose column `born` was written by hand, one that was changed while triggers were off, or one of a backup that is restored
//! beside running programs, may be found up to five minutes later.
#![forbid(unsafe_code)]

mod admin;
mod builder;
mod clock;
mod connector;
mod done;
mod engine;
mod error;
mod lane;
mod link;
mod listener;
mod marks;
mod numbers;
mod owned_want;
mod push;
mod schema;
mod session;
#[cfg(feature = "sqlx")]
mod sqlx_transaction;
#[cfg(feature = "tokio-postgres")]
mod tokio_transaction;
mod transaction;
mod trip;
mod turn;
mod waits;

pub use builder::PostgresBuilder;
pub use engine::PostgresEngine;
pub use transaction::Postgres;
