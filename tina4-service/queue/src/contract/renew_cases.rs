//! Cases: renewals.

use super::bench::{Bench, LEASE};
use super::case::{Applies, Case};
use crate::claim::Held;
use crate::end::End;
use crate::feature::Feature;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 132,
        name: "a_renewed_claim_is_held_longer",
        applies: Applies::With(&[Feature::Lease]),
        check: a_renewed_claim_is_held_longer,
    },
    Case {
        rule: 132,
        name: "a_renewed_lease_ends_from_the_renewal_on",
        applies: Applies::With(&[Feature::Lease]),
        check: a_renewed_lease_ends_from_the_renewal_on,
    },
    Case {
        rule: 132,
        name: "a_lease_that_has_ended_is_not_renewed",
        applies: Applies::With(&[Feature::Lease]),
        check: a_lease_that_has_ended_is_not_renewed,
    },
    Case {
        rule: 132,
        name: "the_claim_of_another_owner_is_not_renewed",
        applies: Applies::With(&[]),
        check: the_claim_of_another_owner_is_not_renewed,
    },
    Case {
        rule: 132,
        name: "a_claim_that_has_ended_is_not_renewed",
        applies: Applies::With(&[]),
        check: a_claim_that_has_ended_is_not_renewed,
    },
    Case {
        rule: 132,
        name: "an_earlier_claim_is_not_renewed",
        applies: Applies::With(&[Feature::Lease]),
        check: an_earlier_claim_is_not_renewed,
    },
    Case {
        rule: 132,
        name: "of_several_claims_only_the_lost_ones_are_named",
        applies: Applies::With(&[Feature::Lease]),
        check: of_several_claims_only_the_lost_ones_are_named,
    },
    Case {
        rule: 132,
        name: "a_renewal_of_nothing_does_nothing",
        applies: Applies::With(&[]),
        check: a_renewal_of_nothing_does_nothing,
    },
    Case {
        rule: 132,
        name: "a_renewal_changes_neither_attempt_nor_claim",
        applies: Applies::With(&[]),
        check: a_renewal_changes_neither_attempt_nor_claim,
    },
];

fn a_renewed_claim_is_held_longer(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    for _ in 0..4 {
        bench.pass(LEASE - 2);
        assert_eq!(bench.renew(&[claim.held]), []);
    }
    assert_eq!(bench.claim_by(&*bench.open(), 9), []);
    bench.end_held(&claim, End::Done);
}

fn a_renewed_lease_ends_from_the_renewal_on(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    bench.pass(5);
    assert_eq!(bench.renew(&[claim.held]), []);
    bench.pass(LEASE);
    assert_eq!(bench.claim_one_by(&*bench.open()).attempt, 2);
}

fn a_lease_that_has_ended_is_not_renewed(bench: &Bench) {
    bench.push("1");
    let claim = bench.lose(bench.engine());
    assert_eq!(bench.renew(&[claim.held]), [claim.held]);
    assert_eq!(bench.claim_one().attempt, 2);
}

fn the_claim_of_another_owner_is_not_renewed(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one_by(&*bench.open());
    assert_eq!(bench.renew(&[claim.held]), [claim.held]);
}

fn a_claim_that_has_ended_is_not_renewed(bench: &Bench) {
    bench.push("1");
    bench.push("2");
    let claims = bench.claim(2);
    bench.end_held(&claims[0], End::Done);
    bench.end_held(&claims[1], End::Back);
    let held: Vec<_> = claims.iter().map(|claim| claim.held).collect();
    assert_eq!(bench.renew(&held), held);
    assert_eq!(bench.claim_payloads(9), ["2"]);
}

fn an_earlier_claim_is_not_renewed(bench: &Bench) {
    bench.push("1");
    let old = bench.lose(bench.engine());
    let new = bench.claim_one();
    bench.pass(LEASE - 2);
    assert_eq!(bench.renew(&[old.held]), [old.held]);
    bench.pass(3);
    assert!(!bench.end(&new, End::Done), "the later claim was not renewed with it");
}

fn of_several_claims_only_the_lost_ones_are_named(bench: &Bench) {
    for payload in ["1", "2", "3"] {
        bench.push(payload);
    }
    let claims = bench.claim(3);
    bench.end_held(&claims[1], End::Done);
    let held: Vec<_> = claims.iter().map(|claim| claim.held).collect();
    assert_eq!(bench.renew(&held), [held[1]]);
    bench.pass(LEASE - 1);
    bench.end_held(&claims[0], End::Done);
    bench.end_held(&claims[2], End::Done);
}

fn a_renewal_of_nothing_does_nothing(bench: &Bench) {
    bench.push("1");
    assert_eq!(bench.renew(&[]), []);
    let Held { id, claim } = bench.claim_one().held;
    let never = Held { id, claim: claim + 7 };
    assert_eq!(bench.renew(&[never]), [never]);
}

fn a_renewal_changes_neither_attempt_nor_claim(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    assert_eq!(bench.renew(&[claim.held]), []);
    bench.end_held(&claim, bench.again(0, "e"));
    assert_eq!(bench.claim_one().attempt, 2);
}
