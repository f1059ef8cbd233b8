//! The control path under a model checker: `shuttle` runs each test in thousands of schedules.
//!
//! Everything except the locks and the threads is real: runner, supervisor, engine, bodies, hooks. Time
//! stands still unless a test advances it, so no timeout hides a fault: a stop that waits forever is a
//! deadlock, and a sleep that nothing wakes is an endless schedule. Both are reported.
//!
//! ```text
//! .ci/model
//! ```

#[cfg(feature = "tokio")]
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{JoinHandle, yield_now};

#[cfg(feature = "exit-hook")]
use crate::engine::current;
use crate::runner::runner::Runner;
use crate::sys::sync::{Gate, Mutex, lock};
use crate::{
    Change, Clock, Context, ControlError, Event, Flow, Ready, Service, StartError, Stopped,
};

mod bodies;
mod disabled;
#[cfg(feature = "queue")]
mod jobs;
mod membership;
mod requests;
#[cfg(feature = "tokio")]
mod tasks;
mod timeouts;

/// The number of random schedules per test, and of schedules with few preemptions, which find faults
/// that occur only if one thread pauses for a long time.
const SCHEDULES: usize = 1_000;
/// The maximum number of preemptions in the latter.
const PREEMPTIONS: usize = 3;

/// Runs a test in many schedules.
fn explore(test: impl Fn() + Send + Sync + 'static) {
    let mut config = shuttle::Config::new();
    // Formatting and unwinding need more than the default of 32 KiB.
    config.stack_size = 1 << 17;
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    let test = Arc::new(test);
    let again = Arc::clone(&test);
    let random = RandomScheduler::new(SCHEDULES);
    shuttle::Runner::new(random, config.clone()).run(move || test());
    let preempting = PctScheduler::new(PREEMPTIONS, SCHEDULES);
    shuttle::Runner::new(preempting, config).run(move || again());
}

/// Counters that the bodies and hooks of one service update. They are atomics of `std`, so that the
/// checker does not try schedules that differ only here.
#[derive(Default)]
struct Counters {
    /// The number of threads that are inside the service.
    active: AtomicUsize,
    /// The highest value of `active` so far.
    max_active: AtomicUsize,
    runs: AtomicUsize,
    hooks: AtomicUsize,
    /// Whether its runs are tasks. One that is dropped before its first poll never enters the service.
    is_task: bool,
}

/// The services of one schedule, and their counters.
struct Scenario {
    runner: Runner,
    clock: Clock,
    counters: Vec<(&'static str, Arc<Counters>)>,
    /// The services whose clean-up began or ended, in order.
    cleaned_up: Arc<Mutex<Vec<&'static str>>>,
    events: Receiver<Event>,
    threads: Vec<JoinHandle<()>>,
}

impl Scenario {
    fn new() -> Self {
        Self::with_variables(&[])
    }

    /// A scenario in an environment with these variables.
    fn with_variables(variables: &[(&str, &str)]) -> Self {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let builder = Runner::builder().only::<&str>([]).env_vars(variables.to_vec());
        let runner = builder.clock(clock.clone()).build();
        let events = runner.subscribe();
        let (counters, cleaned_up, threads) = (Vec::new(), Arc::default(), Vec::new());
        Self { runner, clock, counters, cleaned_up, events, threads }
    }

    /// Adds a service whose runs and clean-ups are counted.
    fn add<R: crate::__private::Outcome>(
        &mut self,
        name: &'static str,
        body: impl Fn(&Context) -> R + Send + Sync + 'static,
        settings: impl FnOnce(Service) -> Service,
    ) -> Arc<Counters> {
        let counters = Arc::new(Counters::default());
        let service = counted(name, &counters, &self.cleaned_up, body);
        self.runner.register(settings(service)).expect("the name is free");
        self.counters.push((name, Arc::clone(&counters)));
        counters
    }

    /// A weak handle for bodies, which does not keep their own runner alive.
    fn handle(&self) -> impl Fn() -> Option<Runner> + Clone + Send + Sync + 'static {
        let weak = self.runner.downgrade();
        move || weak.upgrade()
    }

    /// Calls `act` on another thread.
    fn spawn(&mut self, act: impl FnOnce(&Runner, &Clock) + Send + 'static) {
        let (runner, clock) = (self.runner.clone(), self.clock.clone());
        self.threads.push(shuttle::thread::spawn(move || act(&runner, &clock)));
    }

    /// Awaits `act` on another thread.
    #[cfg(feature = "tokio")]
    fn spawn_async<F: Future<Output = ()>>(
        &mut self,
        act: impl FnOnce(Runner) -> F + Send + 'static,
    ) {
        let runner = self.runner.clone();
        let body = move || shuttle::future::block_on(act(runner));
        self.threads.push(shuttle::thread::spawn(body));
    }

