//! Cases: claims.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::end::{End, Ended};
use crate::feature::Feature;
use crate::retry_policy::RetryPolicy;
use crate::want::Want;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 132,
        name: "a_claim_has_no_more_jobs_than_were_asked_for",
        applies: Applies::With(&[]),
        check: a_claim_has_no_more_jobs_than_were_asked_for,
    },
    Case {
        rule: 132,
        name: "a_request_for_no_jobs_claims_none",
        applies: Applies::With(&[]),
        check: a_request_for_no_jobs_claims_none,
    },
    Case {
        rule: 132,
        name: "an_empty_queue_gives_nothing",
        applies: Applies::With(&[]),
        check: an_empty_queue_gives_nothing,
    },
    Case {
        rule: 132,
        name: "a_claimed_job_is_not_claimed_again",
        applies: Applies::With(&[]),
        check: a_claimed_job_is_not_claimed_again,
    },
    Case {
        rule: 132,
        name: "several_owners_share_the_jobs",
        applies: Applies::With(&[]),
        check: several_owners_share_the_jobs,
    },
    Case {
        rule: 132,
        name: "owners_have_different_names",
        applies: Applies::With(&[]),
        check: owners_have_different_names,
    },
    Case {
        rule: 132,
        name: "several_queues_in_one_turn",
        applies: Applies::With(&[]),
        check: several_queues_in_one_turn,
    },
    Case {
        rule: 132,
        name: "a_turn_ends_claims_before_it_claims",
        applies: Applies::With(&[]),
        check: a_turn_ends_claims_before_it_claims,
    },
    Case {
        rule: 135,
        name: "each_attempt_has_the_next_number",
        applies: Applies::With(&[]),
        check: each_attempt_has_the_next_number,
    },
    Case {
        rule: 132,
        name: "each_claim_has_a_higher_number",
        applies: Applies::With(&[]),
        check: each_claim_has_a_higher_number,
    },
    Case {
        rule: 135,
        name: "a_first_attempt_has_no_error_and_no_lost_claim",
        applies: Applies::With(&[]),
        check: a_first_attempt_has_no_error_and_no_lost_claim,
    },
    Case {
        rule: 131,
        name: "a_claim_tells_the_last_error",
        applies: Applies::With(&[]),
        check: a_claim_tells_the_last_error,
    },
    Case {
        rule: 132,
        name: "each_request_has_its_own_lease",
        applies: Applies::With(&[Feature::Lease]),
        check: each_request_has_its_own_lease,
    },
    Case {
        rule: 132,
        name: "a_policy_with_fewer_attempts_still_runs_a_waiting_job_once",
        applies: Applies::With(&[]),
        check: a_policy_with_fewer_attempts_still_runs_a_waiting_job_once,
    },
];

fn a_claim_has_no_more_jobs_than_were_asked_for(bench: &Bench) {
    for n in 0..5 {
        bench.push(&n.to_string());
    }
    assert_eq!(bench.claim_payloads(2), ["0", "1"]);
    assert_eq!(bench.claim_payloads(2), ["2", "3"]);
    assert_eq!(bench.claim_payloads(2), ["4"]);
    assert_eq!(bench.claim(2), []);
}

fn a_request_for_no_jobs_claims_none(bench: &Bench) {
    bench.push("1");
    assert_eq!(bench.claim(0), []);
    assert_eq!(bench.claim_one().attempt, 1);
}

fn an_empty_queue_gives_nothing(bench: &Bench) {
    assert_eq!(bench.turn(&[], &[bench.want(9), bench.want_of("other", 9)]).claims, []);
    assert_eq!(bench.turn(&[], &[]).claims, []);
}

fn a_claimed_job_is_not_claimed_again(bench: &Bench) {
    bench.push("1");
    bench.claim_one();
    bench.pass(LEASE - 2);
    assert_eq!(bench.claim(9), []);
    assert_eq!(bench.claim_by(&*bench.open(), 9), []);
}

