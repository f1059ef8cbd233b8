//! Tables for single rules; calendar time is in `occurrences.rs`, random lives are in `lives.rs`.

use std::sync::LazyLock;
use std::time::Duration;

use crate::{
    CrashKind, Exit, Nanos, Restart, RestartPolicy, Schedule, Spec, Utc, WallNanos, nanos,
};

use super::*;

mod control;
mod lives;
mod occurrences;
mod permanent;
mod restarts;
mod runs;
mod stop;

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

/// A runner may hold a hundred thousand of them.
#[test]
fn a_life_cycle_takes_80_bytes() {
    assert_eq!(size_of::<Lifecycle>(), 80);
    assert_eq!(size_of::<Input<'_>>(), 16);
}
