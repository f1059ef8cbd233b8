//! Pushes or claims jobs, until it is killed: see `tests/process/queue_world.rs` and `.ci/queue-idle`.
//!
//! Arguments: the address of the store, what to do, the ledger or the file to wait for, and the name of this process in
//! ledgers.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::queue_store::{self, Ledger};
use tests::{millis, pause};
use tina4_service::{Job, Runner, Service};
use tina4_service_queue::{BoundQueue, Pop, Queue, Queues, RetryPolicy};

const JOBS: Queue<String> = Queue::new("jobs");

/// How many jobs a queue service runs at once.
const SLOTS: u32 = 4;

/// Jobs that were lost come back quickly, and never die.
const POLICY: RetryPolicy =
    RetryPolicy { attempts: 1000, backoff: millis(20), max_backoff: millis(20) };

/// How long the claims of a killed process may stay. A process that does not run for so long, because the machine is
/// busy, would lose claims, too.
const LEASE: Duration = Duration::from_secs(10);

/// Pushes a job after the other: `try` precedes the push, and `pushed` follows it.
fn produce(jobs: &BoundQueue<String>, mut ledger: Ledger, name: &str) {
    for number in 0.. {
        let payload = format!("{name}-{number}");
        ledger.write(&format!("try {payload}"));
        jobs.push(&payload).expect("the push succeeds");
        ledger.write(&format!("pushed {payload}"));
        // The consumers must be faster.
        pause(millis(4));
    }
}

/// The effect of a job, in the ledger: `done <process> <payload> <attempt> <fence>`.
fn work(job: &Job<String>, ledger: &mut Ledger, name: &str) {
    let (payload, attempt, fence) = (job.as_str(), job.attempt(), job.fence());
    ledger.write(&format!("done {name} {payload} {attempt} {fence}"));
}

/// Claims and completes jobs.
fn consume(jobs: &BoundQueue<String>, mut ledger: Ledger, name: &str) {
    let options = Pop::new().lease(LEASE).policy(POLICY);
    loop {
        let Some(job) = jobs.pop_with(&options).expect("the claim succeeds") else {
            pause(millis(10));
            continue;
        };
        work(&job, &mut ledger, name);
        // A lease that has ended is refused, and the job runs again.
        let _ = job.complete();
    }
}

/// The same as [`consume`], by a queue service with several jobs at once.
fn serve(queues: Queues, ledger: Ledger, name: String, is_async: bool) {
    let ledger = Mutex::new(ledger);
    let work = move |job: &Job<String>| {
        work(job, &mut ledger.lock().expect("nobody panics"), &name);
    };
    let service = if is_async {
        let work = Arc::new(work);
        Service::of("serve", move |job: Job<String>| {
            let work = Arc::clone(&work);
            async move { work(&job) }
        })
    } else {
        Service::of("serve", move |job: Job<String>| work(&job))
    };
    let service = service.queue(JOBS).attempts(POLICY.attempts).concurrency(SLOTS);
    let service = service.lease(LEASE).poll("50ms").backoff("20ms").max_backoff("20ms");
    start(queues, [service]).wait();
}

/// Starts queue services.
fn start(queues: Queues, services: impl IntoIterator<Item = Service>) -> Runner {
    let runner = Runner::new();
    runner.provide(queues);
    for service in services {
        runner.register(service).expect("its settings are right");
    }
    runner.start_all().expect("it starts");
    runner
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
    let options = Pop::new().lease(lease).policy(POLICY);
    let job = jobs.pop_with(&options).expect("the claim succeeds").expect("a job is ready");
    println!("claimed {} {}", job.as_str(), job.attempt());
    println!("fence {}", job.fence());
    while !go.exists() {
        pause(millis(1));
    }
    match job.complete() {
        Ok(()) => println!("done"),
        Err(error) => println!("{error}"),
    }
    let counters = jobs.stats().expect("the jobs can be counted").counters;
    println!("stale {}", counters.stale);
}

