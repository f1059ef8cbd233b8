//! The supervisor without a pool: tests make requests, take the work and set the time.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tina4_service_core::lifecycle::Crash;
use tina4_service_core::{CrashKind, Schedule};

use super::control::{PendingStop, StopResponse};
use super::*;
use crate::engine::control_error::ControlError;
use crate::engine::pool::poll::Poll;
use crate::engine::pool::work_source::{Timing, WorkSource as _};
use crate::engine::work::{Completion, WorkItem, WorkKind};
use crate::observe::event::Change;
use crate::observe::run_trigger::RunTrigger;
use crate::observe::stop_report::Stopped;
use crate::plan::fault::Fault;
use crate::plan::start_error::StartError;
use crate::service::deployment::Deployment;
use crate::service::instance::Instance;
use crate::service::outcome::Exit;
use crate::service::settings::SettingsCache;
use crate::sys::place::Place;
use crate::time::clock::Clock;
use crate::{Ready, Res, Service};
use tina4_service_core::lifecycle::{RunOutcome, State};

#[cfg(not(shuttle))]
mod log;
#[cfg(not(shuttle))]
mod notices;
#[cfg(not(shuttle))]
mod requests;

const SECOND: Nanos = 1_000_000_000;
const LIMIT: Duration = Duration::from_secs(25);

fn supervisor(services: impl IntoIterator<Item = Service>) -> Supervisor {
    supervisor_with_tolerance(Duration::ZERO, services)
}

/// A supervisor whose default tolerance is `tolerance`.
fn supervisor_with_tolerance(
    tolerance: Duration,
    services: impl IntoIterator<Item = Service>,
) -> Supervisor {
    supervisor_with(Clock::manual(SystemTime::UNIX_EPOCH), tolerance, services)
}

fn supervisor_with(
    clock: Clock,
    tolerance: Duration,
    services: impl IntoIterator<Item = Service>,
) -> Supervisor {
    let env = Environment { clock, tolerance, shutdown_timeout: LIMIT, ..Environment::default() };
    let mut supervisor = Supervisor::new(Arc::new(env), Selection::default());
    let recent = SettingsCache::default();
    for service in services {
        let definition = service.into_definition(&recent, &Deployment::default());
        let instance = Arc::new(Instance::new(definition, Arc::clone(&supervisor.env)));
        supervisor.register(&instance, 0).unwrap();
    }
    supervisor
}

fn service(name: impl Into<Cow<'static, str>>) -> Service {
    Service::new(name, |_| {})
}

/// Takes the next work that is due, and discards deferred effects.
fn take(supervisor: &mut Supervisor, now: Nanos) -> Option<WorkItem> {
    loop {
        let id = supervisor.take_due(now);
        let deferred = supervisor.deferred_mut().take().is_some();
        if id.is_some() || !deferred {
            return id.map(|id| supervisor.begin(id));
        }
    }
}

/// The value of a condition that holds.
fn ready<T>(answer: Poll<T>) -> T {
    match answer {
        Poll::Ready(value) => value,
        Poll::Pending(until) => panic!("not before {until:?}"),
    }
}

fn finish(
    supervisor: &mut Supervisor,
    item: WorkItem,
    completion: Completion,
    now: Nanos,
) -> Option<WorkItem> {
    complete(supervisor, item, completion, now, false)
}

/// Ends a run that the next one may follow immediately.
fn repeat(supervisor: &mut Supervisor, item: WorkItem, now: Nanos) -> Option<WorkItem> {
    complete(supervisor, item, Completion::Ran(Exit::Again), now, true)
}

fn complete(
    supervisor: &mut Supervisor,
    item: WorkItem,
    completion: Completion,
    now: Nanos,
    may_repeat: bool,
) -> Option<WorkItem> {
    let began = supervisor.registry.get(item.index).life.run_started();
    let timing = Timing { began, ended: now, now, may_repeat };
    let id = supervisor.complete(item, completion, timing);
    id.map(|id| supervisor.begin(id))
}

