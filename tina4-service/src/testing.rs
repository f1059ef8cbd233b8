//! A runner in virtual time: a day passes in milliseconds, with the same result every time.
//!
//! A [`TestRunner`] runs services by the same rules and with the same code as a
//! [`Runner`](crate::Runner). Its clock stands still while any of them runs; when all of them wait, it
//! jumps to the next instant at which something is due. Only one thread acts at a time, in an order
//! that depends only on the test.
//!
//! The [`guide`] shows how to test what services do: when they run, how they fail, how they clean up.
//!
//! ```
//! use tina4_service::{Service, testing::TestRunner};
//!
//! let report = |_: &tina4_service::Context| println!("the report");
//! let mut t = TestRunner::builder()
//!     .only::<&str>([])
//!     .at("2026-03-28T12:00:00[Europe/Berlin]")
//!     .service(Service::new("daily_report", report).cron("30 2 * * *"))
//!     .build()?;
//! // DST begins on this night, so 02:30 does not exist.
//! t.advance("1d");
//! assert_eq!(t.runs("daily_report"), 1);
//! assert_eq!(t.timeline(), "\
//! 2026-03-28 12:00:00 +01:00  daily_report  started
//! 2026-03-29 03:00:00 +02:00  daily_report  run 1
//! ");
//! # Ok::<(), tina4_service::testing::TestError>(())
//! ```
//!
//! # What is virtual
//!
//! The schedules of the services, backoffs, timeouts, [`Context::sleep`](crate::Context::sleep), and
//! the time that [`Runner::stop`](crate::Runner::stop) and similar methods wait. The function of a
//! service, its *body*, takes no virtual time itself, even if it takes long in real time. Everything
//! else that it waits for must arrive in real time; a fake passed to [`Builder::provide`] can answer
//! immediately.
//!
//! With the feature `tokio`, async services run in virtual time as well, on a runtime of the kit's own whose
//! clock is paused: their `ctx` sleeps are exact, and the timers of tokio end at whole milliseconds. While
//! nothing but an event from outside can wake them, time passes without them; a task of
//! `tokio::task::spawn_blocking` holds the clock.
//!
//! A body that calls [`Context::stopping`](crate::Context::stopping), usually to wait for a channel as
//! well, leaves virtual time until its run ends, because the runner cannot tell when it has finished
//! its work. Test such a body by its effects, or call its function with
//! [`Context::standalone`](crate::Context::standalone).

mod builder;
#[cfg(feature = "queue")]
mod jobs;
#[doc = include_str!("testing/guide.md")]
pub mod guide {}
mod test_error;
mod test_runner;
mod test_time;
mod timeline;
mod virtual_time;

pub use builder::Builder;
pub use test_error::TestError;
pub use test_runner::TestRunner;
pub use test_time::TestTime;
