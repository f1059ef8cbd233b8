//! [`Delivery`]: a claimed job on its way to a function.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::settings::ConsumerSettings;
use super::settling::{IfStale, Settling, dead_job};
use super::turn_report::{Settled, Settlement};
use crate::active_claim::{ActiveClaim, variation};
use crate::bound_queue::wrong_payload;
use crate::claim::{Claim, Held};
use crate::dead_job::DeadJob;
use crate::end::End;
use crate::job::Job;
use crate::outcome::RetryRequest;
use crate::queues::Queues;
use crate::shared_claim::{Progress, SharedClaim};
use crate::timestamp::Timestamp;

/// What a consumer hands out.
#[derive(Debug)]
pub enum Item {
    /// A job to run. It must come back with [`Consumer::finish`](super::Consumer::finish).
    Job(Box<Delivery>),
    /// A job that has died, to be reported.
    Dead(DeadJob),
}

/// A claimed job on its way to a function.
#[derive(Debug)]
pub struct Delivery {
    queues: Queues,
    settings: ConsumerSettings,
    claim: Claim,
    shared: Arc<SharedClaim>,
}

/// How an attempt has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The function has returned well.
    Done,
    /// The function has failed.
    Failed {
        /// What its error says about the next attempt.
        request: RetryRequest,
        /// The text of its error.
        error: String,
    },
    /// The function was interrupted: the attempt does not count.
    Back,
}

impl Delivery {
    pub(super) fn new(
        queues: Queues,
        settings: ConsumerSettings,
        claim: Claim,
        shared: Arc<SharedClaim>,
    ) -> Self {
        Self { queues, settings, claim, shared }
    }

    /// The job and its claim.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(super) fn held(&self) -> Held {
        self.claim.held
    }

    /// The job, with its payload. The function that takes it may finish it by itself; if it does not, its
    /// result decides.
    ///
    /// # Errors
    ///
    /// The payload is not a `T`; the text is the error of the attempt.
    pub fn job<T: DeserializeOwned>(&self) -> Result<Job<T>, String> {
        let payload = serde_json::from_str(&self.claim.payload)
            .map_err(|error| wrong_payload(&error.to_string()))?;
        let active = ActiveClaim {
            queues: self.queues.clone(),
            queue: self.settings.queue,
            held: self.claim.held,
            attempt: self.claim.attempt,
            lease: self.settings.lease,
            policy: self.settings.policy,
            keeps_done: self.settings.keep_done.is_some(),
            is_open: true,
            shared: Some(Arc::clone(&self.shared)),
        };
        Ok(Job::claimed(payload, self.claim.clone(), active))
    }

    /// How the claim ends after this attempt; `None`: the function has ended it. The error is the attempt: a thread of
    /// the function is about to end the claim, and nobody knows yet how.
    pub(super) fn settle(&self, attempt: Attempt) -> Result<Option<Settling>, Attempt> {
        let is_in_transaction = match self.shared.leave_open(Progress::Settled) {
            Ok(()) => false,
            Err(Progress::InTransaction) => match attempt {
                // If the transaction was not committed, the claim ends with its lease.
                Attempt::Done | Attempt::Back => return Ok(None),
                // Usually the transaction was rolled back because of the error.
                Attempt::Failed { .. } => true,
            },
            Err(Progress::Finishing) => return Err(attempt),
            Err(Progress::Open | Progress::Finished | Progress::Settled) => return Ok(None),
        };
        let claim = self.claim.clone();
        let intended = self.shared.intended().cloned();
        let done = || End::done(self.settings.keep_done.is_some());
        let if_stale = if is_in_transaction {
            IfStale::Completed
        } else if self.shared.may_be_ended() {
            IfStale::Ended(intended.clone().unwrap_or_else(done))
        } else {
            IfStale::Lost
        };
        let end = match (attempt, intended) {
            (Attempt::Done | Attempt::Back, Some(intended)) => intended,
            (Attempt::Done, None) => done(),
            (Attempt::Failed { request, error }, _) => {
                let random = variation(claim.held);
                request.end(error, claim.attempt, &self.settings.policy, random)
            }
            (Attempt::Back, None) => End::Back,
        };
        Ok(Some(Settling { claim, end, if_stale, was_sent: false, not_before: None }))
    }

    /// How the function has ended the claim, if it has not just completed it, and the job if it is dead.
    pub(super) fn ended_by_function(
        &self,
        time: impl FnOnce() -> Timestamp,
    ) -> Option<(Settled, Option<DeadJob>)> {
        let end = self.shared.end()?.clone();
        let dead = match &end {
            End::Dead { error } => Some(dead_job(&self.claim, error, time())),
            End::Done | End::Kept | End::Again { .. } | End::Back => None,
        };
        let Claim { held: Held { id, .. }, attempt, .. } = self.claim;
        Some((Settled { id, attempt, settlement: Settlement::Ended(end) }, dead))
    }
}
