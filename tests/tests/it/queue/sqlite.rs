//! Queue services on SQLite, in real time: plain and async functions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tests::{millis, until};
use tina4_service::{
    Context, DeadSelection, Job, Push, Queue, Queues, Res, Runner, Service, State, Stopped,
};
use tina4_service_sqlite::SqliteEngine;

const NUMBERS: Queue<u64> = Queue::new("numbers");

/// A file of jobs, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("consumer-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the directory can be created");
        Self(path)
    }

    fn open(&self) -> Queues {
        Queues::new(SqliteEngine::open(self.0.join("jobs.db")).expect("the file opens"))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the jobs have done.
#[derive(Default)]
struct Seen {
    numbers: Mutex<Vec<u64>>,
    running: AtomicUsize,
    most: AtomicUsize,
    attempts: AtomicU64,
}

impl Seen {
    fn begin(&self) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.attempts.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self, number: u64) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.numbers.lock().unwrap().push(number);
    }
}

fn count(job: Job<u64>, seen: Res<Seen>) -> Result<(), String> {
    seen.begin();
    std::thread::yield_now();
    seen.end(*job);
    // Every seventh fails once.
    if job.is_multiple_of(7) && job.attempt() == 1 { Err("not yet".to_owned()) } else { Ok(()) }
}

async fn count_async(job: Job<u64>, seen: Res<Seen>) -> Result<(), String> {
    seen.begin();
    tokio::task::yield_now().await;
    seen.end(*job);
    if job.is_multiple_of(7) && job.attempt() == 1 { Err("not yet".to_owned()) } else { Ok(()) }
}

fn wait(ctx: &Context, job: Job<u64>, seen: Res<Seen>) -> Result<(), &'static str> {
    seen.begin();
    let _ = job;
    if ctx.sleep(Duration::from_secs(3_600)) { Ok(()) } else { Err("interrupted") }
}

async fn wait_async(ctx: &Context, job: Job<u64>, seen: Res<Seen>) -> Result<(), &'static str> {
    seen.begin();
    let _ = job;
    if ctx.sleep_async(Duration::from_secs(3_600)).await { Ok(()) } else { Err("interrupted") }
}

/// A runner with one service, and its queue.
fn runner(file: &File, service: Service) -> (Runner, Queues, std::sync::Arc<Seen>) {
    let (runner, queues, seen) = (Runner::new(), file.open(), std::sync::Arc::new(Seen::default()));
    runner.provide(queues.clone());
    runner.provide(std::sync::Arc::clone(&seen));
    runner.register(service).unwrap_or_else(|error| panic!("{error}"));
    (runner, queues, seen)
}

#[test]
fn rule_131_and_132_every_job_on_sqlite_is_done_by_several_producers_and_two_runners() {
    let services =
        [Service::of("s", count).queue(NUMBERS), Service::of("s", count_async).queue(NUMBERS)];
    for service in services {
        let file = File::new("drain");
        let service = service.concurrency(3).backoff("10ms").max_backoff("10ms").poll("20ms");
        let (first, queues, seen) = runner(&file, service);
        let other = Service::of("s", count).queue(NUMBERS).backoff("10ms").poll("20ms");
        let (second, others, also_seen) = runner(&file, other);
        first.start_all().unwrap();
        second.start_all().unwrap();
        std::thread::scope(|scope| {
            for producer in 0..4 {
                let queues = &queues;
                scope.spawn(move || {
                    for number in 0..50 {
                        NUMBERS.on(queues).push(&(producer * 50 + number)).unwrap();
                    }
                });
            }
        });
        let done = |queues: &Queues| NUMBERS.on(queues).stats().unwrap().counters.done;
        until("all are done", || done(&queues) + done(&others) == 200);
        first.stop_all();
        second.stop_all();
        let mut numbers = seen.numbers.lock().unwrap().clone();
        numbers.extend(also_seen.numbers.lock().unwrap().iter());
        numbers.sort_unstable();
        let expected = (0..200_u64).flat_map(|n| vec![n; if n.is_multiple_of(7) { 2 } else { 1 }]);
        assert_eq!(numbers, expected.collect::<Vec<_>>(), "each once, and what failed twice");
        assert!(seen.most.load(Ordering::SeqCst) <= 3);
        assert!(also_seen.most.load(Ordering::SeqCst) <= 1);
        let stats = NUMBERS.on(&queues).stats().unwrap();
        assert_eq!((stats.counters.stale, stats.counters.lost, stats.backlog.dead), (0, 0, 0));
    }
}

#[test]
fn rule_134_a_stop_on_sqlite_leaves_no_claim_and_no_attempt() {
    let services =
        [Service::of("s", wait).queue(NUMBERS), Service::of("s", wait_async).queue(NUMBERS)];
    for service in services {
        let file = File::new("stop");
        let (runner, queues, seen) = runner(&file, service.concurrency(8));
        let numbers = NUMBERS.on(&queues);
        for number in 0..100 {
            numbers.push(&number).unwrap();
        }
        runner.start_all().unwrap();
        until("eight run", || seen.running.load(Ordering::SeqCst) == 8);
        let stopped = runner.stop("s").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        let stats = numbers.stats().unwrap();
        assert_eq!((stats.backlog.claimed, stats.backlog.ready), (0, 100));
        assert_eq!(stats.counters.returned, 8);
        // No attempt has counted.
        while let Some(job) = numbers.pop().unwrap() {
            assert_eq!(job.attempt(), 1);
            job.complete().unwrap();
        }
    }
}

