//! A run in virtual time: timer queue, life cycle, statistics and an empty body, without a thread.
//!
//! In virtual time all of these happen on the thread of the test. The test kit also records each
//! run, so the figures are upper bounds.
//!
//! ```text
//! cargo bench -p tina4-service --features testing --bench virtual_time
//! ```

use divan::Bencher;
use divan::counter::ItemsCount;
use tina4_service::Service;
use tina4_service::testing::TestRunner;

fn main() {
    divan::main();
}

/// Runs per sample.
const RUNS: u32 = 20_000;

#[divan::bench(args = [1, 100, 10_000], sample_count = 20, sample_size = 1)]
fn run_of_one_of(bencher: Bencher<'_, '_>, services: u32) {
    let runner = || {
        let service = |number| Service::new(format!("service-{number}"), |_| {}).interval("1s");
        let builder = TestRunner::builder().only::<&str>([]);
        let builder = (0..services).map(service).fold(builder, |all, one| all.service(one));
        let mut runner = builder.build().expect("they have no faults");
        // The first two runs of a service allocate; the others do not.
        runner.advance("1s");
        runner
    };
    let seconds = u64::from(RUNS / services);
    bencher.counter(ItemsCount::new(RUNS)).with_inputs(runner).bench_local_refs(|runner| {
        runner.advance(std::time::Duration::from_secs(seconds));
    });
}
