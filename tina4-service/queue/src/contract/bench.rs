//! [`Bench`]: a store under test, and short forms of what the cases do with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::store::Store;
use crate::backlog::Backlog;
use crate::claim::{Claim, Held};
use crate::dead_job::DeadJob;
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::job_id::JobId;
use crate::new_job::{NewJob, Unique};
use crate::pushed::Pushed;
use crate::retry_policy::RetryPolicy;
use crate::timestamp::Timestamp;
use crate::want::{Turn, Want};

/// The queue of most cases.
pub(super) const QUEUE: &str = "mails";

/// Units of the lease of most claims.
pub(super) const LEASE: u32 = 10;

/// A store under test.
pub(super) struct Bench {
    store: Box<dyn Store>,
    engine: Box<dyn Engine>,
    /// The other owners, which exist until the end of the case: an engine may take the claims of one
    /// that is gone.
    others: Mutex<Vec<Arc<dyn Engine>>>,
    policy: RetryPolicy,
}

/// Short forms that expect the engine to work.
impl Bench {
    pub(super) fn new(store: Box<dyn Store>) -> Self {
        let engine = store.open();
        let unit = store.unit();
        let policy = RetryPolicy { attempts: 3, backoff: unit * 4, max_backoff: unit * 16 };
        Self { store, engine, others: Mutex::default(), policy }
    }

    /// The owner of most claims.
    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Another owner of the same store.
    pub(super) fn open(&self) -> Arc<dyn Engine> {
        let other: Arc<dyn Engine> = self.store.open().into();
        self.others.lock().expect("no panic").push(Arc::clone(&other));
        other
    }

    pub(super) fn now(&self) -> Timestamp {
        self.store.now()
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.store.is_virtual()
    }

    pub(super) fn units(&self, count: u32) -> Duration {
        self.store.unit() * count
    }

    /// Lets this many units of time pass.
    pub(super) fn pass(&self, units: u32) {
        self.store.pass(self.units(units));
    }

    /// Three attempts; a backoff of 4 units, then 8, then 16.
    pub(super) fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    pub(super) fn push_job(&self, job: NewJob<'_>) -> Pushed {
        let pushed = self.engine.push(&[job], self.now()).expect("the push succeeds");
        assert_eq!(pushed.len(), 1, "one result for one job");
        pushed[0]
    }

    pub(super) fn push(&self, payload: &str) -> JobId {
        self.push_to(QUEUE, payload)
    }

    pub(super) fn push_to(&self, queue: &str, payload: &str) -> JobId {
        self.push_job(NewJob::new(queue, payload)).id()
    }

    pub(super) fn push_priority(&self, payload: &str, priority: i8) -> JobId {
        self.push_job(NewJob { priority, ..NewJob::new(QUEUE, payload) }).id()
    }

    pub(super) fn push_delayed(&self, payload: &str, units: u32) -> JobId {
        self.push_job(NewJob { delay: self.units(units), ..NewJob::new(QUEUE, payload) }).id()
    }

    pub(super) fn push_unique(&self, payload: &str, key: &str) -> Pushed {
        let unique = Some(Unique { key, window: None });
        self.push_job(NewJob { unique, ..NewJob::new(QUEUE, payload) })
    }

    pub(super) fn push_unique_for(&self, payload: &str, key: &str, units: u32) -> Pushed {
        let unique = Some(Unique { key, window: Some(self.units(units)) });
        self.push_job(NewJob { unique, ..NewJob::new(QUEUE, payload) })
    }

    /// A request for jobs of the usual queue.
    pub(super) fn want(&self, count: usize) -> Want<'_> {
        self.want_of(QUEUE, count)
    }

    pub(super) fn want_of<'a>(&'a self, queue: &'a str, count: usize) -> Want<'a> {
        Want { queue, count, lease: self.units(LEASE), policy: &self.policy }
    }

    pub(super) fn turn_of(&self, engine: &dyn Engine, ended: &[Ended], wants: &[Want<'_>]) -> Turn {
        engine.turn(ended, wants, self.now()).expect("the turn succeeds")
    }

    pub(super) fn turn(&self, ended: &[Ended], wants: &[Want<'_>]) -> Turn {
        self.turn_of(self.engine(), ended, wants)
    }

    pub(super) fn claim_by(&self, engine: &dyn Engine, count: usize) -> Vec<Claim> {
        self.turn_of(engine, &[], &[self.want(count)]).claims
    }

    pub(super) fn claim(&self, count: usize) -> Vec<Claim> {
        self.claim_by(self.engine(), count)
    }

    /// Claims a job that must be there.
    pub(super) fn claim_one(&self) -> Claim {
        self.claim_one_by(self.engine())
    }

    pub(super) fn claim_one_by(&self, engine: &dyn Engine) -> Claim {
        self.claim_by(engine, 1).pop().expect("a job is ready")
    }

    /// The payloads of the jobs that can be claimed, in their order.
    pub(super) fn claim_payloads(&self, count: usize) -> Vec<String> {
        self.claim(count).into_iter().map(|claim| claim.payload).collect()
    }

    /// Ends a claim. Returns whether it was held.
    pub(super) fn end_by(&self, engine: &dyn Engine, held: Held, end: End) -> bool {
        let turn = self.turn_of(engine, &[Ended { held, end }], &[]);
        assert!(turn.claims.is_empty(), "nothing was asked for");
        assert!(turn.stale.is_empty() || turn.stale == [held], "{:?}", turn.stale);
        turn.stale.is_empty()
    }

    pub(super) fn end(&self, claim: &Claim, end: End) -> bool {
        self.end_by(self.engine(), claim.held, end)
    }

    /// Ends a claim that must be held.
    pub(super) fn end_held(&self, claim: &Claim, end: End) {
        assert!(self.end(claim, end), "the claim is held");
    }

    /// Ends a claim with an error, so that the job is dead.
    pub(super) fn kill(&self, claim: &Claim, error: &str) {
        self.end_held(claim, End::Dead { error: error.to_owned() });
    }

    /// A claim that fails and is repeated after this many units.
    pub(super) fn again(&self, units: u32, error: &str) -> End {
        End::Again { delay: self.units(units), error: error.to_owned() }
    }

    /// Renews claims for the usual lease. Returns those that were no longer held.
    pub(super) fn renew(&self, held: &[Held]) -> Vec<Held> {
        let lease = self.units(LEASE);
        self.engine.renew(held, lease, self.now()).expect("the renewal succeeds")
    }

    pub(super) fn backlog(&self) -> Backlog {
        self.engine.backlog(QUEUE, self.now()).expect("the jobs can be counted")
    }

    pub(super) fn dead(&self) -> Vec<DeadJob> {
        self.engine.dead(QUEUE, None, 1000).expect("the dead jobs can be listed")
    }

    /// Pushes a job and lets it die, with its payload as the error.
    pub(super) fn push_dead(&self, payload: &str) -> JobId {
        let id = self.push(payload);
        let claim = self.claim_one();
        assert_eq!(claim.held.id, id, "no other job is ready");
        self.kill(&claim, payload);
        id
    }

    /// Claims a job and lets the lease end, as if the process had been killed.
    pub(super) fn lose(&self, engine: &dyn Engine) -> Claim {
        let claim = self.claim_one_by(engine);
        self.pass(LEASE);
        claim
    }
}
