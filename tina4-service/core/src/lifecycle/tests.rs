//! Tables for single rules; calendar time is in `dates.rs`, random lives are in `lives.rs`.

use std::sync::LazyLock;
use std::time::Duration;

use crate::{CrashKind, Restart, RestartPolicy, Schedule, Spec, Utc};

use super::*;

mod dates;
mod lives;
mod permanent;

const SECOND: Nanos = 1_000_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A life with its spec, a clock in hand and no luck involved.
struct Life {
    spec: Spec,
    life: Lifecycle,
    now: Nanos,
    /// By how much the wall clock is ahead of `now`.
    ahead: WallNanos,
    hooks: bool,
    last_heartbeat: Nanos,
    random: u64,
    transitions: Vec<Transition>,
}

impl Life {
    fn new(spec: Spec) -> Self {
        Self {
            spec,
            life: Lifecycle::new(0),
            now: 0,
            ahead: 0,
            hooks: false,
            last_heartbeat: 0,
            random: 0,
            transitions: Vec::new(),
        }
    }

    fn every(seconds: u64) -> Self {
        Self::new(Spec { schedule: Schedule::Interval(secs(seconds)), ..Spec::DEFAULT })
    }

    fn step(&mut self, input: Input<'_>) -> Action {
        let Self { spec, life, now, ahead, hooks, last_heartbeat, random, transitions } = self;
        let wall = WallNanos::from(*now) + *ahead;
        let facts = Facts {
            now: *now,
            wall,
            zone: &Utc,
            hooks: *hooks,
            last_heartbeat: *last_heartbeat,
            random: *random,
        };
        life.step(spec, facts, input, &mut |transition| transitions.push(transition))
    }

    fn start(&mut self) {
        assert_eq!(self.step(Input::Start { wait_for_dependencies: false }), Action::Nothing);
    }

    fn state(&self) -> State {
        self.life.state()
    }

    /// Goes to the next deadline and reports it.
    fn due(&mut self) -> Action {
        self.now = self.now.max(self.life.deadline().expect("something is due"));
        self.step(Input::Due)
    }

    /// Goes to the next run and lets it take so long; returns when it was due, in seconds.
    fn run(&mut self, takes: Nanos, input: Input<'_>) -> u64 {
        let Action::Run { due, .. } = self.due() else { panic!("no run: {:?}", self.life) };
        self.now += takes;
        self.step(input);
        due / SECOND
    }

    fn take_notes(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }
}

const GOOD: Input<'static> = Input::Ended(Exit::Wait);

fn crash_of(kind: CrashKind) -> Crash {
    Crash { text: "crash".into(), panicked: false, kind }
}

fn crashed() -> Input<'static> {
    static CRASH: LazyLock<Crash> = LazyLock::new(|| crash_of(CrashKind::Transient));
    Input::Ended(Exit::Crashed(&CRASH))
}

fn crashed_permanently() -> Input<'static> {
    static CRASH: LazyLock<Crash> = LazyLock::new(|| crash_of(CrashKind::Permanent));
    Input::Ended(Exit::Crashed(&CRASH))
}

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
    let spec = Spec { schedule: Schedule::Delay(secs(5)), initial_delay: secs(2), ..Spec::DEFAULT };
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
    assert_eq!(life.take_notes(), [Transition::Skipped(3)]);
    assert_eq!(life.run(0, GOOD), 40);
    // A late wake-up runs once and goes on with the grid.
    life.now = 95 * SECOND;
    assert_eq!(life.run(0, GOOD), 50);
    assert_eq!(life.run(0, GOOD), 100);
}

