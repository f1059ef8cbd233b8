//! Cases: many threads and owners at once.

use std::collections::HashSet;
use std::thread;

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::feature::Feature;
use crate::new_job::{NewJob, Unique};

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 130,
        name: "pushes_by_many_threads_are_all_stored",
        applies: Applies::With(&[]),
        check: pushes_by_many_threads_are_all_stored,
    },
    Case {
        rule: 130,
        name: "pushes_by_many_processes_are_all_stored",
        applies: Applies::With(&[]),
        check: pushes_by_many_processes_are_all_stored,
    },
    Case {
        rule: 132,
        name: "threads_of_one_owner_never_get_the_same_job",
        applies: Applies::With(&[]),
        check: threads_of_one_owner_never_get_the_same_job,
    },
    Case {
        rule: 132,
        name: "owners_never_get_the_same_job",
        applies: Applies::With(&[]),
        check: owners_never_get_the_same_job,
    },
    Case {
        rule: 132,
        name: "owners_never_get_the_same_lost_job",
        applies: Applies::With(&[Feature::Lease]),
        check: owners_never_get_the_same_lost_job,
    },
    Case {
        rule: 130,
        name: "of_many_pushes_with_one_key_one_is_stored",
        applies: Applies::With(&[Feature::UniqueWhileLive]),
        check: of_many_pushes_with_one_key_one_is_stored,
    },
    Case {
        rule: 132,
        name: "of_many_ends_of_one_claim_one_is_accepted",
        applies: Applies::With(&[]),
        check: of_many_ends_of_one_claim_one_is_accepted,
    },
    Case {
        rule: 131,
        name: "producers_and_consumers_at_once_lose_nothing",
        applies: Applies::With(&[]),
        check: producers_and_consumers_at_once_lose_nothing,
    },
];

const THREADS: usize = 6;

/// Calls a function on several threads at once and collects the results.
fn on_threads<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || work(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Claims and finishes jobs until there are none, and returns their payloads.
fn drain(bench: &Bench, engine: &dyn Engine) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut ended = Vec::new();
    loop {
        let turn = bench.turn_of(engine, &ended, &[bench.want(3)]);
        assert_eq!(turn.stale, []);
        if turn.claims.is_empty() {
            return payloads;
        }
        let done = |held| Ended { held, end: End::Done };
        ended = turn.claims.iter().map(|claim| done(claim.held)).collect();
        payloads.extend(turn.claims.into_iter().map(|claim| claim.payload));
    }
}

fn push_numbers(bench: &Bench, count: usize) -> HashSet<String> {
    let payloads: Vec<_> = (0..count).map(|n| n.to_string()).collect();
    let jobs: Vec<_> = payloads.iter().map(|payload| NewJob::new(QUEUE, payload)).collect();
    bench.engine().push(&jobs, bench.now()).expect("it succeeds");
    payloads.into_iter().collect()
}

fn assert_each_once(results: Vec<Vec<String>>, expected: &HashSet<String>) {
    let all = results.concat();
    assert_eq!(all.len(), expected.len());
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), *expected);
}

fn pushes_by_many_threads_are_all_stored(bench: &Bench) {
    let ids = on_threads(|n| {
        let push = |k: usize| bench.push(&format!("[{n},{k}]"));
        (0..20).map(push).collect::<Vec<_>>()
    });
    let ids: HashSet<_> = ids.concat().into_iter().collect();
    assert_eq!(ids.len(), THREADS * 20);
    let claimed: HashSet<_> = bench.claim(999).iter().map(|claim| claim.held.id).collect();
    assert_eq!(claimed, ids);
}

fn pushes_by_many_processes_are_all_stored(bench: &Bench) {
    let ids = on_threads(|_| {
        let engine = bench.open();
        let push = |_| {
            let pushed = engine.push(&[NewJob::new(QUEUE, "1")], bench.now());
            pushed.expect("it succeeds")[0].id()
        };
        (0..20).map(push).collect::<Vec<_>>()
    });
    let ids: HashSet<_> = ids.concat().into_iter().collect();
    assert_eq!(ids.len(), THREADS * 20);
    assert_eq!(bench.claim(999).len(), THREADS * 20);
}

fn threads_of_one_owner_never_get_the_same_job(bench: &Bench) {
    let expected = push_numbers(bench, 150);
    let results = on_threads(|_| drain(bench, bench.engine()));
    assert_each_once(results, &expected);
}

fn owners_never_get_the_same_job(bench: &Bench) {
    let expected = push_numbers(bench, 150);
    let results = on_threads(|_| drain(bench, &*bench.open()));
    assert_each_once(results, &expected);
}

fn owners_never_get_the_same_lost_job(bench: &Bench) {
    let expected = push_numbers(bench, 60);
    assert_eq!(bench.claim_by(&*bench.open(), 60).len(), 60);
    bench.pass(LEASE);
    let results = on_threads(|_| drain(bench, &*bench.open()));
    assert_each_once(results, &expected);
}

fn of_many_pushes_with_one_key_one_is_stored(bench: &Bench) {
    let pushed = on_threads(|_| {
        let unique = Some(Unique { key: "k", window: None });
        let job = NewJob { unique, ..NewJob::new(QUEUE, "1") };
        bench.open().push(&[job], bench.now()).expect("it succeeds")[0]
    });
    assert_eq!(pushed.iter().filter(|pushed| pushed.is_new()).count(), 1);
    assert!(pushed.iter().all(|other| other.id() == pushed[0].id()));
    assert_eq!(bench.claim(9).len(), 1);
}

fn of_many_ends_of_one_claim_one_is_accepted(bench: &Bench) {
    for _ in 0..5 {
        bench.push("1");
        let claim = bench.claim_one();
        let held =
            on_threads(|n| bench.end(&claim, if n % 2 == 0 { End::Done } else { End::Back }));
        assert_eq!(held.iter().filter(|held| **held).count(), 1);
        for left in bench.claim(9) {
            bench.end_held(&left, End::Done);
        }
    }
}

fn producers_and_consumers_at_once_lose_nothing(bench: &Bench) {
    let results = on_threads(|n| {
        let engine = bench.open();
        let mut payloads = Vec::new();
        for k in 0..15 {
            let payload = format!("[{n},{k}]");
            let pushed = engine.push(&[NewJob::new(QUEUE, &payload)], bench.now());
            assert!(pushed.is_ok(), "{pushed:?}");
            for claim in bench.claim_by(&*engine, 2) {
                assert!(bench.end_by(&*engine, claim.held, End::Done));
                payloads.push(claim.payload);
            }
        }
        payloads
    });
    let rest = drain(bench, bench.engine());
    let numbers = (0..THREADS).flat_map(|n| (0..15).map(move |k| format!("[{n},{k}]")));
    assert_each_once([results, vec![rest]].concat(), &numbers.collect());
}
