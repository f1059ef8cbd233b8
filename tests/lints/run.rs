//! Runs every service of a package: what compiles without a lint must also be found and called.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::runtime::{Change, Runner, State};

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts all services, waits until each has run, and stops them. Returns how many have run.
pub fn all(provide: impl FnOnce(&Runner)) -> usize {
    let runner = Runner::builder().build();
    provide(&runner);
    let events = runner.subscribe();
    let plan = runner.check().expect("nothing is wrong");
    let mut waiting: BTreeSet<_> = plan
        .services()
        .iter()
        .filter(|service| service.autostart)
        .map(|service| service.name.clone())
        .collect();
    let count = waiting.len();
    runner.start_all().expect("nothing is wrong");
    // Others go on running, so silence is not the only sign that somebody will not run.
    let mut patience = 100_000;
    while !waiting.is_empty() {
        patience -= 1;
        let event = events.recv_timeout(PATIENCE).ok().filter(|_| patience > 0);
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
