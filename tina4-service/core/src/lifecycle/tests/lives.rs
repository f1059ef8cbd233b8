//! Properties of random lives: any inputs in any order.

use crate::{Cron, Flow, Timezone};
use proptest::prelude::*;

use super::*;

fn spec() -> impl Strategy<Value = Spec> {
    let duration = || (1..100_u64).prop_map(Duration::from_millis);
    let schedule = prop_oneof![
        Just(Schedule::Continuous),
        duration().prop_map(Schedule::Interval),
        duration().prop_map(Schedule::Delay),
        prop::sample::select(&["* * * * * *", "*/2 * * * * *", "7,8 * * * * *"][..])
            .prop_map(|text| Schedule::Cron(Cron::parse(text).unwrap(), Timezone::Local)),
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
    (schedule, duration(), duration(), timeout, policy).prop_map(
        |(schedule, initial_delay, jitter, timeout, restart)| Spec {
            schedule,
            initial_delay,
            jitter,
            timeout,
            restart,
            ..Spec::DEFAULT
        },
    )
}

/// What happens next. Only what was begun ends.
#[derive(Clone, Copy, Debug)]
enum Act {
    Pass(Nanos),
    SetWall(WallNanos),
    ToDeadline,
    EndGood(Flow),
    EndRepeated,
    EndCrashed(CrashKind),
    Vanish,
    Request(Input<'static>),
    Hooks(bool),
    Beat,
}

fn act() -> impl Strategy<Value = Act> {
    let flow = prop_oneof![
        4 => Just(Flow::Wait),
        1 => Just(Flow::Again),
        1 => (0..50_u64).prop_map(|ms| Flow::After(Duration::from_millis(ms))),
        1 => Just(Flow::Done),
    ];
    let request = prop_oneof![
        4 => any::<bool>().prop_map(|wait_for_dependencies| Input::Start { wait_for_dependencies }),
        4 => Just(Input::Release),
        1 => Just(Input::RunNow),
        1 => Just(Input::Pause),
        2 => Just(Input::Resume),
        1 => Just(Input::Expired),
        1 => Just(Input::StartFailed),
        1 => (0..50 * 1_000_000_u64).prop_map(|deadline| Input::Stop { deadline }),
    ];
    prop_oneof![
        1 => (0..20_000_000_u64).prop_map(Act::Pass),
        1 => (-100_000..100_000_i128).prop_map(|ms| Act::SetWall(ms * 1_000_000)),
        1 => prop::sample::select(&[-1 << 70, 1 << 62, 1 << 63, 1 << 80][..]).prop_map(Act::SetWall),
        6 => Just(Act::ToDeadline),
        4 => flow.prop_map(Act::EndGood),
        1 => Just(Act::EndRepeated),
        4 => Just(Act::EndCrashed(CrashKind::Transient)),
        1 => Just(Act::EndCrashed(CrashKind::Permanent)),
        1 => Just(Act::Vanish),
        5 => request.prop_map(Act::Request),
        1 => any::<bool>().prop_map(Act::Hooks),
        1 => Just(Act::Beat),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    Run,
    CleanUp,
}

/// Miri is some hundred times slower, so it gets a few short lives; and it isolates tests from the
/// file system, so no earlier failures are read from a file.
fn cases() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig { cases: 2_000, ..ProptestConfig::default() }
    }
}

/// The most acts in one life.
const ACTS: usize = if cfg!(miri) { 25 } else { 200 };

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_random_life_keeps_its_invariants(spec in spec(), acts in prop::collection::vec(act(), 1..ACTS), random in any::<u64>()) {
        let mut life = Life::new(spec.clone());
        life.random = random;
        let mut doing = Doing::Nothing;
        let mut restarts_in_a_row = 0_u32;
        let mut started = 0_u32;
        let mut ended = 0_u32;
        for act in acts {
            let before = life.state();
            let mut permanent = false;
            let action = match act {
                Act::Pass(time) => { life.now += time; Action::Nothing }
                Act::SetWall(by) => { life.ahead += by; Action::Nothing }
                Act::ToDeadline => match life.life.deadline() {
                    Some(_) => life.due(),
                    None => Action::Nothing,
                },
                Act::EndGood(flow) if doing == Doing::Run => {
                    doing = Doing::Nothing;
                    life.step(Input::Ended(flow.into()))
                }
                Act::EndRepeated if doing == Doing::Run => {
                    doing = Doing::Nothing;
                    life.step(Input::Repeat)
                }
                Act::EndCrashed(kind) if doing == Doing::Run => {
                    doing = Doing::Nothing;
                    permanent = kind == CrashKind::Permanent;
                    life.step(Input::Ended(Exit::Crashed(&crash_of(kind))))
                }
                Act::EndGood(_) | Act::EndRepeated | Act::EndCrashed(_) if doing == Doing::CleanUp => {
                    doing = Doing::Nothing;
                    life.hooks = false;
                    life.step(Input::CleanedUp)
                }
                Act::EndGood(_) | Act::EndRepeated | Act::EndCrashed(_) => Action::Nothing,
                Act::Vanish if doing != Doing::Nothing => {
                    doing = Doing::Nothing;
                    life.step(Input::ThreadLost)
                }
                Act::Vanish => Action::Nothing,
                Act::Request(Input::Stop { deadline }) => {
                    let deadline = life.now + deadline;
                    life.step(Input::Stop { deadline })
                }
                Act::Request(input) => life.step(input),
                Act::Hooks(hooks) => { life.hooks = hooks; Action::Nothing }
                Act::Beat => { life.last_heartbeat = life.now; Action::Nothing }
            };

            // Runs and clean-ups never overlap, and nothing runs after the end.
            match action {
                Action::Run { due, attempt } => {
                    prop_assert_eq!(doing, Doing::Nothing, "a run overlaps");
                    let repeated = matches!(act, Act::EndRepeated) && before == State::Running;
                    prop_assert!(repeated || matches!(before, State::Waiting | State::BackingOff), "a run from {}", before);
                    prop_assert!(due <= life.now, "a run before it is due");
                    if let Some(date) = life.life.run_occurrence() {
                        let late = WallNanos::from(life.now) + life.ahead - WallNanos::from(date) * 1_000_000_000;
                        prop_assert!((0..=60_100_000_000).contains(&late), "late by {}", late);
                    }
                    prop_assert_eq!(attempt, life.life.crashes_in_a_row() + 1);
                    doing = Doing::Run;
                }
                Action::CleanUp => {
                    prop_assert_eq!(doing, Doing::Nothing, "a clean-up overlaps");
                    doing = Doing::CleanUp;
                }
                Action::Nothing | Action::Refused(_) => {}
            }
            prop_assert_eq!(doing != Doing::Nothing, life.life.is_executing(), "{:?}", life.life);
            prop_assert_eq!(life.state(), life.life.phase.state());

            for transition in life.take_transitions() {
                match transition {
                    Transition::Started => { started += 1; restarts_in_a_row = 0; }
                    // Never more restarts than allowed.
                    Transition::Restarted => {
                        restarts_in_a_row += 1;
                        if let (Some(max), None) = (spec.restart.max_restarts, spec.restart.window) {
                            prop_assert!(restarts_in_a_row <= max);
                        }
                        prop_assert_ne!(spec.restart.restart, Restart::Never);
                    }
                    Transition::Ended { .. } | Transition::Abandoned { .. } => ended += 1,
                    Transition::Skipped(count) => prop_assert!(count > 0),
                    // No restart after a permanent crash.
                    Transition::Crashed { restart_in, .. } => prop_assert!(!permanent || restart_in.is_none()),
                    Transition::Returned { .. } | Transition::ReturnedTooOften { .. } | Transition::CrashedWhileStopping(_)
                    | Transition::Stuck { .. } | Transition::Paused | Transition::Resumed | Transition::Stopping | Transition::LateEnd => {}
                }
            }
            if life.life.crashes_in_a_row() == 0 {
                restarts_in_a_row = 0;
            }
            // Unless stop was requested, it fails, after its hooks.
            if permanent && before == State::Running {
                let expected = if life.hooks { State::Stopping } else { State::Failed };
                prop_assert_eq!(life.state(), expected);
            }
            // Each activation ends once, and at most one is open.
            prop_assert_eq!(started - ended, u32::from(life.state().is_active()));

            // A step never sets a deadline in the past.
            if let Some(deadline) = life.life.deadline()
                && !matches!(action, Action::Refused(_))
                && life.state() != before
                && !matches!(life.state(), State::Stopping | State::Abandoned)
                // An occurrence that was missed during the run is decided in the next step.
                && life.life.next_occurrence().is_none()
            {
                prop_assert!(deadline >= life.now, "{:?} at {}", life.life, life.now);
            }
        }
        // Stop ends every activation, at its deadline at the latest.
        let deadline = life.now + 5;
        life.step(Input::Stop { deadline });
        life.now = life.now.max(deadline) + 1_000_000_000;
        life.step(Input::Expired);
        prop_assert!(!life.state().is_active(), "{:?}", life.life);
    }
}
