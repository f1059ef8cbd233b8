//! Cases: pushes.

use std::collections::HashSet;

use super::bench::{Bench, QUEUE};
use super::case::{Applies, Case};
use crate::end::End;
use crate::engine_error::EngineError;
use crate::job_error::JobError;
use crate::name::NameError;
use crate::new_job::NewJob;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 130,
        name: "a_pushed_job_can_be_claimed",
        applies: Applies::With(&[]),
        check: a_pushed_job_can_be_claimed,
    },
    Case {
        rule: 130,
        name: "a_pushed_job_is_seen_by_another_process",
        applies: Applies::With(&[]),
        check: a_pushed_job_is_seen_by_another_process,
    },
    Case {
        rule: 130,
        name: "a_job_of_another_process_is_seen",
        applies: Applies::With(&[]),
        check: a_job_of_another_process_is_seen,
    },
    Case {
        rule: 130,
        name: "the_payload_is_unchanged",
        applies: Applies::With(&[]),
        check: the_payload_is_unchanged,
    },
    Case {
        rule: 130,
        name: "a_large_payload_is_unchanged",
        applies: Applies::With(&[]),
        check: a_large_payload_is_unchanged,
    },
    Case { rule: 130, name: "ids_differ", applies: Applies::With(&[]), check: ids_differ },
    Case {
        rule: 130,
        name: "the_id_of_a_finished_job_is_not_used_again",
        applies: Applies::With(&[]),
        check: the_id_of_a_finished_job_is_not_used_again,
    },
    Case {
        rule: 130,
        name: "equal_payloads_are_different_jobs",
        applies: Applies::With(&[]),
        check: equal_payloads_are_different_jobs,
    },
    Case {
        rule: 130,
        name: "a_push_of_no_jobs_does_nothing",
        applies: Applies::With(&[]),
        check: a_push_of_no_jobs_does_nothing,
    },
    Case {
        rule: 130,
        name: "a_push_of_several_jobs_returns_their_ids_in_order",
        applies: Applies::With(&[]),
        check: a_push_of_several_jobs_returns_their_ids_in_order,
    },
    Case {
        rule: 130,
        name: "one_push_can_fill_several_queues",
        applies: Applies::With(&[]),
        check: one_push_can_fill_several_queues,
    },
    Case {
        rule: 130,
        name: "a_thousand_jobs_in_one_push",
        applies: Applies::With(&[]),
        check: a_thousand_jobs_in_one_push,
    },
    Case {
        rule: 130,
        name: "queues_are_separate",
        applies: Applies::With(&[]),
        check: queues_are_separate,
    },
    Case {
        rule: 130,
        name: "the_time_of_the_push_is_kept",
        applies: Applies::With(&[]),
        check: the_time_of_the_push_is_kept,
    },
    Case {
        rule: 138,
        name: "names_that_are_not_valid_are_refused",
        applies: Applies::With(&[]),
        check: names_that_are_not_valid_are_refused,
    },
    Case {
        rule: 138,
        name: "a_name_of_the_maximum_length_works",
        applies: Applies::With(&[]),
        check: a_name_of_the_maximum_length_works,
    },
    Case {
        rule: 138,
        name: "a_push_with_one_refused_job_stores_none",
        applies: Applies::With(&[]),
        check: a_push_with_one_refused_job_stores_none,
    },
];

fn a_pushed_job_can_be_claimed(bench: &Bench) {
    let id = bench.push("1");
    let claim = bench.claim_one();
    assert_eq!((claim.held.id, &*claim.payload, claim.attempt), (id, "1", 1));
}

fn a_pushed_job_is_seen_by_another_process(bench: &Bench) {
    let id = bench.push("1");
    assert_eq!(bench.claim_one_by(&*bench.open()).held.id, id);
}

fn a_job_of_another_process_is_seen(bench: &Bench) {
    let pushed = bench.open().push(&[NewJob::new(QUEUE, "1")], bench.now());
    let id = pushed.expect("the push succeeds")[0].id();
    assert_eq!(bench.claim_one().held.id, id);
}

fn the_payload_is_unchanged(bench: &Bench) {
    for payload in
        ["\"\"", "{\"a\":[1,null,\"\\u0000\"]}", "\"größer 🦀 'quoted' \\\" %s $1 ?1\"", "  null "]
    {
        bench.push(payload);
        let claim = bench.claim_one();
        assert_eq!(claim.payload, payload);
        bench.end_held(&claim, End::Done);
    }
}

fn a_large_payload_is_unchanged(bench: &Bench) {
    let payload = format!("\"{}\"", "x".repeat(500_000));
    bench.push(&payload);
    assert_eq!(bench.claim_one().payload, payload);
}

