//! Engine under test time: a day passes in milliseconds, and always in the same way.
//!
//! A [`TestRunner`] runs services as a [`Runner`] does, with the same rules and the same code, but
//! its clock goes on only when everybody rests, and then at once to the next instant at which
//! something is due. One thing happens at a time, in an order that depends on the test alone.
//!
//! The [`guide`] shows how to test what services do: their hours, their failures, their clean-up.
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
//! // In this night the clocks go from two to three: half past two does not exist.
//! t.advance("1d");
//! assert_eq!(t.runs("daily_report"), 1);
//! assert_eq!(t.timeline(), "\
//! 2026-03-28 12:00:00 +01:00  daily_report  started
//! 2026-03-29 03:00:00 +02:00  daily_report  run 1
//! ");
//! # Ok::<(), tina4_service::testing::TestError>(())
//! ```
//!
//! # What is test time
//!
//! The schedule of every service, backoffs, timeouts, [`Context::sleep`](crate::Context::sleep),
//! and the waiting of [`Runner::stop`] and its like. A body itself takes no test time, however long
//! it really takes. What a body waits for besides must come by itself in real time: a fake that is
//! given with [`Builder::provide`] answers at once.
//!
//! A body that asks for [`Context::stopping`](crate::Context::stopping), to wait for a channel as
//! well, leaves test time until its run ends: nobody can tell when it has done what it had to.
//! Test such a body by what it does, or call its function with
//! [`Context::standalone`](crate::Context::standalone).

mod builder;
#[doc = include_str!("testing/guide.md")]
pub mod guide {}
mod test_runner;
mod test_time;
mod timeline;
pub(crate) mod virtual_time;

pub use builder::{Builder, TestError};
pub use test_runner::TestRunner;
pub use test_time::TestTime;
