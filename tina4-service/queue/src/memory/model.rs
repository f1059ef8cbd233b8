//! The engine under a model checker: processes share a table in memory, and each of them can be killed between
//! any two steps. A power cut ends all of them, and leaves what was synced; after a crash of a server, they go on.
//! `shuttle` runs each test in thousands of schedules; a process that it leaves out for a while is paused.
//!
//! ```text
//! .ci/model
//! ```
//!
//! The steps are those of the engine. A [`Flaw`] breaks one of them, and its test shows that the [`Witness`]
//! notices.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{self, yield_now};

use super::*;
use crate::claim::Claim;
use crate::end::End;
use crate::retry_policy::RetryPolicy;

mod process;
mod witness;

use self::process::{Killed, Process, Step};
use self::witness::Witness;

/// The number of random schedules per test, and of schedules with few preemptions.
const SCHEDULES: usize = 3_000;
/// The maximum number of preemptions in the latter.
const PREEMPTIONS: usize = 3;

const QUEUE: &str = "jobs";
const LEASE: Duration = Duration::from_millis(30);
const BACKOFF: Duration = Duration::from_millis(5);
/// A job that fails or is lost three times is dead.
const POLICY: RetryPolicy = RetryPolicy { attempts: 3, backoff: BACKOFF, max_backoff: BACKOFF };

/// A planted fault in the steps of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// A push returns before it is synced.
    PushIsNotSynced,
    /// A job is removed when it is claimed.
    ClaimRemovesTheJob,
    /// A job that is lost on its last attempt is not kept.
    DeadJobsAreDropped,
    /// A claim does not look at the leases of others.
    ClaimIgnoresLeases,
    /// A finish looks at the job only, not at its claim.
    FinishIgnoresTheClaim,
    /// A finish does not look at the end of the lease.
    FinishIgnoresTheLease,
    /// A job that is done is ready again.
    FinishKeepsTheJob,
    /// The fence is the attempt, which starts again.
    FenceIsTheAttempt,
    /// The fence is one more than the last one in the table, which a crash of the server can undo.
    FenceIsCounted,
}

/// What can happen to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outage {
    /// The store is a file on the machine of the processes.
    Power,
    /// The store is on a server, and the processes are elsewhere. There, the fence has the time in it.
    Server,
}

/// What a power cut leaves.
#[derive(Clone, Debug, Default)]
struct Synced {
    table: Table,
    witness: Witness,
}