fn crash() -> Completion {
    Completion::Ran(Exit::Crashed(Box::new(Crash {
        message: "no".into(),
        panicked: false,
        kind: CrashKind::Transient,
    })))
}

/// So they can be compared, and a snapshot of many services is fast.
#[cfg(feature = "cron")]
#[test]
fn rule_111_one_snapshot_reads_the_wall_clock_once() {
    let services =
        (0..50).map(|number| service(format!("s{number}")).cron("* * * * * *").timezone("UTC"));
    let clock = Clock::system();
    let start = clock.now();
    let mut supervisor = supervisor_with(clock, Duration::ZERO, services);
    supervisor.start_all(start).unwrap();
    let infos = supervisor.services(start + 10 * SECOND);
    let overdue: std::collections::BTreeSet<_> = infos.iter().map(|info| info.overdue).collect();
    assert!(overdue.len() == 1 && overdue.first() > Some(&None), "{overdue:?}");
}

#[test]
fn outdated_due_times_do_not_accumulate() {
    let slow = service("slow").interval("10s");
    let mut supervisor = supervisor([slow, service("quick").delay("1ms").timeout("1h")]);
    supervisor.start_all(0).unwrap();
    let mut now = 0;
    for _ in 0..10_000 {
        let item = take(&mut supervisor, now).expect("it runs again and again");
        now += 1_000;
        let again = if item.context.name() == "quick" { Exit::Again } else { Exit::Wait };
        finish(&mut supervisor, item, Completion::Ran(again), now);
    }
    assert!(supervisor.timers.len() < 100, "{} due times", supervisor.timers.len());
    // Nor do they accumulate when services start and stop.
    for _ in 0..10_000 {
        supervisor.stop_all(LIMIT, None, now);
        supervisor.start_all(now).unwrap();
        let _ = supervisor.deferred_mut().take();
    }
    assert!(supervisor.timers.len() < 100, "{} due times", supervisor.timers.len());
}

/// The next run of a service may follow immediately, but never ahead of other services.
#[test]
fn a_repeating_service_lets_others_go_first() {
    const LATER: Nanos = 10 * SECOND + 1;
    let mut services = supervisor([service("queue"), service("report").interval("10s")]);
    services.start_all(0).unwrap();
    let mut queue = take(&mut services, 0).expect("the lower index breaks the tie");
    // The report was due earlier.
    assert!(repeat(&mut services, queue, 1).is_none());
    let report = take(&mut services, 1).expect("report");
    assert_eq!(report.context.name(), "report");
    finish(&mut services, report, Completion::Ran(Exit::Wait), 1);
    queue = take(&mut services, 1).expect("queue again");
    // No other service is due.
    queue = repeat(&mut services, queue, 2).expect("immediately");
    let order = queue.context.run_info();
    assert_eq!((order.number, order.due, order.lateness), (3, 2, 0));
    assert!(
        finish(&mut services, queue, Completion::Ran(Exit::Again), 3).is_none(),
        "`may_repeat` is false"
    );
    queue = take(&mut services, 3).expect("queue again");
    // The report is due again; after its crash, a log line must be written.
    assert!(repeat(&mut services, queue, LATER).is_none());
    let report = take(&mut services, LATER).expect("report");
    assert_eq!(report.context.name(), "report");
    queue = take(&mut services, LATER).expect("queue again");
    services.deferred_mut().flushed(true);
    finish(&mut services, report, crash(), LATER);
    assert!(services.deferred().is_pending());
    assert!(repeat(&mut services, queue, LATER).is_none());
}

