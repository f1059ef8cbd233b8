//! Cases: copies of done jobs.

use super::bench::{Bench, LEASE, QUEUE};
use super::case::{Applies, Case};
use crate::dead_job::DeadSelection;
use crate::done_job::DoneJob;
use crate::end::{End, Ended};
use crate::feature::Feature;
use crate::job_id::JobId;
use crate::new_job::NewJob;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_copy_of_a_done_job_is_kept",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: a_copy_of_a_done_job_is_kept,
    },
    Case {
        rule: 131,
        name: "a_job_that_is_just_done_leaves_no_copy",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: a_job_that_is_just_done_leaves_no_copy,
    },
    Case {
        rule: 131,
        name: "a_job_with_a_copy_is_done",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: a_job_with_a_copy_is_done,
    },
    Case {
        rule: 131,
        name: "a_job_with_a_copy_frees_its_key",
        applies: Applies::With(&[Feature::DoneJobs, Feature::UniqueWhileLive]),
        check: a_job_with_a_copy_frees_its_key,
    },
    Case {
        rule: 132,
        name: "a_late_end_keeps_no_copy",
        applies: Applies::With(&[Feature::DoneJobs, Feature::Lease]),
        check: a_late_end_keeps_no_copy,
    },
    Case {
        rule: 132,
        name: "an_end_of_another_owner_keeps_no_copy",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: an_end_of_another_owner_keeps_no_copy,
    },
    Case {
        rule: 132,
        name: "a_repeated_end_with_a_copy_is_stale",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: a_repeated_end_with_a_copy_is_stale,
    },
    Case {
        rule: 131,
        name: "ends_with_and_without_copies_share_a_turn",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: ends_with_and_without_copies_share_a_turn,
    },
    Case {
        rule: 132,
        name: "stale_ends_with_copies_are_told_from_others",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: stale_ends_with_copies_are_told_from_others,
    },
    Case {
        rule: 132,
        name: "a_suspect_runs_after_an_end_with_a_copy",
        applies: Applies::With(&[Feature::DoneJobs, Feature::Losses, Feature::Lease]),
        check: a_suspect_runs_after_an_end_with_a_copy,
    },
    Case {
        rule: 131,
        name: "copies_are_seen_by_another_process",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: copies_are_seen_by_another_process,
    },
    Case {
        rule: 131,
        name: "copies_are_listed_in_pages",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: copies_are_listed_in_pages,
    },
    Case {
        rule: 131,
        name: "copies_of_other_queues_are_separate",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: copies_of_other_queues_are_separate,
    },
    Case {
        rule: 131,
        name: "copies_are_deleted_by_their_age",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: copies_are_deleted_by_their_age,
    },
    Case {
        rule: 131,
        name: "many_copies_are_deleted_at_once",
        applies: Applies::With(&[Feature::DoneJobs]),
        check: many_copies_are_deleted_at_once,
    },
    Case {
        rule: 131,
        name: "only_copies_are_deleted_with_copies",
        applies: Applies::With(&[Feature::DoneJobs, Feature::DeadLetters]),
        check: only_copies_are_deleted_with_copies,
    },
    Case {
        rule: 131,
        name: "a_copy_counts_the_attempts_after_a_job_was_put_back",
        applies: Applies::With(&[Feature::DoneJobs, Feature::DeadLetters]),
        check: a_copy_counts_the_attempts_after_a_job_was_put_back,
    },
];

fn list(bench: &Bench, after: Option<JobId>, limit: usize) -> Vec<DoneJob> {
    bench.engine().done(QUEUE, after, limit).expect("the copies can be listed")
}

fn done(bench: &Bench) -> Vec<DoneJob> {
    list(bench, None, 1000)
}

fn purge(bench: &Bench, units: u32) -> u64 {
    let purged = bench.engine().purge_done(QUEUE, bench.units(units), bench.now());
    purged.expect("the copies can be deleted")
}

fn ids(done: &[DoneJob]) -> Vec<JobId> {
    done.iter().map(|job| job.id).collect()
}

/// Pushes a job and lets it be done, with a copy.
fn push_done(bench: &Bench, payload: &str) -> JobId {
    let id = bench.push(payload);
    let claim = bench.claim_one();
    assert_eq!(claim.held.id, id, "no other job is ready");
    bench.end_held(&claim, End::Kept);
    id
}

