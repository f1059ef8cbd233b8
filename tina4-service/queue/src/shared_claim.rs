//! [`SharedClaim`]: who ends the claim of a job that a consumer has handed to a function.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::end::End;

/// The state of a claim that a consumer and the function that it calls share. Whoever ends it first wins.
#[derive(Debug, Default)]
pub(crate) struct SharedClaim {
    progress: AtomicU8,
    /// How the function has ended it, unless the job is done.
    end: OnceLock<End>,
    /// How the function was to end it when the engine failed, unless the job was to be done.
    intended: OnceLock<End>,
    /// Whether the engine may have ended it although it failed.
    may_be_ended: AtomicBool,
}

/// How far a shared claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nobody has ended it.
    Open,
    /// The function is ending it: the engine has not answered.
    Finishing,
    /// The function has ended it.
    Finished,
    /// The function has ended it in a transaction, which may be rolled back.
    InTransaction,
    /// The consumer ends it.
    Settled,
}

impl Progress {
    const ALL: [Self; 5] =
        [Self::Open, Self::Finishing, Self::Finished, Self::InTransaction, Self::Settled];

    fn from_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|progress| *progress as u8 == number).unwrap_or(Self::Settled)
    }
}

impl SharedClaim {
    /// Changes the state from `Open`; otherwise returns the state that it has.
    pub(crate) fn leave_open(&self, next: Progress) -> Result<(), Progress> {
        let open = Progress::Open as u8;
        let changed =
            self.progress.compare_exchange(open, next as u8, Ordering::AcqRel, Ordering::Acquire);
        changed.map(drop).map_err(Progress::from_number)
    }

    /// The function has ended it, unless it was opened again.
    pub(crate) fn finished(&self) {
        let (finishing, finished) = (Progress::Finishing as u8, Progress::Finished as u8);
        let _ = self.progress.compare_exchange(
            finishing,
            finished,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    /// Opens it again, because it could not be ended.
    pub(crate) fn reopen(&self) {
        self.progress.store(Progress::Open as u8, Ordering::Release);
    }

    /// Whether nobody has ended it.
    pub(crate) fn is_open(&self) -> bool {
        self.progress.load(Ordering::Acquire) == Progress::Open as u8
    }

    /// Records how the function was to end it.
    pub(crate) fn intend(&self, end: End) {
        // Whoever has left `Open` is the only one.
        let _ = self.intended.set(end);
    }

    /// How the function was to end it when the engine failed, unless the job was to be done.
    pub(crate) fn intended(&self) -> Option<&End> {
        self.intended.get()
    }

    /// Records that the engine may have ended it although it failed.
    pub(crate) fn doubt(&self) {
        self.may_be_ended.store(true, Ordering::Release);
    }

    /// Whether the engine may have ended it although it failed.
    pub(crate) fn may_be_ended(&self) -> bool {
        self.may_be_ended.load(Ordering::Acquire)
    }

    /// Records how the function has ended it.
    pub(crate) fn record(&self, end: End) {
        // Whoever has left `Open` is the only one.
        let _ = self.end.set(end);
    }

    /// How the function has ended it, unless the job is done.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.get()
    }
}
