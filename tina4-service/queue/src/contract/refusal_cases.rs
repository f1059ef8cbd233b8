//! Cases: what an engine cannot do is refused, never ignored.

use std::fmt::Debug;

use super::bench::{Bench, QUEUE};
use super::case::{Applies, Case};
use crate::dead_job::DeadSelection;
use crate::end::{End, Ended};
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::new_job::{NewJob, Unique};

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 138,
        name: "a_delay_is_refused",
        applies: Applies::Without(Feature::Delay),
        check: a_delay_is_refused,
    },
    Case {
        rule: 138,
        name: "a_priority_is_refused",
        applies: Applies::Without(Feature::Priority),
        check: a_priority_is_refused,
    },
    Case {
        rule: 138,
        name: "a_unique_key_is_refused",
        applies: Applies::Without(Feature::UniqueWhileLive),
        check: a_unique_key_is_refused,
    },
    Case {
        rule: 138,
        name: "a_unique_key_with_a_time_is_refused",
        applies: Applies::Without(Feature::UniqueFor),
        check: a_unique_key_with_a_time_is_refused,
    },
    Case {
        rule: 138,
        name: "counting_is_refused",
        applies: Applies::Without(Feature::Backlog),
        check: counting_is_refused,
    },
    Case {
        rule: 138,
        name: "listing_dead_jobs_is_refused",
        applies: Applies::Without(Feature::DeadLetters),
        check: listing_dead_jobs_is_refused,
    },
    Case {
        rule: 138,
        name: "putting_dead_jobs_back_is_refused",
        applies: Applies::Without(Feature::DeadLetters),
        check: putting_dead_jobs_back_is_refused,
    },
    Case {
        rule: 138,
        name: "deleting_dead_jobs_is_refused",
        applies: Applies::Without(Feature::DeadLetters),
        check: deleting_dead_jobs_is_refused,
    },
    Case {
        rule: 138,
        name: "keeping_a_done_job_is_refused",
        applies: Applies::Without(Feature::DoneJobs),
        check: keeping_a_done_job_is_refused,
    },
    Case {
        rule: 138,
        name: "listing_done_jobs_is_refused",
        applies: Applies::Without(Feature::DoneJobs),
        check: listing_done_jobs_is_refused,
    },
    Case {
        rule: 138,
        name: "deleting_done_jobs_is_refused",
        applies: Applies::Without(Feature::DoneJobs),
        check: deleting_done_jobs_is_refused,
    },
    Case {
        rule: 138,
        name: "cancelling_is_refused",
        applies: Applies::Without(Feature::Cancel),
        check: cancelling_is_refused,
    },
    Case {
        rule: 138,
        name: "ordinary_jobs_need_no_feature",
        applies: Applies::With(&[]),
        check: ordinary_jobs_need_no_feature,
    },
    Case {
        rule: 138,
        name: "capabilities_do_not_change",
        applies: Applies::With(&[]),
        check: capabilities_do_not_change,
    },
];

fn assert_refused<T: Debug>(result: Result<T, EngineError>, expected: Feature, bench: &Bench) {
    let name = bench.engine().name();
    match result {
        Err(EngineError::Unsupported { engine, feature }) => {
            assert_eq!((engine, feature), (name, expected));
        }
        other => panic!("`{name}` does not refuse {expected}: {other:?}"),
    }
}

/// A push of an ordinary job and this one is refused, and stores neither.
fn assert_push_refused(bench: &Bench, job: NewJob<'_>, feature: Feature) {
    let jobs = [NewJob::new(QUEUE, "0"), job];
    assert_refused(bench.engine().push(&jobs, bench.now()), feature, bench);
    bench.pass(20);
    assert_eq!(bench.claim(9), []);
}

fn a_delay_is_refused(bench: &Bench) {
    let delay = bench.units(5);
    assert_push_refused(bench, NewJob { delay, ..NewJob::new(QUEUE, "1") }, Feature::Delay);
}

fn a_priority_is_refused(bench: &Bench) {
    for priority in [-9, -1, 1, 9] {
        let job = NewJob { priority, ..NewJob::new(QUEUE, "1") };
        assert_push_refused(bench, job, Feature::Priority);
    }
}

fn a_unique_key_is_refused(bench: &Bench) {
    let unique = Some(Unique { key: "k", window: None });
    let job = NewJob { unique, ..NewJob::new(QUEUE, "1") };
    assert_push_refused(bench, job, Feature::UniqueWhileLive);
}

fn a_unique_key_with_a_time_is_refused(bench: &Bench) {
    let unique = Some(Unique { key: "k", window: Some(bench.units(5)) });
    let job = NewJob { unique, ..NewJob::new(QUEUE, "1") };
    assert_push_refused(bench, job, Feature::UniqueFor);
}

fn counting_is_refused(bench: &Bench) {
    assert_refused(bench.engine().backlog(QUEUE, bench.now()), Feature::Backlog, bench);
}

fn listing_dead_jobs_is_refused(bench: &Bench) {
    assert_refused(bench.engine().dead(QUEUE, None, 9), Feature::DeadLetters, bench);
}

fn putting_dead_jobs_back_is_refused(bench: &Bench) {
    bench.push_dead("1");
    let result = bench.engine().redrive(QUEUE, DeadSelection::All, bench.now());
    assert_refused(result, Feature::DeadLetters, bench);
    assert_eq!(bench.claim(9), []);
}

fn deleting_dead_jobs_is_refused(bench: &Bench) {
    assert_refused(
        bench.engine().purge(QUEUE, DeadSelection::All, bench.now()),
        Feature::DeadLetters,
        bench,
    );
}

fn keeping_a_done_job_is_refused(bench: &Bench) {
    bench.push("1");
    bench.push("2");
    bench.push("3");
    let claims = bench.claim(2);
    let ended = [
        Ended { held: claims[0].held, end: End::Done },
        Ended { held: claims[1].held, end: End::Kept },
    ];
    let result = bench.engine().turn(&ended, &[bench.want(9)], bench.now());
    assert_refused(result, Feature::DoneJobs, bench);
    for claim in &claims {
        bench.end_held(claim, End::Done);
    }
    assert_eq!(bench.claim_payloads(9), ["3"], "nothing was claimed");
}

fn listing_done_jobs_is_refused(bench: &Bench) {
    assert_refused(bench.engine().done(QUEUE, None, 9), Feature::DoneJobs, bench);
}

fn deleting_done_jobs_is_refused(bench: &Bench) {
    let result = bench.engine().purge_done(QUEUE, bench.units(1), bench.now());
    assert_refused(result, Feature::DoneJobs, bench);
}

fn cancelling_is_refused(bench: &Bench) {
    let id = bench.push("1");
    assert_refused(bench.engine().cancel(QUEUE, id), Feature::Cancel, bench);
    assert_eq!(bench.claim(9).len(), 1);
}

fn ordinary_jobs_need_no_feature(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(3, "e"));
    bench.pass(4);
    assert_eq!(bench.claim_one().attempt, 2);
}

fn capabilities_do_not_change(bench: &Bench) {
    let before = bench.engine().capabilities();
    bench.push("1");
    assert_eq!(bench.engine().capabilities(), before);
    assert_eq!(bench.open().capabilities(), before);
    assert_eq!(bench.open().name(), bench.engine().name());
}
