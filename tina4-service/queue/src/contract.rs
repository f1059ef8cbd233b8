//! The conformance suite: what every [`Engine`](crate::Engine) has to do, as cases that its author can run.
//!
//! The cases are the same for all engines. One that needs a [`Feature`](crate::Feature) runs only on engines that have
//! it; for engines that do not, there is a case that checks the refusal.
//!
//! An engine describes its store once, as a [`Store`]: how to open it as another process would, and
//! how to let time pass. Engines that take the time as an argument use [`VirtualStore`].
//!
//! ```
//! use tina4_service_queue::MemoryEngine;
//! use tina4_service_queue::contract::{self, VirtualStore};
//!
//! let report = contract::run(&contract::cases(), &|| {
//!     let memory = MemoryEngine::new();
//!     Box::new(VirtualStore::new(move || Box::new(memory.sibling())))
//! });
//! report.assert_passed();
//! assert!(report.passed.len() > 100);
//! ```
//!
//! For an engine whose store is a server, [`Load`] checks that nothing is lost while a test disturbs it, and
//! [`Proxy`] stops and cuts its connections, and [`Silence`] what it does when its server does not answer. [`Endurance`] measures claims beside many jobs.

use std::thread;

mod backlog_cases;
mod bench;
mod cancel_cases;
mod case;
mod claim_cases;
mod concurrency_cases;
mod dead_cases;
mod delay_cases;
mod done_cases;
mod endurance;
mod finish_cases;
mod load;
mod loss_cases;
mod next_cases;
mod order_cases;
mod proxy;
mod push_cases;
mod refusal_cases;
mod renew_cases;
mod report;
mod rng;
mod silence;
mod store;
mod suspect_cases;
mod unique_cases;
mod walk_cases;

use self::bench::Bench;
pub use self::case::Case;
pub use self::endurance::{ClaimTimes, Endurance};
pub use self::load::Load;
pub use self::proxy::Proxy;
pub use self::report::Report;
pub use self::silence::Silence;
pub use self::store::{Store, VirtualStore};

/// All cases.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        push_cases::CASES,
        unique_cases::CASES,
        delay_cases::CASES,
        order_cases::CASES,
        next_cases::CASES,
        claim_cases::CASES,
        finish_cases::CASES,
        renew_cases::CASES,
        loss_cases::CASES,
        suspect_cases::CASES,
        dead_cases::CASES,
        done_cases::CASES,
        cancel_cases::CASES,
        backlog_cases::CASES,
        concurrency_cases::CASES,
        refusal_cases::CASES,
        walk_cases::CASES,
    ]
    .concat()
}

/// The cases of one rule of the project, from 130 to 138.
#[must_use]
pub fn cases_of(rule: u32) -> Vec<Case> {
    cases().into_iter().filter(|case| case.rule == rule).collect()
}

/// Runs cases, each on a store of its own from `fresh`, which must be empty.
///
/// All cases run, even if some fail. A case fails by panicking, so the panic hook prints its message,
/// too.
#[must_use]
pub fn run(cases: &[Case], fresh: &(dyn Fn() -> Box<dyn Store> + Sync)) -> Report {
    let mut report = Report::default();
    for case in cases {
        let result = thread::scope(|scope| {
            // A thread of its own reports a panic without ending the run.
            let bench = || {
                let bench = Bench::new(fresh());
                let applies = case.applies(&bench);
                if applies {
                    (case.check)(&bench);
                }
                applies
            };
            scope.spawn(bench).join()
        });
        match result {
            Ok(true) => report.passed.push(case.name),
            Ok(false) => report.left_out.push(case.name),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                report.failed.push((case.name, text.unwrap_or_else(|| "a panic".to_owned())));
            }
        }
    }
    report
}