/// A machine that is busy for longer than a lease is no fault, but it is not busy for two of them.
#[test]
fn rule_132_a_job_on_sqlite_that_outlasts_its_lease_keeps_its_claim() {
    assert!([2, 8].into_iter().any(outlasts_its_lease));
}

/// Whether a job that takes longer than twice its lease of so many seconds keeps its claim.
fn outlasts_its_lease(lease: u64) -> bool {
    let slow = move |job: Job<u64>, seen: Res<Seen>| {
        seen.begin();
        tests::pause(millis(2_250 * lease));
        seen.end(*job);
    };
    let file = File::new("renew");
    let service = Service::of("s", slow).queue(NUMBERS).lease(Duration::from_secs(lease));
    let (runner, queues, seen) = runner(&file, service.concurrency(2));
    NUMBERS.on(&queues).push(&1).unwrap();
    runner.start_all().unwrap();
    until("it runs", || seen.attempts.load(Ordering::SeqCst) == 1);
    // Another process would take it if its lease ended.
    let others = file.open();
    let done = || NUMBERS.on(&queues).stats().unwrap().counters.done;
    let mut taken = None;
    until("it is done", || {
        taken = taken.take().or_else(|| NUMBERS.on(&others).pop().unwrap());
        taken.is_some() || done() == 1
    });
    runner.stop_all();
    taken.is_none() && seen.attempts.load(Ordering::SeqCst) == 1
}

#[test]
fn rule_136_a_job_that_is_finished_in_a_transaction_has_its_effect_once() {
    use rusqlite::{Connection, TransactionBehavior};

    struct Db(Mutex<Connection>);

    /// The first attempt is rolled back.
    fn sum(job: Job<u64>, db: Res<Db>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut connection = db.0.lock().unwrap();
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (number, attempt) = (i64::try_from(*job)?, job.attempt());
        transaction.execute("insert into effects(number) values (?1)", [number])?;
        job.complete_in(&mut transaction)?;
        if attempt == 1 {
            return Err("rolled back".into());
        }
        transaction.commit()?;
        Ok(())
    }

    let file = File::new("transaction");
    let service = Service::of("s", sum).queue(NUMBERS).backoff("10ms").max_backoff("10ms");
    let (runner, queues, _) = runner(&file, service);
    let connection = Connection::open(file.0.join("jobs.db")).unwrap();
    connection.execute_batch("create table effects(number integer)").unwrap();
    runner.provide(Db(Mutex::new(connection)));
    let numbers = NUMBERS.on(&queues);
    for number in 0..5 {
        numbers.push(&number).unwrap();
    }
    runner.start_all().unwrap();
    let left = || {
        let backlog = numbers.stats().unwrap().backlog;
        backlog.ready + backlog.delayed + backlog.claimed
    };
    until("all are done", || left() == 0);
    runner.stop_all();
    let connection = Connection::open(file.0.join("jobs.db")).unwrap();
    let mut select = connection.prepare("select number from effects order by number").unwrap();
    let effects: Vec<i64> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(effects, [0, 1, 2, 3, 4]);
    let counters = numbers.stats().unwrap().counters;
    assert_eq!((counters.failed, counters.stale), (5, 0), "{counters:?}");
}

#[test]
fn rule_131_dead_jobs_on_sqlite_are_kept_and_put_back() {
    fn refuse(_job: Job<u64>) -> Result<(), &'static str> {
        Err("no")
    }
    let file = File::new("dead");
    let service = Service::of("s", refuse).queue(NUMBERS).attempts(2).backoff("1ms");
    let (runner, queues, _) = runner(&file, service.max_backoff("1ms"));
    let numbers = NUMBERS.on(&queues);
    numbers.push_with(&1, &Push::new().priority(1)).unwrap();
    runner.start_all().unwrap();
    let dead = || numbers.stats().unwrap().counters.dead;
    until("it is dead", || dead() == 1);
    assert_eq!(numbers.dead(None, 10).unwrap()[0].error, "no");
    // A job that is put back runs at once: the poll is a second.
    numbers.redrive(DeadSelection::All).unwrap();
    until("it is dead again", || dead() == 2);
    assert_eq!(runner.status()["s"], State::Running);
    runner.stop_all();
}

#[test]
fn rule_91_jobs_whose_runtime_shuts_down_are_given_back_and_their_service_fails() {
    let file = File::new("runtime");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let runner = Runner::builder().only::<&str>([]).runtime(runtime.handle().clone()).build();
    let (queues, seen) = (file.open(), std::sync::Arc::new(Seen::default()));
    runner.provide(queues.clone());
    runner.provide(std::sync::Arc::clone(&seen));
    runner.register(Service::of("s", wait_async).queue(NUMBERS).concurrency(2)).unwrap();
    let numbers = NUMBERS.on(&queues);
    for number in 0..3 {
        numbers.push(&number).unwrap();
    }
    runner.start_all().unwrap();
    until("two run", || seen.running.load(Ordering::SeqCst) == 2);
    runtime.shutdown_background();
    until("the service has failed", || runner.status()["s"] == State::Failed);
    let backlog = numbers.stats().unwrap().backlog;
    assert_eq!((backlog.ready, backlog.claimed), (3, 0));
    assert_eq!(numbers.pop().unwrap().expect("it is ready").attempt(), 1);
}
