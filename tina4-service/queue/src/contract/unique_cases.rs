//! Cases: unique keys.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::cancelled::Cancelled;
use crate::dead_job::DeadSelection;
use crate::end::End;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::job_error::JobError;
use crate::new_job::{NewJob, Unique};
use crate::pushed::Pushed;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 130,
        name: "a_key_is_taken_while_its_job_waits",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_taken_while_its_job_waits,
    },
    Case {
        rule: 130,
        name: "a_key_is_taken_for_other_processes",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_taken_for_other_processes,
    },
    Case {
        rule: 130,
        name: "a_key_is_taken_while_its_job_is_claimed",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_taken_while_its_job_is_claimed,
    },
    Case {
        rule: 130,
        name: "a_key_is_taken_while_its_job_waits_for_another_attempt",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_taken_while_its_job_waits_for_another_attempt,
    },
    Case {
        rule: 130,
        name: "a_key_is_taken_after_its_job_was_given_back",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_taken_after_its_job_was_given_back,
    },
    Case {
        rule: 130,
        name: "a_key_is_taken_after_its_claim_was_lost",
        applies: Applies::With(&[Feature::UniqueWhileLive, Feature::Lease]),
        check: a_key_is_taken_after_its_claim_was_lost,
    },
    Case {
        rule: 130,
        name: "a_key_is_free_when_its_job_is_done",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_free_when_its_job_is_done,
    },
    Case {
        rule: 130,
        name: "a_key_is_free_when_its_job_is_dead",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_is_free_when_its_job_is_dead,
    },
    Case {
        rule: 130,
        name: "a_key_is_free_when_its_job_died_of_lost_claims",
        applies: Applies::With(&[Feature::UniqueWhileLive, Feature::Lease]),
        check: a_key_is_free_when_its_job_died_of_lost_claims,
    },
    Case {
        rule: 130,
        name: "a_key_is_free_when_its_job_is_cancelled",
        applies: Applies::With(&[Feature::UniqueWhileLive, Feature::Cancel]),
        check: a_key_is_free_when_its_job_is_cancelled,
    },
    Case {
        rule: 130,
        name: "a_job_that_is_put_back_has_no_key",
        applies: Applies::With(&[Feature::UniqueWhileLive, Feature::DeadLetters]),
        check: a_job_that_is_put_back_has_no_key,
    },
    Case {
        rule: 130,
        name: "keys_of_different_queues_are_different",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: keys_of_different_queues_are_different,
    },
    Case {
        rule: 130,
        name: "different_keys_are_different",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: different_keys_are_different,
    },
    Case {
        rule: 130,
        name: "jobs_without_a_key_are_not_compared",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: jobs_without_a_key_are_not_compared,
    },
    Case {
        rule: 130,
        name: "a_key_can_occur_twice_in_one_push",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: a_key_can_occur_twice_in_one_push,
    },
    Case {
        rule: 130,
        name: "a_key_with_a_time_is_taken_until_it_has_passed",
        applies: Applies::With(&[Feature::UniqueFor]),
        check: a_key_with_a_time_is_taken_until_it_has_passed,
    },
    Case {
        rule: 130,
        name: "a_key_with_a_time_is_taken_although_its_job_is_done",
        applies: Applies::With(&[Feature::UniqueFor]),
        check: a_key_with_a_time_is_taken_although_its_job_is_done,
    },
    Case {
        rule: 130,
        name: "a_key_with_a_time_is_free_then_although_its_job_waits",
        applies: Applies::With(&[Feature::UniqueFor]),
        check: a_key_with_a_time_is_free_then_although_its_job_waits,
    },
    Case {
        rule: 130,
        name: "a_key_with_a_time_ends_exactly",
        applies: Applies::With(&[Feature::UniqueFor]),
        check: a_key_with_a_time_ends_exactly,
    },
    Case {
        rule: 130,
        name: "both_kinds_of_keys_are_compared_with_each_other",
        applies: Applies::With(&[Feature::UniqueFor, Feature::UniqueWhileLive]),
        check: both_kinds_of_keys_are_compared_with_each_other,
    },
    Case {
        rule: 138,
        name: "keys_that_are_not_valid_are_refused",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: keys_that_are_not_valid_are_refused,
    },
    Case {
        rule: 130,
        name: "a_key_stays_with_its_job_through_everything",
        applies: Applies::With(&[Feature::UniqueWhileLive, Feature::Lease]),
        check: a_key_stays_with_its_job_through_everything,
    },
];