/// What the leader does: it waits until the next due time, then takes all work that may begin.
#[test]
fn rule_11_due_times_close_together_share_one_wake_up() {
    const MILLISECOND: Nanos = SECOND / 1_000;
    let tolerant = (1..=1_000).map(|number| {
        let offset = Duration::from_millis(number);
        service(format!("s{number}")).interval("1s").initial_delay(offset).tolerance("10ms")
    });
    let exact = service("exact").interval("100ms").initial_delay("5500us");
    let mut services = supervisor(tolerant.chain([exact]));
    services.start_all(0).unwrap();
    let (mut wake_ups, mut runs, mut exact_runs) = (0, 0, 0);
    while let Some(now) = services.next_due().filter(|due| *due < 10 * SECOND) {
        wake_ups += 1;
        while let Some(item) = take(&mut services, now) {
            let (name, run) = (item.context.name().to_owned(), item.context.run_info());
            let tolerance = if name == "exact" { 0 } else { 10 * MILLISECOND };
            assert!((run.due..=run.due + tolerance).contains(&now), "{name}: {run:?} at {now}");
            assert!(item.context.lateness().is_zero(), "{name}");
            runs += 1;
            exact_runs += u32::from(name == "exact");
            finish(&mut services, item, Completion::Ran(Exit::Wait), now);
        }
        assert!(!services.is_due(now), "all work that may begin was taken");
    }
    assert_eq!(exact_runs, 100);
    assert!(runs - exact_runs >= 9_980, "{runs}: none was missed");
    // Every 11 ms, and at the due times of the exact service.
    assert!(wake_ups <= 10_000 / 11 + exact_runs + 1, "{wake_ups}");
}

#[test]
fn rule_11_the_tolerance_of_the_runner_applies_to_services_with_a_longer_period() {
    let services = supervisor_with_tolerance(
        Duration::from_secs(1),
        [
            service("interval").interval("1001ms"),
            service("delay").delay("2s"),
            service("short-interval").interval("1s"),
            service("short-delay").delay("1s"),
            service("continuous").initial_delay("1h"),
            service("own").interval("1h").tolerance("5ms"),
            service("own-longer").interval("1h").tolerance("1m"),
            service("own-short-interval").interval("10ms").tolerance("5ms"),
        ],
    );
    let tolerances: Vec<_> =
        services.registry.iter().map(|service| service.instance.tolerance()).collect();
    let milliseconds = [1_000, 1_000, 0, 0, 0, 5, 60_000, 5];
    assert_eq!(tolerances, milliseconds.map(|length| length * SECOND / 1_000));
}

#[cfg(feature = "cron")]
#[test]
fn rule_11_the_period_of_cron_is_the_shortest_time_between_two_occurrences() {
    let services = supervisor_with_tolerance(
        Duration::from_secs(60),
        [service("hourly").cron("@hourly"), service("two-minutes").cron("0,1 8 * * *")],
    );
    let tolerances = services.registry.iter().map(|service| service.instance.tolerance());
    assert_eq!(tolerances.collect::<Vec<_>>(), [60 * SECOND, 0]);
}

#[test]
fn rule_11_and_185_a_new_schedule_has_the_tolerance_that_its_period_allows() {
    let interval = |seconds| Ok((Schedule::Interval(Duration::from_secs(seconds)), None));
    let mut services = supervisor_with_tolerance(
        Duration::from_secs(5),
        [service("runner").interval("3s"), service("own").interval("1h").tolerance("7s")],
    );
    services.start_all(0).unwrap();
    while let Some(item) = take(&mut services, 0) {
        finish(&mut services, item, Completion::Ran(Exit::Wait), 0);
    }
    services.reschedule("own", interval(60), 0).unwrap();
    services.reschedule("runner", interval(40), 0).unwrap();
    assert_eq!(services.next_due(), Some((40 + 5) * SECOND), "the default applies now");
    services.reschedule("runner", interval(4), 0).unwrap();
    assert_eq!(services.next_due(), Some(4 * SECOND), "and no longer");
    services.request("runner", Input::Pause, 0).unwrap();
    assert_eq!(services.next_due(), Some((60 + 7) * SECOND));
    let refused = services.reschedule("own", interval(7), 0).unwrap_err();
    assert!(refused.to_string().contains("`tolerance` of `7s` is not shorter"), "{refused}");
}

