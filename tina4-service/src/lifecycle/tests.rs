//! Tables for single rules, and properties over random lives.

use std::time::Duration;

use proptest::prelude::*;
use tina4_service_schedule::{Restart, RestartPolicy, Schedule, Spec};

use super::*;

const SECOND: Nanos = 1_000_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A life with its spec, a clock in hand and no luck involved.
struct Life {
    spec: Spec,
    life: Lifecycle,
    now: Nanos,
    hooks: bool,
    beat: Nanos,
    dice: u64,
    notes: Vec<Note>,
}

impl Life {
    fn new(spec: Spec) -> Self {
        Self {
            spec,
            life: Lifecycle::new(0),
            now: 0,
            hooks: false,
            beat: 0,
            dice: 0,
            notes: Vec::new(),
        }
    }

    fn every(seconds: u64) -> Self {
        Self::new(Spec { schedule: Schedule::interval(secs(seconds)), ..Spec::DEFAULT })
    }

    fn step(&mut self, event: Event) -> Command {
        let Self { spec, life, now, hooks, beat, dice, notes } = self;
        let facts = Facts { now: *now, hooks: *hooks, beat: *beat, dice: *dice };
        life.step(spec, facts, event, &mut |note| notes.push(note))
    }

    fn start(&mut self) {
        assert_eq!(self.step(Event::Start { held: false }), Command::Nothing);
    }

    fn state(&self) -> State {
        self.life.state()
    }

    /// Goes to the next deadline and reports it.
    fn due(&mut self) -> Command {
        self.now = self.now.max(self.life.deadline().expect("something is due"));
        self.step(Event::Due)
    }

