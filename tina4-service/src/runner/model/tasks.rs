//! Async services, whose tasks run on the executor of the model checker: stop, drop, cancel, the end of the
//! runtime, and calls that wait without blocking.

use std::future::{Future, pending};

use super::*;
use crate::sys::runtime::Handle;
use crate::{OnTimeout, State, Tick};

const MILLI: Duration = Duration::from_millis(1);

/// [`EnteredGuard`] for a task, which owns what it counts in.
struct Inside(Arc<Counters>);

impl Inside {
    fn new(counters: Arc<Counters>) -> Self {
        std::mem::forget(EnteredGuard::new(&counters));
        Self(counters)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(EnteredGuard(&self.0));
    }
}

impl Scenario {
    /// Adds an async service whose runs and clean-ups are counted; its `on_stop` is async, too.
    pub(super) fn add_async<F: Future<Output = Outcome> + Send + 'static>(
        &mut self,
        name: &'static str,
        body: impl Fn(&Context) -> F + Send + Sync + 'static,
        settings: impl FnOnce(Service) -> Service,
    ) -> Arc<Counters> {
        let counters = Arc::new(Counters { is_task: true, ..Counters::default() });
        self.runner.register(settings(counted_task(name, &counters, body))).unwrap();
        self.counters.push((name, Arc::clone(&counters)));
        counters
    }
}

/// An async service whose runs and clean-ups are counted; its `on_stop` is async, too.
pub(super) fn counted_task<F: Future<Output = Outcome> + Send + 'static>(
    name: &'static str,
    counters: &Arc<Counters>,
    body: impl Fn(&Context) -> F + Send + Sync + 'static,
) -> Service {
    let (runs, hooks) = (Arc::clone(counters), Arc::clone(counters));
    let body = move |ctx: &Context| {
        let inside = Inside::new(Arc::clone(&runs));
        runs.runs.fetch_add(1, Ordering::SeqCst);
        let future = body(ctx);
        async move {
            let result = future.await;
            drop(inside);
            result
        }
    };
    let hook = move |_: Tick| {
        let inside = Inside::new(Arc::clone(&hooks));
        hooks.hooks.fetch_add(1, Ordering::SeqCst);
        async move {
            shuttle::future::yield_now().await;
            drop(inside);
        }
    };
    Service::of(name, body).on_stop_of(hook)
}

pub(super) type Outcome = Result<Flow, &'static str>;

/// Runs until it is asked to stop.
pub(super) fn waits(ctx: &Context) -> impl Future<Output = Outcome> + Send + 'static + use<> {
    let stopped = ctx.stopped();
    async move {
        stopped.await;
        Ok(Flow::Wait)
    }
}

/// Runs again immediately, or waits for its due time; crashes now and then.
fn eager(_: &Context) -> impl Future<Output = Outcome> + Send + 'static + use<> {
    async {
        shuttle::future::yield_now().await;
        match thread_rng().gen_range(0..4) {
            0 => Ok(Flow::Again),
            1 => Err(ON_PURPOSE),
            // Not `panic!`, because the checker's panic hook prints the schedule.
            2 => std::panic::resume_unwind(Box::new(ON_PURPOSE)),
            _ => Ok(Flow::Wait),
        }
    }
}

/// Never ends by itself.
fn hangs(_: &Context) -> impl Future<Output = Outcome> + Send + 'static + use<> {
    pending()
}