    /// Waits for the threads.
    fn join(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().expect("a request returns");
        }
    }

    /// Waits for the threads, stops everything, and checks the invariants.
    fn end(mut self) {
        self.join();
        let report = self.runner.stop_all();
        let is_cancelled = report.cancelled().next().is_some();
        assert!((report.is_clean() || is_cancelled) && !report.in_progress, "{report}");
        assert_eq!(report.abandoned().count(), 0, "{report}");
        self.check();
    }

    /// Checks the invariants that hold once everything has ended.
    fn check(self) {
        for (name, state) in self.runner.status() {
            assert!(!state.is_active(), "{name} is {state}");
        }
        let events: Vec<_> = self.events.try_iter().collect();
        for event in &events {
            // A failed assertion in a body or a hook is a crash as well.
            let (Change::Crashed { cause, .. }
            | Change::HookFailed { cause }
            | Change::PanickedWhileStopping { cause }) = &event.change
            else {
                continue;
            };
            let expected = cause.ends_with(ON_PURPOSE) || **cause == *CANCELLED;
            assert!(expected, "{}: {cause}", event.service);
        }
        for (name, counters) in &self.counters {
            let count = |wanted: fn(&Change) -> bool| {
                let of_this = events.iter().filter(|event| event.service == *name);
                of_this.filter(|event| wanted(&event.change)).count()
            };
            let started = count(|change| *change == Change::Started);
            let ended = count(|change| {
                let is_end =
                    matches!(change, Change::Stopped | Change::Cancelled | Change::Finished);
                is_end || matches!(change, Change::Failed { .. })
            });
            let began = count(|change| matches!(change, Change::RunBegan { .. }));
            let returned = count(|change| matches!(change, Change::RunEnded { .. }));
            let get = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
            assert_eq!(get(&counters.active), 0, "{name} is still active");
            let max_active = get(&counters.max_active);
            assert!(max_active <= 1, "{name}: {max_active} copies");
            let runs = get(&counters.runs);
            assert_eq!(began, returned, "runs of {name}");
            let is_expected = if counters.is_task { runs <= began } else { runs == began };
            assert!(is_expected, "{name}: {runs} of {began} runs");
            let hooks = get(&counters.hooks);
            assert_eq!((ended, hooks), (started, started), "activations of {name}");
        }
        wait_for_threads_and_tasks(self.runner);
    }
}

/// Drops the runner, and waits until its threads and tasks have ended.
fn wait_for_threads_and_tasks(runner: Runner) {
    let engine = Arc::clone(&runner.shared.engine);
    #[cfg(feature = "tokio")]
    let runtime = runner.shared.env.runtime.handle();
    drop(runner);
    wait_until(|| engine.thread_count() == 0);
    drop(engine);
    #[cfg(feature = "tokio")]
    if let Some(runtime) = runtime {
        let have_ended = runtime.end_of_tasks();
        drop(runtime);
        wait_until(have_ended);
    }
}

/// A service whose runs and clean-ups are counted.
fn counted<R: crate::__private::Outcome>(
    name: &'static str,
    counters: &Arc<Counters>,
    cleaned_up: &Arc<Mutex<Vec<&'static str>>>,
    body: impl Fn(&Context) -> R + Send + Sync + 'static,
) -> Service {
    let (runs, hooks) = (Arc::clone(counters), Arc::clone(counters));
    let body = move |ctx: &Context| {
        let _inside = EnteredGuard::new(&runs);
        runs.runs.fetch_add(1, Ordering::SeqCst);
        body(ctx)
    };
    let cleaned_up = Arc::clone(cleaned_up);
    let hook = move |_: &Context| {
        let _inside = EnteredGuard::new(&hooks);
        hooks.hooks.fetch_add(1, Ordering::SeqCst);
        lock(&cleaned_up).push(name);
        yield_now();
        lock(&cleaned_up).push(name);
    };
    Service::new(name, body).on_stop(hook)
}

/// Counts the current thread as inside a service until the guard is dropped.
struct EnteredGuard<'a>(&'a Counters);

impl<'a> EnteredGuard<'a> {
    fn new(counters: &'a Counters) -> Self {
        let active = counters.active.fetch_add(1, Ordering::SeqCst) + 1;
        counters.max_active.fetch_max(active, Ordering::SeqCst);
        Self(counters)
    }
}

impl Drop for EnteredGuard<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The error or panic of bodies that are meant to crash.
const ON_PURPOSE: &str = "on purpose";

/// The crash of a run that was cancelled after a millisecond and then ended well.
const CANCELLED: &str = "cancelled: took longer than its timeout of 1ms";

/// Succeeds, returns an error, or panics.
fn crashes_at_random(_: &Context) -> Result<(), &'static str> {
    match thread_rng().gen_range(0..3) {
        0 => Ok(()),
        1 => Err(ON_PURPOSE),
        // Not `panic!`, because the checker's panic hook prints the schedule.
        _ => std::panic::resume_unwind(Box::new(ON_PURPOSE)),
    }
}

/// Runs again immediately, or waits for its due time.
fn eager(_: &Context) -> Flow {
    yield_now();
    choose(&[Flow::Again, Flow::Wait])
}

/// Sleeps until it is stopped.
fn until_stopped(ctx: &Context) {
    while ctx.sleep(Duration::from_secs(3_600)) {}
}

/// Yields to other threads until the condition holds. If it never does, the schedule is endless.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now();
    }
}

fn choose<T: Copy>(of: &[T]) -> T {
    of[thread_rng().gen_range(0..of.len())]
}

/// Makes a random request. It may be refused, but only for an expected reason.
fn random_request(runner: &Runner, name: &str) {
    let result = match thread_rng().gen_range(0..8) {
        0 | 1 => runner.start(name),
        2 => runner.restart(name),
        3 => runner.run_now(name),
        4 => runner.pause(name),
        5 => runner.resume(name),
        6 => runner.stop(name).map(|stopped| {
            assert!(!matches!(stopped, Stopped::Abandoned { .. }), "{name}: {stopped:?}");
        }),
        _ => {
            let report = runner.stop_all();
            assert_eq!(report.in_progress, runner.calling_service().is_some(), "{report}");
            Ok(())
        }
    };
    match result {
        Ok(())
        | Err(
            ControlError::NotActive { .. }
            | ControlError::WaitingForDependencies { .. }
            | ControlError::Blocked { .. }
            | ControlError::NotReady { .. }
            | ControlError::WaitsForItself { .. }
            | ControlError::Interrupted { .. }
            | ControlError::Busy { .. }
            | ControlError::Stopping { .. }
            | ControlError::Start(StartError::ShuttingDown),
        ) => {}
        Err(error) => panic!("{error}"),
    }
}
