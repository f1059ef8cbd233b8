//! Cases: random sequences of calls have the same results as with the memory engine.

use std::collections::HashMap;
use std::sync::Arc;

use super::bench::{Bench, LEASE};
use super::case::{Applies, Case};
use super::rng::Rng;
use crate::claim::Held;
use crate::dead_job::DeadSelection;
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::job_id::JobId;
use crate::memory::MemoryEngine;
use crate::new_job::{NewJob, Unique};
use crate::pushed::Pushed;
use crate::want::{Turn, Want};

pub(super) const CASES: &[Case] = &[
    Case {
        rule: 131,
        name: "a_random_walk_is_as_in_memory_1",
        applies: Applies::Reference,
        check: a_random_walk_is_as_in_memory_1,
    },
    Case {
        rule: 132,
        name: "a_random_walk_is_as_in_memory_2",
        applies: Applies::Reference,
        check: a_random_walk_is_as_in_memory_2,
    },
    Case {
        rule: 133,
        name: "a_random_walk_is_as_in_memory_3",
        applies: Applies::Reference,
        check: a_random_walk_is_as_in_memory_3,
    },
];

const QUEUES: [&str; 2] = ["a", "b"];
const OWNERS: usize = 3;
const STEPS: usize = 250;

/// The engine under test and the memory engine, side by side. The first of a pair is the one under
/// test.
struct Walk<'a> {
    bench: &'a Bench,
    owners: Vec<(Arc<dyn Engine>, MemoryEngine)>,
    /// The ids of the engine under test, by those of the memory engine.
    ids: HashMap<JobId, JobId>,
    /// The claims of all owners that were made: current ones and old ones.
    claims: Vec<(Held, Held)>,
    rng: Rng,
}

impl<'a> Walk<'a> {
    fn new(bench: &'a Bench, seed: u64) -> Self {
        let memory = MemoryEngine::new();
        let owners = (0..OWNERS).map(|_| (bench.open(), memory.sibling())).collect();
        Self { bench, owners, ids: HashMap::new(), claims: Vec::new(), rng: Rng(seed) }
    }

    fn step(&mut self) {
        match self.rng.below(13) {
            0..3 => self.push(),
            3..8 => self.turn(),
            8 => self.renew(),
            9 => self.cancel(),
            10 => self.dead(),
            11 => self.done(),
            _ => {
                let units = u32::try_from(self.rng.below(8)).unwrap_or(0);
                self.bench.pass(units);
            }
        }
        for queue in QUEUES {
            let now = self.bench.now();
            let (engine, memory) = &self.owners[0];
            let counts = engine.backlog(queue, now).expect("it succeeds");
            assert_eq!(counts, memory.backlog(queue, now).expect("it succeeds"), "{queue}");
        }
    }

    fn push(&mut self) {
        let keys = ["x", "y", "z"];
        let window = [None, Some(self.bench.units(6))][self.rng.below(2)];
        let unique = Unique { key: keys[self.rng.below(3)], window };
        let payload = self.ids.len().to_string();
        let job = NewJob {
            queue: QUEUES[self.rng.below(2)],
            payload: &payload,
            delay: self.bench.units([0, 0, 3][self.rng.below(3)]),
            priority: [0, 0, 4, -4][self.rng.below(4)],
            unique: [None, Some(unique)][self.rng.below(2)],
        };
        let now = self.bench.now();
        let (engine, memory) = &self.owners[self.rng.below(OWNERS)];
        let pushed = engine.push(&[job], now).expect("it succeeds")[0];
        match memory.push(&[job], now).expect("it succeeds")[0] {
            Pushed::New(id) => {
                assert!(pushed.is_new(), "{job:?}");
                assert_eq!(self.ids.insert(id, pushed.id()), None);
            }
            Pushed::Known(id) => assert_eq!(pushed, Pushed::Known(self.ids[&id]), "{job:?}"),
        }
    }

    fn turn(&mut self) {
        let mut ended = (Vec::new(), Vec::new());
        for _ in 0..self.rng.below(3) {
            if self.claims.is_empty() {
                break;
            }
            let (held, reference) = self.claims[self.rng.below(self.claims.len())];
            let ends = [
                End::Done,
                self.bench.again(0, "again"),
                self.bench.again(4, "later"),
                End::Dead { error: "dead".to_owned() },
                End::Back,
                End::Kept,
            ];
            let end = ends[self.rng.below(6)].clone();
            ended.0.push(Ended { held, end: end.clone() });
            ended.1.push(Ended { held: reference, end });
        }
        let lease = self.bench.units(LEASE);
        let policy = self.bench.policy();
        let want = |queue, count| Want { queue, count, lease, policy };
        let wants = [want(QUEUES[0], self.rng.below(4)), want(QUEUES[1], self.rng.below(3))];
        let wants = &wants[..self.rng.below(3)];
        let now = self.bench.now();
        let (engine, memory) = &self.owners[self.rng.below(OWNERS)];
        let turn = engine.turn(&ended.0, wants, now).expect("it succeeds");
        let reference = memory.turn(&ended.1, wants, now).expect("it succeeds");
        self.compare(turn, reference);
    }

