//! Cases: dead jobs.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::dead_job::{DeadJob, DeadSelection};
use crate::end::End;
use crate::feature::Feature;
use crate::job_id::JobId;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_dead_job_is_kept_with_its_error",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_dead_job_is_kept_with_its_error,
    },
    Case {
        rule: 131,
        name: "a_dead_job_stays_dead",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_dead_job_stays_dead,
    },
    Case {
        rule: 131,
        name: "a_dead_job_is_seen_by_another_process",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_dead_job_is_seen_by_another_process,
    },
    Case {
        rule: 131,
        name: "there_are_no_dead_jobs_at_first",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: there_are_no_dead_jobs_at_first,
    },
    Case {
        rule: 131,
        name: "dead_jobs_are_listed_in_pages",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: dead_jobs_are_listed_in_pages,
    },
    Case {
        rule: 131,
        name: "dead_jobs_of_other_queues_are_separate",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: dead_jobs_of_other_queues_are_separate,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_put_back_starts_again",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_job_that_is_put_back_starts_again,
    },
    Case {
        rule: 132,
        name: "claim_numbers_go_on_after_a_job_is_put_back",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: claim_numbers_go_on_after_a_job_is_put_back,
    },
    Case {
        rule: 132,
        name: "a_late_end_does_not_touch_a_job_that_was_put_back",
        applies: Applies::With(&[Feature::DeadLetters, Feature::Lease]),
        check: a_late_end_does_not_touch_a_job_that_was_put_back,
    },
    Case {
        rule: 133,
        name: "a_job_that_is_put_back_keeps_its_priority",
        applies: Applies::With(&[Feature::DeadLetters, Feature::Priority]),
        check: a_job_that_is_put_back_keeps_its_priority,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_put_back_keeps_the_time_of_its_push",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_job_that_is_put_back_keeps_the_time_of_its_push,
    },
    Case {
        rule: 133,
        name: "a_job_that_is_put_back_is_due_now",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_job_that_is_put_back_is_due_now,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_put_back_can_die_again",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: a_job_that_is_put_back_can_die_again,
    },
    Case {
        rule: 131,
        name: "one_of_several_dead_jobs_can_be_put_back",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: one_of_several_dead_jobs_can_be_put_back,
    },
    Case {
        rule: 131,
        name: "all_dead_jobs_can_be_put_back",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: all_dead_jobs_can_be_put_back,
    },
    Case {
        rule: 131,
        name: "dead_jobs_can_be_selected_by_age",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: dead_jobs_can_be_selected_by_age,
    },
    Case {
        rule: 131,
        name: "dead_jobs_can_be_deleted",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: dead_jobs_can_be_deleted,
    },
    Case {
        rule: 131,
        name: "only_dead_jobs_are_put_back_or_deleted",
        applies: Applies::With(&[Feature::DeadLetters]),
        check: only_dead_jobs_are_put_back_or_deleted,
    },
];

fn redrive(bench: &Bench, which: DeadSelection) -> u64 {
    bench.engine().redrive(QUEUE, which, bench.now()).expect("dead jobs can be put back")
}

fn purge(bench: &Bench, which: DeadSelection) -> u64 {
    bench.engine().purge(QUEUE, which, bench.now()).expect("dead jobs can be deleted")
}

fn ids(dead: &[DeadJob]) -> Vec<JobId> {
    dead.iter().map(|job| job.id).collect()
}

fn a_dead_job_is_kept_with_its_error(bench: &Bench) {
    let pushed_at = bench.now();
    let id = bench.push("{\"to\":\"ada\"}");
    bench.end_held(&bench.claim_one(), bench.again(0, "first"));
    bench.pass(3);
    let died_at = bench.now();
    bench.kill(&bench.claim_one(), "größer: second");
    let dead = bench.dead();
    assert_eq!(dead.len(), 1);
    let job = &dead[0];
    assert_eq!((job.id, &*job.payload, job.attempts), (id, "{\"to\":\"ada\"}", 2));
    assert_eq!(job.error, "größer: second");
    if bench.is_virtual() {
        assert_eq!((job.pushed_at, job.died_at), (pushed_at, died_at));
    }
}

