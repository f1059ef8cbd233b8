//! Services behind a facade are found and run.

use lints_behind_facade::{Shared, runtime};

#[path = "../../run.rs"]
mod run;

#[test]
fn rule_80_and_159_every_service_runs() {
    assert_eq!(run::all(|runner| runner.provide(Shared(42))), 6);
}
