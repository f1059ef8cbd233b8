//! Cases: ends of claims.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::claim::Held;
use crate::end::{End, Ended};
use crate::feature::Feature;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_job_that_is_done_is_gone",
        applies: Applies::With(&[]),
        check: a_job_that_is_done_is_gone,
    },
    Case {
        rule: 131,
        name: "a_failed_job_comes_back_after_its_delay",
        applies: Applies::With(&[]),
        check: a_failed_job_comes_back_after_its_delay,
    },
    Case {
        rule: 131,
        name: "a_failed_job_without_a_delay_comes_back_at_once",
        applies: Applies::With(&[]),
        check: a_failed_job_without_a_delay_comes_back_at_once,
    },
    Case {
        rule: 131,
        name: "a_failed_job_can_be_taken_by_another_process",
        applies: Applies::With(&[]),
        check: a_failed_job_can_be_taken_by_another_process,
    },
    Case {
        rule: 131,
        name: "a_job_that_keeps_failing_is_kept",
        applies: Applies::With(&[]),
        check: a_job_that_keeps_failing_is_kept,
    },
    Case {
        rule: 131,
        name: "a_dead_job_is_not_claimed",
        applies: Applies::With(&[]),
        check: a_dead_job_is_not_claimed,
    },
    Case {
        rule: 134,
        name: "a_job_that_is_given_back_is_ready_at_once_with_its_attempt",
        applies: Applies::With(&[]),
        check: a_job_that_is_given_back_is_ready_at_once_with_its_attempt,
    },
    Case {
        rule: 134,
        name: "a_job_that_is_given_back_keeps_its_last_error",
        applies: Applies::With(&[]),
        check: a_job_that_is_given_back_keeps_its_last_error,
    },
    Case {
        rule: 132,
        name: "a_second_end_is_refused",
        applies: Applies::With(&[]),
        check: a_second_end_is_refused,
    },
    Case {
        rule: 132,
        name: "a_second_end_in_the_same_turn_is_refused",
        applies: Applies::With(&[]),
        check: a_second_end_in_the_same_turn_is_refused,
    },
    Case {
        rule: 132,
        name: "the_end_by_another_owner_is_refused",
        applies: Applies::With(&[]),
        check: the_end_by_another_owner_is_refused,
    },
    Case {
        rule: 132,
        name: "the_end_of_an_earlier_claim_is_refused",
        applies: Applies::With(&[]),
        check: the_end_of_an_earlier_claim_is_refused,
    },
    Case {
        rule: 132,
        name: "the_end_of_a_claim_that_never_was_is_refused",
        applies: Applies::With(&[]),
        check: the_end_of_a_claim_that_never_was_is_refused,
    },
    Case {
        rule: 132,
        name: "the_end_of_a_waiting_job_is_refused",
        applies: Applies::With(&[]),
        check: the_end_of_a_waiting_job_is_refused,
    },
    Case {
        rule: 132,
        name: "an_end_shortly_before_the_lease_ends_is_accepted",
        applies: Applies::With(&[Feature::Lease]),
        check: an_end_shortly_before_the_lease_ends_is_accepted,
    },
    Case {
        rule: 132,
        name: "an_end_after_the_lease_is_refused_although_nobody_has_the_job",
        applies: Applies::With(&[Feature::Lease]),
        check: an_end_after_the_lease_is_refused_although_nobody_has_the_job,
    },
    Case {
        rule: 132,
        name: "an_end_after_the_lease_is_refused_while_another_has_the_job",
        applies: Applies::With(&[Feature::Lease]),
        check: an_end_after_the_lease_is_refused_while_another_has_the_job,
    },
    Case {
        rule: 132,
        name: "an_end_after_the_lease_is_refused_after_another_is_done",
        applies: Applies::With(&[Feature::Lease]),
        check: an_end_after_the_lease_is_refused_after_another_is_done,
    },
    Case {
        rule: 132,
        name: "an_end_after_the_lease_is_refused_if_the_same_owner_has_the_job_again",
        applies: Applies::With(&[Feature::Lease]),
        check: an_end_after_the_lease_is_refused_if_the_same_owner_has_the_job_again,
    },
    Case {
        rule: 132,
        name: "of_several_ends_only_the_stale_ones_are_refused",
        applies: Applies::With(&[]),
        check: of_several_ends_only_the_stale_ones_are_refused,
    },
    Case {
        rule: 131,
        name: "different_ends_in_one_turn",
        applies: Applies::With(&[]),
        check: different_ends_in_one_turn,
    },
];

