//! Three producers and three consumers share a store, and a random one is killed again and again, or all of them at the
//! same moment. Their ledgers must say that nothing was lost, and why a job was done twice.
//!
//! This is the short form. `.ci/queue-chaos` runs the long one, with these variables: `QUEUE_CHAOS_SEEDS`, the number of seeds,
//! and `QUEUE_CHAOS_KILLS`, the number of kills for each.

use std::collections::{HashMap, HashSet};
use std::env;
use std::fmt;
use std::time::Duration;

use tests::rng::Rng;
use tests::{Child, Ended, Stopwatch, millis, pause, secs};
use tina4_service_queue::BoundQueue;

use crate::queue_world::{Store, World, left, on_each_engine};

on_each_engine!(
    rule_130_131_132_and_135_nothing_is_lost_while_processes_are_killed,
    rule_130_131_132_and_135_nothing_is_lost_when_all_processes_are_killed_at_once,
);

/// What the processes do, and how many jobs a kill of each can interrupt.
const WORKERS: [(&str, usize); 6] = [
    ("produce", 0),
    ("produce", 0),
    ("produce", 0),
    ("consume", 1),
    ("serve", 4),
    ("serve-async", 4),
];

/// Once no process is killed any more, the queue is empty after this time at the latest.
const TIME_TO_EMPTY: Duration = secs(60);

/// One kill in so many kills all processes, in the test of that.
const ALL_AT_ONCE: u64 = 2;

fn rule_130_131_132_and_135_nothing_is_lost_while_processes_are_killed(store: Store) {
    run(store, "chaos", 40, |_| false);
}

/// After each second kill, no process is left that knows anything.
fn rule_130_131_132_and_135_nothing_is_lost_when_all_processes_are_killed_at_once(store: Store) {
    run(store, "chaos-of-all", 12, |kill| kill % ALL_AT_ONCE == 0);
}

/// `are_all_killed`: whether a kill, by its number, is one of all processes.
fn run(store: Store, test: &str, short: u64, are_all_killed: fn(u64) -> bool) {
    let number = |variable, short| {
        let number = env::var(variable);
        number.map_or(short, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
    };
    let (seeds, kills) = (number("QUEUE_CHAOS_SEEDS", 1), number("QUEUE_CHAOS_KILLS", short));
    let mut faulty = Vec::new();
    for seed in 1..=seeds {
        let Some(world) = World::new(store, &format!("{test}-{seed}")) else { return };
        let outcome = Chaos::new(&world).run(seed, kills, are_all_killed);
        // Shown with `--nocapture`.
        println!("{test} on {}, seed {seed}: {outcome}", store.name());
        if !outcome.is_clean() {
            faulty.push(format!("seed {seed}, files in {:?}: {outcome:?}", world.keep_files()));
        }
    }
    assert!(faulty.is_empty(), "{faulty:#?}");
}

/// The processes of one seed.
struct Chaos<'a> {
    world: &'a World,
    jobs: BoundQueue<String>,
    /// How many processes were started; each has its number as its name.
    started: usize,
    /// The names of those that were killed.
    killed: HashSet<String>,
    /// What those that ended by themselves have said.
    ended: Vec<String>,
}

impl<'a> Chaos<'a> {
    fn new(world: &'a World) -> Self {
        // The tables exist before the first process is killed.
        let jobs = world.open();
        Self { world, jobs, started: 0, killed: HashSet::new(), ended: Vec::new() }
    }

