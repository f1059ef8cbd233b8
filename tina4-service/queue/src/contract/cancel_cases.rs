//! Cases: cancelled jobs.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::cancelled::Cancelled;
use crate::end::End;
use crate::feature::Feature;
use crate::job_id::JobId;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_ready_job_can_be_cancelled",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_ready_job_can_be_cancelled,
    },
    Case {
        rule: 131,
        name: "a_delayed_job_can_be_cancelled",
        applies: Applies::With(&[Feature::Cancel, Feature::Delay]),
        check: a_delayed_job_can_be_cancelled,
    },
    Case {
        rule: 131,
        name: "a_job_that_waits_for_another_attempt_can_be_cancelled",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_job_that_waits_for_another_attempt_can_be_cancelled,
    },
    Case {
        rule: 132,
        name: "a_claimed_job_is_not_cancelled",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_claimed_job_is_not_cancelled,
    },
    Case {
        rule: 132,
        name: "a_job_that_another_process_has_is_not_cancelled",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_job_that_another_process_has_is_not_cancelled,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_not_there_is_unknown",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_job_that_is_not_there_is_unknown,
    },
    Case {
        rule: 131,
        name: "a_job_of_another_queue_is_unknown",
        applies: Applies::With(&[Feature::Cancel]),
        check: a_job_of_another_queue_is_unknown,
    },
];

fn cancel(bench: &Bench, id: JobId) -> Cancelled {
    bench.engine().cancel(QUEUE, id).expect("jobs can be cancelled")
}

fn a_ready_job_can_be_cancelled(bench: &Bench) {
    let ids = ["1", "2", "3"].map(|payload| bench.push(payload));
    assert_eq!(cancel(bench, ids[1]), Cancelled::Deleted);
    assert_eq!(bench.claim_payloads(9), ["1", "3"]);
}

fn a_delayed_job_can_be_cancelled(bench: &Bench) {
    let id = bench.push_delayed("1", 5);
    assert_eq!(cancel(bench, id), Cancelled::Deleted);
    bench.pass(7);
    let turn = bench.turn(&[], &[bench.want(9)]);
    assert_eq!((turn.claims.len(), turn.next), (0, None));
}

fn a_job_that_waits_for_another_attempt_can_be_cancelled(bench: &Bench) {
    let id = bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(5, "e"));
    assert_eq!(cancel(bench, id), Cancelled::Deleted);
    bench.pass(7);
    assert_eq!(bench.claim(9), []);
}

fn a_claimed_job_is_not_cancelled(bench: &Bench) {
    let id = bench.push("1");
    let claim = bench.claim_one();
    assert_eq!(cancel(bench, id), Cancelled::Claimed);
    bench.end_held(&claim, bench.again(0, "e"));
    assert_eq!(cancel(bench, id), Cancelled::Deleted);
}

fn a_job_that_another_process_has_is_not_cancelled(bench: &Bench) {
    let id = bench.push("1");
    bench.claim_one_by(&*bench.open());
    bench.pass(LEASE - 2);
    assert_eq!(cancel(bench, id), Cancelled::Claimed);
}

fn a_job_that_is_not_there_is_unknown(bench: &Bench) {
    let id = bench.push("1");
    bench.end_held(&bench.claim_one(), End::Done);
    assert_eq!(cancel(bench, id), Cancelled::Unknown, "done");
    let id = bench.push("2");
    bench.kill(&bench.claim_one(), "e");
    assert_eq!(cancel(bench, id), Cancelled::Unknown, "dead");
    let id = bench.push("3");
    assert_eq!(cancel(bench, id), Cancelled::Deleted);
    assert_eq!(cancel(bench, id), Cancelled::Unknown, "cancelled");
    for never in [u128::from(u32::MAX), u128::MAX] {
        assert_eq!(cancel(bench, JobId::new(never)), Cancelled::Unknown, "{never}");
    }
}

fn a_job_of_another_queue_is_unknown(bench: &Bench) {
    let id = bench.push_to("other", "1");
    assert_eq!(cancel(bench, id), Cancelled::Unknown);
    assert_eq!(bench.turn(&[], &[bench.want_of("other", 9)]).claims.len(), 1);
}
