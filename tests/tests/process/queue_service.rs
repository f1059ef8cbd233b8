//! Declared queue services on each engine, in processes that are stopped and killed.

use tests::until;
use tina4_service_queue::BoundQueue;

use crate::queue_world::{Store, World, left, on_each_engine};

on_each_engine!(
    #[cfg(unix)]
    rule_134_a_process_that_is_stopped_gives_back_its_jobs_with_their_attempts,
    rule_131_and_132_the_jobs_of_a_killed_process_run_in_the_next_one,
    rule_132_a_job_that_kills_its_process_dies_and_the_others_are_done,
);

/// The queue, with these jobs.
fn queue(world: &World, jobs: impl IntoIterator<Item = String>) -> BoundQueue<String> {
    let queue = world.open();
    for job in jobs {
        queue.push(&job).expect("the push succeeds");
    }
    queue
}

/// SIGTERM with a thousand jobs waiting and eight running: no claim is left, and no attempt has counted.
#[cfg(unix)]
fn rule_134_a_process_that_is_stopped_gives_back_its_jobs_with_their_attempts(store: Store) {
    let Some(world) = World::new(store, "stop") else { return };
    let queue = queue(&world, (0..1_007).map(|number| number.to_string()));
    // Nothing ends because of a timeout.
    let hour = [
        ("TINA4_SERVICES__WORK__LEASE", "1h"),
        ("TINA4_SERVICES__WORK__STOP_TIMEOUT", "1h"),
        ("TINA4_SERVICES__SHUTDOWN_TIMEOUT", "1h"),
    ];
    let mut child = world.start_service_with("sleep", &hour);
    let running: Vec<_> = (0..8).map(|number| format!("began {number} 1")).collect();
    child.wait_for_lines(&running.iter().map(String::as_str).collect::<Vec<_>>());
    child.signal(nix::sys::signal::Signal::SIGTERM);
    // The jobs return at once: this waits for less than an hour.
    let ended = child.wait();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(ended.out.len(), 8, "nothing else began: {ended:?}");
    let backlog = queue.stats().expect("the jobs can be counted").backlog;
    assert_eq!((backlog.claimed, backlog.ready), (0, 1_008), "with its own job");
    for _ in 0..1_008 {
        let job = queue.pop().expect("the claim succeeds").expect("a job is ready");
        assert_eq!(job.attempt(), 1);
        job.complete().expect("it is held");
    }
}

fn rule_131_and_132_the_jobs_of_a_killed_process_run_in_the_next_one(store: Store) {
    let Some(world) = World::new(store, "kill") else { return };
    let queue = queue(&world, (0..7).map(|number| number.to_string()));
    let mut child = world.start_service("sleep");
    child.wait_for_lines(&["began 6 1", "began own 1"]);
    drop(child); // kill -9
    let mut second = world.start_service("work");
    let again: Vec<_> = (0..7).map(|number| format!("began {number} 2")).collect();
    // On SQLite, the lease is an hour, for which this does not wait.
    second.wait_for_lines(&again.iter().map(String::as_str).collect::<Vec<_>>());
    until("all are done", || left(&queue) == 0);
    drop(second);
    assert!(queue.dead(None, 10).expect("they can be listed").is_empty());
}

/// It takes others with it at most twice, and is dead after three attempts.
fn rule_132_a_job_that_kills_its_process_dies_and_the_others_are_done(store: Store) {
    let Some(world) = World::new(store, "poison-service") else { return };
    let jobs = (0..20).map(|number| number.to_string());
    let queue = queue(&world, jobs.chain(["poison".to_owned()]));
    for round in 0..3 {
        let child = world.start_service("poison");
        // It ends by itself.
        let ended = child.wait();
        assert!(!ended.status.success(), "round {round}: {ended:?}");
    }
    let last = world.start_service("poison");
    until("all others are done", || left(&queue) == 0);
    drop(last);
    let dead = queue.dead(None, 10).expect("they can be listed");
    assert_eq!((dead.len(), dead[0].payload.as_str()), (1, r#""poison""#), "{dead:?}");
    assert_eq!(dead[0].attempts, 3);
}
