//! The control path under a model checker: `shuttle` runs each of these in thousands of schedules.
//!
//! Everything is real but the locks and the threads: runner, supervisor, pool, bodies, hooks. Time
//! stands still unless a test moves it, so nothing is rescued by a timeout: a stop that waits for
//! what never comes is a deadlock, which is reported, and a sleep that nobody wakes is a schedule
//! without an end, which is reported too.
//!
//! ```text
//! .ci/model
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{JoinHandle, yield_now};

use crate::engine::invoke;
use crate::runner::runner::Runner;
use crate::sys::sync::{Gate, Mutex, lock};
use crate::{Change, Clock, Context, ControlError, Event, Flow, Service, StartError, Stopped};

mod bodies;
mod requests;

/// For each test: so many by pure chance, and so many in which few threads overtake others, which
/// finds what needs one thread to stand still for long.
const SCHEDULES: usize = 1_000;
const OVERTAKERS: usize = 3;

fn check(test: impl Fn() + Send + Sync + 'static) {
    let mut config = shuttle::Config::new();
    // Formatting and unwinding need more than the default of 32 KiB.
    config.stack_size = 1 << 17;
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    let test = Arc::new(test);
    let again = Arc::clone(&test);
    let random = RandomScheduler::new(SCHEDULES);
    shuttle::Runner::new(random, config.clone()).run(move || test());
    let overtaking = PctScheduler::new(OVERTAKERS, SCHEDULES);
    shuttle::Runner::new(overtaking, config).run(move || again());
}

/// What is seen of one service from inside of it. Plain counters: no thread is stopped between two
/// of them, and the checker need not try that it is.
#[derive(Default)]
struct Seen {
    inside: AtomicUsize,
    most: AtomicUsize,
    runs: AtomicUsize,
    hooks: AtomicUsize,
}

/// The services of one schedule, and what was seen of them.
struct Driven {
    runner: Runner,
    clock: Clock,
    seen: Vec<(&'static str, Arc<Seen>)>,
    /// Whose clean-up began, and whose ended.
    cleaned_up: Arc<Mutex<Vec<&'static str>>>,
    events: Receiver<Event>,
    threads: Vec<JoinHandle<()>>,
}

impl Driven {
    fn new() -> Self {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let runner = Runner::builder().only::<&str>([]).clock(clock.clone()).build();
        let events = runner.subscribe();
        let (seen, cleaned_up, threads) = (Vec::new(), Arc::default(), Vec::new());
        Self { runner, clock, seen, cleaned_up, events, threads }
    }

    /// Adds a service whose every run and every clean-up is watched.
    fn add<R: crate::__private::Outcome>(
        &mut self,
        name: &'static str,
        body: impl Fn(&Context) -> R + Send + Sync + 'static,
        settings: impl FnOnce(Service) -> Service,
    ) -> Arc<Seen> {
        let seen = Arc::new(Seen::default());
        let (runs, hooks) = (Arc::clone(&seen), Arc::clone(&seen));
        let body = move |ctx: &Context| {
            let _inside = Inside::new(&runs);
            runs.runs.fetch_add(1, Ordering::SeqCst);
            body(ctx)
        };
        let cleaned_up = Arc::clone(&self.cleaned_up);
        let hook = move |_: &Context| {
            let _inside = Inside::new(&hooks);
            hooks.hooks.fetch_add(1, Ordering::SeqCst);
            lock(&cleaned_up).push(name);
            yield_now();
            lock(&cleaned_up).push(name);
        };
        self.runner.register(settings(Service::new(name, body).on_stop(hook)));
        self.seen.push((name, Arc::clone(&seen)));
        seen
    }

