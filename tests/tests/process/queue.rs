//! Jobs in a file that several processes share, while processes are killed. With real child processes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use tests::rng::Rng;
use tests::{Child, millis, pause, until};
use tina4_service_queue::{BoundQueue, Counters, Pop, Queue, Queues, RetryPolicy};
use tina4_service_sqlite::SqliteEngine;

const JOBS: Queue<String> = Queue::new("jobs");

/// A directory with a file of jobs, which is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("queue-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the directory can be created");
        Self(path)
    }

    fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().expect("the path is text").to_owned()
    }

    fn open(&self) -> BoundQueue<String> {
        JOBS.on(&Queues::new(SqliteEngine::open(self.path("jobs.db")).expect("the file opens")))
    }

    /// Starts a worker; `file` is its ledger, or the file that it waits for.
    fn start(&self, action: &str, file: &str) -> Child {
        let (jobs, file) = (self.path("jobs.db"), self.path(file));
        Child::start(env!("CARGO_BIN_EXE_queue_worker"), &[&jobs, action, &file])
    }

    /// The lines of a ledger that begin with `word`, without it.
    fn lines(&self, ledger: &str, word: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(ledger)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.strip_prefix(word));
        lines.map(|line| line.trim().to_owned()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn counters(jobs: &BoundQueue<String>) -> Counters {
    jobs.stats().expect("the jobs can be counted").counters
}

/// The lease is an hour, but the end of the process is noticed.
#[test]
fn rule_131_132_and_135_the_job_of_a_killed_process_comes_back_at_once() {
    let directory = Directory::new("killed");
    let jobs = directory.open();
    jobs.push(&"1".to_owned()).expect("the push succeeds");
    let mut child = directory.start("hold-long", "go");
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
    let directory = Directory::new("restarted");
    directory.open().push(&"1".to_owned()).expect("the push succeeds");
    let mut child = directory.start("hold-long", "go");
    child.wait_for_line("claimed 1 1");
    drop(child); // kill -9
    let job = directory.open().pop().expect("the claim succeeds").expect("it is back");
    assert_eq!((job.as_str(), job.attempt()), ("1", 2));
}

#[test]
fn rule_132_a_process_that_finishes_after_its_lease_is_refused() {
    let directory = Directory::new("late");
    let jobs = directory.open();
    let id = jobs.push(&"1".to_owned()).expect("the push succeeds").id();
    let mut child = directory.start("hold", "go");
    child.wait_for_line("claimed 1 1");
    let mut job = None;
    until("the lease has ended", || {
        job = jobs.pop().expect("the claim succeeds");
        job.is_some()
    });
    fs::write(directory.path("go"), "").expect("the file can be written");
    let refused = format!(
        "the lease of job {id} of the queue `jobs` has ended, and it runs again; finish jobs within their lease, or renew it"
    );
    child.wait_for_line(&refused);
    job.expect("it is back").complete().expect("the later claim is held");
    assert!(jobs.pop().expect("the claim succeeds").is_none());
}

#[test]
fn rule_132_a_job_that_another_process_holds_is_not_claimed() {
    let directory = Directory::new("held");
    let jobs = directory.open();
    for payload in ["1", "2"] {
        jobs.push(&payload.to_owned()).expect("the push succeeds");
    }
    let mut child = directory.start("hold-long", "go");
    child.wait_for_line("claimed 1 1");
    let job = jobs.pop().expect("the claim succeeds").expect("another job is ready");
    assert_eq!(job.as_str(), "2");
    assert!(jobs.pop().expect("the claim succeeds").is_none());
    fs::write(directory.path("go"), "").expect("the file can be written");
    child.wait_for_line("done");
    assert_eq!(jobs.stats().expect("the jobs can be counted").backlog.claimed, 1);
}

/// The worker claims four jobs at a time, and one of them ends it whenever it runs. That job dies after
/// three attempts; the others, which were lost with it twice, do not.
#[test]
fn rule_131_and_132_a_job_that_kills_its_process_takes_no_others_with_it() {
    let directory = Directory::new("poison");
    let jobs = directory.open();
    for payload in ["1", "poison", "2", "3", "4", "5", "6"] {
        jobs.push(&payload.to_owned()).expect("the push succeeds");
    }
    let codes: Vec<_> = iter::repeat_with(|| directory.start("batches", "consumers").wait().code())
        .take_while(|code| *code != 0)
        .collect();
    assert_eq!(codes, [3, 3, 3], "one end for each attempt");
    let dead = jobs.dead(None, 9).expect("the dead jobs can be listed");
    let dead: Vec<_> = dead.iter().map(|job| (&*job.payload, job.attempts, &*job.error)).collect();
    let error = "its process was killed or paused for longer than the lease: 3 times";
    assert_eq!(dead, [("\"poison\"", 3, error)]);
    let mut done = directory.lines("consumers", "done");
    done.sort();
    assert_eq!(
        done,
        ["1 1", "2 3", "3 3", "4 2", "5 1", "6 1"],
        "each once, some on a later attempt"
    );
}

/// A random worker is killed again and again. Each job that was pushed is done, at least once, and a
/// second time only with a higher attempt.
#[test]
fn rule_130_131_and_135_nothing_is_lost_while_processes_are_killed() {
    const KILLS: usize = 40;
    let directory = Directory::new("kills");
    let start = |index: usize| match index {
        0 | 1 => directory.start("produce", "producers"),
        _ => directory.start("consume", "consumers"),
    };
    let mut rng = Rng::new(18);
    let mut workers: Vec<_> = (0..4).map(start).collect();
    for _ in 0..KILLS {
        pause(millis(20 + rng.below(80)));
        let index = usize::try_from(rng.below(4)).expect("a small number");
        workers[index] = start(index); // the old one is killed
    }
    drop(workers);

    let jobs = directory.open();
    let policy = RetryPolicy { attempts: 1000, backoff: millis(20), max_backoff: millis(20) };
    let options = Pop::new().policy(policy);
    let mut seen: HashMap<String, Vec<u32>> = HashMap::new();
    for line in directory.lines("consumers", "done") {
        let (payload, attempt) = line.split_once(' ').expect("a payload and an attempt");
        seen.entry(payload.to_owned()).or_default().push(attempt.parse().expect("a number"));
    }
    until("the queue is empty", || {
        while let Some(job) = jobs.pop_with(&options).expect("the claim succeeds") {
            seen.entry(job.clone()).or_default().push(job.attempt());
            job.complete().expect("the claim is held");
        }
        let backlog = jobs.stats().expect("the jobs can be counted").backlog;
        backlog.ready + backlog.delayed + backlog.claimed == 0
    });

    let pushed: HashSet<_> = directory.lines("producers", "pushed").into_iter().collect();
    let tried: HashSet<_> = directory.lines("producers", "try").into_iter().collect();
    assert!(pushed.len() > KILLS, "only {} jobs were pushed", pushed.len());
    let lost: Vec<_> = pushed.iter().filter(|payload| !seen.contains_key(*payload)).collect();
    assert_eq!(lost, [] as [&String; 0], "lost");
    let unexpected: Vec<_> = seen.keys().filter(|payload| !tried.contains(*payload)).collect();
    assert_eq!(unexpected, [] as [&String; 0], "unexpected");
    assert_eq!(jobs.stats().expect("the jobs can be counted").backlog.dead, 0);
    let mut duplicates = 0;
    for (payload, mut attempts) in seen {
        attempts.sort_unstable();
        duplicates += attempts.len() - 1;
        let before = attempts.len();
        attempts.dedup();
        assert_eq!(attempts.len(), before, "{payload} was done twice as the same attempt");
    }
    assert!(duplicates <= KILLS, "{duplicates} duplicates with {KILLS} kills");
}