#[test]
fn rule_9_jitter_again_and_after_leave_the_grid_alone() {
    let jitter = secs(4);
    let spec = Spec { schedule: Schedule::Interval(secs(10)), jitter, ..Spec::DEFAULT };
    let mut life = Life::new(spec);
    life.random = 3 * SECOND;
    life.start();
    assert_eq!((0..3).map(|_| life.run(0, GOOD)).collect::<Vec<_>>(), [3, 13, 23]);
    assert_eq!(life.run(SECOND, Input::Ended(Exit::Again)), 33);
    assert_eq!(life.run(SECOND, Input::Ended(Exit::After(nanos(secs(2))))), 34);
    assert_eq!(life.run(0, GOOD), 37);
    assert_eq!(life.run(0, Input::Ended(Exit::Done)), 43);
    assert_eq!(life.state(), State::Finished);
}

#[test]
fn rule_20_restarts_of_an_always_failing_service() {
    let mut life = Life::new(Spec::DEFAULT);
    life.start();
    let mut restarts = Vec::new();
    life.run(0, crashed());
    for _ in 0..8 {
        assert_eq!(life.state(), State::BackingOff);
        let before = life.now;
        life.run(0, crashed());
        restarts.push((life.now - before) / SECOND);
    }
    assert_eq!(restarts, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn rule_21_a_good_run_returns_to_the_grid_and_starts_over() {
    let mut life = Life::every(10);
    life.start();
    assert_eq!(life.run(0, crashed()), 0);
    assert_eq!(life.run(0, crashed()), 1);
    assert_eq!(life.run(0, GOOD), 3);
    assert_eq!(life.life.crashes_in_a_row(), 0);
    assert_eq!(life.run(0, crashed()), 10);
    assert_eq!(life.run(0, GOOD), 11);
}

#[test]
fn rule_21_a_minute_of_running_is_a_recovery_of_a_continuous_service() {
    for (ran, delay) in [(59, 2), (60, 1)] {
        let mut life = Life::new(Spec::DEFAULT);
        life.start();
        life.run(0, crashed());
        life.run(ran * SECOND, crashed());
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
            life.run(0, crashed());
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

/// A repeat is the end of a run and the beginning of the next, without anything in between.
#[test]
fn rule_9_a_repeat_is_an_end_and_a_beginning() {
    let between: [&[Input<'_>]; 4] =
        [&[], &[Input::Pause], &[Input::Stop { deadline: 9 * SECOND }], &[Input::RunNow]];
    for (takes, between) in [SECOND, 35 * SECOND].into_iter().flat_map(|t| between.map(|b| (t, b)))
    {
        let running = || {
            let mut life = Life::every(10);
            life.start();
            life.run(SECOND, crashed());
            life.due();
            life.now += takes;
            for input in between {
                life.step(*input);
            }
            life
        };
        let (mut at_once, mut by_steps) = (running(), running());
        let action = at_once.step(Input::Repeat);
        // What is told is told before the next run begins.
        let quiet = takes == SECOND && matches!(between, [] | [Input::RunNow]);
        assert_eq!(matches!(action, Action::Run { .. }), quiet, "{between:?}: {action:?}");
        by_steps.step(Input::Ended(Exit::Again));
        if quiet {
            assert_eq!(by_steps.step(Input::Due), action);
            assert_eq!(at_once.life.since(), at_once.now);
        }
        assert_eq!(format!("{:?}", at_once.life), format!("{:?}", by_steps.life));
        assert_eq!(at_once.transitions, by_steps.transitions);
    }
}

#[test]
fn rule_26_what_a_stopped_run_returns_is_no_crash() {
    for input in [GOOD, crashed(), crashed_permanently(), Input::Ended(Exit::Again)] {
        let mut life = Life::every(10);
        life.start();
        life.due();
        life.step(Input::Stop { deadline: 9 * SECOND });
        assert_eq!(life.state(), State::Stopping);
        life.step(input);
        assert_eq!((life.state(), life.life.crashes_in_a_row()), (State::Stopped, 0), "{input:?}");
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
    life.step(Input::Start { wait_for_dependencies: true });
    assert_eq!((life.state(), life.life.deadline()), (State::Waiting, None));
    life.now = 4 * SECOND;
    life.step(Input::Release);
    assert!(life.life.is_starting());
    assert_eq!(life.run(0, GOOD), 4);
    assert!(!life.life.is_starting());
}

#[test]
fn rule_43_an_abandoned_run_blocks_a_second_copy_until_it_ends() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.due(), Action::Nothing);
    assert_eq!(life.state(), State::Abandoned);
    assert_eq!(
        life.step(Input::Start { wait_for_dependencies: false }),
        Action::Refused(Refusal::Lingering)
    );
    life.hooks = true;
    assert_eq!(life.step(crashed()), Action::CleanUp, "what it holds is cleaned up late");
    assert_eq!(
        life.step(Input::Start { wait_for_dependencies: false }),
        Action::Refused(Refusal::Lingering)
    );
    life.step(Input::CleanedUp);
    assert_eq!(life.state(), State::Abandoned, "it is not called stopped");
    life.start();
    assert_eq!(life.state(), State::Waiting);
}

#[test]
fn rule_42_hooks_come_between_the_last_run_and_the_end() {
    let mut life = Life::every(10);
    life.hooks = true;
    life.start();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.state(), State::Stopping);
    assert_eq!(life.due(), Action::CleanUp, "a worker must come for it");
    life.step(Input::CleanedUp);
    assert_eq!(life.state(), State::Stopped);
}

#[test]
fn rule_47_start_while_stopping_follows_the_stop() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 5 * SECOND });
    assert_eq!(life.step(Input::Start { wait_for_dependencies: false }), Action::Nothing);
    life.step(GOOD);
    let ended = Transition::Ended { ending: Ending::Stopped, start_again: true };
    assert!(life.take_notes().contains(&ended));
    // A later stop takes the wish back.
    life.start();
    life.due();
    life.step(Input::Stop { deadline: 50 * SECOND });
    life.step(Input::Start { wait_for_dependencies: false });
    life.step(Input::Stop { deadline: 50 * SECOND });
    life.step(GOOD);
    let ended = Transition::Ended { ending: Ending::Stopped, start_again: false };
    assert!(life.take_notes().contains(&ended));
}

#[test]
fn rule_63_stuck_is_told_once_per_silence_and_a_heartbeat_starts_it_again() {
    let mut life = Life::new(Spec { timeout: Some(secs(10)), ..Spec::DEFAULT });
    life.start();
    life.due();
    life.take_notes();
    life.last_heartbeat = 4 * SECOND;
    life.due();
    assert_eq!((life.now / SECOND, life.take_notes().len()), (10, 0), "it beat at 4");
    life.due();
    let stuck = Transition::Stuck { running_for: secs(14) };
    assert_eq!((life.now / SECOND, life.take_notes()), (14, vec![stuck]));
    life.due();
    life.due();
    assert_eq!(life.take_notes(), [], "once");
    assert!(life.now >= 40 * SECOND, "looked at ever more rarely: {}", life.now);
    life.last_heartbeat = life.now + SECOND;
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
    assert_eq!(life.step(Input::RunNow), Action::Nothing);
    assert!(matches!(life.due(), Action::Run { .. }));
    assert_eq!(life.step(Input::RunNow), Action::Refused(Refusal::Busy));
    life.step(GOOD);
    assert_eq!(life.run(0, GOOD), 10);
}

#[test]
fn a_pause_lets_the_run_end_and_makes_up_for_nothing() {
    let mut life = Life::every(10);
    life.start();
    life.due();
    life.step(Input::Pause);
    assert_eq!(life.state(), State::Running);
    life.step(GOOD);
    assert_eq!((life.state(), life.life.deadline()), (State::Paused, None));
    // Run now, and be paused again.
    life.step(Input::RunNow);
    life.run(0, GOOD);
    assert_eq!(life.state(), State::Paused);
    life.now = 34 * SECOND;
    life.step(Input::Resume);
    assert_eq!(life.run(0, GOOD), 40);
    assert!(
        !life.take_notes().iter().any(|transition| matches!(transition, Transition::Skipped(_)))
    );
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
