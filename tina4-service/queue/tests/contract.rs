//! The conformance suite, on the memory engine: with everything it can do, and as a stand-in for
//! engines that can do less.

use tina4_service_queue::contract::{self, Report, VirtualStore};
use tina4_service_queue::{Capabilities, Feature, MemoryEngine};

fn run(rule: u32, capabilities: Capabilities) -> Report {
    contract::run(&contract::cases_of(rule), &|| {
        let memory = MemoryEngine::limited_to(capabilities);
        Box::new(VirtualStore::new(move || Box::new(memory.sibling())))
    })
}

/// The cases of a rule, with all features, with none, and without each single one.
fn check(rule: u32) {
    let without = Feature::ALL.map(|feature| Capabilities::ALL.without(feature));
    for capabilities in [Capabilities::ALL, Capabilities::NONE].into_iter().chain(without) {
        run(rule, capabilities).assert_passed();
    }
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

#[test]
fn rule_138_each_feature_without_its_cases_has_a_refusal() {
    let all = run(138, Capabilities::ALL);
    for feature in Feature::ALL {
        let without = run(138, Capabilities::ALL.without(feature));
        let is_refused = without.passed.iter().any(|name| all.left_out.contains(name));
        // A lease is an option of a consumer, a transaction is one of a type, and losses are none; they
        // cannot be asked of an engine that does not have them.
        let expected = !matches!(feature, Feature::Lease | Feature::Losses | Feature::Transactions);
        assert_eq!(is_refused, expected, "{feature:?}");
    }
}

#[test]
fn every_case_has_a_name_of_its_own_and_runs_on_some_engine() {
    let cases = contract::cases();
    let mut names: Vec<_> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 120, "{} cases", cases.len());
    for capabilities in [Capabilities::ALL, Capabilities::NONE] {
        for rule in 130..=138 {
            for name in run(rule, capabilities).passed {
                names.retain(|left| *left != name);
            }
        }
    }
    assert_eq!(names, [] as [&str; 0], "run on no engine");
}
