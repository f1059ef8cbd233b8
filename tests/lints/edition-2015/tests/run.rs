//! Services that compile without lint warnings are also found and run.

extern crate lints_edition_2015;

use lints_edition_2015::{Shared, never, runtime, shapes};

#[path = "../../run.rs"]
mod run;

#[test]
fn rule_80_every_service_runs() {
    let count = run::all(|runner| {
        shapes::provide(runner);
        runner.provide(Shared(42));
    });
    assert_eq!(count, 62);
}

#[test]
fn rule_42_and_80_bodies_and_hooks_may_never_return() {
    never::check();
}
