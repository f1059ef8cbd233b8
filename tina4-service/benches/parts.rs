//! The timer queue and the steps of the life cycle, each in isolation.
//!
//! ```text
//! cargo bench -p tina4-service --bench parts
//! ```

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use tina4_service_core::lifecycle::{
    Action, Crash, Dependencies, Facts, Input, Lifecycle, RunKind,
};
use tina4_service_core::{CrashKind, Exit, Nanos, Schedule, Spec, Timers, Utc, nanos};

fn main() {
    divan::main();
}

/// Operations per sample; the item throughput gives the time of one.
const TIMES: u32 = 100_000;

/// Measures `TIMES` calls of `action`, in each sample on a new value.
fn bench_many<T>(bencher: Bencher<'_, '_>, new: impl Fn() -> T, mut action: impl FnMut(&mut T)) {
    bencher
        .counter(ItemsCount::new(TIMES))
        .with_inputs(new)
        .bench_local_refs(|part| (0..TIMES).for_each(|_| action(part)));
}

const SECOND: Duration = Duration::from_secs(1);

/// A timer queue, and the period of each of its services.
struct Queue {
    timers: Timers,
    periods: Vec<Nanos>,
}

impl Queue {
    /// A queue in which all `services` are first due at the same instant; `periods` are assigned in
    /// turn.
    fn new(services: u32, periods: &[Duration]) -> Self {
        let mut timers = Timers::default();
        (0..services).for_each(|index| timers.push(0, index));
        let periods = periods.iter().copied().map(nanos);
        Self { timers, periods: periods.cycle().take(services as usize).collect() }
    }

    /// Pops the earliest due time and pushes the service's next one.
    fn pop_and_push(&mut self) {
        let (due, index) = self.timers.pop().expect("there are services");
        self.timers.push(due + self.periods[index as usize], index);
    }
}

static CRASH: LazyLock<Crash> = LazyLock::new(|| Crash {
    message: "crash".into(),
    panicked: false,
    kind: CrashKind::Transient,
});

/// The life cycle of one started service.
struct Life {
    life: Lifecycle,
    spec: Spec,
    now: Nanos,
    transitions: u64,
}

impl Life {
    /// A service that runs at this interval.
    fn new(interval: Duration) -> Self {
        let spec = Spec { schedule: Schedule::Interval(interval), ..Spec::DEFAULT };
        let mut life =
            Self { life: Lifecycle::new(RunKind::Call, 0), spec, now: 0, transitions: 0 };
        life.step(Input::Start { dependencies: Dependencies::Met });
        life
    }

    /// A successful run, which ends at its due time.
    fn run(&mut self) {
        self.due();
        self.step(Input::RunEnded(Exit::Wait));
    }

    /// A run is followed by the next one in one step.
    fn repeat(&mut self) {
        self.now += 1;
        self.step(Input::Repeat);
    }

    /// A run that crashes; every run but the first is a restart after a backoff of at most 60 s.
    fn crash(&mut self) {
        self.due();
        self.step(Input::RunEnded(Exit::Crashed(&CRASH)));
    }

    /// Begins the next run.
    fn due(&mut self) {
        self.now = self.life.next_wake_up().unwrap_or(self.now);
        self.step(Input::Due);
    }

    fn step(&mut self, input: Input<'_>) -> Action {
        let Self { life, spec, now, transitions } = self;
        let facts = Facts {
            has_jobs: false,
            now: *now,
            wall: 0,
            zone: &Utc,
            has_hooks: false,
            last_heartbeat: 0,
            random: 0,
            tolerance: 0,
        };
        // Opaque to the optimizer: real callers do not know the input at compile time either.
        life.step(spec, facts, black_box(input), &mut |_| *transitions += 1)
    }
}

/// Pops the earliest due time and pushes the next one of that service; all have one period.
#[divan::bench(args = [1, 100, 10_000], sample_count = 20, sample_size = 1)]
fn due_times_of_one_period(bencher: Bencher<'_, '_>, services: u32) {
    bench_many(bencher, || Queue::new(services, &[SECOND]), Queue::pop_and_push);
}

/// Pops and pushes due times of seven equally frequent periods: about half of them go through the
/// heap, the others arrive in order.
#[divan::bench(args = [100, 10_000], sample_count = 20, sample_size = 1)]
fn due_times_of_seven_periods(bencher: Bencher<'_, '_>, services: u32) {
    let periods = [1, 2, 3, 5, 7, 11, 13].map(|seconds| seconds * SECOND);
    bench_many(bencher, || Queue::new(services, &periods), Queue::pop_and_push);
}

/// Two steps: a run begins and succeeds.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn steps_of_a_run(bencher: Bencher<'_, '_>) {
    bench_many(bencher, || Life::new(SECOND), Life::run);
}

/// One step: a run is followed directly by the next (`Flow::Again`).
#[divan::bench(sample_count = 20, sample_size = 1)]
fn step_of_a_repeat(bencher: Bencher<'_, '_>) {
    let running = || {
        let mut life = Life::new(SECOND);
        life.due();
        life
    };
    bench_many(bencher, running, Life::repeat);
}

/// Two steps: a restarted run begins and crashes.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn steps_of_a_crash(bencher: Bencher<'_, '_>) {
    bench_many(bencher, || Life::new(SECOND), Life::crash);
}