    /// Goes to the next run and lets it take so long; returns when it was due, in seconds.
    fn run(&mut self, takes: Nanos, event: Event) -> u64 {
        let Command::Run { due, .. } = self.due() else { panic!("no run: {:?}", self.life) };
        self.now += takes;
        self.step(event);
        due / SECOND
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

const GOOD: Event = Event::Ended(Flow::Wait);

#[test]
fn rule_1_and_3_an_interval_starts_at_once_and_never_drifts() {
    let mut life = Life::every(10);
    life.now = 7 * SECOND;
    life.start();
    let due: Vec<_> = (0..4).map(|_| life.run(3 * SECOND, GOOD)).collect();
    assert_eq!(due, [7, 17, 27, 37]);
}

#[test]
fn rule_2_a_delay_counts_from_the_end_of_the_run() {
    let spec = Spec { schedule: Schedule::delay(secs(5)), initial_delay: secs(2), ..Spec::DEFAULT };
    let mut life = Life::new(spec);
    life.start();
    let due: Vec<_> = (0..3).map(|_| life.run(3 * SECOND, GOOD)).collect();
    assert_eq!(due, [2, 10, 18]);
}

#[test]
fn rule_5_what_fell_due_meanwhile_is_skipped_and_told_once() {
    let mut life = Life::every(10);
    life.start();
    life.take_notes();
    life.run(35 * SECOND, GOOD);
    assert_eq!(life.take_notes(), [Note::Skipped(3)]);
    assert_eq!(life.run(0, GOOD), 40);
    // A late wake-up runs once and goes on with the grid.
    life.now = 95 * SECOND;
    assert_eq!(life.run(0, GOOD), 50);
    assert_eq!(life.run(0, GOOD), 100);
}

#[test]
fn rule_9_jitter_again_and_after_leave_the_grid_alone() {
    let jitter = secs(4);
    let spec = Spec { schedule: Schedule::interval(secs(10)), jitter, ..Spec::DEFAULT };
    let mut life = Life::new(spec);
    life.dice = 3 * SECOND;
    life.start();
    assert_eq!((0..3).map(|_| life.run(0, GOOD)).collect::<Vec<_>>(), [3, 13, 23]);
    assert_eq!(life.run(SECOND, Event::Ended(Flow::Again)), 33);
    assert_eq!(life.run(SECOND, Event::Ended(Flow::After(secs(2)))), 34);
    assert_eq!(life.run(0, GOOD), 37);
    assert_eq!(life.run(0, Event::Ended(Flow::Done)), 43);
    assert_eq!(life.state(), State::Finished);
}

#[test]
fn rule_20_restarts_of_an_always_failing_service() {
    let mut life = Life::new(Spec::DEFAULT);
    life.start();
    let mut restarts = Vec::new();
    life.run(0, Event::Crashed);
    for _ in 0..8 {
        assert_eq!(life.state(), State::BackingOff);
        let before = life.now;
        life.run(0, Event::Crashed);
        restarts.push((life.now - before) / SECOND);
    }
    assert_eq!(restarts, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn rule_21_a_good_run_returns_to_the_grid_and_starts_over() {
    let mut life = Life::every(10);
    life.start();
    assert_eq!(life.run(0, Event::Crashed), 0);
    assert_eq!(life.run(0, Event::Crashed), 1);
    assert_eq!(life.run(0, GOOD), 3);
    assert_eq!(life.life.crashes_in_a_row(), 0);
    assert_eq!(life.run(0, Event::Crashed), 10);
    assert_eq!(life.run(0, GOOD), 11);
}

#[test]
fn rule_21_a_minute_of_running_is_a_recovery_of_a_continuous_service() {
    for (ran, delay) in [(59, 2), (60, 1)] {
        let mut life = Life::new(Spec::DEFAULT);
        life.start();
        life.run(0, Event::Crashed);
        life.run(ran * SECOND, Event::Crashed);
        let before = life.now;
        life.due();
        assert_eq!((life.now - before) / SECOND, delay, "after {ran} s");
    }
}

fn limited(max: u32) -> Spec {
    let restart = RestartPolicy { max_restarts: Some(max), ..RestartPolicy::DEFAULT };
    Spec { restart, ..Spec::DEFAULT }
}

#[test]
fn rule_22_and_24_after_n_restarts_the_next_crash_is_final() {
    for max in [0, 1, 5] {
        let mut life = Life::new(limited(max));
        life.start();
        for crash in 0..=max {
            life.run(0, Event::Crashed);
            let want = if crash < max { State::BackingOff } else { State::Failed };
            assert_eq!(life.state(), want, "crash {crash} of max {max}");
        }
        assert_eq!(life.life.deadline(), None);
        // A new activation counts anew.
        life.start();
        life.run(0, GOOD);
        assert_eq!(life.state(), State::Finished);
    }
}

#[test]
fn rule_26_what_a_stopped_run_returns_is_no_crash() {
    for event in [GOOD, Event::Crashed, Event::Ended(Flow::Again)] {
        let mut life = Life::every(10);
        life.start();
        life.due();
        life.step(Event::Stop { deadline: 9 * SECOND });
        assert_eq!(life.state(), State::Stopping);
        life.step(event);
        assert_eq!((life.state(), life.life.crashes_in_a_row()), (State::Stopped, 0), "{event:?}");
    }
}

#[test]
fn restart_always_paces_a_service_that_returns_at_once() {
    let restart =
        RestartPolicy { restart: Restart::Always, max_restarts: Some(2), ..RestartPolicy::DEFAULT };
    let mut life = Life::new(Spec { restart, ..Spec::DEFAULT });
    life.start();
    assert_eq!((0..3).map(|_| life.run(0, GOOD)).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!(life.state(), State::Failed);
}

#[test]
fn rule_32_held_until_released() {
    let mut life = Life::every(10);
    life.step(Event::Start { held: true });
    assert_eq!((life.state(), life.life.deadline()), (State::Waiting, None));
    life.now = 4 * SECOND;
    life.step(Event::Release);
    assert!(life.life.is_coming_up());
    assert_eq!(life.run(0, GOOD), 4);
    assert!(!life.life.is_coming_up());
}

#[test]
fn rule_43_an_abandoned_run_blocks_a_second_copy_until_it_ends() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Event::Stop { deadline: 5 * SECOND });
    assert_eq!(life.due(), Command::Nothing);
    assert_eq!(life.state(), State::Abandoned);
    assert_eq!(life.step(Event::Start { held: false }), Command::Refused(Refusal::Alive));
    life.hooks = true;
    assert_eq!(life.step(Event::Crashed), Command::CleanUp, "what it holds is cleaned up late");
    assert_eq!(life.step(Event::Start { held: false }), Command::Refused(Refusal::Alive));
    life.step(Event::CleanedUp);
    assert_eq!(life.state(), State::Abandoned, "it is not called stopped");
    life.start();
    assert_eq!(life.state(), State::Waiting);
}

#[test]
fn rule_42_hooks_come_between_the_last_run_and_the_end() {
    let mut life = Life::every(10);
    life.hooks = true;
    life.start();
    life.step(Event::Stop { deadline: 5 * SECOND });
    assert_eq!(life.state(), State::Stopping);
    assert_eq!(life.due(), Command::CleanUp, "a worker must come for it");
    life.step(Event::CleanedUp);
    assert_eq!(life.state(), State::Stopped);
}

#[test]
fn rule_47_start_while_stopping_follows_the_stop() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Event::Stop { deadline: 5 * SECOND });
    assert_eq!(life.step(Event::Start { held: false }), Command::Nothing);
    life.step(GOOD);
    let ended = Note::Ended { ending: Ending::Stopped, start_again: true };
    assert!(life.take_notes().contains(&ended));
    // A later stop takes the wish back.
    life.start();
    life.due();
    life.step(Event::Stop { deadline: 50 * SECOND });
    life.step(Event::Start { held: false });
    life.step(Event::Stop { deadline: 50 * SECOND });
    life.step(GOOD);
    let ended = Note::Ended { ending: Ending::Stopped, start_again: false };
    assert!(life.take_notes().contains(&ended));
}

#[test]
fn rule_63_stuck_is_told_once_per_silence_and_a_heartbeat_starts_it_again() {
    let mut life = Life::new(Spec { timeout: Some(secs(10)), ..Spec::DEFAULT });
    life.start();
    life.due();
    life.take_notes();
    life.beat = 4 * SECOND;
    life.due();
    assert_eq!((life.now / SECOND, life.take_notes().len()), (10, 0), "it beat at 4");
    life.due();
    let stuck = Note::Stuck { running_for: secs(14) };
    assert_eq!((life.now / SECOND, life.take_notes()), (14, vec![stuck]));
    life.due();
    life.due();
    assert_eq!(life.take_notes(), [], "once");
    assert!(life.now >= 40 * SECOND, "looked at ever more rarely: {}", life.now);
    life.beat = life.now + SECOND;
    life.due();
    life.due();
    assert_eq!(life.take_notes().len(), 1, "a new silence");
}

#[test]
fn run_now_keeps_the_grid_and_is_refused_during_a_run() {
    let mut life = Life::every(10);
    life.start();
    life.run(0, GOOD);
    life.now = 4 * SECOND;
    assert_eq!(life.step(Event::RunNow), Command::Nothing);
    assert!(matches!(life.due(), Command::Run { .. }));
    assert_eq!(life.step(Event::RunNow), Command::Refused(Refusal::Busy));
    life.step(GOOD);
    assert_eq!(life.run(0, GOOD), 10);
}

#[test]
fn a_pause_lets_the_run_end_and_makes_up_for_nothing() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Event::Pause);
    assert_eq!(life.state(), State::Running);
    life.step(GOOD);
    assert_eq!((life.state(), life.life.deadline()), (State::Paused, None));
    // Run now, and be paused again.
    life.step(Event::RunNow);
    life.run(0, GOOD);
    assert_eq!(life.state(), State::Paused);
    life.now = 34 * SECOND;
    life.step(Event::Resume);
    assert_eq!(life.run(0, GOOD), 40);
    assert!(!life.take_notes().iter().any(|note| matches!(note, Note::Skipped(_))));
}