/// The store, the clock, and what must be true. No lock is held at a switch to another thread.
struct Machine {
    flaw: Flaw,
    outage: Outage,
    store: MemoryEngine,
    witness: Mutex<Witness>,
    synced: Mutex<Synced>,
    /// Who holds each job: for [`Flaw::FinishIgnoresTheClaim`].
    holders: Mutex<BTreeMap<JobId, (Arc<MemoryEngine>, Held)>>,
    /// Counts the power cuts. Processes that were started before the last one are gone.
    boot: AtomicUsize,
    now: AtomicI64,
    /// A clock that nothing turns back, for fences.
    ticks: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machine {
    fn new(flaw: Flaw, outage: Outage) -> Arc<Self> {
        Arc::new(Self {
            flaw,
            outage,
            store: MemoryEngine::new(),
            witness: Mutex::default(),
            synced: Mutex::default(),
            holders: Mutex::default(),
            boot: AtomicUsize::new(0),
            now: AtomicI64::new(0),
            ticks: AtomicU64::new(0),
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn pass(&self, time: Duration) {
        let later = self.now().plus(time).as_millis();
        self.now.store(later, Ordering::SeqCst);
    }

    /// Makes all commits so far durable.
    fn sync(&self) {
        let synced =
            Synced { table: self.store.table().clone(), witness: lock(&self.witness).clone() };
        *lock(&self.synced) = synced;
    }

    /// What was not synced is gone.
    fn fail(&self) {
        let Synced { table, witness } = lock(&self.synced).clone();
        *self.store.table() = table;
        let mut now = lock(&self.witness);
        match self.outage {
            Outage::Power => {
                now.restore_after_power_cut(witness);
                self.boot.fetch_add(1, Ordering::SeqCst);
            }
            Outage::Server => now.restore_after_crash(witness),
        }
    }

    /// Starts a process, which is an owner of its own.
    fn start(self: &Arc<Self>, can_be_killed: bool) -> Process {
        Process {
            machine: Arc::clone(self),
            engine: Arc::new(self.store.sibling()),
            boot: self.boot.load(Ordering::SeqCst),
            can_be_killed,
        }
    }

    /// Starts a process that does this, and once more if it is killed.
    fn spawn(
        self: &Arc<Self>,
        act: impl Fn(&Process) -> Step<()> + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let machine = Arc::clone(self);
        thread::spawn(move || {
            if act(&machine.start(true)).is_err() {
                let _ = act(&machine.start(true));
            }
        })
    }
}

/// Pushes two jobs, and may cancel the first.
fn produce(process: &Process) -> Step<()> {
    let id = process.push()?;
    process.push()?;
    if thread_rng().gen_range(0..4) == 0 { process.cancel(id) } else { Ok(()) }
}

/// Claims jobs, and ends them in all ways. Its last claim ends with the process.
fn consume(process: &Process) -> Step<()> {
    let mut ended = None;
    for _ in 0..4 {
        let Some(claim) = process.turn(ended.take())? else { continue };
        if thread_rng().gen_range(0..3) == 0 {
            process.renew(claim.held)?;
        }
        let error = String::new();
        let end = match thread_rng().gen_range(0..8) {
            0 => End::Again { delay: Duration::ZERO, error },
            1 => End::Again { delay: BACKOFF, error },
            2 => End::Dead { error },
            3 => End::Back,
            _ => End::Done,
        };
        ended = Some(Ended { held: claim.held, end });
    }
    process.turn(ended).map(drop)
}

/// Lets time pass, and may let the store fail.
fn pass_time(machine: &Machine) {
    for _ in 0..4 {
        for _ in 0..thread_rng().gen_range(1..6) {
            yield_now();
        }
        machine.pass(LEASE / 2);
        if thread_rng().gen_range(0..12) == 0 {
            machine.fail();
        }
    }
}

/// One schedule.
fn run(flaw: Flaw, outage: Outage) {
    let machine = Machine::new(flaw, outage);
    let time = Arc::clone(&machine);
    let threads = [
        machine.spawn(produce),
        machine.spawn(consume),
        machine.spawn(consume),
        machine.spawn(Process::redrive),
        thread::spawn(move || pass_time(&time)),
    ];
    for thread in threads {
        thread.join().expect("it returns");
    }
    let last = machine.start(false);
    let (mut ended, mut turns) = (None, 0);
    while ended.is_some() || last.engine.table().next_change(QUEUE).is_some() || turns < 2 {
        let claim = last.turn(ended.take()).unwrap_or_else(|Killed| unreachable!());
        ended = claim.map(|claim| Ended { held: claim.held, end: End::Done });
        machine.pass(LEASE / 2);
        turns += 1;
        assert!(turns < 100, "the queue is not empty");
    }
    lock(&machine.witness).check(&last.dead());
}

/// Runs many schedules.
fn explore(flaw: Flaw, outage: Outage) {
    let mut config = shuttle::Config::new();
    // Formatting and unwinding need more than the default of 32 KiB.
    config.stack_size = 1 << 17;
    let random = RandomScheduler::new(SCHEDULES);
    shuttle::Runner::new(random, config.clone()).run(move || run(flaw, outage));
    let preempting = PctScheduler::new(PREEMPTIONS, SCHEDULES);
    shuttle::Runner::new(preempting, config).run(move || run(flaw, outage));
}

#[test]
fn rule_130_131_and_132_processes_are_killed_between_any_two_steps() {
    explore(Flaw::None, Outage::Power);
}

#[test]
fn rule_130_131_132_and_135_a_server_crashes_and_its_clients_go_on() {
    explore(Flaw::None, Outage::Server);
}

#[test]
#[should_panic(expected = "fence: ")]
fn rule_135_a_fence_that_a_crash_of_the_server_turns_back_is_found() {
    explore(Flaw::FenceIsCounted, Outage::Server);
}

#[test]
#[should_panic(expected = "lost: ")]
fn rule_130_a_push_that_is_not_synced_is_found() {
    explore(Flaw::PushIsNotSynced, Outage::Power);
}

#[test]
#[should_panic(expected = "lost: ")]
fn rule_131_a_job_that_is_removed_when_it_is_claimed_is_found() {
    explore(Flaw::ClaimRemovesTheJob, Outage::Power);
}

#[test]
#[should_panic(expected = "lost: ")]
fn rule_131_a_dead_job_that_is_dropped_is_found() {
    explore(Flaw::DeadJobsAreDropped, Outage::Power);
}

#[test]
#[should_panic(expected = "two owners: ")]
fn rule_132_a_claim_that_ignores_leases_is_found() {
    explore(Flaw::ClaimIgnoresLeases, Outage::Power);
}

#[test]
#[should_panic(expected = "two owners: ")]
fn rule_132_a_finish_that_ignores_the_claim_is_found() {
    explore(Flaw::FinishIgnoresTheClaim, Outage::Power);
}

#[test]
#[should_panic(expected = "two owners: ")]
fn rule_132_a_finish_that_ignores_the_lease_is_found() {
    explore(Flaw::FinishIgnoresTheLease, Outage::Power);
}

#[test]
#[should_panic(expected = "resurrected: ")]
fn rule_131_a_job_that_comes_back_after_its_end_is_found() {
    explore(Flaw::FinishKeepsTheJob, Outage::Power);
}

#[test]
#[should_panic(expected = "fence: ")]
fn rule_132_a_fence_that_starts_again_is_found() {
    explore(Flaw::FenceIsTheAttempt, Outage::Power);
}