#[test]
fn rule_92_requests_leave_one_copy_of_each_async_service_and_all_of_them_end() {
    explore(|| {
        let mut scenario = Scenario::new();
        // Due together, so that one thread hands over both.
        for name in ["eager", "eager-too"] {
            scenario.add_async(name, eager, |service| service.interval(MILLI).backoff(MILLI));
        }
        scenario.add_async("waits", waits, |service| service.ready(Ready::Started));
        scenario.add_async("after", waits, |service| service.after("waits"));
        scenario.add("plain", until_stopped, |service| service.requires("waits"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        for _ in 0..2 {
            scenario.spawn(|runner, _| {
                for _ in 0..2 {
                    random_request(runner, choose(&["eager", "waits", "after", "plain"]));
                }
            });
        }
        scenario.spawn(|_, clock| {
            for _ in 0..3 {
                clock.advance(MILLI);
                yield_now();
            }
        });
        scenario.end();
    });
}

#[test]
fn rule_93_and_47_one_async_service_is_started_stopped_and_restarted_concurrently() {
    explore(|| {
        let mut scenario = Scenario::new();
        let counters = scenario.add_async("s", waits, |service| service);
        scenario.spawn(|runner, _| {
            runner.start("s").expect("it may start");
            runner.restart("s").expect("it may start");
        });
        scenario.spawn(|runner, _| {
            runner.stop("s").expect("it is known");
            runner.start("s").expect("it may start");
        });
        scenario.join();
        if scenario.runner.is_running("s") {
            wait_until(|| counters.active.load(Ordering::SeqCst) == 1);
        }
        scenario.end();
    });
}

/// At its deadline a run is dropped, in whatever state it is: not yet polled, waiting, or ending.
#[test]
fn rule_93_a_run_is_dropped_at_the_deadline_of_its_stop() {
    explore(|| {
        let mut scenario = Scenario::new();
        let ends_late = |ctx: &Context| {
            let stopped = ctx.stopped();
            async move {
                stopped.await;
                shuttle::future::yield_now().await;
                Outcome::Ok(Flow::Wait)
            }
        };
        scenario.add_async("hangs", hangs, |service| service.stop_timeout(MILLI));
        // Without a clean-up, which would be abandoned at the deadline if the run has just ended.
        scenario.runner.register(Service::of("ends-late", ends_late).stop_timeout(MILLI)).unwrap();
        scenario.runner.start_all().expect("nothing is wrong with them");
        for name in ["hangs", "ends-late"] {
            scenario.spawn(move |runner, _| {
                wait_until(|| runner.status()[name] == State::Running);
                let stopped = runner.stop(name).expect("it is known");
                let ended = matches!(stopped, Stopped::Ended { .. } | Stopped::NotActive { .. });
                assert!(ended, "{name}: {stopped:?}");
            });
        }
        scenario.spawn(|runner, clock| {
            wait_until(|| {
                runner
                    .status()
                    .values()
                    .all(|state| *state != State::Running && *state != State::Waiting)
            });
            clock.advance(MILLI);
        });
        scenario.join();
        let status = scenario.runner.status();
        assert_eq!(status["hangs"], State::Cancelled, "{status:?}");
        assert!(matches!(status["ends-late"], State::Cancelled | State::Stopped), "{status:?}");
        scenario.end();
    });
}

#[test]
fn rule_93_and_29_a_timeout_a_stop_and_the_end_of_a_run_race() {
    explore(|| {
        let cancelling =
            |service: Service| service.timeout(MILLI).on_timeout(OnTimeout::Cancel).backoff(MILLI);
        let mut scenario = Scenario::new();
        scenario.add_async("waits", waits, cancelling);
        scenario.add_async("eager", eager, |service| cancelling(service).interval(MILLI));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|_, clock| {
            for _ in 0..4 {
                clock.advance(MILLI);
                yield_now();
            }
        });
        scenario.spawn(|runner, _| random_request(runner, choose(&["waits", "eager"])));
        scenario.end();
    });
}

/// The runtime drops its tasks at any moment. Each run and clean-up is reported once, as failed.
#[test]
fn rule_91_the_runtime_shuts_down_at_any_moment() {
    explore(|| {
        let handle = Handle::new();
        let scenario_runner = Runner::builder()
            .only::<&str>([])
            .clock(Clock::manual(SystemTime::UNIX_EPOCH))
            .model_runtime(handle.clone())
            .build();
        for name in ["a", "b"] {
            let on_stop = |_: Tick| shuttle::future::yield_now();
            scenario_runner.register(Service::of(name, waits).on_stop_of(on_stop)).unwrap();
        }
        scenario_runner.start_all().expect("nothing is wrong with them");
        let stopping = scenario_runner.clone();
        let stops = shuttle::thread::spawn(move || drop(stopping.stop("a")));
        let ends = shuttle::thread::spawn(move || handle.shut_down());
        stops.join().expect("it returns");
        ends.join().expect("it returns");
        let report = scenario_runner.stop_all();
        assert_eq!(report.abandoned().count(), 0, "{report}");
        for (name, state) in scenario_runner.status() {
            assert!(matches!(state, State::Failed | State::Stopped), "{name} is {state}");
        }
        wait_for_threads_and_tasks(scenario_runner);
    });
}

/// A task that waits misses no change.
#[test]
fn rule_91_twins_miss_no_wake_up() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add_async("waits", waits, |service| service.ready(Ready::Started));
        scenario.add("plain", until_stopped, |service| service.ready(Ready::Started));
        scenario.runner.start_all().expect("nothing is wrong with them");
        for name in ["waits", "plain"] {
            scenario.spawn_async(move |runner| async move {
                runner.wait_ready_async(name).await.expect("nothing stops it yet");
                let stopped = runner.stop_async(name).await.expect("it is known");
                assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
            });
        }
        scenario.spawn_async(|runner| async move { runner.wait_async().await });
        scenario.end();
    });
}

/// The end of the process asks tasks to stop in every state, while others still make requests.
#[test]
#[cfg(feature = "exit-hook")]
fn rule_45_and_92_the_process_ends_while_tasks_begin_and_end() {
    explore(|| {
        let mut scenario = Scenario::new();
        scenario.add_async("eager", eager, |service| service.interval(MILLI).backoff(MILLI));
        scenario.add_async("waits", waits, |service| service.ready(Ready::Started));
        scenario.add("plain", until_stopped, |service| service.after("waits"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        scenario.spawn(|runner, _| random_request(runner, choose(&["eager", "waits", "plain"])));
        scenario.spawn(|runner, clock| {
            let engines = [Arc::clone(&runner.shared.engine)];
            crate::process::exit_hook::stop(&engines, current::current(), clock, u64::MAX);
            assert!(runner.shared.engine.with(|supervisor, _| supervisor.is_idle()));
        });
        scenario.join();
        scenario.check();
    });
}
