//! Cases: claims whose lease ends without a finish, because the process was killed or paused.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::end::End;
use crate::feature::Feature;
use crate::retry_policy::RetryPolicy;
use crate::want::Want;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_job_comes_back_when_its_lease_has_ended",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_job_comes_back_when_its_lease_has_ended,
    },
    Case {
        rule: 132,
        name: "a_job_does_not_come_back_before_its_lease_has_ended",
        applies: Applies::With(&[Feature::Lease]),
        check: a_job_does_not_come_back_before_its_lease_has_ended,
    },
    Case {
        rule: 132,
        name: "a_lease_ends_exactly",
        applies: Applies::With(&[Feature::Lease]),
        check: a_lease_ends_exactly,
    },
    Case {
        rule: 135,
        name: "a_lost_claim_is_counted_once",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_lost_claim_is_counted_once,
    },
    Case {
        rule: 135,
        name: "a_lost_claim_is_found_without_a_request_for_jobs",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_lost_claim_is_found_without_a_request_for_jobs,
    },
    Case {
        rule: 132,
        name: "claims_of_other_queues_are_left_alone",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: claims_of_other_queues_are_left_alone,
    },
    Case {
        rule: 135,
        name: "the_last_error_says_that_the_claim_was_lost",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: the_last_error_says_that_the_claim_was_lost,
    },
    Case {
        rule: 132,
        name: "after_the_second_loss_the_job_waits",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: after_the_second_loss_the_job_waits,
    },
    Case {
        rule: 131,
        name: "a_job_whose_claims_are_lost_is_dead_after_the_last_attempt",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_job_whose_claims_are_lost_is_dead_after_the_last_attempt,
    },
    Case {
        rule: 131,
        name: "a_job_that_died_of_lost_claims_is_listed",
        applies: Applies::With(&[Feature::Lease, Feature::Losses, Feature::DeadLetters]),
        check: a_job_that_died_of_lost_claims_is_listed,
    },
    Case {
        rule: 132,
        name: "the_process_that_claims_decides_about_the_attempts",
        applies: Applies::With(&[Feature::Lease]),
        check: the_process_that_claims_decides_about_the_attempts,
    },
    Case {
        rule: 131,
        name: "failed_attempts_and_lost_claims_count_together",
        applies: Applies::With(&[Feature::Lease]),
        check: failed_attempts_and_lost_claims_count_together,
    },
    Case {
        rule: 134,
        name: "an_attempt_that_was_given_back_is_not_lost",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: an_attempt_that_was_given_back_is_not_lost,
    },
    Case {
        rule: 131,
        name: "all_jobs_of_a_killed_process_come_back",
        applies: Applies::With(&[Feature::Lease]),
        check: all_jobs_of_a_killed_process_come_back,
    },
    Case {
        rule: 132,
        name: "a_job_lost_by_the_last_of_many_owners_is_one_job",
        applies: Applies::With(&[Feature::Lease, Feature::Losses]),
        check: a_job_lost_by_the_last_of_many_owners_is_one_job,
    },
];

fn a_job_comes_back_when_its_lease_has_ended(bench: &Bench) {
    let id = bench.push("1");
    let old = bench.lose(&*bench.open());
    let new = bench.claim_one();
    assert_eq!((new.held.id, &*new.payload), (id, "1"));
    assert_eq!((new.attempt, new.lost), (2, 1));
    assert!(new.held.claim > old.held.claim);
}

fn a_job_does_not_come_back_before_its_lease_has_ended(bench: &Bench) {
    bench.push("1");
    bench.claim_one_by(&*bench.open());
    bench.pass(LEASE - 1);
    assert_eq!(bench.claim(9), []);
}

fn a_lease_ends_exactly(bench: &Bench) {
    if bench.is_virtual() {
        bench.push("1");
        let claim = bench.claim_one();
        bench.pass(LEASE);
        assert!(!bench.end(&claim, End::Done), "not held at the end of its lease");
        assert_eq!(bench.claim(9).len(), 1, "and ready at that instant");
    }
}

fn a_lost_claim_is_counted_once(bench: &Bench) {
    bench.push("1");
    bench.push("2");
    let other = bench.open();
    assert_eq!(bench.claim_by(&*other, 2).len(), 2);
    bench.pass(LEASE);
    assert_eq!(bench.turn(&[], &[bench.want(9)]).lost, 2);
    assert_eq!(bench.turn(&[], &[bench.want(9)]).lost, 0);
}

fn a_lost_claim_is_found_without_a_request_for_jobs(bench: &Bench) {
    bench.push("1");
    bench.lose(&*bench.open());
    let turn = bench.turn(&[], &[bench.want(0)]);
    assert_eq!((turn.lost, turn.claims.len()), (1, 0));
    assert_eq!(bench.claim(9).len(), 1);
}

