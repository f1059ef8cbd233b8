//! Pushes or claims jobs in a file, until it is killed: see `tests/process/queue.rs`.
//!
//! Arguments: the file, what to do, and where to keep the ledger. Each line of a ledger is on the disk
//! before the program goes on.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::{millis, pause};
use tina4_service_queue::{BoundQueue, Pop, Queue, Queues, RetryPolicy};
use tina4_service_sqlite::SqliteEngine;

const JOBS: Queue<String> = Queue::new("jobs");

/// Lines that survive the process.
struct Ledger(File);

impl Ledger {
    fn open(path: &Path) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Self(file.expect("the ledger can be opened"))
    }

    fn write(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).expect("the ledger can be written");
        self.0.sync_data().expect("the ledger can be synced");
    }
}

/// Claims for `lease`; jobs that were lost come back quickly, and never die.
fn options(lease: Duration) -> Pop {
    let policy = RetryPolicy { attempts: 1000, backoff: millis(20), max_backoff: millis(20) };
    Pop::new().lease(lease).policy(policy)
}

/// Pushes a job after the other: `try` precedes the push, and `pushed` follows it.
fn produce(jobs: &BoundQueue<String>, mut ledger: Ledger) {
    for number in 0.. {
        let payload = format!("{}-{number}", std::process::id());
        ledger.write(&format!("try {payload}"));
        jobs.push(&payload).expect("the push succeeds");
        ledger.write(&format!("pushed {payload}"));
    }
}

/// Claims and completes jobs. `done <payload> <attempt>` is their effect.
fn consume(jobs: &BoundQueue<String>, mut ledger: Ledger) {
    let options = options(millis(2000));
    loop {
        let Some(job) = jobs.pop_with(&options).expect("the claim succeeds") else {
            pause(millis(2));
            continue;
        };
        ledger.write(&format!("done {} {}", *job, job.attempt()));
        // A lease that has ended is refused, and the job runs again.
        let _ = job.complete();
    }
}

/// Claims up to four jobs and then completes them, until there are none. The job `poison` ends the
/// process, with all the jobs that it holds.
fn batches(jobs: &BoundQueue<String>, mut ledger: Ledger) {
    let policy = RetryPolicy { attempts: 3, backoff: millis(20), max_backoff: millis(20) };
    let options = Pop::new().policy(policy);
    loop {
        let pop = || jobs.pop_with(&options).expect("the claim succeeds");
        let held: Vec<_> = std::iter::from_fn(pop).take(4).collect();
        if held.is_empty() {
            let backlog = jobs.stats().expect("the jobs can be counted").backlog;
            if backlog.ready + backlog.delayed + backlog.claimed == 0 {
                return;
            }
            pause(millis(2));
        }
        for job in held {
            if *job == "poison" {
                #[expect(clippy::disallowed_methods, reason = "this program is about its end")]
                std::process::exit(3);
            }
            ledger.write(&format!("done {} {}", *job, job.attempt()));
            job.complete().expect("the claim is held");
        }
    }
}

/// Claims one job for `lease`, and completes it when the file `go` appears.
fn hold(jobs: &BoundQueue<String>, lease: Duration, go: &Path) {
    let job = jobs.pop_with(&options(lease)).expect("the claim succeeds").expect("a job is ready");
    println!("claimed {} {}", *job, job.attempt());
    while !go.exists() {
        pause(millis(1));
    }
    match job.complete() {
        Ok(()) => println!("done"),
        Err(error) => println!("{error}"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, action, other] = &arguments[..] else { panic!("three arguments: {arguments:?}") };
    let other = PathBuf::from(other);
    let jobs = JOBS.on(&Queues::new(SqliteEngine::open(file).expect("the file opens")));
    match action.as_str() {
        "produce" => produce(&jobs, Ledger::open(&other)),
        "consume" => consume(&jobs, Ledger::open(&other)),
        "batches" => batches(&jobs, Ledger::open(&other)),
        "hold" => hold(&jobs, millis(1500), &other),
        "hold-long" => hold(&jobs, Duration::from_secs(3600), &other),
        unknown => panic!("unknown action `{unknown}`"),
    }
}
