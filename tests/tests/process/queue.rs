//! Jobs in a file that several processes share, while processes are killed. With real child processes.

use std::fs;
use std::iter;

use tests::until;
use tina4_service_queue::Counters;

use crate::queue_world::{Store, World, counters};

/// Workers on a new file.
fn world(name: &str) -> World {
    World::new(Store::Sqlite, name).expect("it needs no server")
}

/// The lease is an hour, but the end of the process is noticed.
#[test]
fn rule_131_132_and_135_the_job_of_a_killed_process_comes_back_at_once() {
    let world = world("killed");
    let jobs = world.open();
    jobs.push(&"1".to_owned()).expect("the push succeeds");
    let mut child = world.start("hold-long", "go");
    child.wait_for_line("claimed 1 1");
    assert!(jobs.pop().expect("the claim succeeds").is_none(), "the child is alive");
    drop(child); // kill -9
    let mut job = None;
    until("the job is back", || {
        job = jobs.pop().expect("the claim succeeds");
        job.is_some()
    });
    let job = job.expect("it is back");
    assert_eq!((job.as_str(), job.attempt()), ("1", 2));
    job.complete().expect("it is held");
    let Counters { done, lost, stale, .. } = counters(&jobs);
    assert_eq!((done, lost, stale), (1, 1, 0));
}

#[test]
fn rule_131_and_135_the_job_of_a_killed_process_comes_back_at_the_next_start() {
    let world = world("restarted");
    world.open().push(&"1".to_owned()).expect("the push succeeds");
    let mut child = world.start("hold-long", "go");
    child.wait_for_line("claimed 1 1");
    drop(child); // kill -9
    let job = world.open().pop().expect("the claim succeeds").expect("it is back");
    assert_eq!((job.as_str(), job.attempt()), ("1", 2));
}

#[test]
fn rule_132_a_process_that_finishes_after_its_lease_is_refused() {
    let world = world("late");
    let jobs = world.open();
    let id = jobs.push(&"1".to_owned()).expect("the push succeeds").id();
    let mut child = world.start("hold", "go");
    child.wait_for_line("claimed 1 1");
    let mut job = None;
    until("the lease has ended", || {
        job = jobs.pop().expect("the claim succeeds");
        job.is_some()
    });
    fs::write(world.path("go"), "").expect("the file can be written");
    let refused = format!(
        "the lease of job {id} of the queue `jobs` has ended, and it runs again; finish jobs within their lease, or renew it"
    );
    child.wait_for_line(&refused);
    job.expect("it is back").complete().expect("the later claim is held");
    assert!(jobs.pop().expect("the claim succeeds").is_none());
}

#[test]
fn rule_132_a_job_that_another_process_holds_is_not_claimed() {
    let world = world("held");
    let jobs = world.open();
    for payload in ["1", "2"] {
        jobs.push(&payload.to_owned()).expect("the push succeeds");
    }
    let mut child = world.start("hold-long", "go");
    child.wait_for_line("claimed 1 1");
    let job = jobs.pop().expect("the claim succeeds").expect("another job is ready");
    assert_eq!(job.as_str(), "2");
    assert!(jobs.pop().expect("the claim succeeds").is_none());
    fs::write(world.path("go"), "").expect("the file can be written");
    child.wait_for_line("done");
    assert_eq!(jobs.stats().expect("the jobs can be counted").backlog.claimed, 1);
}

/// The worker claims four jobs at a time, and one of them ends it whenever it runs. That job dies after
/// three attempts; the others, which were lost with it twice, do not.
#[test]
fn rule_131_and_132_a_job_that_kills_its_process_takes_no_others_with_it() {
    let world = world("poison");
    let jobs = world.open();
    for payload in ["1", "poison", "2", "3", "4", "5", "6"] {
        jobs.push(&payload.to_owned()).expect("the push succeeds");
    }
    let codes: Vec<_> = iter::repeat_with(|| world.start("batches", "consumers").wait().code())
        .take_while(|code| *code != 0)
        .collect();
    assert_eq!(codes, [3, 3, 3], "one end for each attempt");
    let dead = jobs.dead(None, 9).expect("the dead jobs can be listed");
    let dead: Vec<_> = dead.iter().map(|job| (&*job.payload, job.attempts, &*job.error)).collect();
    let error = "its claim was lost 3 times: no result was stored, because its process was killed or paused, its connection failed, or its transaction was not committed";
    assert_eq!(dead, [("\"poison\"", 3, error)]);
    let mut done = world.lines("consumers", "done");
    done.sort();
    assert_eq!(
        done,
        ["1 1", "2 3", "3 3", "4 2", "5 1", "6 1"],
        "each once, some on a later attempt"
    );
}
