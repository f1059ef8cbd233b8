//! What the Rust peers of the queue benchmarks share. See the README for the method.
//!
//! A peer is a program that measures one metric of one queue and prints its figures. It is told what to do by its
//! arguments, and where by its environment:
//!
//! ```text
//! peer push PRODUCERS      how many jobs a second are stored; p50 and p99 of a push in microseconds
//! peer drain CONCURRENCY   how many of the jobs that wait are run in a second
//! peer latency             p50 and p99 of the time from the return of a push to the start of its job
//! ```
//!
//! `QUEUE_ADDRESS` is the new, empty store; `QUEUE_DURABILITY` is `equal` or `shipped`.

use std::env;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long producers push.
pub const PUSH_TIME: Duration = Duration::from_secs(2);

/// How many jobs wait for a drain.
pub const JOBS: u64 = 50_000;

/// After this time a drain ends, however many jobs are left.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// How many jobs have their latency measured, if there is time, after some that do not count; and how far apart they
/// are.
const LATENCIES: u64 = 200;
const LATENCY_LIMIT: Duration = Duration::from_secs(4);
const WARM_UP: u64 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    Push { producers: u64 },
    Drain { concurrency: u32 },
    Latency,
}

/// What to measure, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    pub task: Task,
    /// A path or an address.
    pub address: String,
    /// Whether every peer is to be as durable as the others, instead of as its defaults are.
    pub is_equal: bool,
}

impl Plan {
    /// Reads the arguments and the environment. Ends the process if they are wrong.
    #[must_use]
    pub fn read() -> Self {
        Self::try_read().unwrap_or_else(|| {
            eprintln!(
                "usage: QUEUE_ADDRESS=.. QUEUE_DURABILITY=equal|shipped peer push N | drain N | latency"
            );
            process::exit(2)
        })
    }

    fn try_read() -> Option<Self> {
        let arguments: Vec<String> = env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let task = match arguments[..] {
            ["push", producers] => Task::Push { producers: producers.parse().ok()? },
            ["drain", concurrency] => Task::Drain { concurrency: concurrency.parse().ok()? },
            ["latency"] => Task::Latency,
            _ => return None,
        };
        let is_equal = match &*env::var("QUEUE_DURABILITY").ok()? {
            "equal" => true,
            "shipped" => false,
            _ => return None,
        };
        Some(Self { task, address: env::var("QUEUE_ADDRESS").ok()?, is_equal })
    }
}

/// Prints the figures of this measurement.
pub fn report(figures: &[f64]) {
    let figures: Vec<String> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
    println!("result {}", figures.join(" "));
}

/// Prints the figures and ends the process, without waiting for what the peer still does.
pub fn end(figures: &[f64]) -> ! {
    report(figures);
    process::exit(0)
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    // The index is small and not negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a short list"
    )]
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The figures of the pushes that took these times.
#[expect(clippy::cast_precision_loss, reason = "a count")]
fn push_figures(mut times: Vec<f64>, took: Duration) -> [f64; 3] {
    times.sort_by(f64::total_cmp);
    [times.len() as f64 / took.as_secs_f64(), quantile(&times, 0.5), quantile(&times, 0.99)]
}

/// Threads push at the same time, each a job after the other.
pub fn push(producers: u64, push: impl Fn(u64) + Sync) -> ! {
    let start = Instant::now();
    let times = thread::scope(|scope| {
        let push = &push;
        let threads: Vec<_> = (0..producers)
            .map(|producer| {
                scope.spawn(move || {
                    let mut times = Vec::new();
                    while start.elapsed() < PUSH_TIME {
                        let began = Instant::now();
                        push(producer * 1_000_000 + times.len() as u64);
                        times.push(micros(began.elapsed()));
                    }
                    times
                })
            })
            .collect();
        threads.into_iter().flat_map(|it| it.join().expect("no push fails")).collect()
    });
    end(&push_figures(times, start.elapsed()))
}

/// Tasks push at the same time, each a job after the other.
#[cfg(feature = "tokio")]
pub async fn push_async<F, P>(producers: u64, push: F) -> !
where
    F: Fn(u64) -> P + Clone + Send + 'static,
    P: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let mut tasks = Vec::new();
    for producer in 0..producers {
        let push = push.clone();
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < PUSH_TIME {
                let began = Instant::now();
                push(producer * 1_000_000 + times.len() as u64).await;
                times.push(micros(began.elapsed()));
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no push fails"));
    }
    end(&push_figures(times, start.elapsed()))
}

/// How many jobs of a drain have begun.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// When jobs of a latency have begun.
static STARTS: Mutex<Vec<(u64, Instant)>> = Mutex::new(Vec::new());

/// The body of every job of a drain.
pub fn count() {
    BEGUN.fetch_add(1, Ordering::Relaxed);
}

/// The body of every job of a latency: the one with this number has begun.
pub fn note_start(number: u64) {
    let now = Instant::now();
    STARTS.lock().expect("nobody panics").push((number, now));
}

/// Waits until all jobs have been counted. Called at once after the workers were started.
#[expect(clippy::cast_precision_loss, reason = "a count")]
pub fn drain() -> ! {
    let start = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(1));
        let (begun, took) = (BEGUN.load(Ordering::Relaxed), start.elapsed());
        if begun >= JOBS || took >= DRAIN_LIMIT {
            end(&[begun as f64 / took.as_secs_f64()]);
        }
    }
}

/// Pushes jobs one at a time to idle workers, and waits for each.
pub fn latency(push: impl Fn(u64)) -> ! {
    let (first, mut times) = (Instant::now(), Vec::new());
    for number in 0..LATENCIES + WARM_UP {
        if first.elapsed() >= LATENCY_LIMIT && !times.is_empty() {
            break;
        }
        // Not in step with a poll.
        thread::sleep(PAUSE + Duration::from_micros(number * 37 % 5_000));
        push(number);
        let returned = Instant::now();
        let start = loop {
            if let Some(start) = started(number) {
                break start;
            }
            thread::sleep(Duration::from_micros(200));
            assert!(returned.elapsed() < Duration::from_secs(60), "job {number} does not start");
        };
        if number >= WARM_UP {
            // It may have begun before the push returned.
            times.push(micros(start.saturating_duration_since(returned)));
        }
    }
    times.sort_by(f64::total_cmp);
    end(&[quantile(&times, 0.5), quantile(&times, 0.99)])
}

/// When the job with this number has begun.
pub fn started(number: u64) -> Option<Instant> {
    let starts = STARTS.lock().expect("nobody panics");
    starts.iter().rev().find(|(known, _)| *known == number).map(|(_, start)| *start)
}