    fn run(mut self, seed: u64, kills: u64, are_all_killed: fn(u64) -> bool) -> Outcome {
        let mut rng = Rng::new(seed);
        let mut workers: Vec<_> = (0..WORKERS.len()).map(|index| self.start(index)).collect();
        for kill in 1..=kills {
            let before = self.lines("producers", "pushed").len();
            pause(millis(50 + rng.below(250)));
            // On a slow machine, producers would be killed before they have done anything.
            self.wait_until(|chaos| chaos.lines("producers", "pushed").len() > before);
            if are_all_killed(kill) {
                self.kill_all(workers);
                workers = (0..WORKERS.len()).map(|index| self.start(index)).collect();
                continue;
            }
            let index = usize::try_from(rng.below(6)).expect("a small number");
            let new = self.start(index);
            self.kill(std::mem::replace(&mut workers[index], new));
        }
        self.wait_until(|chaos| {
            chaos.lines("producers", "pushed").len() as u64 > kills
                && chaos.idle_consumers().is_empty()
        });
        let consumers = workers.split_off(3);
        for producer in workers {
            self.kill(producer);
        }
        let since_last_kill = Stopwatch::start();
        while left(&self.jobs) > 0 && since_last_kill.elapsed() < TIME_TO_EMPTY {
            pause(millis(20));
        }
        let until_empty = since_last_kill.elapsed();
        // They have nothing to do, so these kills interrupt nothing.
        let killed = self.killed.clone();
        for consumer in consumers {
            self.kill(consumer);
        }
        self.killed = killed;
        self.outcome(kills, until_empty)
    }

    /// Waits until this is true, for a limited time: the outcome says so if it never is.
    fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        let stopwatch = Stopwatch::start();
        while !condition(self) && stopwatch.elapsed() < TIME_TO_EMPTY {
            pause(millis(20));
        }
    }

    fn lines(&self, ledger: &str, word: &str) -> Vec<String> {
        self.world.lines(ledger, word)
    }

    /// Kinds of consumers that have done no job.
    fn idle_consumers(&self) -> Vec<String> {
        let done = self.lines("consumers", "done");
        let did_any = |action: &str| done.iter().any(|line| line.split(':').next() == Some(action));
        let consumers = WORKERS.iter().map(|(action, ..)| *action).filter(|of| *of != "produce");
        consumers.filter(|action| !did_any(action)).map(str::to_owned).collect()
    }

    fn start(&mut self, index: usize) -> (String, Child) {
        let action = WORKERS[index].0;
        let name = format!("{action}:{}", self.started);
        self.started += 1;
        let ledger = if action == "produce" { "producers" } else { "consumers" };
        let child = self.world.start_as(&name, action, &format!("{ledger}-{}", self.started));
        (name, child)
    }

    fn kill(&mut self, (name, child): (String, Child)) {
        let ended = child.kill();
        self.record(name, &ended);
    }

    fn kill_all(&mut self, workers: Vec<(String, Child)>) {
        let (names, children): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
        for (name, ended) in names.into_iter().zip(Child::kill_all(children)) {
            self.record(name, &ended);
        }
    }

    fn record(&mut self, name: String, ended: &Ended) {
        // It may have ended by itself before, or by another signal, such as that of an abort.
        #[cfg(unix)]
        let was_killed = std::os::unix::process::ExitStatusExt::signal(&ended.status) == Some(9);
        #[cfg(not(unix))]
        let was_killed = ended.status.code().is_some();
        if !was_killed {
            self.ended.push(format!("{name}: {ended:?}"));
        }
        self.killed.insert(name);
    }

    fn outcome(self, kills: u64, until_empty: Duration) -> Outcome {
        let producers = |word| self.lines("producers", word).into_iter().collect();
        let (pushed, tried): (HashSet<_>, HashSet<_>) = (producers("pushed"), producers("try"));
        let mut lines_of: HashMap<String, usize> = HashMap::new();
        let mut runs_of: HashMap<String, Vec<Run>> = HashMap::new();
        for line in self.lines("consumers", "done") {
            let (payload, mut run) = Run::parse(&line);
            let lines = lines_of.entry(run.process.clone()).or_default();
            *lines += 1;
            run.line = *lines;
            runs_of.entry(payload).or_default().push(run);
        }
        let (mut duplicates, mut unexplained, mut lost) = (0, Vec::new(), Vec::new());
        let mut interrupted: HashMap<&str, usize> = HashMap::new();
        for (payload, runs) in &mut runs_of {
            runs.sort_by_key(|run| run.fence);
            duplicates += runs.len() - 1;
            for pair in runs.windows(2) {
                let grows = pair[0].fence < pair[1].fence && pair[0].attempt < pair[1].attempt;
                let process = &*pair[0].process;
                let count = interrupted.entry(process).or_default();
                *count += 1;
                // It held at most so many jobs when it was killed. Of several jobs that end at the same time, the one that
                // was done first need not be the first that the store hears of.
                let was_held = match jobs_at_once(process) {
                    1 => pair[0].line == lines_of[process],
                    many => *count <= many,
                };
                if !(grows && was_held && self.killed.contains(process)) {
                    unexplained.push(format!("{payload}: {pair:?}"));
                }
            }
        }
        let did_nothing = self.idle_consumers();
        lost.extend(pushed.iter().filter(|payload| !runs_of.contains_key(*payload)).cloned());
        let unexpected = runs_of.keys().filter(|payload| !tried.contains(*payload));
        let backlog = self.jobs.stats().expect("the jobs can be counted").backlog;
        Outcome {
            kills,
            pushed: pushed.len(),
            duplicates,
            until_empty,
            lost,
            unexpected: unexpected.cloned().collect(),
            unexplained,
            dead: backlog.dead,
            left: backlog.ready + backlog.delayed + backlog.claimed,
            ended: self.ended,
            did_nothing,
        }
    }
}

