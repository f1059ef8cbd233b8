//! A harness for the life cycle. The tests are grouped by subject; `properties.rs` holds the
//! property tests.

use std::sync::LazyLock;
use std::time::Duration;

use crate::{
    CrashKind, Exit, Nanos, Ready, Restart, RestartPolicy, Schedule, Spec, Utc, WallNanos, nanos,
};

use super::*;

mod cancel;
mod control;
mod cron;
mod disabled;
mod permanent;
mod properties;
mod queue;
mod ready;
mod reschedule;
mod restarts;
mod runs;
mod stop;
mod task;
mod tolerance;

const SECOND: Nanos = 1_000_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A life cycle with its spec. The test sets the clocks and the random numbers.
struct Harness {
    spec: Spec,
    lifecycle: Lifecycle,
    now: Nanos,
    /// How far the wall clock is ahead of `now`.
    ahead: WallNanos,
    hooks: bool,
    has_jobs: bool,
    last_heartbeat: Nanos,
    random: u64,
    tolerance: Nanos,
    transitions: Vec<Transition>,
}

impl Harness {
    fn new(spec: Spec) -> Self {
        Self {
            spec,
            lifecycle: Lifecycle::new(RunKind::Call, 0),
            now: 0,
            ahead: 0,
            hooks: false,
            has_jobs: false,
            last_heartbeat: 0,
            random: 0,
            tolerance: 0,
            transitions: Vec::new(),
        }
    }

    /// A service whose runs are tasks.
    fn of_tasks(spec: Spec) -> Self {
        Self { lifecycle: Lifecycle::new(RunKind::Task, 0), ..Self::new(spec) }
    }

    fn every(seconds: u64) -> Self {
        Self::new(Spec { schedule: Schedule::Interval(secs(seconds)), ..Spec::DEFAULT })
    }

    fn step(&mut self, input: Input<'_>) -> Action {
        let Self {
            spec,
            lifecycle,
            now,
            ahead,
            hooks,
            has_jobs,
            last_heartbeat,
            random,
            tolerance,
            transitions,
        } = self;
        let wall = WallNanos::from(*now) + *ahead;
        let facts = Facts {
            has_jobs: *has_jobs,
            now: *now,
            wall,
            zone: &Utc,
            has_hooks: *hooks,
            last_heartbeat: *last_heartbeat,
            random: *random,
            tolerance: *tolerance,
        };
        lifecycle.step(spec, facts, input, &mut |transition| transitions.push(transition))
    }

    fn start(&mut self) {
        assert_eq!(self.step(START), Action::Nothing);
    }

    fn state(&self) -> State {
        self.lifecycle.state()
    }

    /// Advances to the next wake-up and steps.
    fn due(&mut self) -> Action {
        self.now = self.now.max(self.lifecycle.next_wake_up().expect("something is due"));
        self.step(Input::Due)
    }

    /// Advances to the next run, which takes this long and ends with `input`; returns its due time in
    /// seconds.
    fn run(&mut self, takes: Nanos, input: Input<'_>) -> u64 {
        let Action::Run { due, .. } = self.due() else { panic!("no run: {:?}", self.lifecycle) };
        self.now += takes;
        self.step(input);
        due / SECOND
    }

    fn take_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }
}

const START: Input<'static> = Input::Start { dependencies: Dependencies::Met };
const SUCCEEDED: Input<'static> = Input::RunEnded(Exit::Wait);

/// Due times of an interval that were skipped; `first` in seconds of the runner's clock.
fn skipped(count: u64, first: u64) -> Transition {
    Transition::Skipped { count, first: DueTime::Instant(first * SECOND) }
}

/// Occurrences that were skipped; `first` in seconds since 1970.
fn occurrences_skipped(count: u64, first: u64) -> Transition {
    Transition::Skipped { count, first: DueTime::Occurrence(first.cast_signed()) }
}

fn crash_of(kind: CrashKind) -> Crash {
    Crash { message: "crash".into(), panicked: false, kind }
}

fn crashed() -> Input<'static> {
    static CRASH: LazyLock<Crash> = LazyLock::new(|| crash_of(CrashKind::Transient));
    Input::RunEnded(Exit::Crashed(&CRASH))
}

fn crashed_permanently() -> Input<'static> {
    static CRASH: LazyLock<Crash> = LazyLock::new(|| crash_of(CrashKind::Permanent));
    Input::RunEnded(Exit::Crashed(&CRASH))
}

#[test]
fn rule_61_every_state_has_its_text() {
    let states = [
        (State::Registered, "registered"),
        (State::Disabled, "disabled"),
        (State::Waiting, "waiting"),
        (State::Blocked, "blocked"),
        (State::Running, "running"),
        (State::BackingOff, "backing off"),
        (State::Paused, "paused"),
        (State::Stopping, "stopping"),
        (State::Stopped, "stopped"),
        (State::Finished, "finished"),
        (State::Failed, "failed"),
        (State::Abandoned, "abandoned"),
        (State::Cancelled, "cancelled"),
    ];
    for (state, word) in states {
        assert_eq!(state.to_string(), word);
    }
}

/// A runner may hold a hundred thousand services.
#[test]
fn a_life_cycle_takes_80_bytes() {
    assert_eq!(size_of::<Lifecycle>(), 80);
    assert_eq!(size_of::<Input<'_>>(), 16);
}