fn a_key_is_taken_while_its_job_waits(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    assert!(first.is_new());
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_key_is_taken_for_other_processes(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    let job = NewJob { unique: Some(Unique { key: "k", window: None }), ..NewJob::new(QUEUE, "2") };
    let second = bench.open().push(&[job], bench.now()).expect("it succeeds");
    assert_eq!(second, [Pushed::Known(first.id())]);
}

fn a_key_is_taken_while_its_job_is_claimed(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.claim_one();
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
}

fn a_key_is_taken_while_its_job_waits_for_another_attempt(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.end_held(&bench.claim_one(), bench.again(5, "e"));
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
}

fn a_key_is_taken_after_its_job_was_given_back(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.end_held(&bench.claim_one(), End::Back);
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
}

fn a_key_is_taken_after_its_claim_was_lost(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.lose(&*bench.open());
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_key_is_free_when_its_job_is_done(bench: &Bench) {
    bench.push_unique("1", "k");
    bench.end_held(&bench.claim_one(), End::Done);
    assert!(bench.push_unique("2", "k").is_new());
    assert_eq!(bench.claim_payloads(9), ["2"]);
}

fn a_key_is_free_when_its_job_is_dead(bench: &Bench) {
    bench.push_unique("1", "k");
    bench.kill(&bench.claim_one(), "e");
    assert!(bench.push_unique("2", "k").is_new());
}

fn a_key_is_free_when_its_job_died_of_lost_claims(bench: &Bench) {
    bench.push_unique("1", "k");
    for _ in 0..3 {
        bench.lose(bench.engine());
        assert_eq!(bench.claim(0), []);
        bench.pass(16);
    }
    assert_eq!(bench.claim(9), [], "it is dead");
    assert!(bench.push_unique("2", "k").is_new());
}

fn a_key_is_free_when_its_job_is_cancelled(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    let cancelled = bench.engine().cancel(QUEUE, first.id()).expect("it succeeds");
    assert_eq!(cancelled, Cancelled::Deleted);
    assert!(bench.push_unique("2", "k").is_new());
}

fn a_job_that_is_put_back_has_no_key(bench: &Bench) {
    bench.push_unique("1", "k");
    bench.kill(&bench.claim_one(), "e");
    let second = bench.push_unique("2", "k");
    let redriven = bench.engine().redrive(QUEUE, DeadSelection::All, bench.now());
    assert_eq!(redriven.expect("it succeeds"), 1);
    assert_eq!(bench.push_unique("3", "k"), Pushed::Known(second.id()));
    let claims = bench.claim(9);
    assert_eq!(claims.len(), 2);
    let first = claims.iter().find(|claim| claim.payload == "1").expect("it was put back");
    bench.end_held(first, End::Done);
    assert_eq!(bench.push_unique("4", "k"), Pushed::Known(second.id()), "still the second's");
}

fn keys_of_different_queues_are_different(bench: &Bench) {
    let unique = Some(Unique { key: "k", window: None });
    for queue in ["a", "b"] {
        assert!(bench.push_job(NewJob { unique, ..NewJob::new(queue, "1") }).is_new(), "{queue}");
    }
}

fn different_keys_are_different(bench: &Bench) {
    for key in ["k", "K", "k ", "ä", "k'"] {
        assert!(bench.push_unique("1", key).is_new(), "{key}");
        assert!(!bench.push_unique("1", key).is_new(), "{key}");
    }
}

fn jobs_without_a_key_are_not_compared(bench: &Bench) {
    bench.push_unique("1", "k");
    bench.push("1");
    bench.push("1");
    assert_eq!(bench.claim(9).len(), 3);
}

fn a_key_can_occur_twice_in_one_push(bench: &Bench) {
    let unique = Some(Unique { key: "k", window: None });
    let jobs = ["1", "2"].map(|payload| NewJob { unique, ..NewJob::new(QUEUE, payload) });
    let pushed = bench.engine().push(&jobs, bench.now()).expect("it succeeds");
    assert_eq!(pushed[1], Pushed::Known(pushed[0].id()));
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_key_with_a_time_is_taken_until_it_has_passed(bench: &Bench) {
    let first = bench.push_unique_for("1", "k", 10);
    assert!(first.is_new());
    bench.pass(8);
    assert_eq!(bench.push_unique_for("2", "k", 10), Pushed::Known(first.id()));
    bench.pass(3);
    assert!(bench.push_unique_for("3", "k", 10).is_new(), "a refused push does not prolong it");
    assert_eq!(bench.claim_payloads(9), ["1", "3"]);
}

fn a_key_with_a_time_is_taken_although_its_job_is_done(bench: &Bench) {
    let first = bench.push_unique_for("1", "k", 10);
    bench.end_held(&bench.claim_one(), End::Done);
    assert_eq!(bench.push_unique_for("2", "k", 10), Pushed::Known(first.id()));
    assert_eq!(bench.claim(9), []);
}

fn a_key_with_a_time_is_free_then_although_its_job_waits(bench: &Bench) {
    bench.push_unique_for("1", "k", 5);
    bench.pass(6);
    assert!(bench.push_unique_for("2", "k", 5).is_new());
    assert_eq!(bench.claim_payloads(9), ["1", "2"]);
}

fn a_key_with_a_time_ends_exactly(bench: &Bench) {
    bench.push_unique_for("1", "k", 5);
    if bench.is_virtual() {
        bench.pass(5);
        assert!(bench.push_unique_for("2", "k", 5).is_new());
    }
}

fn both_kinds_of_keys_are_compared_with_each_other(bench: &Bench) {
    let first = bench.push_unique("1", "a");
    assert_eq!(bench.push_unique_for("2", "a", 5), Pushed::Known(first.id()));
    let second = bench.push_unique_for("3", "b", 5);
    bench.end_held(&bench.claim(2)[1], End::Done);
    assert_eq!(bench.push_unique("4", "b"), Pushed::Known(second.id()));
    bench.pass(6);
    assert!(bench.push_unique("5", "b").is_new());
}

fn keys_that_are_not_valid_are_refused(bench: &Bench) {
    let long = "k".repeat(256);
    for (key, expected) in [("", JobError::EmptyKey), (&*long, JobError::LongKey(256))] {
        let unique = Some(Unique { key, window: None });
        let pushed =
            bench.engine().push(&[NewJob { unique, ..NewJob::new(QUEUE, "1") }], bench.now());
        let is_expected = matches!(&pushed, Err(EngineError::Invalid(found)) if *found == expected);
        assert!(is_expected, "{pushed:?}");
    }
    assert_eq!(bench.claim(9), []);
    assert!(bench.push_unique("1", &long[..255]).is_new());
}

fn a_key_stays_with_its_job_through_everything(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.end_held(&bench.claim_one(), bench.again(2, "e"));
    bench.pass(2);
    let claim = bench.claim_one();
    bench.pass(LEASE - 1);
    assert_eq!(bench.renew(&[claim.held]), []);
    bench.pass(LEASE - 1);
    assert_eq!(bench.push_unique("2", "k"), Pushed::Known(first.id()));
    bench.end_held(&claim, End::Done);
    assert!(bench.push_unique("2", "k").is_new());
}