/// One of each kind.
fn ends(bench: &Bench) -> [End; 4] {
    [End::Done, bench.again(0, "late"), End::Dead { error: "late".to_owned() }, End::Back]
}

fn a_job_that_is_done_is_gone(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Done);
    bench.pass(50);
    assert_eq!(bench.claim(9), []);
}

fn a_failed_job_comes_back_after_its_delay(bench: &Bench) {
    let id = bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(6, "e"));
    bench.pass(4);
    assert_eq!(bench.claim(9), []);
    bench.pass(3);
    let claim = bench.claim_one();
    assert_eq!((claim.held.id, claim.attempt, &*claim.payload), (id, 2, "1"));
}

fn a_failed_job_without_a_delay_comes_back_at_once(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    assert_eq!(bench.claim_one().attempt, 2);
}

fn a_failed_job_can_be_taken_by_another_process(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    assert_eq!(bench.claim_one_by(&*bench.open()).attempt, 2);
}

fn a_job_that_keeps_failing_is_kept(bench: &Bench) {
    bench.push("1");
    for _ in 0..20 {
        bench.end_held(&bench.claim_one(), bench.again(1, "e"));
        bench.pass(2);
    }
    assert_eq!(bench.claim_one().attempt, 21, "only the end `Dead` and lost claims are final");
}

fn a_dead_job_is_not_claimed(bench: &Bench) {
    bench.push("1");
    bench.kill(&bench.claim_one(), "e");
    bench.pass(50);
    assert_eq!(bench.claim(9), []);
}

fn a_job_that_is_given_back_is_ready_at_once_with_its_attempt(bench: &Bench) {
    bench.push("1");
    for _ in 0..5 {
        let claim = bench.claim_one();
        assert_eq!(claim.attempt, 1);
        bench.end_held(&claim, End::Back);
    }
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    bench.end_held(&bench.claim_one(), End::Back);
    assert_eq!(bench.claim_one().attempt, 2);
}

fn a_job_that_is_given_back_keeps_its_last_error(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "first"));
    bench.end_held(&bench.claim_one(), End::Back);
    assert_eq!(bench.claim_one().last_error.as_deref(), Some("first"));
}

fn a_second_end_is_refused(bench: &Bench) {
    for first in ends(bench) {
        for second in ends(bench) {
            bench.push("1");
            let claim = bench.claim_one();
            bench.end_held(&claim, first.clone());
            assert!(!bench.end(&claim, second.clone()), "{second:?} after {first:?}");
            for left in bench.claim(9) {
                bench.end_held(&left, End::Done);
            }
        }
    }
}

fn a_second_end_in_the_same_turn_is_refused(bench: &Bench) {
    bench.push("1");
    let held = bench.claim_one().held;
    let back = Ended { held, end: End::Back };
    let done = Ended { held, end: End::Done };
    assert_eq!(bench.turn(&[back, done], &[]).stale, [held]);
    assert_eq!(bench.claim(9).len(), 1);
}

fn the_end_by_another_owner_is_refused(bench: &Bench) {
    bench.push("1");
    let other = bench.open();
    for end in ends(bench) {
        let claim = bench.claim_one();
        assert!(!bench.end_by(&*other, claim.held, end.clone()), "{end:?}");
        bench.end_held(&claim, End::Back);
    }
}

fn the_end_of_an_earlier_claim_is_refused(bench: &Bench) {
    bench.push("1");
    let mut earlier = bench.claim_one();
    for end in ends(bench) {
        bench.end_held(&earlier, End::Back);
        let later = bench.claim_one();
        assert!(!bench.end(&earlier, end.clone()), "{end:?}");
        earlier = later;
    }
    bench.end_held(&earlier, End::Done);
}