fn a_dead_job_stays_dead(bench: &Bench) {
    let id = bench.push_dead("1");
    bench.pass(90);
    assert_eq!(bench.claim(9), []);
    assert_eq!(ids(&bench.dead()), [id]);
}

fn a_dead_job_is_seen_by_another_process(bench: &Bench) {
    bench.push_dead("1");
    let dead = bench.open().dead(QUEUE, None, 9).expect("it succeeds");
    assert_eq!(dead, bench.dead());
}

fn there_are_no_dead_jobs_at_first(bench: &Bench) {
    assert_eq!(bench.dead(), []);
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Done);
    assert_eq!(bench.dead(), []);
    assert_eq!(redrive(bench, DeadSelection::All), 0);
    assert_eq!(purge(bench, DeadSelection::All), 0);
}

fn dead_jobs_are_listed_in_pages(bench: &Bench) {
    let all: Vec<_> = (0..7).map(|n| bench.push_dead(&n.to_string())).collect();
    let mut sorted = all.clone();
    sorted.sort();
    let page = |after, limit| ids(&bench.engine().dead(QUEUE, after, limit).expect("it succeeds"));
    assert_eq!(page(None, 3), sorted[..3]);
    assert_eq!(page(Some(sorted[2]), 3), sorted[3..6]);
    assert_eq!(page(Some(sorted[5]), 3), sorted[6..]);
    assert_eq!(page(Some(sorted[6]), 3), []);
    assert_eq!(page(None, 0), []);
}

fn dead_jobs_of_other_queues_are_separate(bench: &Bench) {
    bench.push_dead("1");
    let other = bench.engine();
    assert_eq!(other.dead("other", None, 9).expect("it succeeds"), []);
    assert_eq!(other.redrive("other", DeadSelection::All, bench.now()).expect("it succeeds"), 0);
    assert_eq!(other.purge("other", DeadSelection::All, bench.now()).expect("it succeeds"), 0);
    assert_eq!(bench.dead().len(), 1);
}

fn a_job_that_is_put_back_starts_again(bench: &Bench) {
    let id = bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "first"));
    bench.kill(&bench.claim_one(), "second");
    assert_eq!(redrive(bench, DeadSelection::All), 1);
    assert_eq!(bench.dead(), []);
    let claim = bench.claim_one();
    assert_eq!((claim.held.id, claim.attempt, claim.lost), (id, 1, 0));
    assert_eq!((&*claim.payload, claim.last_error.as_deref()), ("1", Some("second")));
}

fn claim_numbers_go_on_after_a_job_is_put_back(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    let old = bench.claim_one();
    bench.kill(&old, "e");
    redrive(bench, DeadSelection::All);
    let new = bench.claim_one();
    assert!(new.held.claim > old.held.claim);
    assert!(!bench.end(&old, End::Done));
    bench.end_held(&new, End::Done);
}

fn a_late_end_does_not_touch_a_job_that_was_put_back(bench: &Bench) {
    bench.push("1");
    let old = bench.lose(bench.engine());
    let other = bench.open();
    let new = bench.claim_one_by(&*other);
    assert!(bench.end_by(&*other, new.held, End::Dead { error: "e".to_owned() }));
    redrive(bench, DeadSelection::All);
    assert!(!bench.end(&old, End::Done));
    let claim = bench.claim_one();
    assert!(!bench.end(&old, End::Done));
    bench.end_held(&claim, End::Done);
}

