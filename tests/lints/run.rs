//! Runs every service of a package: services that compile without lint warnings must also be found
//! and run.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::runtime::{Change, Runner, State};

/// How long to wait for an event.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Starts all services, waits until each has run, and stops them. Returns their number.
pub fn all(provide: impl FnOnce(&Runner)) -> usize {
    let runner = Runner::builder().build();
    provide(&runner);
    let events = runner.subscribe();
    let plan = runner.check().expect("the services have no faults");
    let mut waiting: BTreeSet<_> = plan
        .services()
        .iter()
        .filter(|service| service.autostart)
        .map(|service| service.name.clone())
        .collect();
    let count = waiting.len();
    runner.start_all().expect("the services have no faults");
    // Other services keep running, so the number of events is limited, too.
    let mut events_left = 100_000;
    while !waiting.is_empty() {
        events_left -= 1;
        let event = events.recv_timeout(TIMEOUT).ok().filter(|_| events_left > 0);
        let event = event.unwrap_or_else(|| panic!("{:?} did not run", waiting));
        if matches!(event.change, Change::RunBegan { .. }) {
            waiting.remove(&event.service);
        }
    }
    let report = runner.stop_all();
    assert!(report.is_clean(), "{}", report);
    let failed = runner
        .services()
        .into_iter()
        .find(|service| service.crashes > 0 || service.state == State::Failed);
    assert!(failed.is_none(), "{:?}", failed);
    count
}
