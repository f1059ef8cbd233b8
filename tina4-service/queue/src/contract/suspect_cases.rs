//! Cases: a job whose claims were lost twice runs alone, because it may kill its process.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::dead_job::DeadSelection;
use crate::end::End;
use crate::feature::Feature;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 132,
        name: "a_suspect_is_claimed_alone",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_suspect_is_claimed_alone,
    },
    Case {
        rule: 132,
        name: "other_jobs_follow_when_the_suspect_has_ended",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: other_jobs_follow_when_the_suspect_has_ended,
    },
    Case {
        rule: 132,
        name: "a_suspect_waits_until_its_owner_holds_nothing_else",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_suspect_waits_until_its_owner_holds_nothing_else,
    },
    Case {
        rule: 132,
        name: "a_suspect_that_waits_is_told",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_suspect_that_waits_is_told,
    },
    Case {
        rule: 132,
        name: "no_job_of_another_queue_runs_beside_a_suspect",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: no_job_of_another_queue_runs_beside_a_suspect,
    },
    Case {
        rule: 132,
        name: "other_processes_go_on_beside_a_suspect",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: other_processes_go_on_beside_a_suspect,
    },
    Case {
        rule: 132,
        name: "a_suspect_is_neither_claimed_with_others_nor_overtaken",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_suspect_is_neither_claimed_with_others_nor_overtaken,
    },
    Case {
        rule: 132,
        name: "several_suspects_run_one_after_the_other",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: several_suspects_run_one_after_the_other,
    },
    Case {
        rule: 132,
        name: "a_suspect_that_fails_stays_a_suspect",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_suspect_that_fails_stays_a_suspect,
    },
    Case {
        rule: 132,
        name: "a_job_that_is_put_back_is_no_suspect",
        applies: Applies::With(&[Feature::Lease, Feature::Losses, Feature::DeadLetters]),
        check: a_job_that_is_put_back_is_no_suspect,
    },
];

/// Pushes a job and lets two of its claims be lost. It is ready when this returns.
fn push_suspect(bench: &Bench, payload: &str) {
    bench.push(payload);
    bench.lose(&*bench.open());
    bench.lose(&*bench.open());
    assert_eq!(bench.claim(9), []);
    bench.pass(5);
}

fn a_suspect_is_claimed_alone(bench: &Bench) {
    push_suspect(bench, "1");
    bench.push("2");
    assert_eq!(bench.claim_payloads(9), ["1"]);
    assert_eq!(bench.claim(9), [], "nothing else beside it");
}

fn other_jobs_follow_when_the_suspect_has_ended(bench: &Bench) {
    push_suspect(bench, "1");
    bench.push("2");
    let suspect = bench.claim_one();
    bench.end_held(&suspect, End::Done);
    assert_eq!(bench.claim_payloads(9), ["2"]);
}

fn a_suspect_waits_until_its_owner_holds_nothing_else(bench: &Bench) {
    push_suspect(bench, "1");
    bench.push_to("other", "2");
    let other = bench.turn(&[], &[bench.want_of("other", 1)]).claims;
    assert_eq!(bench.claim(9), []);
    bench.end_held(&other[0], End::Done);
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_suspect_that_waits_is_told(bench: &Bench) {
    let turn = |queue| bench.turn(&[], &[bench.want_of(queue, 2)]);
    push_suspect(bench, "1");
    bench.push_to("other", "2");
    let other = turn("other");
    assert_eq!((other.claims.len(), other.waits_to_be_alone), (1, false));
    let waiting = turn(QUEUE);
    assert_eq!((waiting.claims.len(), waiting.waits_to_be_alone), (0, true));
    assert!(!turn("other").waits_to_be_alone, "no job of that queue waits");
    bench.end_held(&other.claims[0], End::Done);
    let alone = turn(QUEUE);
    assert_eq!((alone.claims.len(), alone.waits_to_be_alone), (1, false));
    assert!(!turn(QUEUE).waits_to_be_alone, "no other job waits");
}

fn no_job_of_another_queue_runs_beside_a_suspect(bench: &Bench) {
    push_suspect(bench, "1");
    bench.push_to("other", "2");
    let turn = bench.turn(&[], &[bench.want(9), bench.want_of("other", 9)]);
    let payloads: Vec<_> = turn.claims.iter().map(|claim| &*claim.payload).collect();
    assert_eq!(payloads, ["1"]);
    assert_eq!(bench.turn(&[], &[bench.want_of("other", 9)]).claims, []);
}

fn other_processes_go_on_beside_a_suspect(bench: &Bench) {
    push_suspect(bench, "1");
    bench.push("2");
    bench.push("3");
    assert_eq!(bench.claim_payloads(9), ["1"]);
    assert_eq!(bench.claim_by(&*bench.open(), 9).len(), 2);
}

fn a_suspect_is_neither_claimed_with_others_nor_overtaken(bench: &Bench) {
    bench.push("2");
    bench.lose(&*bench.open());
    bench.lose(&*bench.open());
    assert_eq!(bench.claim(9), []);
    bench.push("1");
    bench.pass(5);
    bench.push("3");
    let first = bench.claim(9);
    let payloads: Vec<_> = first.iter().map(|claim| &*claim.payload).collect();
    assert_eq!(payloads, ["1"], "those before the suspect");
    assert_eq!(bench.claim(9), [], "it waits for them, and others wait for it");
    bench.end_held(&first[0], End::Done);
    assert_eq!(bench.claim_payloads(9), ["2"]);
}

fn several_suspects_run_one_after_the_other(bench: &Bench) {
    for payload in ["1", "2"] {
        bench.push(payload);
    }
    for _ in 0..2 {
        assert_eq!(bench.claim_by(&*bench.open(), 2).len(), 2);
        bench.pass(LEASE);
    }
    assert_eq!(bench.claim(9), []);
    bench.pass(5);
    for payload in ["1", "2"] {
        let claim = bench.claim(9);
        assert_eq!(claim.len(), 1);
        assert_eq!(claim[0].payload, payload);
        bench.end_held(&claim[0], End::Done);
    }
}

fn a_suspect_that_fails_stays_a_suspect(bench: &Bench) {
    push_suspect(bench, "1");
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    bench.pass(1);
    bench.push("2");
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_job_that_is_put_back_is_no_suspect(bench: &Bench) {
    push_suspect(bench, "1");
    bench.lose(&*bench.open());
    assert_eq!(bench.claim(9), [], "dead");
    let all = DeadSelection::All;
    let redriven = bench.engine().redrive(QUEUE, all, bench.now());
    assert_eq!(redriven.expect("it succeeds"), 1);
    bench.push("2");
    assert_eq!(bench.claim_payloads(9), ["1", "2"]);
}
