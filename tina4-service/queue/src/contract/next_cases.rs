//! Cases: when a queue has something to do next.
//!
//! An engine may say that a queue has something to do now although it does not, but never that it has not although it
//! does.

use std::time::Duration;

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::end::End;
use crate::feature::Feature;
use crate::new_job::NewJob;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 133,
        name: "a_queue_with_a_ready_job_is_due_now",
        applies: Applies::With(&[]),
        check: a_queue_with_a_ready_job_is_due_now,
    },
    Case {
        rule: 133,
        name: "each_of_several_queues_is_told_when_it_is_due",
        applies: Applies::With(&[Feature::Delay]),
        check: each_of_several_queues_is_told_when_it_is_due,
    },
    Case {
        rule: 133,
        name: "a_queue_with_a_delayed_job_is_due_in_time",
        applies: Applies::With(&[Feature::Delay]),
        check: a_queue_with_a_delayed_job_is_due_in_time,
    },
    Case {
        rule: 133,
        name: "a_queue_with_a_failed_job_is_due_in_time",
        applies: Applies::With(&[]),
        check: a_queue_with_a_failed_job_is_due_in_time,
    },
    Case {
        rule: 133,
        name: "a_queue_is_due_when_a_lease_ends",
        applies: Applies::With(&[Feature::Lease]),
        check: a_queue_is_due_when_a_lease_ends,
    },
    Case {
        rule: 133,
        name: "a_queue_whose_job_was_given_back_is_due_now",
        applies: Applies::With(&[]),
        check: a_queue_whose_job_was_given_back_is_due_now,
    },
    Case {
        rule: 133,
        name: "asking_when_a_queue_is_due_changes_nothing",
        applies: Applies::With(&[Feature::Lease, Feature::Backlog]),
        check: asking_when_a_queue_is_due_changes_nothing,
    },
    Case {
        rule: 133,
        name: "no_queue_is_due_if_none_is_named",
        applies: Applies::With(&[]),
        check: no_queue_is_due_if_none_is_named,
    },
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn next_due(bench: &Bench, queues: &[&str]) -> Vec<Option<Duration>> {
    let next = bench.engine().next_due(queues, bench.now()).expect("the store can be read");
    assert_eq!(next.len(), queues.len(), "one answer for each queue");
    next
}

/// When the usual queue is due. Another one is always empty.
fn next(bench: &Bench) -> Option<Duration> {
    let next = next_due(bench, &["empty", QUEUE, "empty"]);
    for empty in [next[0], next[2]] {
        assert!(empty.is_none_or(|wait| wait.is_zero()), "{empty:?}: it is empty, or unknown");
    }
    next[1]
}

/// Checks that the queue is due after this many units at the latest.
fn due_within(bench: &Bench, units: u32) {
    let next = next(bench);
    assert!(next.is_some_and(|next| next <= bench.units(units)), "{next:?}: {units} units");
}

fn a_queue_with_a_ready_job_is_due_now(bench: &Bench) {
    let _ = next(bench);
    bench.push("1");
    assert_eq!(next(bench), NOW);
    // Jobs that other owners push count, too.
    let claim = bench.claim_one();
    bench.end_held(&claim, End::Done);
    let job = NewJob::new(QUEUE, "2");
    bench.open().push(&[job], bench.now()).expect("the push succeeds");
    assert_eq!(next(bench), NOW);
}

fn each_of_several_queues_is_told_when_it_is_due(bench: &Bench) {
    bench.push_delayed("1", 50);
    bench.push_to("ready", "2");
    bench.push_job(NewJob { delay: bench.units(20), ..NewJob::new("later", "3") });
    let next = next_due(bench, &["later", "empty", "ready", QUEUE, "ready"]);
    assert_eq!([next[2], next[4]], [NOW, NOW]);
    assert!(next[0].is_some_and(|next| next <= bench.units(20)), "{next:?}");
    assert!(next[3].is_some_and(|next| next <= bench.units(50)), "{next:?}");
}

fn a_queue_with_a_delayed_job_is_due_in_time(bench: &Bench) {
    bench.push_delayed("1", 40);
    bench.push_delayed("2", 20);
    due_within(bench, 20);
    bench.pass(20);
    assert_eq!(next(bench), NOW);
    let claim = bench.claim_one();
    assert_eq!(claim.payload, "2");
    bench.end_held(&claim, End::Done);
    due_within(bench, 20);
}

fn a_queue_with_a_failed_job_is_due_in_time(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    bench.end_held(&claim, bench.again(6, "e"));
    due_within(bench, 6);
    bench.pass(6);
    assert_eq!(next(bench), NOW);
}

fn a_queue_is_due_when_a_lease_ends(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one_by(&*bench.open());
    due_within(bench, LEASE);
    bench.pass(LEASE);
    assert_eq!(next(bench), NOW);
    let again = bench.claim_one();
    assert_eq!((again.held.id, again.attempt), (claim.held.id, 2));
    due_within(bench, LEASE);
}

fn a_queue_whose_job_was_given_back_is_due_now(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    let _ = next(bench);
    bench.end_held(&claim, End::Back);
    assert_eq!(next(bench), NOW);
}

fn asking_when_a_queue_is_due_changes_nothing(bench: &Bench) {
    bench.push("1");
    bench.push("2");
    let claim = bench.claim_one();
    assert_eq!(next(bench), NOW);
    bench.pass(LEASE);
    assert_eq!(next(bench), NOW);
    let backlog = bench.backlog();
    assert_eq!((backlog.ready, backlog.claimed), (1, 1), "the lost claim is not ended by a look");
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.lost, turn.claims.len()), (1, 2));
    let other = turn.claims.iter().find(|other| other.held.id == claim.held.id);
    assert!(other.is_some_and(|other| other.attempt == 2), "{other:?}");
}

fn no_queue_is_due_if_none_is_named(bench: &Bench) {
    bench.push("1");
    assert_eq!(next_due(bench, &[]), []);
}
