//! The queue of due times, and the steps of a life cycle, without what is around them.
//!
//! They have no existence outside of the crate, and are shown to this benchmark only:
//!
//! ```text
//! RUSTFLAGS="--cfg parts" cargo bench -p tina4-service --bench parts --target-dir target/parts
//! ```

#[cfg(not(parts))]
fn main() {
    println!("the parts are shown with RUSTFLAGS=\"--cfg parts\" only");
}

#[cfg(parts)]
fn main() {
    divan::main();
}

#[cfg(parts)]
mod parts {
    use std::time::Duration;

    use divan::Bencher;
    use divan::counter::ItemsCount;
    use tina4_service::parts::{Life, Queue};

    /// So often in each sample: look at the items.
    const TIMES: u32 = 100_000;

    fn many<T>(bencher: Bencher<'_, '_>, new: impl Fn() -> T, mut action: impl FnMut(&mut T)) {
        bencher
            .counter(ItemsCount::new(TIMES))
            .with_inputs(new)
            .bench_local_refs(|part| (0..TIMES).for_each(|_| action(part)));
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// The earliest due time comes out and the next of the same service goes in, where all have one
    /// period.
    #[divan::bench(args = [1, 100, 10_000], sample_count = 20, sample_size = 1)]
    fn due_times_of_one_period(bencher: Bencher<'_, '_>, services: u32) {
        many(bencher, || Queue::new(services, &[SECOND]), Queue::turn);
    }

    /// The same where each of seven periods is as frequent: about half of them go through the heap,
    /// the others come in order.
    #[divan::bench(args = [100, 10_000], sample_count = 20, sample_size = 1)]
    fn due_times_of_seven_periods(bencher: Bencher<'_, '_>, services: u32) {
        let periods = [1, 2, 3, 5, 7, 11, 13].map(|seconds| seconds * SECOND);
        many(bencher, || Queue::new(services, &periods), Queue::turn);
    }

    /// Two steps: a run begins, and ends well.
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn steps_of_a_run(bencher: Bencher<'_, '_>) {
        many(bencher, || Life::new(SECOND), Life::run);
    }

    /// One step: a run is followed by the next (`Flow::Again`).
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn step_of_a_repeat(bencher: Bencher<'_, '_>) {
        let running = || {
            let mut life = Life::new(SECOND);
            life.due();
            life
        };
        many(bencher, running, Life::repeat);
    }

    /// Two steps: a restart begins, and crashes.
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn steps_of_a_crash(bencher: Bencher<'_, '_>) {
        many(bencher, || Life::new(SECOND), Life::crash);
    }
}