    fn compare(&mut self, turn: Turn, reference: Turn) {
        assert_eq!(turn.stale.len(), reference.stale.len());
        assert_eq!((turn.lost, turn.next), (reference.lost, reference.next));
        for (mut dead, id) in turn.dead.into_iter().zip(reference.dead.iter().map(|job| job.id)) {
            assert_eq!(dead.id, self.ids[&id]);
            dead.id = id;
            assert!(reference.dead.contains(&dead), "{dead:?}");
        }
        assert_eq!(turn.claims.len(), reference.claims.len());
        for (mut claim, expected) in turn.claims.into_iter().zip(reference.claims) {
            assert_eq!(claim.held.id, self.ids[&expected.held.id]);
            self.claims.push((claim.held, expected.held));
            claim.held = expected.held;
            assert_eq!(claim, expected);
        }
    }

    fn renew(&mut self) {
        let start = self.claims.len().saturating_sub(3);
        let (held, reference): (Vec<_>, Vec<_>) = self.claims[start..].iter().copied().unzip();
        let (lease, now) = (self.bench.units(LEASE), self.bench.now());
        let (engine, memory) = &self.owners[self.rng.below(OWNERS)];
        let lost = engine.renew(&held, lease, now).expect("it succeeds");
        let expected = memory.renew(&reference, lease, now).expect("it succeeds");
        assert_eq!(lost.len(), expected.len());
    }

    fn cancel(&mut self) {
        let number = u128::try_from(self.rng.below(self.ids.len() + 1)).unwrap_or(0);
        let reference = JobId::new(number);
        let Some(id) = self.ids.get(&reference) else { return };
        let queue = QUEUES[self.rng.below(2)];
        let (engine, memory) = &self.owners[0];
        let cancelled = engine.cancel(queue, *id).expect("it succeeds");
        assert_eq!(cancelled, memory.cancel(queue, reference).expect("it succeeds"));
    }

    fn dead(&mut self) {
        let queue = QUEUES[self.rng.below(2)];
        let now = self.bench.now();
        let (engine, memory) = &self.owners[0];
        let dead = engine.dead(queue, None, 99).expect("it succeeds");
        let mut expected = memory.dead(queue, None, 99).expect("it succeeds");
        for job in &mut expected {
            job.id = self.ids[&job.id];
        }
        expected.sort_by_key(|job| job.id);
        assert_eq!(dead, expected);
        let which = match self.rng.below(2) {
            0 => DeadSelection::DiedBefore(now),
            _ => DeadSelection::OlderThan(self.bench.units(1)),
        };
        if self.rng.below(2) == 0 {
            let count = engine.redrive(queue, which, now).expect("it succeeds");
            assert_eq!(count, memory.redrive(queue, which, now).expect("it succeeds"));
        } else {
            let count = engine.purge(queue, which, now).expect("it succeeds");
            assert_eq!(count, memory.purge(queue, which, now).expect("it succeeds"));
        }
    }
}

impl Walk<'_> {
    fn done(&mut self) {
        let queue = QUEUES[self.rng.below(2)];
        let now = self.bench.now();
        let (engine, memory) = &self.owners[0];
        let done = engine.done(queue, None, 99).expect("it succeeds");
        let mut expected = memory.done(queue, None, 99).expect("it succeeds");
        for job in &mut expected {
            job.id = self.ids[&job.id];
        }
        expected.sort_by_key(|job| job.id);
        assert_eq!(done, expected);
        let age = self.bench.units(12);
        let count = engine.purge_done(queue, age, now).expect("it succeeds");
        assert_eq!(count, memory.purge_done(queue, age, now).expect("it succeeds"));
    }
}

fn walk(bench: &Bench, seed: u64) {
    let mut walk = Walk::new(bench, seed);
    for _ in 0..STEPS {
        walk.step();
    }
}

fn a_random_walk_is_as_in_memory_1(bench: &Bench) {
    walk(bench, 1);
}

fn a_random_walk_is_as_in_memory_2(bench: &Bench) {
    walk(bench, 2);
}

fn a_random_walk_is_as_in_memory_3(bench: &Bench) {
    walk(bench, 3);
}
