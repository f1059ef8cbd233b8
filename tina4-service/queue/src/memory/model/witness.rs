//! [`Witness`]: what must be true of each job.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::Held;
use crate::end::{End, Ended};
use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// What happened to each job, and who holds it.
///
/// It panics at the first step that must not be. The message begins with the guarantee that was broken: `lost`, `two owners`,
/// `resurrected` or `fence`.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    jobs: BTreeMap<JobId, Job>,
    /// The jobs whose push has returned.
    acknowledged: BTreeSet<JobId>,
}

#[derive(Clone, Debug)]
struct Job {
    state: State,
    /// Of its last claim.
    fence: u64,
    holder: Option<Holder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Done,
    Dead,
    Cancelled,
}

#[derive(Clone, Debug)]
struct Holder {
    owner: String,
    claim: u64,
    until: Timestamp,
}

impl Job {
    fn is_held(&self, now: Timestamp) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.until > now)
    }

    fn is_held_by(&self, owner: &str, claim: u64, now: Timestamp) -> bool {
        let is_same = |holder: &Holder| holder.owner == owner && holder.claim == claim;
        self.is_held(now) && self.holder.as_ref().is_some_and(is_same)
    }
}

impl Witness {
    fn job(&mut self, id: JobId) -> &mut Job {
        self.jobs.get_mut(&id).expect("it was stored")
    }

    pub(super) fn stored(&mut self, id: JobId) {
        self.jobs.insert(id, Job { state: State::Open, fence: 0, holder: None });
    }

    pub(super) fn acknowledged(&mut self, id: JobId) {
        self.acknowledged.insert(id);
    }

    pub(super) fn is_held(&self, held: Held, owner: &str, now: Timestamp) -> bool {
        self.jobs.get(&held.id).is_some_and(|job| job.is_held_by(owner, held.claim, now))
    }

    /// `fence` is what the engine calls the number of the claim.
    pub(super) fn claimed(
        &mut self,
        held: Held,
        fence: u64,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) {
        let job = self.job(held.id);
        assert!(job.state == State::Open, "resurrected: {held:?} of {job:?}");
        assert!(!job.is_held(now), "two owners: {held:?} of {owner}, {job:?}");
        assert!(fence > job.fence, "fence: {fence} after {job:?}");
        job.fence = fence;
        job.holder = Some(Holder { owner: owner.to_owned(), claim: held.claim, until });
    }

    /// `was_accepted`: whether the engine has ended the claim.
    pub(super) fn ended(&mut self, ended: &Ended, owner: &str, was_accepted: bool, now: Timestamp) {
        let Held { id, claim } = ended.held;
        let job = self.job(id);
        let is_held = job.is_held_by(owner, claim, now);
        assert_eq!(was_accepted, is_held, "two owners: {ended:?} of {owner}, {job:?}");
        if !was_accepted {
            return;
        }
        job.holder = None;
        job.state = match ended.end {
            End::Done | End::Kept => State::Done,
            End::Dead { .. } => State::Dead,
            End::Again { .. } | End::Back => State::Open,
        };
    }

    pub(super) fn renewed(
        &mut self,
        held: Held,
        owner: &str,
        was_accepted: bool,
        now: Timestamp,
        until: Timestamp,
    ) {
        let job = self.job(held.id);
        let is_held = job.is_held_by(owner, held.claim, now);
        assert_eq!(was_accepted, is_held, "two owners: {held:?} of {owner}, {job:?}");
        for holder in job.holder.iter_mut().filter(|_| is_held) {
            holder.until = until;
        }
    }

    /// It is dead because its claims were lost.
    pub(super) fn died(&mut self, id: JobId, now: Timestamp) {
        let job = self.job(id);
        assert!(job.state == State::Open, "resurrected: {job:?} dies");
        assert!(!job.is_held(now), "two owners: {job:?} dies while it is held");
        job.state = State::Dead;
    }

    pub(super) fn cancelled(&mut self, id: JobId) {
        let job = self.job(id);
        assert!(job.state == State::Open, "resurrected: {job:?} is cancelled");
        job.state = State::Cancelled;
    }

    pub(super) fn put_back(&mut self, id: JobId) {
        let job = self.job(id);
        assert!(job.state == State::Dead, "resurrected: {job:?} is put back");
        job.state = State::Open;
    }

    /// Takes back what was not synced. Those who knew it are gone.
    pub(super) fn restore_after_power_cut(&mut self, synced: Self) {
        self.jobs = synced.jobs;
    }

    /// Takes back what was not synced, except for the fences: those who have them go on.
    pub(super) fn restore_after_crash(&mut self, synced: Self) {
        let before = std::mem::replace(&mut self.jobs, synced.jobs);
        for (id, job) in &mut self.jobs {
            job.fence = before[id].fence;
        }
    }

    /// At the end, when nothing is left to do. `dead` are the dead jobs of the engine.
    pub(super) fn check(&self, dead: &[JobId]) {
        for id in &self.acknowledged {
            let state = self.jobs.get(id).map(|job| job.state);
            match state {
                Some(State::Done | State::Cancelled) => {}
                Some(State::Dead) => assert!(dead.contains(id), "lost: job {id} was dead"),
                Some(State::Open) | None => panic!("lost: job {id}, {state:?}"),
            }
        }
    }
}
