//! The conformance suite, on SQLite.

use tina4_service_queue::contract::{self, VirtualStore};
use tina4_service_sqlite::SqliteEngine;

/// Runs the cases of a rule, each on a file of its own; other owners open the file again.
fn check(rule: u32) {
    let report = contract::run(&contract::cases_of(rule), &|| {
        let directory = tempfile::tempdir().expect("a directory");
        let open = move || SqliteEngine::open(directory.path().join("jobs.db")).expect("it opens");
        Box::new(VirtualStore::new(move || Box::new(open())))
    });
    report.assert_passed();
    // The engine can do everything, so only cases of refusals do not apply.
    assert!(rule == 138 || report.left_out.is_empty(), "{:?}", report.left_out);
}

#[test]
fn rule_130_pushes() {
    check(130);
}

#[test]
fn rule_131_every_job_is_done_or_dead() {
    check(131);
}

#[test]
fn rule_132_claims_and_fences() {
    check(132);
}

#[test]
fn rule_133_order() {
    check(133);
}

#[test]
fn rule_134_jobs_that_are_given_back() {
    check(134);
}

#[test]
fn rule_135_duplicates_can_be_seen() {
    check(135);
}

#[test]
fn rule_138_refusals() {
    check(138);
}
