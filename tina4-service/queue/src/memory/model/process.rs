//! [`Process`]: the steps of one process.

use super::*;

/// The process is gone.
pub(super) struct Killed;

/// The result of a step, if the process lives to see it.
pub(super) type Step<T> = Result<T, Killed>;

/// One process. Each method is a step: the process can be killed before and after it.
pub(super) struct Process {
    pub(super) machine: Arc<Machine>,
    pub(super) engine: Arc<MemoryEngine>,
    /// The last power cut before its start.
    pub(super) boot: usize,
    pub(super) can_be_killed: bool,
}

impl Process {
    fn step<T>(&self, act: impl FnOnce(&Machine) -> T) -> Step<T> {
        self.go_on()?;
        let result = act(&self.machine);
        self.go_on()?;
        Ok(result)
    }

    /// Lets others act.
    fn go_on(&self) -> Step<()> {
        yield_now();
        let is_killed = self.can_be_killed && thread_rng().gen_range(0..12) == 0;
        let is_gone = self.boot != self.machine.boot.load(Ordering::SeqCst);
        if is_killed || is_gone { Err(Killed) } else { Ok(()) }
    }

    pub(super) fn push(&self) -> Step<JobId> {
        let id = self.step(|machine| {
            let pushed = self.engine.push(&[NewJob::new(QUEUE, "1")], machine.now());
            let id = pushed.expect("memory does not fail")[0].id();
            lock(&machine.witness).stored(id);
            if machine.flaw != Flaw::PushIsNotSynced {
                machine.sync();
            }
            id
        })?;
        lock(&self.machine.witness).acknowledged(id);
        Ok(id)
    }

    /// Ends a claim if there is one, and claims a job if there is one.
    pub(super) fn turn(&self, ended: Option<Ended>) -> Step<Option<Claim>> {
        self.step(|machine| {
            let now = machine.now();
            let turn = self.flawed_turn(machine, ended.as_ref(), now);
            let (mut witness, owner) = (lock(&machine.witness), self.engine.owner());
            if let Some(ended) = &ended {
                let mut was_accepted = turn.stale.is_empty();
                if machine.flaw == Flaw::ClaimRemovesTheJob {
                    // There is nothing left that could be refused.
                    was_accepted = witness.is_held(ended.held, owner, now);
                }
                witness.ended(ended, owner, was_accepted, now);
            }
            for dead in &turn.dead {
                witness.died(dead.id, now);
            }
            for claim in &turn.claims {
                let is_attempt = machine.flaw == Flaw::FenceIsTheAttempt;
                let fence = if is_attempt { claim.attempt.into() } else { claim.held.claim };
                witness.claimed(claim.held, fence, owner, now, now.plus(LEASE));
            }
            turn.claims.into_iter().next()
        })
    }

    /// The step of the engine, with the flaw.
    fn flawed_turn(&self, machine: &Machine, ended: Option<&Ended>, now: Timestamp) -> Turn {
        let settle = |engine: &MemoryEngine, ended: Option<&Ended>, now| {
            let turn = engine.turn(ended.map_or(&[], std::slice::from_ref), &[], now);
            turn.expect("memory does not fail").stale
        };
        let turn = |ended: Option<&Ended>, count, now| {
            let want = Want { queue: QUEUE, count, lease: LEASE, policy: &POLICY };
            let turn = self.engine.turn(ended.map_or(&[], std::slice::from_ref), &[want], now);
            turn.expect("memory does not fail")
        };
        let mut ended = ended.cloned();
        let mut stale = Vec::new();
        let flaw = machine.flaw;
        match flaw {
            Flaw::FinishKeepsTheJob => {
                let done = ended.iter_mut().find(|ended| ended.end == End::Done);
                done.into_iter().for_each(|ended| ended.end = End::Back);
            }
            // The claim of whoever holds the job ends.
            Flaw::FinishIgnoresTheClaim => {
                let holders = lock(&machine.holders);
                let job = ended.as_ref().map(|ended| ended.held.id);
                if let Some((holder, held)) = job.and_then(|id| holders.get(&id)) {
                    let end = ended.take().map(|ended| Ended { held: *held, ..ended });
                    stale = settle(holder, end.as_ref(), now);
                }
            }
            Flaw::FinishIgnoresTheLease => {
                stale = settle(&self.engine, ended.take().as_ref(), Timestamp::default());
            }
            Flaw::None
            | Flaw::PushIsNotSynced
            | Flaw::ClaimRemovesTheJob
            | Flaw::DeadJobsAreDropped
            | Flaw::ClaimIgnoresLeases
            | Flaw::FenceIsTheAttempt
            | Flaw::FenceIsCounted => {}
        }
        let mut dead = Vec::new();
        if flaw == Flaw::ClaimIgnoresLeases {
            // The claims of all others are taken for lost.
            dead = turn(None, 0, now.plus(LEASE)).dead;
        }
        let mut result = if machine.outage == Outage::Server && flaw != Flaw::FenceIsCounted {
            let settled = turn(ended.as_ref(), 0, now);
            self.engine.table().raise_claims(machine.ticks.fetch_add(2, Ordering::SeqCst));
            Turn { claims: turn(None, 1, now).claims, ..settled }
        } else {
            turn(ended.as_ref(), 1, now)
        };
        result.stale.append(&mut stale);
        result.dead.append(&mut dead);
        for dead in result.dead.iter().filter(|_| flaw == Flaw::DeadJobsAreDropped) {
            let purged = self.engine.purge(QUEUE, DeadSelection::One(dead.id), now);
            assert_eq!(purged.expect("memory does not fail"), 1);
        }
        for Claim { held, .. } in result.claims.iter().cloned() {
            if flaw == Flaw::ClaimRemovesTheJob {
                settle(&self.engine, Some(&Ended { held, end: End::Done }), now);
            }
            lock(&machine.holders).insert(held.id, (Arc::clone(&self.engine), held));
        }
        result
    }

    pub(super) fn renew(&self, held: Held) -> Step<()> {
        self.step(|machine| {
            let now = machine.now();
            let lost = self.engine.renew(&[held], LEASE, now).expect("memory does not fail");
            let (mut witness, owner) = (lock(&machine.witness), self.engine.owner());
            let mut was_accepted = lost.is_empty();
            if machine.flaw == Flaw::ClaimRemovesTheJob {
                was_accepted = witness.is_held(held, owner, now);
            }
            witness.renewed(held, owner, was_accepted, now, now.plus(LEASE));
        })
    }

    pub(super) fn cancel(&self, id: JobId) -> Step<()> {
        self.step(|machine| {
            let cancelled = self.engine.cancel(QUEUE, id).expect("memory does not fail");
            if cancelled == Cancelled::Deleted {
                lock(&machine.witness).cancelled(id);
                machine.sync();
            }
        })
    }

    /// Puts the dead jobs back.
    pub(super) fn redrive(&self) -> Step<()> {
        self.step(|machine| {
            for id in self.dead() {
                let which = DeadSelection::One(id);
                let count = self.engine.redrive(QUEUE, which, machine.now());
                assert_eq!(count.expect("memory does not fail"), 1);
                lock(&machine.witness).put_back(id);
            }
            machine.sync();
        })
    }

    pub(super) fn dead(&self) -> Vec<JobId> {
        let dead = self.engine.dead(QUEUE, None, 99).expect("memory does not fail");
        dead.iter().map(|job| job.id).collect()
    }
}
