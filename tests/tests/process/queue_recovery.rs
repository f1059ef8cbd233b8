//! How long after a kill -9 the jobs of a process run again.

use std::time::Duration;

use tests::{Child, Stopwatch, best_of, secs, until};
use tina4_service_queue::BoundQueue;

use crate::queue_world::{SERVER_LEASE, Store, World, left, on_each_engine};

on_each_engine!(
    rule_132_the_jobs_of_a_killed_process_run_soon_after_the_next_start,
    rule_132_the_jobs_of_a_killed_process_run_soon_in_a_sister_process,
);

/// How many processes are killed: the 99th percentile of so few is the longest time.
const KILLS: usize = 5;

/// What `began` says for the eight jobs of a process, on their second attempt.
const BEGAN_AGAIN: [&str; 8] = [
    "began 0 2",
    "began 1 2",
    "began 2 2",
    "began 3 2",
    "began 4 2",
    "began 5 2",
    "began 6 2",
    "began own 2",
];

/// Kills processes that hold eight jobs, and measures the time until the last of them has begun again.
/// `has_sister`: whether the other process is there before, or is started after the kill. In the second case, on SQLite,
/// the time counts that this takes longer than a start without lost jobs: on some systems that alone is a second. On a
/// server, the start is part of the wait for the end of the lease.
fn recover(store: Store, name: &str, has_sister: bool, bound: Duration) {
    let Some(world) = World::new(store, name) else { return };
    let jobs = world.open();
    let what = format!("{}: from kill -9 until all jobs run again ({name})", store.name());
    let kills =
        std::env::var("QUEUE_RECOVERY_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    best_of(3, &what, bound, || {
        // Without those during which the machine was so busy that the lease of a process that was there ended.
        let mut times: Vec<_> = std::iter::repeat_with(|| {
            let start = || world.start_service("work");
            let start_counts = has_sister || store != Store::Sqlite;
            let start_takes =
                if start_counts { Duration::ZERO } else { time_of_start(start, &jobs) };
            for number in 0..7 {
                jobs.push(&number.to_string()).expect("the push succeeds");
            }
            let mut first = world.start_service("sleep");
            first.wait_for_lines(
                &BEGAN_AGAIN.map(|line| line.replace(" 2", " 1")).each_ref().map(|line| &**line),
            );
            let mut is_valid = true;
            let sister = has_sister.then(|| {
                let mut sister = start();
                // Its own job, or one of the others.
                is_valid = sister.wait_for_line_with("began ") == "own 1";
                sister
            });
            let since_kill = Stopwatch::start();
            drop(first);
            let mut second: Child = sister.unwrap_or_else(start);
            let mut left_to_begin = BEGAN_AGAIN.map(str::to_owned).to_vec();
            while is_valid && !left_to_begin.is_empty() {
                let began = format!("began {}", second.wait_for_line_with("began "));
                // One that was lost before is on a later attempt.
                is_valid = began == "began own 1" || left_to_begin.contains(&began);
                left_to_begin.retain(|line| *line != began);
            }
            // There, a lease lasts much longer than the test.
            assert!(
                is_valid || store != Store::Sqlite,
                "a job was claimed again: {left_to_begin:?}"
            );
            let took = since_kill.elapsed();
            until("the queue is empty", || left(&jobs) == 0);
            is_valid.then(|| took.saturating_sub(start_takes))
        })
        .take(10 * kills)
        .flatten()
        .take(kills)
        .collect();
        assert_eq!(times.len(), kills, "leases of processes that live end too often");
        times.sort();
        println!(
            "{what}: median {:?}, longest {:?} of {kills}",
            times[kills / 2],
            times[kills - 1]
        );
        times[(kills * 99).div_ceil(100) - 1]
    });
}

/// How long it takes from the start of a process until it works on a job, its own.
fn time_of_start(start: impl Fn() -> Child, jobs: &BoundQueue<String>) -> Duration {
    let stopwatch = Stopwatch::start();
    let mut process = start();
    process.wait_for_line("began own 1");
    let took = stopwatch.elapsed();
    until("the queue is empty", || left(jobs) == 0);
    took
}

fn rule_132_the_jobs_of_a_killed_process_run_soon_after_the_next_start(store: Store) {
    let bound = match store {
        Store::Sqlite => secs(1),
        Store::Postgres | Store::Redis => SERVER_LEASE + secs(1),
    };
    recover(store, "next-start", false, bound);
}

fn rule_132_the_jobs_of_a_killed_process_run_soon_in_a_sister_process(store: Store) {
    let bound = match store {
        Store::Sqlite => secs(2),
        Store::Postgres | Store::Redis => SERVER_LEASE + secs(1),
    };
    recover(store, "sister", true, bound);
}