/// A queue service whose jobs end when the file `go-<name>` beside the ledger appears. The ledger has `began`, and then
/// `done` or `refused`, each with the process, the payload, the attempt and the fence.
fn serve_when_told(queues: Queues, file: &Path, name: &str) {
    let ledger = Mutex::new(Ledger::open(file));
    let (go, name) = (file.with_file_name(format!("go-{name}")), name.to_owned());
    let work = move |job: Job<String>| {
        let line = format!("{name} {} {} {}", job.as_str(), job.attempt(), job.fence());
        let write = |word| ledger.lock().expect("nobody panics").write(&format!("{word} {line}"));
        write("began");
        while !go.exists() {
            pause(millis(1));
        }
        write(if job.complete().is_ok() { "done" } else { "refused" });
    };
    let service = Service::of("serve", work).queue(JOBS).concurrency(SLOTS);
    let lease = std::env::var("QUEUE_WORKER_LEASE").expect("the lease of its jobs");
    let service = service.lease(lease).poll("50ms").backoff("20ms").max_backoff("20ms");
    let jobs = JOBS.on(&queues);
    let _runner = start(queues, [service]);
    // How many of its finishes and renewals were refused.
    let mut printed = 0;
    loop {
        // It fails if this process was paused during the call for longer than a server may take.
        let stale = jobs.stats().map_or(printed, |stats| stats.counters.stale);
        if stale != printed {
            println!("stale {stale}");
            printed = stale;
        }
        pause(millis(50));
    }
}

/// Pushes jobs, one after the other and then from several threads, and claims them. Says when each begins and ends:
/// see `tests/process/queue_syncs.rs`.
fn push_and_claim(jobs: &BoundQueue<String>) {
    let push = |number: u32| {
        println!("push {number} begins");
        jobs.push(&number.to_string()).expect("the push succeeds");
        println!("push {number} returned");
    };
    (0..10).for_each(push);
    println!("together");
    std::thread::scope(|scope| {
        for thread in 1..9 {
            scope.spawn(move || (10 * thread..10 * thread + 5).for_each(push));
        }
    });
    println!("claims begin");
    let pop = || jobs.pop().expect("the claim succeeds").expect("a job is ready");
    pop().fail("on purpose").expect("the claim is held");
    pop().release().expect("the claim is held");
    for _ in 0..49 {
        let job = pop();
        job.renew().expect("the claim is held");
        job.complete().expect("the claim is held");
    }
    println!("claims ended");
}

/// Runs a hundred queue services that have nothing to do, and says when they have started.
fn idle(queues: Queues) {
    let service = |number: u32| {
        let queue = Queue::<String>::new(format!("idle-{number}").leak());
        Service::of(format!("idle-{number}"), |job: Job<String>| drop(job)).queue(queue)
    };
    let runner = start(queues, (0..100).map(service));
    for number in 0..100 {
        runner.wait_ready(&format!("idle-{number}")).expect("it becomes ready");
    }
    println!("idle");
    runner.wait();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, action, file, name] = &arguments[..] else { panic!("four: {arguments:?}") };
    let file = Path::new(file);
    let queues = queue_store::open(store);
    let jobs = JOBS.on(&queues);
    match action.as_str() {
        "produce" => produce(&jobs, Ledger::open(file), name),
        "consume" => consume(&jobs, Ledger::open(file), name),
        "serve" => serve(queues, Ledger::open(file), name.clone(), false),
        "serve-async" => serve(queues, Ledger::open(file), name.clone(), true),
        "idle" => idle(queues),
        "push-and-claim" => push_and_claim(&jobs),
        "serve-when-told" => serve_when_told(queues, file, name),
        "batches" => batches(&jobs, Ledger::open(file)),
        "hold" => hold(&jobs, millis(1500), file),
        "hold-long" => hold(&jobs, Duration::from_secs(3600), file),
        unknown => panic!("unknown action `{unknown}`"),
    }
}