fn a_copy_of_a_done_job_is_kept(bench: &Bench) {
    assert_eq!(done(bench), []);
    let pushed_at = bench.now();
    let id = bench.push("{\"to\":\"größer\"}");
    bench.end_held(&bench.claim_one(), bench.again(0, "first"));
    bench.pass(3);
    let done_at = bench.now();
    bench.end_held(&bench.claim_one(), End::Kept);
    let done = done(bench);
    assert_eq!(done.len(), 1);
    let job = &done[0];
    assert_eq!((job.id, &*job.payload, job.attempts), (id, "{\"to\":\"größer\"}", 2));
    if bench.is_virtual() {
        assert_eq!((job.pushed_at, job.done_at), (pushed_at, done_at));
    }
}

fn a_job_that_is_just_done_leaves_no_copy(bench: &Bench) {
    bench.push("1");
    bench.end_held(&bench.claim_one(), End::Done);
    assert_eq!(done(bench), []);
    assert_eq!(purge(bench, 0), 0);
}

fn a_job_with_a_copy_is_done(bench: &Bench) {
    push_done(bench, "1");
    bench.pass(90);
    assert_eq!(bench.claim(9), []);
    assert_eq!(done(bench).len(), 1);
}

fn a_job_with_a_copy_frees_its_key(bench: &Bench) {
    let first = bench.push_unique("1", "k");
    bench.end_held(&bench.claim_one(), End::Kept);
    let second = bench.push_unique("2", "k");
    assert!(second.is_new() && second.id() != first.id(), "{first:?} {second:?}");
}

fn a_late_end_keeps_no_copy(bench: &Bench) {
    bench.push("1");
    let lost = bench.lose(bench.engine());
    assert!(!bench.end(&lost, End::Kept));
    assert_eq!(done(bench), []);
    assert_eq!(bench.claim_one().attempt, 2);
}

fn an_end_of_another_owner_keeps_no_copy(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    assert!(!bench.end_by(&*bench.open(), claim.held, End::Kept));
    assert_eq!(done(bench), []);
    bench.end_held(&claim, End::Kept);
}

fn a_repeated_end_with_a_copy_is_stale(bench: &Bench) {
    bench.push("1");
    let claim = bench.claim_one();
    bench.end_held(&claim, End::Kept);
    assert!(!bench.end(&claim, End::Kept));
    assert!(!bench.end(&claim, End::Done));
    assert_eq!(done(bench).len(), 1);
}

fn ends_with_and_without_copies_share_a_turn(bench: &Bench) {
    let all = ["1", "2", "3", "4", "5"].map(|payload| bench.push(payload));
    let claims = bench.claim(4);
    let ends = [End::Kept, End::Done, bench.again(0, "e"), End::Kept];
    let ended: Vec<_> =
        claims.iter().zip(ends).map(|(claim, end)| Ended { held: claim.held, end }).collect();
    let turn = bench.turn(&ended, &[bench.want(9)]);
    assert_eq!(turn.stale, []);
    let mut claimed: Vec<_> = turn.claims.iter().map(|claim| claim.held.id).collect();
    claimed.sort();
    assert_eq!(claimed, [all[2], all[4]]);
    assert_eq!(ids(&done(bench)), [all[0], all[3]]);
}

fn stale_ends_with_copies_are_told_from_others(bench: &Bench) {
    for payload in ["1", "2", "3", "4"] {
        bench.push(payload);
    }
    let claims = bench.claim(4);
    for claim in &claims[..2] {
        bench.end_held(claim, End::Done);
    }
    let ends = [End::Kept, End::Back, End::Kept, End::Done];
    let ended: Vec<_> =
        claims.iter().zip(ends).map(|(claim, end)| Ended { held: claim.held, end }).collect();
    let mut stale = bench.turn(&ended, &[]).stale;
    stale.sort_by_key(|held| held.id);
    assert_eq!(stale, [claims[0].held, claims[1].held]);
    assert_eq!(ids(&done(bench)), [claims[2].held.id]);
}