#[test]
fn the_words_of_rule_61() {
    let states = [
        (State::Registered, "registered"),
        (State::Waiting, "waiting"),
        (State::Running, "running"),
        (State::BackingOff, "backing off"),
        (State::Paused, "paused"),
        (State::Stopping, "stopping"),
        (State::Stopped, "stopped"),
        (State::Finished, "finished"),
        (State::Failed, "failed"),
        (State::Abandoned, "abandoned"),
    ];
    for (state, word) in states {
        assert_eq!(state.to_string(), word);
    }
}

// ---- Random lives ------------------------------------------------------------------------------

fn spec() -> impl Strategy<Value = Spec> {
    let duration = || (1..100_u64).prop_map(Duration::from_millis);
    let schedule = prop_oneof![
        Just(Schedule::Continuous),
        duration().prop_map(Schedule::Interval),
        duration().prop_map(Schedule::Delay),
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

/// What the world does next. Ends are only reported for what was begun.
#[derive(Clone, Copy, Debug)]
enum Act {
    Pass(Nanos),
    ToDeadline,
    EndGood(Flow),
    EndCrashed,
    Vanish,
    Request(Event),
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
        4 => any::<bool>().prop_map(|held| Event::Start { held }),
        4 => Just(Event::Release),
        1 => Just(Event::RunNow),
        1 => Just(Event::Pause),
        2 => Just(Event::Resume),
        1 => Just(Event::Expired),
        1 => Just(Event::Revoke),
        1 => (0..50 * 1_000_000_u64).prop_map(|deadline| Event::Stop { deadline }),
    ];
    prop_oneof![
        1 => (0..20_000_000_u64).prop_map(Act::Pass),
        6 => Just(Act::ToDeadline),
        4 => flow.prop_map(Act::EndGood),
        4 => Just(Act::EndCrashed),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(spec in spec(), acts in prop::collection::vec(act(), 1..200), dice in any::<u64>()) {
        let mut life = Life::new(spec);
        life.dice = dice;
        let mut doing = Doing::Nothing;
        let mut restarts_in_a_row = 0_u32;
        let mut started = 0_u32;
        let mut ended = 0_u32;
        for act in acts {
            let before = life.state();
            let command = match act {
                Act::Pass(time) => { life.now += time; Command::Nothing }
                Act::ToDeadline => match life.life.deadline() {
                    Some(_) => life.due(),
                    None => Command::Nothing,
                },
                Act::EndGood(flow) if doing == Doing::Run => {
                    doing = Doing::Nothing;
                    life.step(Event::Ended(flow))
                }
                Act::EndCrashed if doing == Doing::Run => {
                    doing = Doing::Nothing;
                    life.step(Event::Crashed)
                }
                Act::EndGood(_) | Act::EndCrashed if doing == Doing::CleanUp => {
                    doing = Doing::Nothing;
                    life.hooks = false;
                    life.step(Event::CleanedUp)
                }
                Act::EndGood(_) | Act::EndCrashed => Command::Nothing,
                Act::Vanish if doing != Doing::Nothing => {
                    doing = Doing::Nothing;
                    life.step(Event::Vanished)
                }
                Act::Vanish => Command::Nothing,
                Act::Request(Event::Stop { deadline }) => {
                    let deadline = life.now + deadline;
                    life.step(Event::Stop { deadline })
                }
                Act::Request(event) => life.step(event),
                Act::Hooks(hooks) => { life.hooks = hooks; Command::Nothing }
                Act::Beat => { life.beat = life.now; Command::Nothing }
            };

            // Never two at once, and nothing after the end.
            match command {
                Command::Run { due, attempt } => {
                    prop_assert_eq!(doing, Doing::Nothing, "a run overlaps");
                    prop_assert!(matches!(before, State::Waiting | State::BackingOff), "a run out of {}", before);
                    prop_assert!(due <= life.now, "a run before it is due");
                    prop_assert_eq!(attempt, life.life.crashes_in_a_row() + 1);
                    doing = Doing::Run;
                }
                Command::CleanUp => {
                    prop_assert_eq!(doing, Doing::Nothing, "a clean-up overlaps");
                    doing = Doing::CleanUp;
                }
                Command::Nothing | Command::Refused(_) => {}
            }
            prop_assert_eq!(doing != Doing::Nothing, life.life.is_executing(), "{:?}", life.life);

            for note in life.take_notes() {
                match note {
                    Note::Started => { started += 1; restarts_in_a_row = 0; }
                    // Never more restarts than allowed.
                    Note::Restarted => {
                        restarts_in_a_row += 1;
                        if let (Some(max), None) = (spec.restart.max_restarts, spec.restart.window) {
                            prop_assert!(restarts_in_a_row <= max);
                        }
                        prop_assert_ne!(spec.restart.restart, Restart::Never);
                    }
                    Note::Ended { .. } | Note::Abandoned { .. } => ended += 1,
                    Note::Skipped(count) => prop_assert!(count > 0),
                    Note::Crashed { .. } | Note::Returned { .. } | Note::CrashedWhileStopping
                    | Note::Stuck { .. } | Note::Paused | Note::Resumed | Note::Stopping | Note::LateEnd => {}
                }
            }
            if life.life.crashes_in_a_row() == 0 {
                restarts_in_a_row = 0;
            }
            // Each activation ends once, and only one is open.
            prop_assert_eq!(started - ended, u32::from(life.state().is_active()));

            // The deadline is never in the past of the step that set it: what is due is due now.
            if let Some(deadline) = life.life.deadline()
                && !matches!(command, Command::Refused(_))
                && life.state() != before
                && !matches!(life.state(), State::Stopping | State::Abandoned)
            {
                prop_assert!(deadline >= life.now, "{:?} at {}", life.life, life.now);
            }
        }
        // Stop ends every life: at once, or when what is being done ends, or at the deadline.
        let deadline = life.now + 5;
        life.step(Event::Stop { deadline });
        life.now = life.now.max(deadline) + 1_000_000_000;
        life.step(Event::Expired);
        prop_assert!(!life.state().is_active(), "{:?}", life.life);
    }
}