/// A request changes by when a service must run: the entry in the timer queue must follow.
#[test]
fn rule_11_and_172_run_now_does_not_wait_for_the_end_of_the_tolerance() {
    let mut services =
        supervisor([service("s").interval("10s").initial_delay("5s").tolerance("3s")]);
    services.start_all(0).unwrap();
    assert_eq!(services.next_due(), Some(8 * SECOND));
    assert!(!services.is_due(5 * SECOND - 1) && services.is_due(5 * SECOND));
    services.request("s", Input::RunNow, 6 * SECOND).unwrap();
    assert_eq!(services.next_due(), Some(5 * SECOND));
    let item = take(&mut services, 6 * SECOND).expect("it was requested");
    assert_eq!(item.context.lateness(), Duration::from_secs(1));
    finish(&mut services, item, Completion::Ran(Exit::Wait), 6 * SECOND);
    assert_eq!(services.next_due(), Some(18 * SECOND));
    // A stop does not wait either.
    services.stop_all(LIMIT, None, 16 * SECOND);
    assert!(services.is_idle());
}

#[test]
fn rule_60_waiting_for_the_lock_is_not_part_of_a_run() {
    let mut services = supervisor([service("a").ready(Ready::Started), service("b").after("a")]);
    let events = services.subscribe();
    services.start_all(0).unwrap();
    let a = take(&mut services, 0).expect("a");
    let b = take(&mut services, 0).expect("b, because a is ready");
    services.stop_all(LIMIT, None, 10);
    // The time between releasing the lock and the run does not count either.
    let timing = |ended, now| Timing { began: 3, ended, now, may_repeat: true };
    services.complete(b, Completion::Ran(Exit::Wait), timing(12, 20));
    services.complete(a, Completion::Ran(Exit::Wait), timing(15, 20));
    let nanos = Duration::from_nanos;
    let changes: Vec<_> = events.try_iter().map(|event| (event.service, event.change)).collect();
    for (service, took) in [("a", nanos(12)), ("b", nanos(9))] {
        assert!(
            changes.contains(&(
                service.into(),
                Change::RunEnded {
                    run: 1,
                    took,
                    outcome: RunOutcome::Stopped,
                    trigger: RunTrigger::Start,
                    by: None,
                }
            )),
            "{changes:?}"
        );
    }
    let known: Vec<_> = services.services(30).iter().map(|info| info.duration.last).collect();
    assert_eq!(known, [nanos(12), nanos(9)]);
    // The services are listed in the order in which their ends were recorded, regardless of the
    // timestamps.
    let report = ready(services.shutdown_result(30));
    let order: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(order, ["b", "a"]);
}

#[test]
fn rule_24_a_report_names_the_critical_service_whenever_it_fails() {
    // While a shutdown is in progress already.
    let bad = || service("bad").ready(Ready::Started).critical(true).max_restarts(0);
    let mut services = supervisor([bad(), service("busy").after("bad")]);
    services.start_all(0).unwrap();
    let first = take(&mut services, 0).expect("bad runs");
    let busy = take(&mut services, 0).expect("busy runs");
    services.stop_all(LIMIT, None, 1);
    finish(&mut services, first, crash(), 2);
    finish(&mut services, busy, Completion::Ran(Exit::Wait), 3);
    let report = ready(services.shutdown_result(3));
    assert_eq!(report.critical.as_deref(), Some("bad"));

    // When it is the last one.
    let mut services = supervisor([bad()]);
    services.start_all(0).unwrap();
    let item = take(&mut services, 0).expect("bad runs");
    finish(&mut services, item, crash(), 1);
    assert_eq!(ready(services.shutdown_result(1)).critical.as_deref(), Some("bad"));

    // When its clean-up hangs.
    let mut services = supervisor([bad().on_stop(|_| {}), service("other").interval("1h")]);
    services.start_all(0).unwrap();
    let item = take(&mut services, 0).expect("bad runs");
    let other = take(&mut services, 0).expect("other runs");
    finish(&mut services, other, Completion::Ran(Exit::Wait), 0);
    let clean_up = finish(&mut services, item, crash(), 0).expect("it has a clean-up");
    assert_eq!(clean_up.kind, WorkKind::CleanUp);
    assert!(take(&mut services, 11 * SECOND).is_none());
    assert_eq!(services.state("bad"), Some(State::Abandoned));
    assert_eq!(services.state("other"), Some(State::Stopped), "it was shut down");
    let report = ready(services.shutdown_result(11 * SECOND));
    assert_eq!(report.critical.as_deref(), Some("bad"));
    let age = report.services.iter().find_map(|service| service.age);
    assert_eq!(age, Some(Duration::from_secs(11)), "the age is that of the clean-up");
}

