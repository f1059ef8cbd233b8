//! Job queues: typed, durable as their engine, at least once.
//!
//! A [`Queue`] is a constant with a name and a payload type. [`Queues`] holds an [`Engine`], which stores
//! the jobs: [`MemoryEngine`] for tests, SQLite in the package `tina4-service-sqlite`, PostgreSQL in
//! `tina4-service-postgres`, Redis in `tina4-service-redis`, others by the same trait. [`Queue::on`] connects the two.
//!
//! ```
//! use tina4_service_queue::{MemoryEngine, Queue, Queues};
//!
//! const GREETINGS: Queue<String> = Queue::new("greetings");
//!
//! let greetings = GREETINGS.on(&Queues::new(MemoryEngine::new()));
//! greetings.push(&"hello".to_owned())?;
//!
//! let job = greetings.pop()?.expect("a job is ready");
//! assert_eq!((job.as_str(), job.attempt()), ("hello", 1));
//! job.complete()?;
//! assert_eq!(greetings.stats()?.counters.done, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! * When a push returns, the job is as durable as its engine says.
//! * A job is attempted until it is done, or dead after its last attempt. Dead jobs are kept with their last
//!   error. Nothing is dropped silently. A done job is deleted, unless [`Pop::keep_done`] asks for a copy of it.
//! * A job is claimed by one process at a time, for the length of a lease. A process that finishes a job after
//!   its lease is refused. If a process is killed, its jobs come back when their leases end.
//! * So a job can run more than once, after a kill or a lost lease; [`Job::attempt`] shows it. Only
//!   [`Job::complete_in`] makes the effect happen exactly once, by finishing the job in the transaction of the
//!   effect.
//! * An engine refuses what it cannot do, see [`Feature`]. It never ignores an option.
#![forbid(unsafe_code)]

mod active_claim;
mod async_executor;
mod backlog;
mod bound_queue;
mod cancelled;
mod capabilities;
mod claim;
mod clock;
pub mod consumer;
#[cfg(feature = "contract")]
pub mod contract;
mod counters;
mod dead_job;
mod done_job;
mod draining;
mod end;
mod engine;
mod engine_error;
pub mod engine_parts;
mod executor;
mod feature;
mod finish_error;
mod job;
mod job_error;
mod job_id;
pub mod losses;
mod memory;
mod name;
mod new_job;
mod outcome;
mod polls;
mod pop;
mod push;
mod push_error;
mod pushed;
mod queue;
mod queue_listener;
mod queues;
mod retry_policy;
mod shared_claim;
mod timestamp;
mod want;

pub use async_executor::AsyncExecutor;
pub use backlog::Backlog;
pub use bound_queue::BoundQueue;
pub use cancelled::Cancelled;
pub use capabilities::Capabilities;
pub use claim::{Claim, Held};
pub use counters::{Counters, Stats};
pub use dead_job::{DeadJob, DeadSelection};
pub use done_job::DoneJob;
pub use end::{End, Ended};
pub use engine::Engine;
pub use engine_error::EngineError;
pub use executor::Executor;
pub use feature::Feature;
pub use finish_error::FinishError;
pub use job::{Job, Verdict};
pub use job_error::{JobError, MAX_KEY_LEN, PRIORITIES};
pub use job_id::JobId;
pub use memory::MemoryEngine;
pub use name::{MAX_NAME_LEN, NameError};
pub use new_job::{NewJob, Unique};
pub use outcome::{MAX_ERROR_LEN, Reject, Retry, RetryRequest, end_after};
pub use pop::Pop;
pub use push::Push;
pub use push_error::PushError;
pub use pushed::Pushed;
pub use queue::Queue;
pub use queue_listener::QueueListener;
pub use queues::Queues;
pub use retry_policy::RetryPolicy;
pub use timestamp::Timestamp;
pub use want::{Turn, Want};
