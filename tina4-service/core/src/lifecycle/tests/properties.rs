//! Property tests: the invariants of a life cycle under random inputs in random order.

use crate::{Anchor, Anchored, Calendar, Cron, Flow, OnTimeout, Timezone};
use proptest::prelude::*;

use super::*;

fn calendar(calendar: Calendar) -> Schedule {
    Schedule::Calendar(calendar, Timezone::Local)
}

fn spec() -> impl Strategy<Value = Spec> {
    let duration = || (1..100_u64).prop_map(Duration::from_millis);
    let schedule = prop_oneof![
        Just(Schedule::Continuous),
        duration().prop_map(Schedule::Interval),
        duration().prop_map(Schedule::Delay),
        prop::sample::select(&["* * * * * *", "*/2 * * * * *", "7,8 * * * * *"][..])
            .prop_map(|text| calendar(Calendar::Cron(Cron::parse(text).unwrap()))),
        prop::sample::select(&[(1, "00:00"), (4, "00:00:01"), (86_400, "00:00:03")][..]).prop_map(
            |(period, anchor)| {
                let anchor = Anchor::parse(anchor).unwrap();
                calendar(Calendar::Anchored(Anchored::new(secs(period), anchor).unwrap()))
            }
        ),
    ];
    let restart = prop::sample::select(&Restart::ALL[..]);
    let policy = (restart, prop::option::of(0..4_u32), prop::option::of(duration()), duration())
        .prop_map(|(restart, max_restarts, window, backoff)| RestartPolicy {
            restart,
            max_restarts,
            window,
            backoff,
            max_backoff: backoff * 3,
        });
    let timeout = prop::option::of(duration());
    let on_timeout = prop::sample::select(&OnTimeout::ALL[..]);
    let ready = prop::option::of(prop::sample::select(&Ready::ALL[..]));
    (schedule, duration(), duration(), timeout, on_timeout, policy, ready).prop_map(
        |(schedule, initial_delay, jitter, timeout, on_timeout, restart_policy, ready)| Spec {
            ready: ready.filter(|ready| *ready == Ready::Notified || !schedule.is_periodic()),
            schedule,
            initial_delay,
            jitter,
            timeout,
            on_timeout,
            restart_policy,
            ..Spec::DEFAULT
        },
    )
}

