//! Cases: the order of jobs.

use super::bench::{Bench, QUEUE};
use super::case::{Applies, Case};
use crate::end::End;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::job_error::JobError;
use crate::new_job::NewJob;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 133,
        name: "jobs_of_one_instant_go_by_id",
        applies: Applies::With(&[]),
        check: jobs_of_one_instant_go_by_id,
    },
    Case {
        rule: 133,
        name: "jobs_go_by_time",
        applies: Applies::With(&[]),
        check: jobs_go_by_time,
    },
    Case {
        rule: 133,
        name: "a_higher_priority_goes_first",
        applies: Applies::With(&[Feature::Priority]),
        check: a_higher_priority_goes_first,
    },
    Case {
        rule: 133,
        name: "jobs_of_one_priority_go_by_time",
        applies: Applies::With(&[Feature::Priority]),
        check: jobs_of_one_priority_go_by_time,
    },
    Case {
        rule: 133,
        name: "a_claim_tells_the_priority",
        applies: Applies::With(&[Feature::Priority]),
        check: a_claim_tells_the_priority,
    },
    Case {
        rule: 133,
        name: "priorities_of_other_queues_do_not_matter",
        applies: Applies::With(&[Feature::Priority]),
        check: priorities_of_other_queues_do_not_matter,
    },
    Case {
        rule: 133,
        name: "a_priority_counts_only_when_the_job_is_due",
        applies: Applies::With(&[Feature::Priority, Feature::Delay]),
        check: a_priority_counts_only_when_the_job_is_due,
    },
    Case {
        rule: 133,
        name: "a_priority_is_kept_over_attempts",
        applies: Applies::With(&[Feature::Priority]),
        check: a_priority_is_kept_over_attempts,
    },
    Case {
        rule: 138,
        name: "priorities_out_of_range_are_refused",
        applies: Applies::With(&[Feature::Priority]),
        check: priorities_out_of_range_are_refused,
    },
    Case {
        rule: 134,
        name: "a_job_that_is_given_back_keeps_its_place",
        applies: Applies::With(&[]),
        check: a_job_that_is_given_back_keeps_its_place,
    },
    Case {
        rule: 133,
        name: "a_failed_job_goes_by_its_new_due_time",
        applies: Applies::With(&[]),
        check: a_failed_job_goes_by_its_new_due_time,
    },
    Case {
        rule: 133,
        name: "a_lost_job_keeps_its_place_the_first_time",
        applies: Applies::With(&[Feature::Lease]),
        check: a_lost_job_keeps_its_place_the_first_time,
    },
];

fn jobs_of_one_instant_go_by_id(bench: &Bench) {
    let payloads: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    for payload in &payloads {
        bench.push(payload);
    }
    assert_eq!(bench.claim_payloads(99), payloads);
}

fn jobs_go_by_time(bench: &Bench) {
    for payload in ["1", "2", "3"] {
        bench.push(payload);
        bench.pass(1);
    }
    assert_eq!(bench.claim_payloads(2), ["1", "2"]);
    assert_eq!(bench.claim_payloads(2), ["3"]);
}

fn a_higher_priority_goes_first(bench: &Bench) {
    for (payload, priority) in [("3", 0), ("5", -9), ("1", 9), ("2", 5), ("4", -1)] {
        bench.push_priority(payload, priority);
        bench.pass(1);
    }
    assert_eq!(bench.claim_payloads(2), ["1", "2"]);
    assert_eq!(bench.claim_payloads(9), ["3", "4", "5"]);
}

fn jobs_of_one_priority_go_by_time(bench: &Bench) {
    for (payload, priority) in [("1", 5), ("3", 1), ("2", 5), ("4", 1)] {
        bench.push_priority(payload, priority);
        bench.pass(1);
    }
    assert_eq!(bench.claim_payloads(9), ["1", "2", "3", "4"]);
}

fn a_claim_tells_the_priority(bench: &Bench) {
    for priority in [-9, 0, 9] {
        bench.push_priority("1", priority);
        let claim = bench.claim_one();
        assert_eq!(claim.priority, priority);
        bench.end_held(&claim, End::Done);
    }
}

fn priorities_of_other_queues_do_not_matter(bench: &Bench) {
    bench.push("1");
    bench.push_job(NewJob { priority: 9, ..NewJob::new("other", "2") });
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_priority_counts_only_when_the_job_is_due(bench: &Bench) {
    bench.push("1");
    bench.push_job(NewJob { priority: 9, delay: bench.units(5), ..NewJob::new(QUEUE, "3") });
    assert_eq!(bench.claim_payloads(1), ["1"]);
    bench.push("4");
    bench.pass(6);
    assert_eq!(bench.claim_payloads(9), ["3", "4"]);
}

fn a_priority_is_kept_over_attempts(bench: &Bench) {
    bench.push_priority("1", 5);
    bench.end_held(&bench.claim_one(), bench.again(2, "e"));
    bench.push("2");
    bench.pass(3);
    assert_eq!(bench.claim_payloads(9), ["1", "2"]);
}

fn priorities_out_of_range_are_refused(bench: &Bench) {
    for priority in [-128, -10, 10, 127] {
        let job = NewJob { priority, ..NewJob::new(QUEUE, "1") };
        let pushed = bench.engine().push(&[job], bench.now());
        let expected = JobError::Priority(priority);
        let is_expected = matches!(&pushed, Err(EngineError::Invalid(found)) if *found == expected);
        assert!(is_expected, "{pushed:?}");
    }
    assert_eq!(bench.claim(9), []);
}

fn a_job_that_is_given_back_keeps_its_place(bench: &Bench) {
    for payload in ["1", "2", "3"] {
        bench.push(payload);
        bench.pass(1);
    }
    bench.end_held(&bench.claim_one(), End::Back);
    assert_eq!(bench.claim_payloads(9), ["1", "2", "3"]);
}

fn a_failed_job_goes_by_its_new_due_time(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(2, "e"));
    bench.pass(1);
    bench.push("2");
    bench.pass(2);
    bench.push("3");
    assert_eq!(bench.claim_payloads(9), ["2", "1", "3"]);
}

fn a_lost_job_keeps_its_place_the_first_time(bench: &Bench) {
    bench.push("1");
    bench.pass(1);
    bench.push("2");
    bench.lose(&*bench.open());
    assert_eq!(bench.claim_payloads(9), ["1", "2"]);
}