fn ids_differ(bench: &Bench) {
    let ids: HashSet<_> = (0..20).map(|n| bench.push_to(["a", "b"][n % 2], "1")).collect();
    assert_eq!(ids.len(), 20);
}

fn the_id_of_a_finished_job_is_not_used_again(bench: &Bench) {
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let id = bench.push("1");
        assert!(ids.insert(id), "{id} is new");
        bench.end_held(&bench.claim_one(), End::Done);
    }
}

fn equal_payloads_are_different_jobs(bench: &Bench) {
    assert_ne!(bench.push("1"), bench.push("1"));
    assert_eq!(bench.claim(9).len(), 2);
}

fn a_push_of_no_jobs_does_nothing(bench: &Bench) {
    assert_eq!(bench.engine().push(&[], bench.now()).expect("it succeeds"), []);
    assert_eq!(bench.claim(9), []);
}

fn a_push_of_several_jobs_returns_their_ids_in_order(bench: &Bench) {
    let jobs = ["1", "2", "3"].map(|payload| NewJob::new(QUEUE, payload));
    let pushed = bench.engine().push(&jobs, bench.now()).expect("it succeeds");
    assert!(pushed.iter().all(|pushed| pushed.is_new()));
    let claims = bench.claim(9);
    let claimed: Vec<_> = claims.iter().map(|claim| (claim.held.id, &*claim.payload)).collect();
    let expected: Vec<_> = pushed.iter().map(|pushed| pushed.id()).zip(["1", "2", "3"]).collect();
    assert_eq!(claimed, expected);
}

fn one_push_can_fill_several_queues(bench: &Bench) {
    let jobs = [NewJob::new("a", "1"), NewJob::new("b", "2")];
    bench.engine().push(&jobs, bench.now()).expect("it succeeds");
    let turn = bench.turn(&[], &[bench.want_of("b", 9), bench.want_of("a", 9)]);
    let claimed: Vec<_> = turn.claims.iter().map(|claim| (claim.want, &*claim.payload)).collect();
    assert_eq!(claimed, [(0, "2"), (1, "1")]);
}

fn a_thousand_jobs_in_one_push(bench: &Bench) {
    let payloads: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
    let jobs: Vec<_> = payloads.iter().map(|payload| NewJob::new(QUEUE, payload)).collect();
    assert_eq!(bench.engine().push(&jobs, bench.now()).expect("it succeeds").len(), 1000);
    assert_eq!(bench.claim_payloads(2000), payloads);
}

fn queues_are_separate(bench: &Bench) {
    bench.push_to("a", "1");
    bench.push_to("a.b", "2");
    bench.push_to("A", "3");
    for (queue, expected) in [("a", "1"), ("a.b", "2"), ("A", "3")] {
        let claims = bench.turn(&[], &[bench.want_of(queue, 9)]).claims;
        let payloads: Vec<_> = claims.iter().map(|claim| &*claim.payload).collect();
        assert_eq!(payloads, [expected], "{queue}");
    }
}

fn the_time_of_the_push_is_kept(bench: &Bench) {
    let before = bench.now();
    bench.push("1");
    let after = bench.now();
    bench.pass(3);
    let pushed_at = bench.claim_one().pushed_at;
    if bench.is_virtual() {
        assert_eq!(pushed_at, before);
    } else {
        let tolerance = bench.units(1);
        assert!(before.since(pushed_at) <= tolerance && pushed_at.since(after) <= tolerance);
    }
}

fn names_that_are_not_valid_are_refused(bench: &Bench) {
    let long = "q".repeat(65);
    for (name, expected) in [
        ("", NameError::Empty),
        (&*long, NameError::TooLong(65)),
        ("1st", NameError::Start),
        ("a b", NameError::Character(1)),
        ("a'--", NameError::Character(1)),
    ] {
        let error = bench.engine().push(&[NewJob::new(name, "1")], bench.now());
        let expected = JobError::Name(expected);
        assert!(
            matches!(&error, Err(EngineError::Invalid(found)) if *found == expected),
            "{name}: {error:?}"
        );
    }
}

fn a_name_of_the_maximum_length_works(bench: &Bench) {
    let long = "q".repeat(64);
    bench.push_to(&long, "1");
    assert_eq!(bench.turn(&[], &[bench.want_of(&long, 1)]).claims.len(), 1);
}

fn a_push_with_one_refused_job_stores_none(bench: &Bench) {
    let jobs = [NewJob::new(QUEUE, "1"), NewJob::new("", "2"), NewJob::new(QUEUE, "3")];
    let pushed = bench.engine().push(&jobs, bench.now());
    assert!(matches!(pushed, Err(EngineError::Invalid(_))), "{pushed:?}");
    assert_eq!(bench.claim(9), []);
}
