//! The request to a service to stop: a flag to read, and a channel to wait on.
//!
//! The channel is created when a thread first waits on it, because most services never wait. The owner
//! of the flag stores the channel under a lock that it has anyway: a separate lock would make every
//! service larger.

#[cfg(feature = "tokio")]
use std::collections::BTreeMap;
#[cfg(feature = "tokio")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
#[cfg(feature = "tokio")]
use std::task::Waker;

use crossbeam_channel::{Receiver, Sender};

use crate::sys::sync::AtomicBool;

/// An uninhabited type: the message type of [`Context::stopping`](crate::Context::stopping).
///
/// No message is ever sent on that channel; it is only disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

/// Dropped when stop is requested; no message is ever sent.
pub(crate) type StopSender = Sender<Never>;
/// Disconnected when stop is requested.
pub(crate) type StopReceiver = Receiver<Never>;

/// Whether the running code of a service was asked to return: its activation is to stop, or its run
/// was cancelled.
#[derive(Debug)]
pub(crate) struct StopFlag {
    requested: AtomicBool,
}

/// What sleeping code waits on: threads on a channel, which is disconnected when stop is requested, and
/// tasks with a waker each.
#[derive(Debug, Default)]
pub(crate) struct StopChannel {
    ends: Option<Ends>,
    /// The wakers of the tasks that wait, by key.
    #[cfg(feature = "tokio")]
    wakers: BTreeMap<u64, Waker>,
}

/// The last key of a waker. Keys are unique in the process, because a task may wait on several channels in
/// turn.
#[cfg(feature = "tokio")]
static LAST_KEY: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Ends {
    /// `None` once stop was requested.
    sender: Option<StopSender>,
    receiver: StopReceiver,
}

/// The code that sleeps until stop is requested, or that is to be woken for another reason.
#[must_use = "call `wake` without holding a lock"]
#[derive(Debug)]
pub(crate) struct Sleepers {
    sender: Option<StopSender>,
    #[cfg(feature = "tokio")]
    wakers: Vec<Waker>,
}

impl StopFlag {
    pub(crate) fn new() -> Self {
        Self { requested: AtomicBool::new(false) }
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Requests the stop. Call [`StopChannel::take_sleepers`] after this, never before.
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }

    /// Withdraws the request, for the next activation or run, which also needs a new channel.
    pub(crate) fn reset(&self) {
        self.requested.store(false, Ordering::SeqCst);
    }

    /// A receiver that is disconnected when stop is requested. The caller must hold the lock that
    /// guards `channel`.
    pub(crate) fn receiver(&self, channel: &mut StopChannel) -> StopReceiver {
        let ends = channel.ends.get_or_insert_with(|| {
            let (sender, receiver) = crossbeam_channel::bounded(0);
            // A stop sets the flag before it looks for a channel. So either the flag is seen now, or
            // the stop finds this sender later.
            let is_requested = self.requested.load(Ordering::SeqCst);
            Ends { sender: (!is_requested).then_some(sender), receiver }
        });
        ends.receiver.clone()
    }

    /// Registers a waker, in place of the one registered under `key`. `true`: stop was requested, and
    /// nothing was registered. The caller must hold the lock that guards `channel`.
    #[cfg(feature = "tokio")]
    pub(crate) fn register_waker(
        &self,
        channel: &mut StopChannel,
        key: &mut Option<u64>,
        waker: &Waker,
    ) -> bool {
        // As in `receiver`: either the flag is seen now, or the stop finds this waker later.
        if self.requested.load(Ordering::SeqCst) {
            return true;
        }
        let key = *key.get_or_insert_with(|| LAST_KEY.fetch_add(1, Ordering::Relaxed) + 1);
        match channel.wakers.get_mut(&key) {
            Some(known) => known.clone_from(waker),
            None => drop(channel.wakers.insert(key, waker.clone())),
        }
        false
    }
}

impl StopChannel {
    /// Takes the threads that sleep on this channel, to be woken once the lock is released.
    pub(crate) fn take_sleepers(&mut self) -> Option<Sleepers> {
        let sender = self.ends.as_mut().and_then(|ends| ends.sender.take());
        #[cfg(feature = "tokio")]
        if !self.wakers.is_empty() {
            let wakers = std::mem::take(&mut self.wakers).into_values().collect();
            return Some(Sleepers { sender, wakers });
        }
        let sender = Some(sender?);
        Some(Sleepers {
            sender,
            #[cfg(feature = "tokio")]
            wakers: Vec::new(),
        })
    }

    /// Removes the waker that was registered under this key, for the caller to drop.
    #[cfg(feature = "tokio")]
    pub(crate) fn remove_waker(&mut self, key: u64) -> Option<Waker> {
        self.wakers.remove(&key)
    }
}

impl Sleepers {
    /// A task that is to be woken.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(waker: Waker) -> Self {
        Self { sender: None, wakers: vec![waker] }
    }

    /// Wakes the sleeping code: every receiver of its channel is disconnected, and every task polled.
    pub(crate) fn wake(self) {
        drop(self.sender);
        #[cfg(feature = "tokio")]
        self.wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn is_disconnected(receiver: &StopReceiver) -> bool {
        receiver.try_recv() == Err(crossbeam_channel::TryRecvError::Disconnected)
    }

    #[test]
    fn a_receiver_is_disconnected_when_the_sleepers_are_woken() {
        let (flag, mut channel) = (StopFlag::new(), StopChannel::default());
        let receiver = flag.receiver(&mut channel);
        assert!(!is_disconnected(&receiver) && !flag.is_requested());
        flag.request();
        let sleepers = channel.take_sleepers().expect("a receiver was created");
        assert!(!is_disconnected(&receiver) && flag.is_requested());
        sleepers.wake();
        assert!(is_disconnected(&receiver) && channel.take_sleepers().is_none());
    }

    #[test]
    fn a_receiver_created_after_the_request_is_disconnected() {
        let (flag, mut channel) = (StopFlag::new(), StopChannel::default());
        flag.request();
        assert!(channel.take_sleepers().is_none());
        assert!(is_disconnected(&flag.receiver(&mut channel)));
        flag.reset();
        assert!(!is_disconnected(&flag.receiver(&mut StopChannel::default())));
    }
}