fn a_job_that_is_put_back_keeps_its_priority(bench: &Bench) {
    bench.push_priority("1", 7);
    bench.kill(&bench.claim_one(), "e");
    bench.push_priority("2", 6);
    redrive(bench, DeadSelection::All);
    let claims = bench.claim(9);
    assert_eq!((&*claims[0].payload, claims[0].priority), ("1", 7));
}

fn a_job_that_is_put_back_keeps_the_time_of_its_push(bench: &Bench) {
    let pushed_at = bench.now();
    bench.push_dead("1");
    bench.pass(5);
    redrive(bench, DeadSelection::All);
    let claim = bench.claim_one();
    if bench.is_virtual() {
        assert_eq!(claim.pushed_at, pushed_at);
    }
}

fn a_job_that_is_put_back_is_due_now(bench: &Bench) {
    bench.push_dead("2");
    bench.pass(1);
    bench.push("1");
    bench.pass(1);
    redrive(bench, DeadSelection::All);
    assert_eq!(bench.claim_payloads(9), ["1", "2"]);
}

fn a_job_that_is_put_back_can_die_again(bench: &Bench) {
    let id = bench.push_dead("1");
    for n in 0..3 {
        assert_eq!(redrive(bench, DeadSelection::One(id)), 1);
        bench.kill(&bench.claim_one(), &n.to_string());
        let dead = bench.dead();
        assert_eq!((dead[0].id, dead[0].attempts, &*dead[0].error), (id, 1, &*n.to_string()));
    }
}

fn one_of_several_dead_jobs_can_be_put_back(bench: &Bench) {
    let all = ["1", "2", "3"].map(|payload| bench.push_dead(payload));
    assert_eq!(redrive(bench, DeadSelection::One(all[1])), 1);
    assert_eq!(redrive(bench, DeadSelection::One(all[1])), 0, "it is not dead any more");
    assert_eq!(bench.claim_payloads(9), ["2"]);
    assert_eq!(bench.dead().len(), 2);
}

fn all_dead_jobs_can_be_put_back(bench: &Bench) {
    for payload in ["1", "2", "3"] {
        bench.push_dead(payload);
    }
    assert_eq!(redrive(bench, DeadSelection::All), 3);
    assert_eq!(bench.claim(9).len(), 3);
}

fn dead_jobs_can_be_selected_by_age(bench: &Bench) {
    bench.push_dead("1");
    bench.pass(5);
    let limit = bench.now();
    bench.pass(if bench.is_virtual() { 0 } else { 2 });
    let young = bench.push_dead("2");
    bench.pass(5);
    assert_eq!(redrive(bench, DeadSelection::DiedBefore(limit)), 1);
    assert_eq!(bench.claim_payloads(9), ["1"]);
    assert_eq!(purge(bench, DeadSelection::DiedBefore(limit)), 0);
    assert_eq!(ids(&bench.dead()), [young]);
    assert_eq!(purge(bench, DeadSelection::DiedBefore(bench.now())), 1);
}

fn dead_jobs_can_be_deleted(bench: &Bench) {
    let all = ["1", "2", "3"].map(|payload| bench.push_dead(payload));
    assert_eq!(purge(bench, DeadSelection::One(all[1])), 1);
    assert_eq!(purge(bench, DeadSelection::One(all[1])), 0);
    assert_eq!(bench.dead().len(), 2);
    assert_eq!(purge(bench, DeadSelection::All), 2);
    assert_eq!(bench.dead(), []);
    assert_eq!(redrive(bench, DeadSelection::All), 0);
}

fn only_dead_jobs_are_put_back_or_deleted(bench: &Bench) {
    let waiting = bench.push("1");
    let claimed = bench.claim_one().held.id;
    assert_eq!(claimed, waiting);
    bench.push("2");
    for which in [DeadSelection::All, DeadSelection::One(waiting)] {
        assert_eq!((redrive(bench, which), purge(bench, which)), (0, 0), "{which:?}");
    }
    bench.pass(LEASE - 2);
    assert_eq!(bench.claim_payloads(9), ["2"]);
}
