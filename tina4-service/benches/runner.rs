//! The overhead of the runner: a run, a status query, start and stop.
//!
//! ```text
//! cargo bench -p tina4-service --bench runner
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use tina4_service::{Flow, Runner, Service};

fn main() {
    divan::main();
}

/// Runs per sample: enough that starting the service and a thread is negligible.
const RUNS: u32 = 200_000;

/// One run is followed by the next in a single step of the life cycle.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn run_again(bencher: Bencher<'_, '_>) {
    empty_runs(bencher, Flow::Again);
}

/// Each run goes through the timer queue: two steps of the life cycle and a dispatch.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn run_by_due_time(bencher: Bencher<'_, '_>) {
    empty_runs(bencher, Flow::After(Duration::ZERO));
}

/// An empty body that requests the next run; the item throughput gives the time of one.
fn empty_runs(bencher: Bencher<'_, '_>, next: Flow) {
    let runner = || {
        let runner = Runner::new();
        let left = AtomicU32::new(RUNS);
        runner
            .register(Service::new("again", move |_| {
                if left.fetch_sub(1, Ordering::Relaxed) > 1 { next } else { Flow::Done }
            }))
            .unwrap();
        runner
    };
    bencher.counter(ItemsCount::new(RUNS)).with_inputs(runner).bench_local_refs(|runner| {
        runner.start_all().expect("one service");
        runner.wait();
    });
}

/// Long enough that no service is due twice.
const HOUR: Duration = Duration::from_secs(3_600);

/// Registers `count` services; the receiver is notified when each has run once.
fn register(runner: &Runner, count: u32) -> mpsc::Receiver<()> {
    let (all, ran) = mpsc::channel();
    let left = Arc::new(AtomicU32::new(count));
    for number in 0..count {
        let (left, all) = (Arc::clone(&left), all.clone());
        let body = move |_: &_| {
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                let _ = all.send(());
            }
        };
        runner.register(Service::new(format!("service-{number}"), body).interval(HOUR)).unwrap();
    }
    ran
}

fn start(runner: &Runner, ran: &mpsc::Receiver<()>) {
    runner.start_all().expect("they have no faults");
    ran.recv().expect("each runs once");
}

#[divan::bench(args = [1_000])]
fn services(bencher: Bencher<'_, '_>, count: u32) {
    let runner = Runner::new();
    let ran = register(&runner, count);
    start(&runner, &ran);
    bencher.bench_local(|| runner.services());
    runner.stop_all();
}

#[divan::bench(args = [10_000], sample_count = 20, sample_size = 1)]
fn register_all(bencher: Bencher<'_, '_>, count: u32) {
    bencher.with_inputs(Runner::new).bench_local_refs(|runner| register(runner, count));
}

/// Lasts until each service has run once.
#[divan::bench(args = [10_000], sample_count = 20, sample_size = 1)]
fn start_all(bencher: Bencher<'_, '_>, count: u32) {
    let registered = || {
        let runner = Runner::new();
        let ran = register(&runner, count);
        (runner, ran)
    };
    bencher.with_inputs(registered).bench_local_refs(|(runner, ran)| start(runner, ran));
}

#[divan::bench(args = [10_000], sample_count = 20, sample_size = 1)]
fn stop_all(bencher: Bencher<'_, '_>, count: u32) {
    let started = || {
        let runner = Runner::new();
        let ran = register(&runner, count);
        start(&runner, &ran);
        runner
    };
    bencher.with_inputs(started).bench_local_refs(|runner| runner.stop_all());
}
