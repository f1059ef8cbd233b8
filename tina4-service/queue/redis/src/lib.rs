//! Redis as the engine of [`tina4_service_queue`]: jobs that any number of machines share.
//!
//! ```no_run
//! use tina4_service_queue::{Queue, Queues};
//! use tina4_service_redis::RedisEngine;
//!
//! const EMAILS: Queue<String> = Queue::new("emails");
//!
//! let engine = RedisEngine::open("redis://localhost/")?;
//! let emails = EMAILS.on(&Queues::new(engine));
//! emails.push(&"hello".to_owned())?;
//! let job = emails.pop()?.expect("it was pushed");
//! job.complete()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it can do
//!
//! Everything that [`Feature`](tina4_service_queue::Feature) names, except for transactions of the caller:
//! `push_in` and `complete_in` are refused. Push after the commit, or use an engine in the database of the
//! transaction.
//!
//! # Durability
//!
//! A push is as durable as the server is set to, once it returns. With `appendonly yes` and `appendfsync always`
//! that includes a power cut. By default Redis does less: without `appendonly` a crash of the server loses all jobs
//! since its last snapshot, and with `appendfsync everysec` a power cut loses those of the last seconds.
//! [`check`](tina4_service_queue::Engine::check) tells of such settings, and fails if the server deletes keys when
//! memory is short.
//!
//! Replication is asynchronous: when a replica takes over, it may lack the last pushes, and finishes, whose jobs
//! run again.
//!
//! # Time
//!
//! The clock of the server decides when delays and leases end. If a process is killed, its jobs come back when
//! their leases end.
//!
//! # What is stored
//!
//! All keys begin with the prefix in braces, `{tina4}:` unless [`RedisBuilder::prefix`] says otherwise: a counter,
//! hashes with the rows and payloads of the jobs, a sorted set for each state, the list of each owner's claims, and, with
//! `keep_done`, copies of done jobs.
//! Sorted sets rather than streams, because jobs have priorities and can be cancelled. Each change is one Lua
//! script, which names all its keys; other programs that write them directly cannot push. A user of the server
//! needs the right to run scripts, to use these keys, and to publish and subscribe to `{tina4}:wake`.
//!
//! # Connections
//!
//! An engine has up to four connections, each made at its first use: for turns, for pushes, for everything else,
//! and for messages if somebody waits for them, on a thread of its own. A connection that is lost is made again: at
//! once, and then with pauses of 50 ms up to a second. What was in progress on it fails, because the server may
//! have done it. A connection that was idle is tried with `PING` before it is used. If the server refuses the
//! subscription, it is asked again, after a second at first and once a minute later.
//!
//! A process that is stopped and continued (SIGSTOP, SIGCONT) waits on for its answers, except with TLS: there the client
//! takes the interruption for a failure, the call is an error, and the job of a push may have been stored.
//!
//! No call waits for ever. A trip to the server, which may include a new connection, ends after 15 s without an answer
//! ([`RedisBuilder::timeout`]), and a call waits for at most two, the one in progress and its own. A
//! service waits for less, so that it can renew its claims and stop in time
//! ([`turn_within`](tina4_service_queue::Engine::turn_within)): of those that share a trip, the one with the most time
//! makes it. Jobs that are claimed for a caller that has left are given back at the end of the trip, and those whose answer
//! was lost with the connection by the next turn, unless the clock of the server was set back.
//!
//! A server that says it is a node of a cluster is refused, because the client follows no redirections. All keys of
//! a prefix are in one slot, as a proxy in front of a cluster needs it, but no proxy has been tested. Sentinels are
//! not asked: give the address of the primary.
//!
//! For `rediss://` addresses, enable a TLS feature of the client in the program:
//!
//! ```toml
//! redis = { version = "1.8", default-features = false, features = ["tls-native-tls"] }
//! ```
#![forbid(unsafe_code)]

mod admin;
mod builder;
mod clock;
mod connection;
mod connector;
#[cfg(test)]
mod contract;
mod engine;
mod error;
mod keys;
mod lane;
mod listener;
mod numbers;
mod push;
mod reply;
mod script;
mod server;
mod session;
mod turn;

pub use builder::RedisBuilder;
pub use engine::RedisEngine;