fn several_owners_share_the_jobs(bench: &Bench) {
    for n in 0..6 {
        bench.push(&n.to_string());
    }
    let owners = [bench.open(), bench.open(), bench.open()];
    let mut payloads: Vec<_> = owners
        .iter()
        .flat_map(|owner| bench.claim_by(&**owner, 2))
        .map(|claim| claim.payload)
        .collect();
    payloads.sort();
    assert_eq!(payloads, ["0", "1", "2", "3", "4", "5"]);
}

fn owners_have_different_names(bench: &Bench) {
    let (one, two) = (bench.open(), bench.open());
    assert_ne!(one.owner(), two.owner());
    assert_ne!(one.owner(), bench.engine().owner());
    assert!(!one.owner().is_empty());
}

fn several_queues_in_one_turn(bench: &Bench) {
    for (queue, payload) in [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")] {
        bench.push_to(queue, payload);
    }
    let wants = [bench.want_of("c", 9), bench.want_of("a", 1), bench.want_of("empty", 9)];
    let turn = bench.turn(&[], &wants);
    let claimed: Vec<_> = turn.claims.iter().map(|claim| (claim.want, &*claim.payload)).collect();
    assert_eq!(claimed, [(0, "4"), (1, "1")]);
}

fn a_turn_ends_claims_before_it_claims(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    let back = Ended { held: claim.held, end: End::Back };
    let turn = bench.turn(&[back], &[bench.want(9)]);
    assert_eq!(turn.stale, []);
    assert_eq!(turn.claims.len(), 1);
    assert!(turn.claims[0].held.claim > claim.held.claim);
}

fn each_attempt_has_the_next_number(bench: &Bench) {
    bench.push("1");
    for attempt in 1..=5 {
        let claim = bench.claim_one();
        assert_eq!(claim.attempt, attempt);
        bench.end_held(&claim, bench.again(0, "e"));
    }
}

fn each_claim_has_a_higher_number(bench: &Bench) {
    bench.push("1");
    let mut last = 0;
    for n in 0..6 {
        let claim = bench.claim_one();
        assert!(claim.held.claim > last, "{} after {last}", claim.held.claim);
        last = claim.held.claim;
        bench.end_held(&claim, if n % 2 == 0 { bench.again(0, "e") } else { End::Back });
    }
}

fn a_first_attempt_has_no_error_and_no_lost_claim(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    assert_eq!((claim.attempt, claim.lost, claim.last_error), (1, 0, None));
}

fn a_claim_tells_the_last_error(bench: &Bench) {
    bench.push("1");
    for error in ["first", "größer 🦀", ""] {
        bench.end_held(&bench.claim_one(), bench.again(0, error));
        let claim = bench.claim_one();
        assert_eq!(claim.last_error.as_deref(), Some(error));
        bench.end_held(&claim, End::Back);
    }
}

fn each_request_has_its_own_lease(bench: &Bench) {
    bench.push_to("a", "1");
    bench.push_to("b", "2");
    let short = Want { lease: bench.units(3), ..bench.want_of("a", 9) };
    assert_eq!(bench.turn(&[], &[short, bench.want_of("b", 9)]).claims.len(), 2);
    bench.pass(4);
    let other = bench.open();
    let turn = bench.turn_of(&*other, &[], &[bench.want_of("a", 9), bench.want_of("b", 9)]);
    let payloads: Vec<_> = turn.claims.iter().map(|claim| &*claim.payload).collect();
    assert_eq!(payloads, ["1"]);
}

fn a_policy_with_fewer_attempts_still_runs_a_waiting_job_once(bench: &Bench) {
    bench.push("1");
    for _ in 0..2 {
        bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    }
    let policy = RetryPolicy { attempts: 1, ..*bench.policy() };
    let want = Want { queue: QUEUE, count: 1, lease: bench.units(LEASE), policy: &policy };
    assert_eq!(bench.turn(&[], &[want]).claims[0].attempt, 3);
}