fn claims_of_other_queues_are_left_alone(bench: &Bench) {
    bench.push_to("other", "1");
    assert_eq!(bench.turn(&[], &[bench.want_of("other", 1)]).claims.len(), 1);
    bench.pass(LEASE);
    assert_eq!(bench.turn(&[], &[bench.want(9)]).lost, 0);
    assert_eq!(bench.turn(&[], &[bench.want_of("other", 1)]).lost, 1);
}

fn the_last_error_says_that_the_claim_was_lost(bench: &Bench) {
    bench.push("1");
    bench.lose(&*bench.open());
    let error = bench.claim_one().last_error.expect("an error");
    assert!(error.contains("killed"), "{error}");
}

fn after_the_second_loss_the_job_waits(bench: &Bench) {
    bench.push("1");
    bench.lose(&*bench.open());
    bench.lose(&*bench.open());
    assert_eq!(bench.claim(9), [], "it waits for the backoff of 4 units");
    bench.pass(3);
    assert_eq!(bench.claim(9), []);
    bench.pass(2);
    assert_eq!(bench.claim_one().lost, 2);
}

fn a_job_whose_claims_are_lost_is_dead_after_the_last_attempt(bench: &Bench) {
    let id = bench.push("1");
    bench.lose(&*bench.open());
    bench.lose(&*bench.open());
    assert_eq!(bench.claim(9), []);
    bench.pass(5);
    bench.lose(&*bench.open());
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.lost, turn.claims.len(), turn.dead.len()), (1, 0, 1));
    let dead = &turn.dead[0];
    assert_eq!((dead.id, &*dead.payload, dead.attempts), (id, "1", 3));
    assert!(dead.error.contains("3 times"), "{}", dead.error);
    bench.pass(50);
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.dead.len(), turn.claims.len()), (0, 0), "told once");
}

fn a_job_that_died_of_lost_claims_is_listed(bench: &Bench) {
    bench.push("1");
    let policy = RetryPolicy { attempts: 1, ..*bench.policy() };
    let want = Want { policy: &policy, ..bench.want(1) };
    assert_eq!(bench.turn(&[], &[want]).claims.len(), 1);
    bench.pass(LEASE);
    let turn = bench.turn(&[], &[want]);
    assert_eq!(turn.dead, bench.dead());
    assert_eq!(turn.dead.len(), 1);
    assert!(turn.dead[0].error.contains("once"), "{}", turn.dead[0].error);
}

fn the_process_that_claims_decides_about_the_attempts(bench: &Bench) {
    bench.push("1");
    bench.lose(&*bench.open());
    let policy = RetryPolicy { attempts: 1, ..*bench.policy() };
    let turn = bench.turn(&[], &[Want { policy: &policy, ..bench.want(9) }]);
    assert_eq!((turn.claims.len(), turn.dead.len()), (0, 1));
}

fn failed_attempts_and_lost_claims_count_together(bench: &Bench) {
    bench.push("1");
    for _ in 0..2 {
        bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    }
    bench.lose(bench.engine());
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.dead.len(), turn.dead[0].attempts), (1, 3));
}

fn an_attempt_that_was_given_back_is_not_lost(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Back);
    bench.pass(LEASE + 1);
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.lost, turn.claims[0].attempt, turn.claims[0].lost), (0, 1, 0));
}

fn all_jobs_of_a_killed_process_come_back(bench: &Bench) {
    for n in 0..50 {
        bench.push(&n.to_string());
    }
    assert_eq!(bench.claim_by(&*bench.open(), 30).len(), 30);
    bench.pass(LEASE);
    let claims = bench.claim(99);
    assert_eq!(claims.len(), 50);
    assert_eq!(claims.iter().filter(|claim| claim.attempt == 2).count(), 30);
}

fn a_job_lost_by_the_last_of_many_owners_is_one_job(bench: &Bench) {
    bench.push("1");
    let policy = RetryPolicy { attempts: 20, backoff: bench.units(1), max_backoff: bench.units(1) };
    let want = Want { queue: QUEUE, count: 9, lease: bench.units(2), policy: &policy };
    for attempt in 1..=10 {
        let owner = bench.open();
        let claims = bench.turn_of(&*owner, &[], &[want]).claims;
        assert_eq!(claims.len(), 1);
        assert_eq!((claims[0].attempt, claims[0].lost), (attempt, attempt - 1));
        bench.pass(2);
        bench.turn(&[], &[Want { count: 0, ..want }]);
        bench.pass(1);
    }
}