#[test]
fn a_restart_does_not_stop_a_service_that_could_not_start_again() {
    let takes = Service::of("a", |_value: Option<Res<u8>>| {});
    let mut services = supervisor([takes.interval("1h")]);
    services.start_all(0).unwrap();
    let place = Place::from(std::panic::Location::caller());
    services.env.resources.provide(1_u8, place);
    services.env.resources.provide(2_u8, place);
    let refused =
        services.request_restart("a", 1).expect_err("there are two values of that type now");
    assert!(matches!(refused, ControlError::Start(StartError::Faults(_))), "{refused}");
    assert_eq!(services.state("a"), Some(State::Waiting));
    // A fault that does not concern it does not matter.
    let mut services = supervisor([service("b").interval("1h")]);
    services.start_all(0).unwrap();
    let place = Place { file: "here", line: 1, column: 1 };
    services.env.resources.provide(1_u8, place);
    services.env.resources.provide(2_u8, place);
    services.request_restart("b", 1).expect("no service asks for a `u8`");
    assert!(services.check().is_err(), "the fault is still reported");
}

#[test]
fn a_start_without_a_thread_is_reverted_completely() {
    let mut services = supervisor([service("a").on_stop(|_| {})]);
    services.start_all(0).unwrap();
    services.undo_start(0);
    assert_eq!(services.state("a"), Some(State::Stopped));
    assert!(take(&mut services, SECOND).is_none(), "nothing ran, so nothing is cleaned up");
    services.start_all(SECOND).unwrap();
    assert!(take(&mut services, SECOND).is_some());
}

#[test]
fn rule_30_every_cycle_is_reported() {
    let service = |name: &'static str| service(name).interval("1h");
    let pair = |a: &'static str, b: &'static str| [service(a).after(b), service(b).requires(a)];
    let mut all: Vec<_> = pair("a", "b").into_iter().chain(pair("x", "y")).collect();
    all.extend([service("self").after("self"), service("tail").after("a"), service("free")]);
    let Err(StartError::Faults(faults)) = supervisor(all).check() else { panic!("cycles") };
    let cycles: Vec<Vec<_>> = faults
        .iter()
        .map(|fault| {
            let Fault::Cycle { services } = fault else { panic!("{fault}") };
            services.iter().map(|(name, _)| &**name).collect()
        })
        .collect();
    assert_eq!(cycles.len(), 3, "{cycles:?}");
    for cycle in [vec!["a", "b"], vec!["x", "y"], vec!["self"]] {
        assert!(cycles.contains(&cycle), "{cycle:?} in {cycles:?}");
    }
}

#[test]
fn rule_41_a_dependency_stops_after_all_its_dependents() {
    let dependents = (0..100).map(|n| service(format!("s{n}")).after("hub").interval("1h"));
    let mut services = supervisor(dependents.chain([service("hub").interval("1h")]));
    services.start_all(0).unwrap();
    let hub = take(&mut services, 0).expect("hub is first");
    assert_eq!(hub.context.name(), "hub");
    finish(&mut services, hub, Completion::Ran(Exit::Wait), 0);
    let busy = take(&mut services, 0).expect("its dependents are due now");
    services.stop_all(LIMIT, None, 1);
    assert_eq!(services.state("hub"), Some(State::Waiting), "one is still running");
    finish(&mut services, busy, Completion::Ran(Exit::Wait), 2);
    assert_eq!(services.state("hub"), Some(State::Stopped));
}

