//! Cases: delays.

use std::time::Duration;

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::end::End;
use crate::feature::Feature;
use crate::new_job::NewJob;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 133,
        name: "a_delayed_job_is_not_claimed_before_it_is_due",
        applies: Applies::With(&[Feature::Delay]),
        check: a_delayed_job_is_not_claimed_before_it_is_due,
    },
    Case {
        rule: 133,
        name: "a_delayed_job_is_claimed_when_it_is_due",
        applies: Applies::With(&[Feature::Delay]),
        check: a_delayed_job_is_claimed_when_it_is_due,
    },
    Case {
        rule: 133,
        name: "a_delay_is_exact_to_the_millisecond",
        applies: Applies::With(&[Feature::Delay]),
        check: a_delay_is_exact_to_the_millisecond,
    },
    Case {
        rule: 133,
        name: "delayed_jobs_go_by_due_time",
        applies: Applies::With(&[Feature::Delay]),
        check: delayed_jobs_go_by_due_time,
    },
    Case {
        rule: 133,
        name: "a_delayed_job_goes_after_one_that_was_ready_before_it",
        applies: Applies::With(&[Feature::Delay]),
        check: a_delayed_job_goes_after_one_that_was_ready_before_it,
    },
    Case {
        rule: 133,
        name: "a_turn_tells_when_the_next_job_is_due",
        applies: Applies::With(&[Feature::Delay]),
        check: a_turn_tells_when_the_next_job_is_due,
    },
    Case {
        rule: 133,
        name: "only_the_requested_queues_tell_when_a_job_is_due",
        applies: Applies::With(&[Feature::Delay]),
        check: only_the_requested_queues_tell_when_a_job_is_due,
    },
    Case {
        rule: 133,
        name: "a_turn_tells_when_a_failed_job_is_due",
        applies: Applies::With(&[]),
        check: a_turn_tells_when_a_failed_job_is_due,
    },
    Case {
        rule: 133,
        name: "a_turn_tells_when_a_lease_ends",
        applies: Applies::With(&[Feature::Lease]),
        check: a_turn_tells_when_a_lease_ends,
    },
    Case {
        rule: 133,
        name: "an_empty_queue_has_no_next_job",
        applies: Applies::With(&[]),
        check: an_empty_queue_has_no_next_job,
    },
    Case {
        rule: 133,
        name: "a_delay_of_a_thousand_years_is_stored",
        applies: Applies::With(&[Feature::Delay]),
        check: a_delay_of_a_thousand_years_is_stored,
    },
];

fn a_delayed_job_is_not_claimed_before_it_is_due(bench: &Bench) {
    bench.push_delayed("1", 10);
    assert_eq!(bench.claim(9), []);
    bench.pass(8);
    assert_eq!(bench.claim(9), []);
}

fn a_delayed_job_is_claimed_when_it_is_due(bench: &Bench) {
    bench.push_delayed("1", 5);
    bench.pass(if bench.is_virtual() { 5 } else { 6 });
    assert_eq!(bench.claim_payloads(9), ["1"]);
}

fn a_delay_is_exact_to_the_millisecond(bench: &Bench) {
    if bench.is_virtual() {
        let delay = Duration::from_millis(1001);
        bench.push_job(NewJob { delay, ..NewJob::new(QUEUE, "1") });
        bench.pass(1);
        let turn = bench.turn(&[], &[bench.want(9)]);
        assert_eq!((turn.claims, turn.next), (vec![], Some(Duration::from_millis(1))));
        bench.pass(1);
        assert_eq!(bench.claim(9).len(), 1);
    }
}

fn delayed_jobs_go_by_due_time(bench: &Bench) {
    bench.push_delayed("3", 6);
    bench.push_delayed("1", 2);
    bench.push_delayed("2", 4);
    bench.pass(7);
    assert_eq!(bench.claim_payloads(9), ["1", "2", "3"]);
}

fn a_delayed_job_goes_after_one_that_was_ready_before_it(bench: &Bench) {
    bench.push_delayed("2", 4);
    bench.pass(2);
    bench.push("1");
    bench.pass(4);
    bench.push("3");
    assert_eq!(bench.claim_payloads(9), ["1", "2", "3"]);
}

fn a_turn_tells_when_the_next_job_is_due(bench: &Bench) {
    bench.push_delayed("1", 9);
    bench.push_delayed("2", 7);
    if bench.is_virtual() {
        assert_eq!(bench.turn(&[], &[bench.want(9)]).next, Some(bench.units(7)));
        bench.pass(3);
        assert_eq!(bench.turn(&[], &[bench.want(9)]).next, Some(bench.units(4)));
    }
}

fn only_the_requested_queues_tell_when_a_job_is_due(bench: &Bench) {
    bench.push_delayed("1", 9);
    bench.push_job(NewJob { delay: bench.units(3), ..NewJob::new("other", "2") });
    let other = bench.want_of("other", 9);
    let empty = bench.want_of("empty", 9);
    if bench.is_virtual() {
        assert_eq!(bench.turn(&[], &[empty]).next, None);
        assert_eq!(bench.turn(&[], &[bench.want(9)]).next, Some(bench.units(9)));
        assert_eq!(bench.turn(&[], &[empty, bench.want(9), other]).next, Some(bench.units(3)));
    }
}

fn a_turn_tells_when_a_failed_job_is_due(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(6, "e"));
    if bench.is_virtual() {
        assert_eq!(bench.turn(&[], &[bench.want(9)]).next, Some(bench.units(6)));
    }
}

fn a_turn_tells_when_a_lease_ends(bench: &Bench) {
    bench.push("1");
    let other = bench.open();
    bench.claim_one_by(&*other);
    bench.pass(4);
    if bench.is_virtual() {
        assert_eq!(bench.turn(&[], &[bench.want(9)]).next, Some(bench.units(LEASE - 4)));
    }
}

fn an_empty_queue_has_no_next_job(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Done);
    assert_eq!(bench.turn(&[], &[bench.want(9)]).next, None);
}

fn a_delay_of_a_thousand_years_is_stored(bench: &Bench) {
    let delay = Duration::from_secs(1000 * 366 * 86_400);
    bench.push_job(NewJob { delay, ..NewJob::new(QUEUE, "1") });
    bench.pass(50);
    assert_eq!(bench.claim(9), []);
}
