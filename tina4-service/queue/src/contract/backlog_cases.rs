//! Cases: counts of jobs.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::backlog::Backlog;
use crate::dead_job::DeadSelection;
use crate::end::End;
use crate::feature::Feature;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "an_empty_queue_has_a_backlog_of_nothing",
        applies: Applies::With(&[Feature::Backlog]),
        check: an_empty_queue_has_a_backlog_of_nothing,
    },
    Case {
        rule: 131,
        name: "each_job_is_counted_where_it_is",
        applies: Applies::With(&[Feature::Backlog]),
        check: each_job_is_counted_where_it_is,
    },
    Case {
        rule: 131,
        name: "a_delayed_job_counts_as_ready_when_it_is_due",
        applies: Applies::With(&[Feature::Backlog, Feature::Delay]),
        check: a_delayed_job_counts_as_ready_when_it_is_due,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_given_back_counts_as_ready",
        applies: Applies::With(&[Feature::Backlog]),
        check: a_job_that_is_given_back_counts_as_ready,
    },
    Case {
        rule: 131,
        name: "a_lost_job_is_not_lost_from_the_counts",
        applies: Applies::With(&[Feature::Backlog, Feature::Lease]),
        check: a_lost_job_is_not_lost_from_the_counts,
    },
    Case {
        rule: 131,
        name: "dead_jobs_are_counted_until_they_are_put_back",
        applies: Applies::With(&[Feature::Backlog, Feature::DeadLetters]),
        check: dead_jobs_are_counted_until_they_are_put_back,
    },
    Case {
        rule: 131,
        name: "the_age_of_the_oldest_ready_job",
        applies: Applies::With(&[Feature::Backlog]),
        check: the_age_of_the_oldest_ready_job,
    },
    Case {
        rule: 131,
        name: "the_age_counts_from_the_due_time",
        applies: Applies::With(&[Feature::Backlog, Feature::Delay]),
        check: the_age_counts_from_the_due_time,
    },
];

/// The counts without the age, which is exact only in virtual time.
fn counts(bench: &Bench) -> (u64, u64, u64, u64) {
    let Backlog { ready, delayed, claimed, dead, oldest_ready: _ } = bench.backlog();
    (ready, delayed, claimed, dead)
}

fn an_empty_queue_has_a_backlog_of_nothing(bench: &Bench) {
    bench.push_to("other", "1");
    assert_eq!(bench.backlog(), Backlog::default());
}

fn each_job_is_counted_where_it_is(bench: &Bench) {
    for payload in ["1", "2", "3", "4"] {
        bench.push(payload);
    }
    assert_eq!(counts(bench), (4, 0, 0, 0));
    let claims = bench.claim(3);
    assert_eq!(counts(bench), (1, 0, 3, 0));
    bench.end_held(&claims[0], bench.again(5, "e"));
    assert_eq!(counts(bench), (1, 1, 2, 0));
    bench.kill(&claims[1], "e");
    assert_eq!(counts(bench), (1, 1, 1, 1));
    bench.end_held(&claims[2], End::Done);
    assert_eq!(counts(bench), (1, 1, 0, 1));
}

fn a_delayed_job_counts_as_ready_when_it_is_due(bench: &Bench) {
    bench.push_delayed("1", 5);
    assert_eq!(counts(bench), (0, 1, 0, 0));
    bench.pass(6);
    assert_eq!(counts(bench), (1, 0, 0, 0));
}

fn a_job_that_is_given_back_counts_as_ready(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Back);
    assert_eq!(counts(bench), (1, 0, 0, 0));
}

fn a_lost_job_is_not_lost_from_the_counts(bench: &Bench) {
    bench.push("1");
    bench.lose(&*bench.open());
    let (ready, delayed, claimed, dead) = counts(bench);
    assert_eq!((ready + claimed, delayed, dead), (1, 0, 0));
}

fn dead_jobs_are_counted_until_they_are_put_back(bench: &Bench) {
    bench.push_dead("1");
    bench.push_dead("2");
    assert_eq!(counts(bench), (0, 0, 0, 2));
    let all = DeadSelection::All;
    bench.engine().redrive(QUEUE, all, bench.now()).expect("it succeeds");
    assert_eq!(counts(bench), (2, 0, 0, 0));
}

fn the_age_of_the_oldest_ready_job(bench: &Bench) {
    bench.push("1");
    bench.pass(3);
    bench.push("2");
    bench.pass(4);
    if bench.is_virtual() {
        assert_eq!(bench.backlog().oldest_ready, Some(bench.units(7)));
        bench.claim_one();
        assert_eq!(bench.backlog().oldest_ready, Some(bench.units(4)));
        bench.pass(LEASE - 2);
        bench.claim_one();
        assert_eq!(bench.backlog().oldest_ready, None);
    } else {
        assert!(bench.backlog().oldest_ready >= Some(bench.units(6)));
    }
}

fn the_age_counts_from_the_due_time(bench: &Bench) {
    bench.push_delayed("1", 5);
    bench.pass(3);
    assert_eq!(bench.backlog().oldest_ready, None);
    bench.pass(6);
    if bench.is_virtual() {
        assert_eq!(bench.backlog().oldest_ready, Some(bench.units(4)));
    }
}