#[test]
fn rule_43_a_report_distinguishes_a_late_end_from_a_run_that_is_still_alive() {
    let mut services = supervisor([service("a").stop_timeout("1s")]);
    services.start_all(0).unwrap();
    let item = take(&mut services, 0).expect("it runs");
    let pending: PendingStop = match services.request_stop("a", 0).expect("it is known") {
        StopResponse::Pending(pending) => pending,
        StopResponse::Answered(answer) => panic!("it is active, and not {answer:?}"),
    };
    assert_eq!(services.stop_result(&pending, None, 0), Poll::Pending(Some(SECOND)));
    let stopped = ready(services.stop_result(&pending, None, SECOND));
    assert!(matches!(stopped, Stopped::Abandoned { age, .. } if age.as_secs() == 1));
    services.stop_all(LIMIT, None, 2 * SECOND);
    let report = ready(services.shutdown_result(2 * SECOND));
    assert!(report.to_string().contains("still running after 2.0s"), "{report}");
    finish(&mut services, item, Completion::Ran(Exit::Wait), 3 * SECOND);
    services.stop_all(LIMIT, None, 3 * SECOND);
    let line = ready(services.shutdown_result(3 * SECOND)).to_string();
    assert!(line.contains("abandoned, ended after its stop timeout"), "{line}");
    services.start_all(4 * SECOND).unwrap();
    assert_eq!(services.state("a"), Some(State::Waiting), "it may start again");
}

/// The thread that ends the process never returns, but the worker that runs the clean-up does, so
/// it must be waited for.
#[test]
fn rule_45_a_second_stop_request_does_not_cut_a_clean_up_short() {
    let mut services = supervisor([service("exits").on_stop(|_| {})]);
    services.start_all(0).unwrap();
    let _work = take(&mut services, 0).expect("it runs");
    let caller = (crate::engine::current::runner_id(&services.env), 0);
    services.begin_process_exit(Some(caller), LIMIT, 0);
    let clean_up = take(&mut services, 0).expect("another worker cleans up");
    assert_eq!(clean_up.kind, WorkKind::CleanUp);
    // What executing the clean-up would do.
    assert!(clean_up.context.instance().take_on_stop());
    services.stop_all(LIMIT, None, 1);
    assert!(!services.is_idle(), "its clean-up is running");
    finish(&mut services, clean_up, Completion::CleanedUp(Vec::new()), 2);
    assert!(services.is_idle());
}

/// If it were, each of many consumers would delay the services that start after it until the stand-by
/// steps in.
#[test]
fn rule_50_a_new_continuous_service_is_not_predicted_to_be_short() {
    let mut services = supervisor([service("a"), service("b").interval("1s")]);
    services.start_all(0).unwrap();
    for expected in [Some(Nanos::MAX), None] {
        // Deferred log lines come first.
        if services.deferred_mut().take().is_some() {
            services.deferred_mut().flushed(true);
        }
        let id = services.take_due(0).expect("both are due");
        assert_eq!(services.expected_duration(&id), expected);
        let _ = services.begin(id);
    }
}

/// One process is meant to hold a hundred thousand services.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn a_service_is_small() {
    let sizes = (
        size_of::<super::supervised::Supervised>(),
        size_of::<crate::service::instance::Instance>(),
    );
    assert!(sizes.0 <= 192 && sizes.1 <= 88, "{sizes:?}");
}

/// What only a failure or an operator needs is stored once there is one.
#[test]
fn rule_110_a_run_that_ends_well_stores_nothing() {
    let mut services = supervisor([service("s").interval("1h")]);
    services.start_all(0).unwrap();
    let hour = 3_600 * SECOND;
    for run in 0..3 {
        let item = take(&mut services, run * hour).expect("it is due");
        finish(&mut services, item, Completion::Ran(Exit::Wait), run * hour);
    }
    let s = services.registry.get(0);
    assert!(s.facts().is_none());
    assert_eq!((s.succeeded(), s.last_outcome()), (3, Some(RunOutcome::Ok)));
    assert_eq!(s.last_success().map(|success| success.ended), Some(2 * hour));
    let item = take(&mut services, 3 * hour).expect("it is due");
    let crash = Crash { message: "no".into(), panicked: false, kind: CrashKind::Transient };
    finish(&mut services, item, Completion::Ran(Exit::Crashed(Box::new(crash))), 3 * hour);
    let s = services.registry.get(0);
    assert!(s.facts().is_some());
    assert_eq!((s.succeeded(), s.last_outcome()), (3, Some(RunOutcome::Error)));
    assert_eq!(s.last_success().map(|success| success.ended), Some(2 * hour));
}