/// How many jobs a process with this name works on at once.
fn jobs_at_once(name: &str) -> usize {
    let action = name.split(':').next();
    let worker = WORKERS.iter().find(|worker| Some(worker.0) == action);
    worker.expect("the name of a worker").1
}

/// One line of a ledger: a job was done.
#[derive(Debug)]
struct Run {
    process: String,
    attempt: u32,
    fence: u64,
    /// Of those of its process, starting with 1.
    line: usize,
}

impl Run {
    /// The payload, and the rest.
    fn parse(line: &str) -> (String, Self) {
        let words: Vec<_> = line.split(' ').collect();
        let [process, payload, attempt, fence] = words[..] else { panic!("{line}") };
        let attempt = attempt.parse().expect("a number");
        let fence = fence.parse().expect("a number");
        (payload.to_owned(), Self { process: process.to_owned(), attempt, fence, line: 0 })
    }
}

/// What the ledgers say.
#[derive(Debug)]
struct Outcome {
    kills: u64,
    /// Jobs whose push returned.
    pushed: usize,
    /// How often a job was done once more.
    duplicates: usize,
    /// From the last kill until the queue was empty.
    until_empty: Duration,
    /// Jobs that were pushed and never done.
    lost: Vec<String>,
    /// Jobs that were done, although nobody has tried to push them.
    unexpected: Vec<String>,
    /// Jobs that were done again, although no kill can have interrupted them, or without a higher attempt and fence.
    unexplained: Vec<String>,
    dead: u64,
    /// Jobs that are neither done nor dead at the end.
    left: u64,
    /// Processes that ended before they were killed, or by another signal.
    ended: Vec<String>,
    /// Kinds of consumers that have done no job.
    did_nothing: Vec<String>,
}

impl Outcome {
    fn is_clean(&self) -> bool {
        let Self { lost, unexpected, unexplained, ended, did_nothing, .. } = self;
        let faults = [lost, unexpected, unexplained, ended, did_nothing];
        let is_meaningful = self.pushed as u64 > self.kills;
        faults.iter().all(|faults| faults.is_empty())
            && (self.dead, self.left) == (0, 0)
            && is_meaningful
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, pushed, duplicates, until_empty, dead, left, .. } = self;
        let (lost, unexpected) = (self.lost.len(), self.unexpected.len());
        let (unexplained, ended) = (self.unexplained.len(), self.ended.len());
        write!(
            f,
            "{kills} kills, {pushed} pushed, {duplicates} duplicates, lost {lost}, unexpected {unexpected}, unexplained {unexplained}, \
             dead {dead}, left {left} after {until_empty:.1?}, ended by themselves {ended}"
        )
    }
}