/// A random step. `Succeed`, `Repeat` and `Crash` end the run or clean-up in progress; if there is
/// none, they and `LoseThread` are ignored.
#[derive(Clone, Copy, Debug)]
enum Step {
    Advance(Nanos),
    SetWallClock(WallNanos),
    WakeUp,
    Succeed(Flow),
    Repeat,
    Crash(CrashKind),
    LoseThread,
    Request(Input<'static>),
    SetHooks(bool),
    Heartbeat,
    /// Change to one of the [`new_schedules`].
    Reschedule(usize),
}

fn new_schedules() -> [Schedule; 4] {
    let cron = Cron::parse("*/3 * * * * *").unwrap();
    let milliseconds = Duration::from_millis;
    [
        Schedule::Interval(milliseconds(7)),
        Schedule::Interval(milliseconds(90)),
        Schedule::Delay(milliseconds(11)),
        calendar(Calendar::Cron(cron)),
    ]
}

fn dependencies() -> impl Strategy<Value = Dependencies> {
    prop_oneof![
        4 => Just(Dependencies::Met),
        1 => Just(Dependencies::Pending),
        1 => Just(Dependencies::Unmet),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let flow = prop_oneof![
        4 => Just(Flow::Wait),
        1 => Just(Flow::Again),
        1 => (0..50_u64).prop_map(|ms| Flow::After(Duration::from_millis(ms))),
        1 => Just(Flow::Done),
    ];
    let request = prop_oneof![
        4 => dependencies().prop_map(|dependencies| Input::Start { dependencies }),
        4 => dependencies().prop_map(Input::DependenciesChanged),
        1 => Just(Input::Notified),
        1 => Just(Input::RunNow),
        1 => (0..50 * 1_000_000_u64).prop_map(|until| Input::ShortenBackoff { until }),
        1 => Just(Input::Pause),
        2 => Just(Input::Resume),
        1 => Just(Input::Expired),
        1 => Just(Input::StartFailed),
        1 => Just(Input::Disable),
        1 => (0..50 * 1_000_000_u64).prop_map(|deadline| Input::Stop { deadline }),
    ];
    prop_oneof![
        1 => (0..20_000_000_u64).prop_map(Step::Advance),
        1 => (-100_000..100_000_i128).prop_map(|ms| Step::SetWallClock(ms * 1_000_000)),
        1 => prop::sample::select(&[-1 << 70, 1 << 62, 1 << 63, 1 << 80][..]).prop_map(Step::SetWallClock),
        6 => Just(Step::WakeUp),
        4 => flow.prop_map(Step::Succeed),
        1 => Just(Step::Repeat),
        4 => Just(Step::Crash(CrashKind::Transient)),
        1 => Just(Step::Crash(CrashKind::Permanent)),
        1 => Just(Step::LoseThread),
        5 => request.prop_map(Step::Request),
        1 => any::<bool>().prop_map(Step::SetHooks),
        1 => Just(Step::Heartbeat),
        1 => (0..new_schedules().len()).prop_map(Step::Reschedule),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Executing {
    Nothing,
    Run,
    CleanUp,
}

/// Miri is about a hundred times slower, so it gets only a few short sequences. It also isolates
/// tests from the file system, so earlier failures cannot be replayed there.
fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig { cases: 2_000, ..ProptestConfig::default() }
    }
}

/// The maximum number of steps in one sequence.
const MAX_STEPS: usize = if cfg!(miri) { 25 } else { 200 };

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_inputs_keep_the_invariants(spec in spec(), is_task in any::<bool>(), steps in prop::collection::vec(step(), 1..MAX_STEPS), random in any::<u64>(), tolerance in prop_oneof![Just(0_u64), 0..100_000_000_u64]) {
        let mut harness = if is_task { Harness::of_tasks(spec.clone()) } else { Harness::new(spec.clone()) };
        harness.random = random;
        harness.tolerance = tolerance;
        let mut executing = Executing::Nothing;
        let mut cancelled = false;
        let mut consecutive_restarts = 0_u32;
        let mut started = 0_u32;
        let mut ended = 0_u32;
        for step in steps {
            let before = harness.state();
            let mut permanent = false;
            let run_ended = executing == Executing::Run && matches!(step, Step::Succeed(_) | Step::Repeat | Step::Crash(_));
            let returned_well = matches!(step, Step::Succeed(_) | Step::Repeat);
            let action = match step {
                Step::Advance(time) => { harness.now += time; Action::Nothing }
                Step::SetWallClock(by) => { harness.ahead += by; Action::Nothing }
                Step::WakeUp => match harness.lifecycle.next_wake_up() {
                    Some(_) => harness.due(),
                    None => Action::Nothing,
                },
                Step::Succeed(flow) if executing == Executing::Run => {
                    executing = Executing::Nothing;
                    harness.step(Input::RunEnded(flow.into()))
                }
                Step::Repeat if executing == Executing::Run => {
                    executing = Executing::Nothing;
                    harness.step(Input::Repeat)
                }
                Step::Crash(kind) if executing == Executing::Run => {
                    executing = Executing::Nothing;
                    permanent = kind == CrashKind::Permanent;
                    harness.step(Input::RunEnded(Exit::Crashed(&crash_of(kind))))
                }
                Step::Succeed(_) | Step::Repeat | Step::Crash(_) if executing == Executing::CleanUp => {
                    executing = Executing::Nothing;
                    harness.hooks = false;
                    harness.step(Input::CleanedUp)
                }
                Step::Succeed(_) | Step::Repeat | Step::Crash(_) => Action::Nothing,
                Step::LoseThread if executing != Executing::Nothing => {
                    executing = Executing::Nothing;
                    harness.step(Input::ThreadLost)
                }
                Step::LoseThread => Action::Nothing,
                Step::Request(Input::Stop { deadline }) => {
                    let deadline = harness.now + deadline;
                    harness.step(Input::Stop { deadline })
                }
                Step::Request(input) => harness.step(input),
                Step::SetHooks(hooks) => { harness.hooks = hooks; Action::Nothing }
                Step::Heartbeat => { harness.last_heartbeat = harness.now; Action::Nothing }
                Step::Reschedule(nth) if spec.schedule.is_periodic() => {
                    let is_due = |harness: &Harness| harness.lifecycle.next_run().is_some_and(|due| due <= harness.now);
                    let was_due = is_due(&harness);
                    harness.spec.schedule = new_schedules()[nth].clone();
                    let action = harness.step(Input::Rescheduled);
                    // Neither adds a run nor removes one.
                    prop_assert_eq!(is_due(&harness), was_due);
                    prop_assert_eq!(harness.state(), before);
                    action
                }
                Step::Reschedule(_) => Action::Nothing,
            };

            // Runs and clean-ups never overlap, and nothing runs after the end.
            match action {
                Action::Run { due, attempt, kind } => {
                    prop_assert_eq!(kind == RunKind::Task, is_task);
                    prop_assert_eq!(executing, Executing::Nothing, "a run overlaps");
                    let repeated = matches!(step, Step::Repeat) && before == State::Running;
                    prop_assert!(repeated || matches!(before, State::Waiting | State::BackingOff), "a run from {}", before);
                    prop_assert!(due <= harness.now, "a run before it is due");
                    if let Some(occurrence) = harness.lifecycle.run_occurrence() {
                        let late = WallNanos::from(harness.now) + harness.ahead - WallNanos::from(occurrence) * 1_000_000_000;
                        prop_assert!((0..=60_100_000_000).contains(&late), "late by {}", late);
                    }
                    prop_assert_eq!(attempt, harness.lifecycle.consecutive_crashes() + 1);
                    executing = Executing::Run;
                }
                Action::CleanUp => {
                    prop_assert!(!(is_task && run_ended), "a clean-up on the thread of a task");
                    prop_assert_eq!(executing, Executing::Nothing, "a clean-up overlaps");
                    executing = Executing::CleanUp;
                }
                Action::Nothing | Action::Refused(_) => {}
            }
            prop_assert_eq!(executing != Executing::Nothing, harness.lifecycle.is_executing(), "{:?}", harness.lifecycle);
            // Only a service that is in no activation is disabled, and it plans nothing.
            if matches!(step, Step::Request(Input::Disable)) {
                let is_off = matches!(before, State::Registered | State::Stopped | State::Disabled);
                prop_assert_eq!(harness.state(), if is_off { State::Disabled } else { before });
            }
            if harness.state() == State::Disabled {
                prop_assert_eq!(harness.lifecycle.next_wake_up(), None);
            }
            prop_assert_eq!(harness.state(), harness.lifecycle.phase.state());

            let (mut cancel_ended, mut crashed) = (false, false);
            for transition in harness.take_transitions() {
                match transition {
                    Transition::Started => { started += 1; consecutive_restarts = 0; }
                    // Never more restarts than allowed.
                    Transition::Restarted => {
                        consecutive_restarts += 1;
                        if let (Some(max), None) = (spec.restart_policy.max_restarts, spec.restart_policy.window) {
                            prop_assert!(consecutive_restarts <= max);
                        }
                        prop_assert_ne!(spec.restart_policy.restart, Restart::Never);
                    }
                    Transition::Ended { .. } | Transition::Abandoned { .. } => ended += 1,
                    Transition::Skipped { count, first } => {
                        prop_assert!(count > 0);
                        if let DueTime::Instant(first) = first {
                            prop_assert!(first < harness.now);
                        }
                    }
                    Transition::Recovered { crashes } => prop_assert!(crashes > 0),
                    // No restart after a permanent crash.
                    Transition::WaitsForDependencies => prop_assert_eq!(harness.state(), State::Waiting),
                    Transition::Blocked => prop_assert_eq!(harness.state(), State::Blocked),
                    Transition::Unblocked => prop_assert_ne!(harness.state(), State::Blocked),
                    Transition::Crashed { restart_in, crash, .. } => {
                        prop_assert!(!permanent || restart_in.is_none());
                        prop_assert_eq!(crash.message.starts_with("cancelled: "), cancelled);
                        crashed = true;
                    }
                    // A run is cancelled at most once, and only while it is in progress.
                    Transition::RunCancelled => {
                        prop_assert!(spec.timeout.is_some() && spec.on_timeout == OnTimeout::Cancel);
                        prop_assert!(executing == Executing::Run && !cancelled);
                        cancelled = true;
                    }
                    // Only a task is dropped, while it is in progress.
                    Transition::RunDropped => prop_assert!(is_task && executing == Executing::Run),
                    Transition::CancelledRunEnded => {
                        prop_assert!(run_ended && cancelled);
                        cancel_ended = true;
                    }
                    Transition::Returned { .. } | Transition::ReturnedTooOften { .. } | Transition::CrashedWhileStopping(_)
                    | Transition::Rescheduled | Transition::Stuck { .. } | Transition::Paused | Transition::Resumed | Transition::Stopping | Transition::LateEnd => {}
                }
            }
            // The end of a cancelled run is a crash, and that of any other run only if it says so,
            // unless a stop was requested.
            if run_ended {
                if before == State::Running {
                    prop_assert_eq!((crashed, cancel_ended), (cancelled || !returned_well, cancelled));
                } else {
                    prop_assert!(!crashed && !cancel_ended);
                }
            }
            cancelled &= executing == Executing::Run && !run_ended;
            prop_assert_eq!(harness.lifecycle.is_cancelled(), cancelled && harness.state() == State::Running);
            if harness.lifecycle.consecutive_crashes() == 0 {
                consecutive_restarts = 0;
            }
            // After a permanent crash, the service fails once its hooks have run, unless a stop was
            // requested.
            if permanent && before == State::Running {
                let expected = if harness.hooks { State::Stopping } else { State::Failed };
                prop_assert_eq!(harness.state(), expected);
            }
            // Each activation ends once, and at most one is open.
            let is_open = harness.state().is_active() || harness.state() == State::Blocked;
            prop_assert_eq!(started - ended, u32::from(is_open));
            // Only a service that has come so far is ready, and readiness ends with a stop or a failure.
            if harness.lifecycle.readiness().is_ready() {
                prop_assert!(
                    !matches!(harness.state(), State::Registered | State::Disabled | State::Blocked | State::Stopped | State::Cancelled | State::Failed)
                );
            }

            // A step never sets a wake-up in the past.
            if let Some(wake_up) = harness.lifecycle.next_wake_up()
                && !matches!(action, Action::Refused(_))
                && harness.state() != before
                && !matches!(harness.state(), State::Stopping | State::Abandoned)
                // The next step decides what happens to an occurrence that was missed during the
                // run.
                && harness.lifecycle.next_occurrence().is_none()
            {
                prop_assert!(wake_up.saturating_add(tolerance) >= harness.now, "{:?} at {}", harness.lifecycle, harness.now);
            }
            // A wake-up may wait up to the tolerance, and only if a run of the schedule is next.
            let (from, by) = (harness.lifecycle.next_wake_up(), harness.lifecycle.wake_up_by(tolerance));
            prop_assert_eq!(from.is_some(), by.is_some());
            let wait = by.unwrap_or(0) - from.unwrap_or(0);
            prop_assert!(wait <= tolerance && (wait == 0 || harness.state() == State::Waiting), "{:?}", harness.lifecycle);
        }
        // A stop ends every activation, at its deadline at the latest.
        let deadline = harness.now + 5;
        harness.step(Input::Stop { deadline });
        harness.now = harness.now.max(deadline) + 1_000_000_000;
        harness.step(Input::Expired);
        // A task has a little longer, to be dropped.
        harness.now += 1_000_000_000;
        harness.step(Input::Expired);
        prop_assert!(!harness.state().is_active(), "{:?}", harness.lifecycle);
        prop_assert_ne!(harness.state(), State::Blocked);
    }
}