/// Services that are built on the same line with equal settings share one allocation, unless they
/// have an `after`.
#[test]
fn equal_settings_are_stored_once() {
    let hourly = |name: &'static str| service(name).interval("1h");
    let other = |name: &'static str| Service::new(name, |_| {}).interval("1h");
    let all = [
        hourly("a"),
        hourly("b"),
        hourly("c").after("a"),
        hourly("d"),
        service("e"),
        hourly("f"),
        other("g"),
    ];
    let services = supervisor(all);
    let spec =
        |index: u32| std::ptr::from_ref(services.registry.get(index).instance.definition.spec());
    assert_eq!(spec(0), spec(1));
    assert_ne!(spec(1), spec(2));
    assert_eq!(spec(1), spec(3));
    assert_ne!(spec(3), spec(4));
    assert_eq!(spec(3), spec(5));
    // From another line.
    assert_ne!(spec(5), spec(6));
    let after = |index: u32| services.registry.get(index).instance.definition.dependencies().len();
    assert_eq!((0..7).map(after).collect::<Vec<_>>(), [0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn rule_30_and_36_a_cycle_through_the_namesake_of_a_removed_service_is_found() {
    let after = |name: &'static str, other: &'static str| service(name).interval("1h").after(other);
    let mut services = supervisor([]);
    let recent = SettingsCache::default();
    let instance = |service: Service| {
        let definition = service.into_definition(&recent, &Deployment::default());
        Arc::new(Instance::new(definition, Arc::clone(&services.env)))
    };
    let declared = [service("a").interval("1h"), after("a", "b"), after("b", "a")].map(instance);
    services.add_declared(declared.to_vec(), 0);
    let mut removal = services.begin_unregister("a", None, 0).unwrap();
    ready(services.unregister_result(&mut removal, None, 0)).unwrap();
    for name in ["a", "b"] {
        let ControlError::Start(StartError::Faults(faults)) = services.start(name, 1).unwrap_err()
        else {
            panic!("`{name}` has faults");
        };
        assert!(matches!(&faults[..], [Fault::Cycle { services }] if services.len() == 2));
    }
}

#[test]
fn rule_36_a_slow_removal_never_hits_the_service_that_has_got_the_slot() {
    let mut services = supervisor([service("old").interval("1h")]);
    services.start_all(0).unwrap();
    let mut first = services.begin_unregister("old", None, 0).unwrap();
    let mut slow = services.begin_unregister("old", None, 0).unwrap();
    let StopResponse::Pending(stop) = services.request_stop("old", 0).unwrap() else {
        panic!("it is active");
    };
    ready(services.unregister_result(&mut first, None, 0)).unwrap();
    let (cache, deployment) = (SettingsCache::default(), Deployment::default());
    let definition = service("new").interval("1h").into_definition(&cache, &deployment);
    let new = Arc::new(Instance::new(definition, Arc::clone(&services.env)));
    services.register(&new, 0).unwrap();
    services.start("new", 0).unwrap();
    let gone = ready(services.unregister_result(&mut slow, None, 1)).unwrap_err();
    assert!(matches!(&gone, ControlError::Unknown { name, .. } if name == "old"), "{gone}");
    assert!(matches!(ready(services.stop_result(&stop, None, 1)), Stopped::Ended { .. }));
    assert_eq!(services.state("new"), Some(State::Waiting), "nobody has asked it to stop");
}