    /// A handle for bodies, which does not keep the runner alive that they belong to.
    fn handle(&self) -> impl Fn() -> Option<Runner> + Clone + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.runner.shared);
        move || shared.upgrade().map(|shared| Runner { shared })
    }

    /// Does something on a thread of its own.
    fn meanwhile(&mut self, act: impl FnOnce(&Runner, &Clock) + Send + 'static) {
        let (runner, clock) = (self.runner.clone(), self.clock.clone());
        self.threads.push(shuttle::thread::spawn(move || act(&runner, &clock)));
    }

    /// Waits for the threads.
    fn join(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().expect("a request returns");
        }
    }

    /// Waits for the threads, stops everything, and checks what must be so whatever happened.
    fn end(mut self) {
        self.join();
        let report = self.runner.stop_all();
        assert!(report.is_clean() && !report.in_progress, "{report}");
        self.check();
    }

    /// What must be so once everything has ended.
    fn check(self) {
        for (name, state) in self.runner.status() {
            assert!(!state.is_active(), "{name} is {state}");
        }
        let events: Vec<_> = self.events.try_iter().collect();
        for event in &events {
            // What a body or a hook asserts in vain is a crash as well.
            let (Change::Crashed { cause, .. }
            | Change::HookFailed { cause }
            | Change::PanickedWhileStopping { cause }) = &event.change
            else {
                continue;
            };
            assert!(cause.ends_with(ON_PURPOSE), "{}: {cause}", event.service);
        }
        for (name, seen) in &self.seen {
            let count = |wanted: fn(&Change) -> bool| {
                let of_this = events.iter().filter(|event| event.service == *name);
                of_this.filter(|event| wanted(&event.change)).count()
            };
            let started = count(|change| *change == Change::Started);
            let ended = count(|change| {
                matches!(change, Change::Stopped | Change::Finished | Change::Failed { .. })
            });
            let began = count(|change| matches!(change, Change::RunBegan { .. }));
            let returned = count(|change| matches!(change, Change::RunEnded { .. }));
            let get = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
            assert_eq!(get(&seen.inside), 0, "{name} is still inside");
            assert!(get(&seen.most) <= 1, "{name}: {} copies", get(&seen.most));
            assert_eq!((began, returned), (get(&seen.runs), get(&seen.runs)), "runs of {name}");
            assert_eq!((ended, get(&seen.hooks)), (started, started), "activations of {name}");
        }
        let pool = Arc::clone(&self.runner.shared.pool);
        drop(self.runner);
        while pool.threads() > 0 {
            yield_now();
        }
    }
}

/// Somebody is inside a service.
struct Inside<'a>(&'a Seen);

impl<'a> Inside<'a> {
    fn new(seen: &'a Seen) -> Self {
        let inside = seen.inside.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most.fetch_max(inside, Ordering::SeqCst);
        Self(seen)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How bodies crash.
const ON_PURPOSE: &str = "on purpose";

/// Crashes, in one way or the other, or not.
fn unsteady(_: &Context) -> Result<(), &'static str> {
    match thread_rng().gen_range(0..3) {
        0 => Ok(()),
        1 => Err(ON_PURPOSE),
        // Without the panic hook, for the checker's own prints the schedule.
        _ => std::panic::resume_unwind(Box::new(ON_PURPOSE)),
    }
}

/// Goes on at once, or waits for its time.
fn eager(_: &Context) -> Flow {
    yield_now();
    any(&[Flow::Again, Flow::Wait])
}

/// Waits for stop.
fn obedient(ctx: &Context) {
    while ctx.sleep(Duration::from_secs(3_600)) {}
}

/// Lets the others go on until it is so. One for whom it never is so has a schedule without an end.
fn until(ready: impl Fn() -> bool) {
    while !ready() {
        yield_now();
    }
}

fn any<T: Copy>(of: &[T]) -> T {
    of[thread_rng().gen_range(0..of.len())]
}

/// Asks something by chance. A refusal is an answer as well, if it is one of those that can be.
fn ask_anything(runner: &Runner, name: &str) {
    let answer = match thread_rng().gen_range(0..8) {
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
            assert_eq!(report.in_progress, runner.inside().is_some(), "{report}");
            Ok(())
        }
    };
    match answer {
        Ok(())
        | Err(
            ControlError::NotActive { .. }
            | ControlError::NotUpYet { .. }
            | ControlError::Busy { .. }
            | ControlError::Stopping { .. }
            | ControlError::Start(StartError::ShuttingDown),
        ) => {}
        Err(error) => panic!("{error}"),
    }
}