fn a_suspect_runs_after_an_end_with_a_copy(bench: &Bench) {
    bench.push("1");
    for _ in 0..2 {
        bench.lose(bench.engine());
    }
    assert_eq!(bench.claim(9), [], "it waits for its backoff");
    bench.pass(5);
    bench.push_to("other", "1");
    let other = bench.turn(&[], &[bench.want_of("other", 1)]).claims.pop().expect("it is ready");
    assert!(bench.turn(&[], &[bench.want(1)]).waits_to_be_alone);
    // The turn that ends the other claim may claim the suspect.
    let ended = [Ended { held: other.held, end: End::Kept }];
    assert_eq!(bench.turn(&ended, &[bench.want(1)]).claims.len(), 1);
}

fn copies_are_seen_by_another_process(bench: &Bench) {
    push_done(bench, "1");
    assert_eq!(bench.open().done(QUEUE, None, 9).expect("it succeeds"), done(bench));
}

fn copies_are_listed_in_pages(bench: &Bench) {
    for payload in 0..7 {
        bench.push(&payload.to_string());
    }
    // Not in the order of their ids.
    let mut claims = bench.claim(7);
    claims.reverse();
    for claim in &claims {
        bench.end_held(claim, End::Kept);
    }
    let mut sorted: Vec<_> = claims.iter().map(|claim| claim.held.id).collect();
    sorted.sort();
    assert_eq!(ids(&list(bench, None, 3)), sorted[..3]);
    assert_eq!(ids(&list(bench, Some(sorted[2]), 3)), sorted[3..6]);
    assert_eq!(ids(&list(bench, Some(sorted[5]), 3)), sorted[6..]);
    assert_eq!(list(bench, Some(sorted[6]), 3), []);
    assert_eq!(list(bench, None, 0), []);
}

fn copies_of_other_queues_are_separate(bench: &Bench) {
    push_done(bench, "1");
    let engine = bench.engine();
    assert_eq!(engine.done("mail", None, 9).expect("it succeeds"), []);
    let purged = engine.purge_done("mail", bench.units(0), bench.now());
    assert_eq!(purged.expect("it succeeds"), 0);
    assert_eq!(done(bench).len(), 1);
}

fn copies_are_deleted_by_their_age(bench: &Bench) {
    let old = push_done(bench, "1");
    bench.pass(10);
    let young = push_done(bench, "2");
    bench.pass(10);
    assert_eq!(purge(bench, 90), 0);
    assert_eq!(ids(&done(bench)), [old, young]);
    assert_eq!(purge(bench, 15), 1);
    assert_eq!(ids(&done(bench)), [young]);
    if bench.is_virtual() {
        assert_eq!(purge(bench, 11), 0);
        assert_eq!(purge(bench, 10), 1, "exactly this old");
    }
    purge(bench, 0);
    assert_eq!(done(bench), []);
}

fn many_copies_are_deleted_at_once(bench: &Bench) {
    for _ in 0..6 {
        let jobs = [NewJob::new(QUEUE, "1"); 250];
        bench.engine().push(&jobs, bench.now()).expect("the push succeeds");
        let ended: Vec<_> = bench
            .claim(250)
            .into_iter()
            .map(|claim| Ended { held: claim.held, end: End::Kept })
            .collect();
        assert_eq!((ended.len(), bench.turn(&ended, &[]).stale), (250, vec![]));
    }
    assert_eq!(purge(bench, 0), 1500);
    assert_eq!(done(bench), []);
}

fn only_copies_are_deleted_with_copies(bench: &Bench) {
    let dead = bench.push_dead("1");
    bench.push("2");
    bench.claim_one();
    bench.push("3");
    bench.end_held(&bench.claim_one(), End::Kept);
    bench.push("4");
    bench.pass(LEASE - 2);
    assert_eq!(purge(bench, 0), 1);
    assert_eq!(bench.dead().iter().map(|job| job.id).collect::<Vec<_>>(), [dead]);
    assert_eq!(bench.claim_payloads(9), ["4"]);
}

fn a_copy_counts_the_attempts_after_a_job_was_put_back(bench: &Bench) {
    let id = bench.push("1");
    bench.end_held(&bench.claim_one(), bench.again(0, "e"));
    bench.kill(&bench.claim_one(), "e");
    let all = DeadSelection::All;
    assert_eq!(bench.engine().redrive(QUEUE, all, bench.now()).expect("it succeeds"), 1);
    bench.end_held(&bench.claim_one(), End::Kept);
    let done = done(bench);
    assert_eq!((done[0].id, done[0].attempts), (id, 1));
    assert_eq!(bench.dead(), []);
}
