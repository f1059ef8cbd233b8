//! Processes that are paused (SIGSTOP) for longer than the leases of their jobs. They do not know it when they
//! go on, because they did not run meanwhile.

use std::fs;

use nix::sys::signal::Signal;
use tests::{Child, Stopwatch, millis, pause, secs, until};
use tina4_service_queue::{BoundQueue, Job};

use crate::queue_world::{Store, World, counters, left, on_each_engine};

on_each_engine!(
    rule_132_processes_that_were_paused_one_after_the_other_are_all_refused,
    rule_132_a_service_that_was_paused_for_three_leases_is_refused_and_goes_on,
);

/// Pops a job as soon as one is ready.
fn pop(jobs: &BoundQueue<String>) -> Job<String> {
    let mut job = None;
    until("a job is ready", || {
        job = jobs.pop().expect("the claim succeeds");
        job.is_some()
    });
    job.expect("it is ready")
}

/// Starts a process that holds the job for 1.5 s, pauses it, and returns the fence of its claim.
fn pause_a_holder(world: &World, attempt: u32) -> (Child, u64) {
    let mut child = world.start("hold", "go");
    child.wait_for_line(&format!("claimed 1 {attempt}"));
    let fence = child.wait_for_line_with("fence ").parse().expect("a number");
    child.signal(Signal::SIGSTOP);
    (child, fence)
}

fn rule_132_processes_that_were_paused_one_after_the_other_are_all_refused(store: Store) {
    let Some(world) = World::new(store, "paused") else { return };
    let jobs = world.open();
    let id = jobs.push(&"1".to_owned()).expect("the push succeeds").id();
    let (first, first_fence) = pause_a_holder(&world, 1);
    pause(millis(1500));
    let (second, second_fence) = pause_a_holder(&world, 2);
    let job = pop(&jobs);
    assert_eq!(job.attempt(), 3);
    let fences = [first_fence, second_fence, job.fence()];
    assert!(fences.is_sorted_by(|one, next| one < next), "{fences:?}");
    // Three leases of the second one.
    pause(millis(4500));
    fs::write(world.path("go"), "").expect("the file can be written");
    for mut child in [first, second] {
        child.signal(Signal::SIGCONT);
        child.wait_for_line(&format!(
            "the lease of job {id} of the queue `jobs` has ended, and it runs again; finish jobs within their lease, or renew it"
        ));
        child.wait_for_line("stale 1");
    }
    job.complete().expect("the last claim is held");
    assert_eq!((left(&jobs), counters(&jobs).done, counters(&jobs).stale), (0, 1, 0));
}

/// It has four jobs in progress, which another process does meanwhile. That a lease ends because the machine is busy is no
/// fault, but it is not busy for two of them.
fn rule_132_a_service_that_was_paused_for_three_leases_is_refused_and_goes_on(store: Store) {
    assert!([1, 5].into_iter().any(|lease| pause_a_service(store, lease)));
}

/// Pauses a service for three leases of so many seconds. `false`: another lease has ended.
fn pause_a_service(store: Store, lease: u64) -> bool {
    let Some(world) = World::new(store, &format!("paused-service-{lease}")) else { return true };
    let jobs = world.open();
    for payload in ["1", "2", "3", "4"] {
        jobs.push(&payload.to_owned()).expect("the push succeeds");
    }
    let lines = |word| {
        let mut lines = world.lines("ledger", word);
        lines.sort();
        lines
    };
    let start = |name| world.start_with_lease(name, "serve-when-told", "ledger", lease);
    let mut paused = start("a");
    // Jobs that were lost before run alone.
    let stopwatch = Stopwatch::start();
    while lines("began a ").len() < 4 {
        if stopwatch.elapsed() > secs(30) {
            return false;
        }
        pause(millis(5));
    }
    paused.signal(Signal::SIGSTOP);
    fs::write(world.path("go-b"), "").expect("the file can be written");
    let other = start("b");
    pause(secs(3 * lease));
    until("the other process has done them", || lines("done b ").len() == 4);
    fs::write(world.path("go-a"), "").expect("the file can be written");
    paused.signal(Signal::SIGCONT);
    until("its finishes are refused", || lines("refused a ").len() >= 4);
    if lines("began ").len() != 8 {
        return false;
    }
    // Each of them counts, and renewals may have been refused before.
    let mut stale = || paused.wait_for_line_with("stale ").parse::<u64>().expect("a number");
    while stale() < 4 {}
    // Each line is a payload, an attempt and a fence.
    for (before, after) in lines("began a ").iter().zip(lines("done b ")) {
        let parse = |line: &str| line.split(' ').map(|word| word.parse().unwrap()).collect();
        let (before, after): (Vec<u64>, Vec<u64>) = (parse(before), parse(&after));
        if (before[0], before[1], after[1]) != (after[0], 1, 2) {
            println!("payload, attempt and fence: {before:?}, then {after:?}");
            return false;
        }
        assert!(before[2] < after[2], "the fence grows: {before:?}, {after:?}");
    }
    drop(other);
    jobs.push(&"5".to_owned()).expect("the push succeeds");
    until("it does the next job", || lines("done a ").len() == 1);
    until("the queue is empty", || left(&jobs) == 0);
    if lines("began ").len() != 9 {
        return false;
    }
    assert_eq!((lines("done ").len(), lines("refused ").len()), (5, 4));
    true
}
