//! Two parts that have no existence outside of this crate, for the benchmark of them. They are only
//! there with `--cfg parts`.

use std::hint::black_box;
use std::time::Duration;

use tina4_service_core::{CrashKind, Schedule, Spec, Utc};

use super::timers::Timers;
use crate::lifecycle::{Command, Event, Facts, Lifecycle};
use crate::service::outcome::Flow;
use crate::time::clock::Nanos;

/// The queue of due times, of so many services.
#[derive(Debug)]
pub struct Queue {
    timers: Timers,
    /// Of each service, in nanoseconds.
    periods: Vec<Nanos>,
}

impl Queue {
    /// All are due at once, then each after its period; the periods take turns.
    #[must_use]
    pub fn new(services: u32, periods: &[Duration]) -> Self {
        let mut timers = Timers::default();
        (0..services).for_each(|index| timers.push(0, index));
        let periods = periods.iter().copied().map(crate::time::clock::nanos);
        Self { timers, periods: periods.cycle().take(services as usize).collect() }
    }

    /// Takes the earliest out, and puts it in again: without the look whether it still holds, which
    /// needs the service.
    ///
    /// # Panics
    ///
    /// If it has no services.
    pub fn turn(&mut self) {
        let (due, index) = self.timers.pop().expect("there are services");
        self.timers.push(due + self.periods[index as usize], index);
    }
}

/// The life cycle of one service that is started.
#[derive(Debug)]
pub struct Life {
    life: Lifecycle,
    spec: Spec,
    now: Nanos,
    told: u64,
}

impl Life {
    /// A service that runs at this interval.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let spec = Spec { schedule: Schedule::Interval(interval), ..Spec::DEFAULT };
        let mut life = Self { life: Lifecycle::new(0), spec, now: 0, told: 0 };
        life.step(Event::Start { held: false });
        life
    }

    /// A good run: it begins when it is due, and ends at the same instant.
    pub fn run(&mut self) {
        self.due();
        self.step(Event::Ended(Flow::Wait));
    }

    /// A run in progress is followed by the next one in one step.
    pub fn repeat(&mut self) {
        self.now += 1;
        self.step(Event::Repeat);
    }

    /// A run that crashes: after the first one, a restart out of a backoff of at most 60 s.
    pub fn crash(&mut self) {
        self.due();
        self.step(Event::Crashed(CrashKind::Transient));
    }

    /// Begins the next run.
    pub fn due(&mut self) {
        self.now = self.life.deadline().unwrap_or(self.now);
        self.step(Event::Due);
    }

    fn step(&mut self, event: Event) -> Command {
        let Self { life, spec, now, told } = self;
        let facts = Facts { now: *now, wall: 0, zone: &Utc, hooks: false, beat: 0, dice: 0 };
        // Which event it is, is not known where it is taken.
        life.step(spec, facts, black_box(event), &mut |_| *told += 1)
    }
}