fn the_end_of_a_claim_that_never_was_is_refused(bench: &Bench) {
    bench.push("1");
    let Held { id, claim } = bench.claim_one().held;
    for claim in [0, claim + 1, u64::MAX] {
        assert!(!bench.end_by(bench.engine(), Held { id, claim }, End::Done), "{claim}");
    }
}

fn the_end_of_a_waiting_job_is_refused(bench: &Bench) {
    let id = bench.push("1");
    for claim in [0, 1] {
        assert!(!bench.end_by(bench.engine(), Held { id, claim }, End::Done), "{claim}");
    }
    assert_eq!(bench.claim(9).len(), 1);
}

fn an_end_shortly_before_the_lease_ends_is_accepted(bench: &Bench) {
    for end in ends(bench) {
        bench.push("1");
        let claim = bench.claim_one();
        bench.pass(LEASE - 1);
        assert!(bench.end(&claim, end.clone()), "{end:?}");
        for left in bench.claim(9) {
            bench.end_held(&left, End::Done);
        }
    }
}

fn an_end_after_the_lease_is_refused_although_nobody_has_the_job(bench: &Bench) {
    for end in ends(bench) {
        bench.push("1");
        let claim = bench.lose(bench.engine());
        assert!(!bench.end(&claim, end.clone()), "{end:?}");
        let again = bench.claim_one();
        assert_eq!((again.attempt, &*again.payload), (2, "1"), "{end:?}");
        bench.end_held(&again, End::Done);
    }
}

fn an_end_after_the_lease_is_refused_while_another_has_the_job(bench: &Bench) {
    let other = bench.open();
    for end in ends(bench) {
        bench.push("1");
        let old = bench.lose(bench.engine());
        let new = bench.claim_one_by(&*other);
        assert!(!bench.end(&old, end.clone()), "{end:?}");
        assert!(bench.end_by(&*other, new.held, End::Done), "{end:?}");
    }
}

fn an_end_after_the_lease_is_refused_after_another_is_done(bench: &Bench) {
    let other = bench.open();
    bench.push("1");
    let old = bench.lose(bench.engine());
    let new = bench.claim_one_by(&*other);
    assert!(bench.end_by(&*other, new.held, End::Done));
    assert!(!bench.end(&old, bench.again(0, "late")), "it does not come back to life");
    assert_eq!(bench.claim(9), []);
}

fn an_end_after_the_lease_is_refused_if_the_same_owner_has_the_job_again(bench: &Bench) {
    bench.push("1");
    let old = bench.lose(bench.engine());
    let new = bench.claim_one();
    assert!(!bench.end(&old, End::Done));
    bench.end_held(&new, End::Done);
}

fn of_several_ends_only_the_stale_ones_are_refused(bench: &Bench) {
    for payload in ["1", "2", "3"] {
        bench.push(payload);
    }
    let claims = bench.claim(3);
    bench.end_held(&claims[1], End::Back);
    let ended: Vec<_> =
        claims.iter().map(|claim| Ended { held: claim.held, end: End::Done }).collect();
    assert_eq!(bench.turn(&ended, &[]).stale, [claims[1].held]);
    assert_eq!(bench.claim_payloads(9), ["2"]);
}

fn different_ends_in_one_turn(bench: &Bench) {
    for payload in ["1", "2", "3", "4"] {
        bench.push(payload);
    }
    let claims = bench.claim(4);
    let ended: Vec<_> = claims
        .iter()
        .zip(ends(bench))
        .map(|(claim, end)| Ended { held: claim.held, end })
        .collect();
    let turn = bench.turn(&ended, &[bench.want_of(QUEUE, 9)]);
    assert_eq!(turn.stale, []);
    let left: Vec<_> = turn.claims.iter().map(|claim| (&*claim.payload, claim.attempt)).collect();
    assert_eq!(left, [("2", 2), ("4", 1)]);
}
